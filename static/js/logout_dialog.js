/* Before logging out, says that unsaved text stays on this device. */
import * as localDrafts from "./local_drafts.js";
import { ngettext } from "./messages.js";

const logout = document.querySelector("form[action$='/newsroom/logout']");
const dialog = document.getElementById("logout-dialog");
let isConfirmed = false;

function leave() {
  isConfirmed = true;
  logout.requestSubmit();
}

function showDialog(drafts) {
  if (!drafts.length) {
    leave();
    return;
  }
  dialog.querySelector("h2").textContent = ngettext(
    "One story has text that is only on this device",
    "%(count)s stories have text that is only on this device",
    drafts.length,
  );
  dialog.returnValue = "stay";
  dialog.showModal();
  dialog.addEventListener("close", () => dialog.returnValue === "leave" && leave(), { once: true });
}

logout.addEventListener("submit", (event) => {
  if (isConfirmed) return;
  event.preventDefault();
  localDrafts.unsaved().then(showDialog, leave);
});
