// @ts-check
/* Converts a story's source to the editor's blocks and back. A block that the editor cannot edit, such as
   a table, is opaque: a card represents it (opaque_block_card.js), and its source stays unchanged and
   never becomes part of the page. */
import { parseEditable, repairHtml } from "./editor_input.js";
import { serializeBlock, serializeLine, serializeWithoutIds } from "./editor_output.js";
import { CARD, isBlock } from "./editor_shape.js";
import { isPlain, makeParagraphs, parseInert, splitBlocks } from "./html_source.js";
import { gettext, ngettext } from "./messages.js";

/** @typedef {import("./html_source.js").Piece & {serialized?: string}} Piece */
/**
 * @typedef {object} Description what the card of a piece of source shows
 * @property {string} noun
 * @property {string} label
 * @property {string} excerpt the beginning of its text
 * @property {string} [picture] the URL of its picture
 * @property {boolean} [hasEditableCaption]
 */
/**
 * `key` is the index among the pieces of the source, null for a new block. `mayVanishOnUndo`: the card was
 * added or removed after the story was opened, so an undo or redo can make it disappear. `isRemoved`:
 * the person has removed the card.
 * @typedef {Description & {source: string, key: number | null, mayVanishOnUndo: boolean, isRemoved: boolean}} OpaqueBlock
 */

const MAX_TEXT = 90;
const MAX_DESCRIBED = 20000; // characters of source
/**
 * @param {string} label
 * @param {string} noun
 */
const named = (label, noun) => ({ label, noun });
/** The names of blocks as a heading and within a sentence. */
const NOUNS = {
  "": named(gettext("Loose text"), gettext("loose text")),
  "#comment": named(gettext("Comment"), gettext("comment")),
  p: named(gettext("Paragraph"), gettext("paragraph")),
  ul: named(gettext("List"), gettext("list")),
  ol: named(gettext("List"), gettext("list")),
  blockquote: named(gettext("Quotation"), gettext("quotation")),
  h2: named(gettext("Heading"), gettext("heading")),
  h3: named(gettext("Heading"), gettext("heading")),
  h4: named(gettext("Small heading"), gettext("small heading")),
  video: named(gettext("Video"), gettext("video")),
  audio: named(gettext("Sound"), gettext("sound")),
  details: named(gettext("Details"), gettext("details")),
  pre: named(gettext("Fixed-width text"), gettext("fixed-width text")),
  dl: named(gettext("List of terms"), gettext("list of terms")),
  hr: named(gettext("Dividing line"), gettext("dividing line")),
};

/** @param {string | null} text */
function shorten(text) {
  const line = (text || "").replace(/\s+/g, " ").trim();
  return line.length > MAX_TEXT ? `${line.slice(0, MAX_TEXT - 1).trimEnd()}…` : line;
}

/** @param {Element} frame */
function hostOf(frame) {
  try {
    return new URL(frame.getAttribute("src") || "", location.href).hostname;
  } catch {
    return "";
  }
}

/**
 * @param {Pick<Piece, "name" | "source" | "rows">} piece
 * @returns {Description}
 */
function describe({ name, source, rows }) {
  if (rows) {
    const label = ngettext("Table, %(count)s row", "Table, %(count)s rows", rows);
    return { noun: gettext("table"), label, excerpt: "" };
  }
  // Spaces between adjacent tags separate the words of adjacent elements in the excerpt.
  const { body } = parseInert(source.slice(0, MAX_DESCRIBED).replace(/></g, "> <"));
  const frame = body.querySelector("iframe");
  const pictures = body.querySelectorAll("img");
  const excerpt = shorten(body.textContent);
  if (frame) {
    const host = hostOf(frame);
    const label = host ? gettext("Embed from %(host)s", { host }) : gettext("Embed");
    return { noun: gettext("embed"), label, excerpt };
  }
  if (pictures.length > 1) {
    const label = ngettext(
      "Gallery, %(count)s picture",
      "Gallery, %(count)s pictures",
      pictures.length,
    );
    return { noun: gettext("gallery"), label, excerpt };
  }
  if (pictures.length && (name === "figure" || name === "img")) {
    const alt = shorten(pictures[0].getAttribute("alt"));
    const picture = pictures[0].getAttribute("src") || "";
    const hasEditableCaption = Boolean(figureParts(body.firstElementChild));
    const label = alt ? gettext("Picture: %(alt)s", { alt }) : gettext("Picture: no alt text");
    return { noun: gettext("picture"), label, excerpt, picture, hasEditableCaption };
  }
  const nouns = /** @type {Record<string, ReturnType<typeof named>>} */ (NOUNS);
  const { label, noun } = nouns[name] || named(gettext("Block"), gettext("block"));
  const comment = source.replace(/^<!--|-->$/g, "");
  return {
    noun,
    label,
    excerpt: name === "#comment" ? shorten(comment) : excerpt,
  };
}

/** @param {Node} node */
const isText = (node) => node.nodeType === Node.TEXT_NODE;
/** @param {Node} node */
const isNotBlank = (node) => !isText(node) || Boolean((node.textContent || "").trim());

/**
 * Returns the image, caption and credit of a figure, null if the figure contains anything else.
 * @param {Element | null} figure
 */
