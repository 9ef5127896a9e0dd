/* Before logging out, says that unsaved text stays on this device. */
import * as localDrafts from "./local_drafts.js";

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
  dialog.querySelector("[data-part=count]").textContent =
    drafts.length === 1 ? "One story has" : `${drafts.length} stories have`;
  dialog.returnValue = "stay";
  dialog.showModal();
  dialog.addEventListener("close", () => dialog.returnValue === "leave" && leave(), { once: true });
}

logout.addEventListener("submit", (event) => {
  if (isConfirmed) return;
  event.preventDefault();
  localDrafts.unsaved().then(showDialog, leave);
});
