/* Reloads the preview whenever the server has stored typed text, and restores the scroll position. */
const preview = document.getElementById("preview");
const saveStatus = document.getElementById("save-status");
let previewedSeq = "";
let scrollTop = 0;

function refresh() {
  const outcome = saveStatus.querySelector("[data-outcome=saved]");
  const isVisible = preview.offsetParent !== null;
  if (!outcome || outcome.dataset.seq === previewedSeq || !isVisible) return;
  previewedSeq = outcome.dataset.seq;
  const frame = preview.querySelector("iframe");
  scrollTop = frame && frame.contentWindow ? frame.contentWindow.scrollY : 0;
  preview.dispatchEvent(new Event("refresh"));
}

preview.closest(".preview-pane").hidden = false;
new MutationObserver(refresh).observe(saveStatus, { childList: true, subtree: true });
window.addEventListener("resize", refresh);
preview.addEventListener(
  "load",
  (event) => {
    if (event.target.contentWindow) event.target.contentWindow.scrollTo(0, scrollTop);
  },
  true,
);
for (const choice of document.querySelectorAll("[name=frame-width]"))
  choice.addEventListener("change", () =>
    preview.classList.toggle("desktop", choice.value === "desktop"),
  );
