/* Pasting into the editor: the clipboard becomes clean HTML, in which each table is a card. */
import { sanitizePasted } from "./editor_input.js";
import { CARD, isBlock } from "./editor_shape.js";
import { blockOf, cardFor, createCard } from "./opaque_blocks.js";
import { cleanPaste } from "./paste.js";

// A placeholder for a space at either end of pasted text, where Squire drops spaces.
const EDGE = "\ue000";
const MAX_INLINE_NODES = 50;
let omissions = ""; // a sentence that says what was not pasted

function textsOf(fragment) {
  const walker = document.createTreeWalker(fragment, NodeFilter.SHOW_TEXT);
  const texts = [];
  while (walker.nextNode()) if (walker.currentNode.data) texts.push(walker.currentNode);
  return texts;
}

/** Inserts the cards of pasted tables. Squire drops unknown elements, so `sanitizePaste` has put a
    placeholder paragraph in the place of each card. */
export function bindPaste(editor, announce) {
  editor.addEventListener("willPaste", ({ detail }) => {
    if (!detail.fragment) return;
    for (const paragraph of detail.fragment.querySelectorAll("[data-card]")) {
      // Squire joins the first pasted block with the block at the cursor.
      if (!paragraph.previousSibling) paragraph.before(editor.createDefaultBlock());
      paragraph.replaceWith(cardFor(paragraph.dataset.card));
    }
    for (const node of textsOf(detail.fragment)) node.data = node.data.replaceAll(EDGE, " ");
    if (omissions) announce(omissions);
  });
}

/** Returns pasted HTML as the fragment that Squire inserts. */
export function sanitizePaste(html, editor) {
  const root = editor.getRoot();
  const cards = [...root.querySelectorAll(CARD)];
  const opaque = cards.map((card) => blockOf(card).source).join("");
  const isTaken = (id) =>
    Boolean(root.querySelector(`[data-id="${CSS.escape(id)}"]`)) || opaque.includes(` id="${id}"`);
  const paste = cleanPaste(html, isTaken);
  omissions = paste.omissions;
  const fragment = sanitizePasted(paste.html, (source, rows) => {
    const paragraph = document.createElement("p");
    paragraph.dataset.card = createCard({ name: "table", source, rows }).dataset.block;
    paragraph.textContent = "…"; // Squire drops what is empty
    return paragraph;
  });
  // Without a paragraph around them, Squire would turn line breaks into paragraphs, and need quadratic
  // time for many nodes.
  const isInline = ![...fragment.children].some(isBlock);
  const { length } = fragment.childNodes;
  if (isInline && (length > MAX_INLINE_NODES || fragment.querySelector("br"))) {
    const paragraph = document.createElement("p");
    paragraph.append(...fragment.childNodes);
    fragment.append(paragraph);
  }
  const texts = textsOf(fragment);
  if (texts.length) {
    const [first, last] = [texts[0], texts[texts.length - 1]];
    first.data = first.data.replace(/^[ \xa0]/, EDGE);
    last.data = last.data.replace(/[ \xa0]$/, EDGE);
  }
  return fragment;
}

/** Returns plain text as HTML to paste: empty lines separate paragraphs, line breaks remain. */
export function plainTextToPasteHtml(text) {
  const escape = (line) => line.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
  const [before, after] = [/^\s/, /\S\s+$/].map((pattern) => (pattern.test(text) ? " " : ""));
  const paragraphs = text
    .replace(/\r\n?/g, "\n")
    .trim()
    .split(/\n[^\S\n]*\n\s*/);
  const lines = paragraphs.map((paragraph) => escape(paragraph).replace(/\n/g, "<br>"));
  const content = `${before}${lines.join("</p><p>")}${after}`;
  // Squire's mark of HTML copied from an editor: `cleanPaste` keeps the outer spaces of such HTML.
  return `<!-- squire -->${lines.length > 1 ? `<p>${content}</p>` : content}`;
}
