/* Converts the HTML that a word processor or a web page puts on the clipboard to clean HTML with all its
   words and the spaces between them. Browsers would report style attributes as soon as they parse them,
   because the Content-Security-Policy forbids them, so they are renamed to data-style first. */
import { BREAKS } from "./html_names.js";
import { collectBlocks } from "./paste_blocks.js";
import { pasteState, resetPasteState } from "./paste_state.js";
import { makeBlocks } from "./paste_lines.js";
import { groupLists } from "./paste_lists.js";
import { canonicalLanguage, markText } from "./paste_marks.js";
import { describeSkipped, findAnchors, nounOf, parseClipboard } from "./paste_source.js";
import { closeStrayTags } from "./stray_tags.js";
import { gettext } from "./messages.js";

// Longer HTML is pasted as plain paragraphs, because the browser needs about 40 µs for an element and
// 100 µs for a block.
const MAX_LENGTH = 2000000; // characters
const MAX_ELEMENTS = 16000; // outside of tables, which become one card each
const MAX_BLOCKS = 8000;
const MAX_TABLES = 500;

const CELLS = /^(?:t[dhr]|tbody|tfoot|thead)$/;
const ELEMENT = /<(?!t(?:r|[dh]|body|head|foot)(?=[\s/>]))[a-z]/gi;
const BLOCK = new RegExp(
  `<(?:${BREAKS.filter((name) => !CELLS.test(name)).join("|")})(?=[\\s/>])`,
  "gi",
);
const COMMENTS = /<!--[\s\S]*?-->/g;

function plainBlocks(html) {
  const breaks = new RegExp(`</?(?:br|${BREAKS.join("|")})(?=[\\s/>])[^<>]*>`, "gi");
  const pictures = (html.match(/<img(?=[\s/>])/gi) || []).length;
  if (pictures) pasteState.skipped.set("picture", pictures);
  const closed = closeStrayTags(html);
  // Comments are removed only up to the last "-->": searching for the end of unclosed ones after it would
  // take quadratic time.
  const last = closed.lastIndexOf("-->");
  const end = last < 0 ? 0 : last + "-->".length;
  const text = (closed.slice(0, end).replace(COMMENTS, "") + closed.slice(end))
    .replace(breaks, "\n\n")
    .replace(/<[^<>]*>/g, "");
  const { body } = new DOMParser().parseFromString(text, "text/html");
  const lines = body.textContent.split(/\n\s*\n/).filter((line) => line.trim());
  const linesPerParagraph = Math.ceil(lines.length / MAX_BLOCKS) || 1;
  const paragraphs = [];
  for (let at = 0; at < lines.length; at += linesPerParagraph)
    paragraphs.push(lines.slice(at, at + linesPerParagraph).join(" "));
  return paragraphs.flatMap((line) => makeBlocks([{ text: line, marks: {} }], "p"));
}

const SPACE = /^[ \t\n\r\f\u00a0]/;

/** Returns the spaces before and after the text, which separate it from the words at the cursor. */
function outerSpaces(body) {
  const texts = [];
  const visit = (node) => {
    if (node.nodeType === 3 && node.data) texts.push(node.data);
    else if (node.nodeType === 1 && nounOf(node) === null) node.childNodes.forEach(visit);
  };
  visit(body);
  const last = texts.length ? texts[texts.length - 1] : "";
  return [SPACE.test(texts[0] || "") ? " " : "", SPACE.test(last.slice(-1)) ? " " : ""];
}

/** Puts these spaces into the first and the last block, as no-break spaces, which Squire does not drop. */
function separateEdges(blocks, [before, after]) {
  const ends = [
    [blocks[0], before, "prepend"],
    [blocks[blocks.length - 1], after, "append"],
  ];
  for (const [block, space, method] of ends)
    if (space && block && /^(?:p|h2|h3)$/.test(block.localName)) block[method]("\u00a0");
}

function serializeBody(body, root) {
  const field = document.getElementById("language");
  const language =
    body.lang || root.lang || (field && field.value) || document.documentElement.lang;
  pasteState.language = canonicalLanguage(language).split("-")[0];
  const blocks = groupLists(collectBlocks(body, markText(body, {}), null));
  const [before, after] = outerSpaces(body);
  if (!blocks.length) return !body.firstElementChild || pasteState.isFromEditor ? before : "";
  if (blocks.length === 1 && !pasteState.hasBlock) return before + blocks[0].innerHTML + after;
  if (pasteState.isFromEditor) separateEdges(blocks, [before, after]);
  return blocks.map((block) => block.outerHTML).join("\n");
}

const TOO_MUCH = gettext("Pasted without formatting because the text is very long.");
const count = (pattern, html) => (html.match(pattern) || []).length;
const isTooMuch = (html) =>
  html.length > MAX_LENGTH ||
  count(ELEMENT, html) > MAX_ELEMENTS ||
  count(BLOCK, html) > MAX_BLOCKS ||
  count(/<table(?=[\s/>])/gi, html) > MAX_TABLES;

/** Returns clean HTML for that of the clipboard, and a sentence that says what was omitted. `isTaken(id)`
    returns whether an element of the story has that id. */
export function cleanPaste(html, isTaken = () => false) {
  const isFromEditor = html.slice(0, 1000).includes("<!-- squire -->"); // copied from an editor
  resetPasteState(isFromEditor);
  if (isTooMuch(html)) {
    const paragraphs = plainBlocks(html).map((paragraph) => paragraph.outerHTML);
    const omissions = `${TOO_MUCH} ${describeSkipped(pasteState.skipped)}`.trim();
    return { html: paragraphs.join("\n"), omissions };
  }
  const { body, documentElement: root } = parseClipboard(html);
  pasteState.anchors = findAnchors(body, isTaken, isFromEditor);
  return { html: serializeBody(body, root), omissions: describeSkipped(pasteState.skipped) };
}
