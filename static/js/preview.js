"use strict";
/* Asks for the preview again whenever the server has taken in what was typed, and keeps the place that one reads. */
(() => {
  const preview = document.getElementById("preview");
  const saved = document.getElementById("save-status");
  if (!preview || !saved) return;
  preview.closest(".preview-pane").hidden = false;
  let shown = "";
  let top = 0;

  const refresh = () => {
    const answer = saved.querySelector("[data-outcome=saved]");
    if (!answer || answer.dataset.seq === shown || preview.offsetParent === null) return;
    shown = answer.dataset.seq;
    const frame = preview.querySelector("iframe");
    top = frame && frame.contentWindow ? frame.contentWindow.scrollY : 0;
    preview.dispatchEvent(new Event("refresh"));
  };

  new MutationObserver(refresh).observe(saved, { childList: true, subtree: true });
  window.addEventListener("resize", refresh);
  preview.addEventListener(
    "load",
    (event) => {
      if (event.target.contentWindow) event.target.contentWindow.scrollTo(0, top);
    },
    true,
  );
  for (const choice of document.querySelectorAll("[name=frame-width]")) {
    choice.addEventListener("change", () =>
      preview.classList.toggle("desktop", choice.value === "desktop"),
    );
  }
})();
