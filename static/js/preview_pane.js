/* Reloads the preview whenever the server has stored typed text, and restores the scroll position. */
const preview = document.getElementById("preview");
const saveStatus = document.getElementById("save-status");
let previewedSeq = "";
let scrollTop = 0; // of the last page that was shown completely

/** Returns the page in the frame, null while it loads or if the browser shows an error instead. */
function loadedPage() {
  const page = preview.querySelector("iframe")?.contentDocument;
  return page && page.URL !== "about:blank" && page.readyState === "complete" ? page : null;
}

function reload() {
  const outcome = saveStatus.querySelector("[data-outcome=saved]");
  const isVisible = preview.offsetParent !== null; // it is hidden on narrow screens
  if (!outcome || outcome.dataset.seq === previewedSeq || !isVisible) return;
  previewedSeq = outcome.dataset.seq;
  scrollTop = loadedPage()?.defaultView.scrollY ?? scrollTop;
  preview.dispatchEvent(new Event("refresh")); // makes htmx load the frame: _preview_pane.html
}

preview.closest(".preview-pane").hidden = false;
new MutationObserver(reload).observe(saveStatus, { childList: true, subtree: true });
// A pane that was hidden when text was stored may become visible.
window.addEventListener("resize", reload);
preview.addEventListener(
  "load",
  () => loadedPage()?.defaultView.scrollTo(0, scrollTop),
  true, // a frame's load event does not bubble
);
for (const choice of document.querySelectorAll("[name=frame-width]"))
  choice.addEventListener("change", () =>
    preview.classList.toggle("desktop", choice.value === "desktop"),
  );
