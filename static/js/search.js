/* Suggestions under the search box of the header. Their styles are loaded with the first focus. */
import { Combobox } from "./combobox.js";

const WAIT_MS = 150;
const TIMEOUT_MS = 5000; // suggestions for other letters are shown no longer than this
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

/** Asks for what the letters may become; an answer that was overtaken is never shown. */
async function ask() {
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
    const url = `/fragments/suggest?q=${encodeURIComponent(text)}`;
    const response = await fetch(url, { signal: current.signal });
    const html = response.ok ? await response.text() : "";
    if (!current.signal.aborted) fill(html);
  } catch {
    if (!current.signal.aborted) fill(""); // Enter searches all the same
  } finally {
    clearTimeout(timer);
  }
}

list.setAttribute("role", "listbox");
list.setAttribute("aria-label", "Suggestions");
const combobox = new Combobox(box, list, ask, WAIT_MS);

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
box.addEventListener("input", () => combobox.askSoon());
box.addEventListener("blur", close);
window.addEventListener("pagehide", close); // the back button leads to a page without an open list
if (document.activeElement === box) {
  loadStyles(); // somebody types already
  if (box.value) combobox.askSoon();
}