export function figureParts(figure) {
  if (!figure || figure.localName !== "figure") return null;
  const [img, caption, ...rest] = figure.children;
  const isBare = ![...figure.childNodes].some((node) => isText(node) && isNotBlank(node));
  if (!isBare || rest.length || !img || img.localName !== "img") return null;
  if (!caption) return { img, caption: null, text: "", credit: "" };
  const nodes = [...caption.childNodes].filter(isNotBlank);
  const last = /** @type {Element | undefined} */ (nodes[nodes.length - 1]);
  const credit = last && last.localName === "cite" ? last : null;
  if (credit) nodes.pop();
  const isSimple = nodes.every(isText) && !(credit && credit.children.length);
  if (caption.localName !== "figcaption" || !isSimple) return null;
  const text = nodes.map((node) => node.textContent).join("");
  return { img, caption, text: text.trim(), credit: (credit?.textContent || "").trim() };
}

/**
 * All blocks by number, including removed ones, which an undo may restore.
 * @type {Map<string, OpaqueBlock>}
 */
const blocks = new Map();

/**
 * Creates the opaque block of a piece of source, and returns its card.
 * @param {Pick<Piece, "name" | "source" | "rows">} piece
 * @param {number | null} key
 */
export function createCard(piece, key = null, mayVanishOnUndo = key === null) {
  const number = String(blocks.size + 1);
  const { source } = piece;
  blocks.set(number, { ...describe(piece), source, key, mayVanishOnUndo, isRemoved: false });
  return cardFor(number);
}

/** @param {string} number */
export function cardFor(number) {
  const card = document.createElement(CARD);
  card.setAttribute("contenteditable", "false");
  card.dataset.block = number;
  return card;
}

/** @param {HTMLElement} card */
export const blockOf = (card) => blocks.get(card.dataset.block || "");

/** @param {any} node */
export const isCard = (node) => Boolean(node) && node.localName === CARD;

/**
 * Returns a text's blocks for the editor, and what `serializeStory` needs to return unchanged blocks byte
 * for byte: the text and its pieces.
 * @param {string} text
 */
export function parseStory(text) {
  const html = isPlain(text) ? makeParagraphs(text) : text;
  const whole = { name: "", source: html, trailing: "", isEditable: false, rows: 0 };
  const { lead, pieces } = splitBlocks(html) ||
    splitBlocks(repairHtml(html)) || { lead: "", pieces: [whole] };
  const nodes = pieces.map((/** @type {Piece} */ piece, key) => {
    const block = parseEditable(piece);
    if (!block) return createCard(piece, key);
    block.dataset.key = String(key);
    piece.serialized = serializeBlock(block);
    return block;
  });
  return { nodes, memory: { text, lead, pieces } };
}

/** Collects the HTML of the editor's blocks in order: the original source of unchanged blocks, and the
    serialized HTML of others. `isExact` marks the former. */
class StorySerializer {
  /** @param {HTMLElement} root @param {Piece[]} pieces */
  constructor(root, pieces) {
    this.pieces = pieces;
    /** @type {{html: string, key: number | null, isExact: boolean}[]} */
    this.parts = [];
    /** @type {Set<number>} */
    this.usedKeys = new Set();
    this.duplicates = duplicateIds(root);
    for (const node of root.childNodes) this.addNode(/** @type {HTMLElement} */ (node));
  }

  /** @param {string} html @param {number | null} key @param {boolean} isExact */
  add(html, key, isExact) {
    // A copy of a block has the block's key; only its first use counts as the block itself.
    const isFirst = key !== null && this.pieces[key] !== undefined && !this.usedKeys.has(key);
    if (html || isExact)
      this.parts.push({ html, key: isFirst ? key : null, isExact: isFirst && isExact });
    if (isFirst) this.usedKeys.add(key);
  }

  /** @param {HTMLElement} node */
  addNode(node) {
    const opaque = isCard(node) ? blockOf(node) : undefined;
    if (opaque) {
      const piece = opaque.key === null ? undefined : this.pieces[opaque.key];
      this.add(opaque.source, opaque.key, piece?.source === opaque.source);
    } else if (isBlock(node)) this.addBlock(node);
    else {
      const line = serializeLine([node]);
      this.add(line && `<p>${line}</p>`, null, false);
    }
  }

  /** @param {HTMLElement} node */
  addBlock(node) {
    const key = node.dataset.key ? Number(node.dataset.key) : null;
    const piece = key === null || this.usedKeys.has(key) ? undefined : this.pieces[key];
    if (piece && piece.serialized === serializeBlock(node)) this.add(piece.source, key, true);
    else this.add(serializeWithoutIds(node, this.duplicates), key, false);
  }
}

/**
 * Returns the elements that have the same id as an element before them.
 * @param {HTMLElement} root
 */
function duplicateIds(root) {
  const ids = new Set();
  return [...root.querySelectorAll("[data-id]")].filter((node) => {
    const id = node.getAttribute("data-id");
    const isDuplicate = ids.has(id);
    ids.add(id);
    return isDuplicate;
  });
}

/**
 * Returns the editor's text as source, which is the original text if nothing was changed.
 * @param {HTMLElement} root
 * @param {{text: string, lead: string, pieces: Piece[]}} memory
 */
export function serializeStory(root, { text, lead, pieces }) {
  const { parts } = new StorySerializer(root, pieces);
  const isSame = parts.every((part, index) => part.isExact && part.key === index);
  if (isSame && parts.length === pieces.length) return text;
  const joined = parts.map(({ html, key }, index) => {
    const next = parts[index + 1];
    const trailing = key === null ? "" : pieces[key].trailing;
    if (!next) return html + (key === pieces.length - 1 ? trailing : "");
    // Former neighbours keep the white space between them; others get at least a line break.
    const isNeighbour = key !== null && next.key === key + 1;
    return html + (isNeighbour ? trailing : trailing || "\n");
  });
  return (parts.length && parts[0].key === 0 ? lead : "") + joined.join("");
}
