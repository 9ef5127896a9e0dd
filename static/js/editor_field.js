/* The field always has the text: what is written in the editor goes there, what comes from elsewhere is
   shown in the editor. */
import { parseStory, serializeStory } from "./opaque_blocks.js";

const WAIT_MS = 200;

export function syncWithField(editor, root, field, box, label) {
  let memory = null;
  let shownText = null;
  let timer = 0;
  const hint = document.getElementById("body-hint"); // about plain text and HTML
  const load = () => {
    clearTimeout(timer);
    shownText = field.value;
    const story = parseStory(shownText);
    memory = story.memory;
    editor.load(story.nodes);
  };
  const flush = () => {
    clearTimeout(timer);
    if (root.hidden) return;
    shownText = serializeStory(root, memory);
    if (shownText === field.value) return;
    field.value = shownText;
    field.dispatchEvent(new Event("input", { bubbles: true }));
  };
  const view = (name) => {
    flush();
    const isHtml = name === "html";
    for (const button of box.querySelectorAll("[data-view]"))
      button.setAttribute("aria-pressed", String(button.dataset.view === name));
    for (const part of [root, box.querySelector("[role=toolbar]")]) part.hidden = isHtml;
    for (const part of [field, hint]) part.hidden = !isHtml;
    // With dir=auto the browser looks for the direction again at every line that is put in.
    if (isHtml) field.dir = "auto";
    else field.removeAttribute("dir");
    if (!isHtml && field.value !== shownText) load();
  };
  load();
  view("write");
  editor.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(flush, WAIT_MS);
  });
  root.addEventListener("focusout", flush);
  field.form.addEventListener("submit", flush, true);
  for (const event of ["beforeunload", "pagehide"]) window.addEventListener(event, flush, true);
  document.addEventListener("visibilitychange", flush, true);
  // A browser that goes back, or reloads, puts into the field what was in it.
  window.addEventListener("pageshow", () => field.value !== shownText && load());
  field.addEventListener("restored", load);
  box.addEventListener("click", (event) => {
    const button = event.target.closest("[data-view]");
    if (!button) return;
    view(button.dataset.view);
    (field.hidden ? root : field).focus();
  });
  for (const link of [label, ...document.querySelectorAll('a[href="#body"]')])
    link.addEventListener("click", (event) => {
      if (!field.hidden) return;
      event.preventDefault();
      root.focus();
    });
}
