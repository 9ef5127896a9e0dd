// @ts-check
/* Autosave of the story form: typed text is stored on this device at once and on the server within two
   seconds, and a status line reports it. The page loads this script before those of third parties,
   because a CDN that does not answer delays the scripts after it. */
import * as localDrafts from "./local_drafts.js";
import { connection, pending, progress, submission } from "./autosave_state.js";
import { fetchText, isLoggedIn } from "./requests.js";
import { gettext } from "./messages.js";

const EXCLUDED_FIELDS = new Set(["csrf_token", "seq", "loss_asked", "then"]);
const NOT_STORED_TYPES = new Set(["file", "submit", "button"]);
const BYTES_PER_MS = 4; // a slow connection; the time limit grows with the text
const STORE_PAUSE_MS = 700;
const STORE_LATEST_MS = 3000;
const SEND_PAUSE_MS = 1200;
const SEND_LATEST_MS = 10000;
const TIMEOUT_MS = 12000;
const REPEAT_MESSAGE_MS = 60000;
export const RETRY_MS = 5000;

/** @param {string} id */
const find = (id) => /** @type {HTMLElement} */ (document.getElementById(id));
export const form = /** @type {HTMLFormElement} */ (find("story"));
export const statusLine = find("save-status");

/**
 * @param {string} name
 * @returns {any} the control of the form, or its list of radio buttons
 */
export const field = (name) => form.elements.namedItem(name);

/** The form's entries as they are stored on this device. */
export function values() {
  /** @type {Record<string, string>} */
  const entries = {};
  for (const control of form.elements) {
    const { name, value, type, checked } = /** @type {HTMLInputElement} */ (control);
    const isUnchecked = (type === "radio" || type === "checkbox") && !checked;
    const isStored = name && !NOT_STORED_TYPES.has(type) && !EXCLUDED_FIELDS.has(name);
    if (isStored && !isUnchecked) entries[name] = value;
  }
  return entries;
}

/** What the status line says: that the text is on this device, another reason why it is not on the
    server, or anything else.
    @type {"device" | "warning" | ""} */
let statusKind = "";

/**
 * @param {string} text
 * @param {"device" | "warning" | ""} kind
 */
export function showStatus(text, kind = "") {
  statusKind = kind;
  if (statusLine.textContent !== text) statusLine.textContent = text;
}

/**
 * Returns a function that postpones `act` until `pause` ms after its own last call, but at most until
 * `latest` ms after its first call since `act` last ran.
 * @param {() => void} act
 * @param {number} pause
 * @param {number} latest
 */
function debounceWithLimit(act, pause, latest) {
  let timer = 0;
  let since = 0;
  return () => {
    clearTimeout(timer);
    since = since || Date.now();
    const remaining = Math.max(0, since + latest - Date.now());
    timer = setTimeout(
      () => {
        since = 0;
        act();
      },
      Math.min(pause, remaining),
    );
  };
}

/* ---- on this device ---- */

export const draftId = () => `${localDrafts.user}/${form.dataset.story}/${field("copy").value}`;

export async function saveLocally() {
  const { inputs } = progress;
  const entries = values();
  const draft = {
    id: draftId(),
    user: localDrafts.user,
    story: form.dataset.story || "",
    copy: entries.copy,
    version: entries.version,
    headline: entries.headline,
    at: Date.now(),
    values: entries,
    wanted: pending.action, // the action that is sent when the form is, and the form that it waits for
    after: pending.formId,
  };
  try {
    await localDrafts.save(draft);
    progress.onDevice = Math.max(progress.onDevice, inputs);
    progress.canStoreLocally = true;
    // The server may have confirmed the text while it was being stored here.
    if (progress.isOnServer() && !pending.action) await localDrafts.remove(draft.id);
  } catch {
    progress.canStoreLocally = false;
  }
}

export const saveIfChanged = () => progress.isOnServer() || saveLocally();
const saveLocallySoon = debounceWithLimit(saveLocally, STORE_PAUSE_MS, STORE_LATEST_MS);

/* ---- on the server ---- */

let lastNotice = 0; // time of the last notice that the text is on this device

