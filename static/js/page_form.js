// @ts-check
/* The form of a standing page: asks before the browser leaves text that is not saved. */

const form = /** @type {HTMLFormElement} */ (document.getElementById("story"));
// A form that comes back with a message is not saved yet.
let isChanged = document.querySelector("main .summary") !== null;

form.addEventListener("input", () => (isChanged = true));
form.addEventListener("submit", (event) => {
  const button = /** @type {HTMLButtonElement | null} */ (event.submitter);
  if (button?.formTarget !== "_blank") isChanged = false;
});
addEventListener("beforeunload", (event) => {
  if (!isChanged) return;
  event.preventDefault();
  event.returnValue = true; // for browsers from before 2024, which ignore preventDefault
});
