// @ts-check
/* Sending the story form. First checks whether the site is reachable and the person is logged in, because
   the form cannot be sent again after the browser has left the page. Otherwise tries again later. */
import * as localDrafts from "./local_drafts.js";
import {
  RETRY_MS,
  draftId,
  field,
  form,
  saveLocally,
  showStatus,
  sendToServer,
  statusLine,
} from "./autosave.js";
import { pending, progress, submission } from "./autosave_state.js";
import { isLoggedIn } from "./requests.js";
import { gettext } from "./messages.js";

const cancelButton = /** @type {HTMLButtonElement} */ (document.getElementById("stop-sending"));
const firstButton = /** @type {HTMLButtonElement} */ (form.querySelector("button[name=do]"));
const loggedOut = /** @type {HTMLTemplateElement} */ (document.getElementById("logged-out"));

/** @type {HTMLButtonElement | null} */
let button = null;
let isChecking = false; // a request for the session is running
let isConfirmedSubmit = false; // true for the submit event that `post` causes

/** @param {string} event */
function stopSending(event) {
  submission.send(event);
  pending.action = pending.formId = "";
  cancelButton.hidden = true;
}

function post() {
  showStatus(gettext("Sending…"));
  isConfirmedSubmit = true;
  if (form.requestSubmit) form.requestSubmit(button);
  else (button || firstButton).click(); // Safari before 16
  isConfirmedSubmit = false;
  if (pending.formId) setTimeout(() => (cancelButton.hidden = !pending.formId), RETRY_MS);
  else {
    stopSending("invalid"); // the browser shows which field is invalid
    showStatus(gettext("Not sent."));
    saveLocally();
  }
}

/** @param {boolean | null} isIn whether somebody is logged in */
function reportNotSent(isIn) {
  const isKept = progress.canStoreLocally;
  if (isIn === false)
    sayLoggedOut(
      isKept
        ? gettext("Kept on this device.")
        : gettext("This browser cannot keep it, so copy your text."),
    );
  else showStatus(navigator.onLine ? describeSilence(isKept) : describeOffline(isKept));
}

/** @param {boolean} isKept whether the text is on this device */
const describeSilence = (isKept) =>
  isKept
    ? gettext("The server does not answer. Kept on this device; will send when it does.")
    : gettext(
        "The server does not answer. This browser cannot keep it, so copy your text; will send when it does.",
      );

/** @param {boolean} isKept whether the text is on this device */
const describeOffline = (isKept) =>
  isKept
    ? gettext("Offline. Kept on this device; will send when you're back online.")
    : gettext(
        "Offline. This browser cannot keep it, so copy your text; will send when you're back online.",
      );

/** @param {string} where says where the text is stored */
function sayLoggedOut(where) {
  if (statusLine.querySelector("a")) return;
  const notice = /** @type {DocumentFragment} */ (loggedOut.content.cloneNode(true));
  /** @type {HTMLElement} */ (notice.querySelector("[data-part=where]")).textContent = where;
  statusLine.replaceChildren(notice);
}

/** Posts the form if the person is logged in. */
async function sendIfPossible() {
  if (isChecking) return;
  isChecking = true;
  const isIn = await isLoggedIn();
  if (!progress.isOnDevice()) await saveLocally();
  isChecking = false;
  if (!submission.send(isIn ? "available" : "unavailable")) return; // it was cancelled meanwhile
  if (isIn) post();
  else {
    cancelButton.hidden = false;
    reportNotSent(isIn);
  }
}

const retry = () => submission.send("retry") && sendIfPossible();

form.addEventListener(
  "submit",
  (event) => {
    if (isConfirmedSubmit) {
      pending.formId = field("copy").value;
      return;
    }
    /** @type {any} */
    const submitter = event.submitter || document.activeElement;
    if (submitter?.formTarget === "_blank") return; // the preview, in another tab
    event.preventDefault();
    if (!submission.send("submit")) return;
    button = /** @type {HTMLButtonElement | null} */ (event.submitter);
    pending.action = button?.value || "save";
    showStatus(gettext("Sending…"));
    saveLocally().then(sendIfPossible);
  },
  true,
);

cancelButton.addEventListener("click", async () => {
  const isSent = Boolean(pending.formId);
  const draft = draftId();
  if (isSent) {
    window.stop();
    field("copy").value = pending.formId;
  }
  stopSending("cancel");
  if (button) button.focus();
  await saveLocally();
  if (progress.canStoreLocally && draft !== draftId()) localDrafts.remove(draft).catch(() => {});
  showStatus(
    isSent ? gettext("Cancelled, but the server may already have it.") : gettext("Not sent."),
  );
  sendToServer();
});

setInterval(retry, RETRY_MS);
addEventListener("online", retry);
addEventListener("pageshow", (event) => {
  if (!event.persisted) return;
  stopSending("restore");
  showStatus("");
});