async function reportNotSaved() {
  connection.send("failed");
  if (!progress.isOnDevice()) await saveLocally();
  if (!submission.isIn("editing") || progress.isOnServer()) return;
  if (!progress.canStoreLocally)
    showStatus(
      gettext("Not saved. This browser cannot keep a copy, so copy your text somewhere safe."),
      "warning",
    );
  else if (statusKind !== "device" || Date.now() - lastNotice >= REPEAT_MESSAGE_MS) {
    lastNotice = Date.now();
    const time = new Date().toTimeString().slice(0, 5);
    const text = navigator.onLine
      ? gettext("Not saved – kept on this device at %(time)s", { time })
      : gettext("Offline – kept on this device at %(time)s", { time });
    showStatus(text, "device");
  }
}

/** Checks whether the person has logged in again. */
async function checkLogin() {
  connection.send((await isLoggedIn()) ? "loggedIn" : "failed");
}

export async function sendToServer() {
  if (progress.isOnServer() || !submission.isIn("editing")) return;
  if (!connection.isIn("idle", "loggedOut")) return;
  if (!navigator.onLine) {
    await reportNotSaved();
    return;
  }
  if (connection.isIn("loggedOut")) {
    connection.send("save");
    await checkLogin();
    if (!connection.isIn("idle") || !submission.isIn("editing")) return;
  }
  connection.send("save");
  field("seq").value = String(progress.inputs);
  // A retry leaves a warning in place until it succeeds.
  if (!statusKind) showStatus(gettext("Saving…"));
  await handleOutcome(await postAutosave());
}

/** Sends the form; returns the element with the server's result, null if no page of the site came. */
async function postAutosave() {
  const body = new FormData(form);
  let size = 0;
  for (const [name, value] of [...body])
    if (value instanceof File) body.delete(name);
    else size += value.length;
  const timeout = TIMEOUT_MS + size / BYTES_PER_MS;
  const response = await fetchText(form.dataset.autosave || "", { method: "POST", body }, timeout);
  const html = response?.isOk ? response.text : "";
  const page = new DOMParser().parseFromString(html, "text/html");
  return /** @type {HTMLElement | null} */ (page.querySelector("[data-outcome]"));
}

const sendToServerSoon = debounceWithLimit(sendToServer, SEND_PAUSE_MS, SEND_LATEST_MS);

/** @param {HTMLElement | null} outcome */
async function handleOutcome(outcome) {
  if (!outcome) {
    await reportNotSaved();
    return;
  }
  connection.send(outcome.dataset.reason === "logged-out" ? "loggedOut" : "answered");
  if (submission.isIn("editing")) {
    statusKind = outcome.dataset.outcome === "refused" ? "warning" : "";
    statusLine.replaceChildren(outcome);
  }
  if (outcome.dataset.outcome === "refused") {
    await saveLocally();
    return;
  }
  progress.onServer = Math.max(progress.onServer, Number(outcome.dataset.seq));
  find("weight").textContent = outcome.dataset.weight || "";
  if (!progress.isOnServer()) sendToServerSoon();
  else if (submission.isIn("editing")) localDrafts.remove(draftId()).catch(() => {});
}

const newFormId = () =>
  [...crypto.getRandomValues(new Uint32Array(5))]
    .map((part) => part.toString(36).padStart(7, "0"))
    .join("");

form.addEventListener("input", (event) => {
  // Files are neither stored nor autosaved, so the status line must not report them.
  if (/** @type {HTMLInputElement} */ (event.target).type === "file") return;
  // The first input after the form was sent begins a new autosave.
  if (submission.send("input")) {
    field("copy").value = newFormId();
    pending.action = "";
  }
  progress.inputs += 1;
  saveLocallySoon();
  sendToServerSoon();
});

/* ---- leaving the page ---- */

const hasUnsavedInput = () => !progress.isOnServer() && !submission.isIn("sending");

setInterval(sendToServer, RETRY_MS);
addEventListener("online", sendToServer);
addEventListener("offline", () => progress.isOnServer() || reportNotSaved());
document.addEventListener("visibilitychange", () => document.hidden && saveIfChanged());
addEventListener("pagehide", () => hasUnsavedInput() && saveLocally());
addEventListener("beforeunload", (event) => {
  if (!hasUnsavedInput() || progress.isOnDevice()) return;
  event.preventDefault();
  event.returnValue = true; // for browsers from before 2024, which ignore preventDefault
});
