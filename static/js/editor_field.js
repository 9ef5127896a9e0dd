/* Keeps the form's field and the editor in step: text typed in the editor is written to the field, and
   text that scripts or the browser put into the field is loaded into the editor. */
import { parseStory, serializeStory } from "./opaque_blocks.js";

const WAIT_MS = 200;

export function syncWithField(editor, root, field, box, label) {
  let memory = null; // see parseStory
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
  const writeField = () => {
    clearTimeout(timer);
    if (root.hidden) return;
    shownText = serializeStory(root, memory);
    if (shownText === field.value) return;
    field.value = shownText;
    field.dispatchEvent(new Event("input", { bubbles: true }));
  };
  const showView = (name) => {
    writeField();
    const isHtml = name === "html";
    for (const button of box.querySelectorAll("[data-view]"))
      button.setAttribute("aria-pressed", String(button.dataset.view === name));
    for (const part of [root, box.querySelector("[role=toolbar]")]) part.hidden = isHtml;
    for (const part of [field, hint]) part.hidden = !isHtml;
    // With dir=auto the browser determines the direction again whenever the field is written, so the
    // hidden field has none.
    if (isHtml) field.dir = "auto";
    else field.removeAttribute("dir");
    if (!isHtml && field.value !== shownText) load();
  };
  load();
  showView("write");
  editor.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(writeField, WAIT_MS);
  });
  root.addEventListener("focusout", writeField);
  field.form.addEventListener("submit", writeField, true);
  for (const event of ["beforeunload", "pagehide"])
    window.addEventListener(event, writeField, true);
  document.addEventListener("visibilitychange", writeField, true);
  // When somebody goes back or reloads, browsers restore the field's earlier value.
  window.addEventListener("pageshow", () => field.value !== shownText && load());
  field.addEventListener("restored", load);
  box.addEventListener("click", (event) => {
    const button = event.target.closest("[data-view]");
    if (!button) return;
    showView(button.dataset.view);
    (field.hidden ? root : field).focus();
  });
  for (const link of [label, ...document.querySelectorAll('a[href="#body"]')])
    link.addEventListener("click", (event) => {
      if (!field.hidden) return;
      event.preventDefault();
      root.focus();
    });
}
