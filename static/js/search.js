/* Suggestions under the search box of the header. Their styles are loaded when the box gets the focus. */
import { Combobox } from "./combobox.js";
import { gettext } from "./messages.js";

const WAIT_MS = 150;
const TIMEOUT_MS = 5000; // then the suggestions for the text before are removed
const STYLES = new URL("../css/search.css", import.meta.url).href;
const box = document.getElementById("sitesearch");
const status = document.getElementById("status");
const list = Object.assign(document.createElement("div"), {
  id: "search-suggestions",
  hidden: true,
});
let controller = new AbortController(); // of the last request

function fill(html) {
  list.innerHTML = html; // a fragment of this site, escaped by the server
  status.textContent = combobox.showOptions();
}

/** Fetches suggestions; a response that arrives after a newer request is ignored. */
async function fetchSuggestions() {
  const text = box.value.trim();
  controller.abort();
  const current = (controller = new AbortController());
  if (text.length < 2) {
    fill("");
    return;
  }
  const timer = setTimeout(() => {
    current.abort();
    fill("");
  }, TIMEOUT_MS);
  try {
    // Beside the search page, which may be that of another language: /fr/search.
    const url = new URL(`fragments/suggest?q=${encodeURIComponent(text)}`, box.form.action);
    const response = await fetch(url, { signal: current.signal });
    const html = response.ok ? await response.text() : "";
    if (!current.signal.aborted) fill(html);
  } catch {
    if (!current.signal.aborted) fill("");
  } finally {
    clearTimeout(timer);
  }
}

list.setAttribute("role", "listbox");
list.setAttribute("aria-label", gettext("Suggestions"));
const combobox = new Combobox(box, list, fetchSuggestions, WAIT_MS);

function close() {
  controller.abort();
  combobox.close();
}

function loadStyles() {
  if ([...document.querySelectorAll("link[rel=stylesheet]")].some(({ href }) => href === STYLES))
    return;
  const link = Object.assign(document.createElement("link"), { rel: "stylesheet", href: STYLES });
  document.head.append(link);
}

box.addEventListener("focus", loadStyles);
box.addEventListener("input", () => combobox.fetchSoon());
box.addEventListener("blur", close);
window.addEventListener("pagehide", close); // the back button leads to a page without an open list
if (document.activeElement === box) {
  loadStyles(); // the box got the focus before this script was loaded
  if (box.value) combobox.fetchSoon();
}
