/* What the editor makes of a paste: clean HTML, in which a table is a card. */
import { sanitizePasted } from "./editor_input.js";
import { CARD, isBlock } from "./editor_shape.js";
import { blockOf, cardFor, createCard } from "./opaque_blocks.js";
import { cleanPaste } from "./paste.js";

// Squire drops spaces at the ends of what is pasted; this stands for one meanwhile.
const EDGE = "\ue000";
const MAX_LOOSE_NODES = 50;
let omissions = ""; // what was not pasted, in a sentence

function textsOf(fragment) {
  const walker = document.createTreeWalker(fragment, NodeFilter.SHOW_TEXT);
  const texts = [];
  while (walker.nextNode()) if (walker.currentNode.data) texts.push(walker.currentNode);
  return texts;
}

/** Puts the cards of tables into what is pasted. Squire drops elements that it does not know, so a
    marked paragraph stands for a card until what is pasted has been cleaned. */
export function bindPaste(editor, say) {
  editor.addEventListener("willPaste", ({ detail }) => {
    if (!detail.fragment) return;
    for (const paragraph of detail.fragment.querySelectorAll("[data-card]")) {
      // The first block that is pasted flows into the one at the cursor.
      if (!paragraph.previousSibling) paragraph.before(editor.createDefaultBlock());
      paragraph.replaceWith(cardFor(paragraph.dataset.card));
    }
    for (const node of textsOf(detail.fragment)) node.data = node.data.replaceAll(EDGE, " ");
    if (omissions) say(omissions);
  });
}

/** What Squire makes of pasted HTML. */
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
  // Outside of a paragraph Squire takes a line break for the end of one, and moves every node by itself
  // into a new one, which takes time that grows with the square of their number.
  const isLoose = ![...fragment.children].some(isBlock);
  if (isLoose && (fragment.childNodes.length > MAX_LOOSE_NODES || fragment.querySelector("br"))) {
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

/** Plain text as HTML to paste: an empty line ends a paragraph, a line break stays one. */
export function plainTextToPasteHtml(text) {
  const escape = (line) => line.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
  const [before, after] = [/^\s/, /\S\s+$/].map((pattern) => (pattern.test(text) ? " " : ""));
  const paragraphs = text
    .replace(/\r\n?/g, "\n")
    .trim()
    .split(/\n[^\S\n]*\n\s*/);
  const lines = paragraphs.map((paragraph) => escape(paragraph).replace(/\n/g, "<br>"));
  const whole = `${before}${lines.join("</p><p>")}${after}`;
  // Marked as Squire marks what it copies: of such HTML the outer spaces are kept.
  return `<!-- squire -->${lines.length > 1 ? `<p>${whole}</p>` : whole}`;
}
