// @ts-check
/* Reads the source of a story, which is plain text or HTML: splits it into its top-level blocks, byte
   for byte, and removes styles and event handlers. */
import { BLOCKS, EDITABLE, EDITABLE_WITHIN, INLINE, KNOWN, nameSet } from "./html_names.js";
import { closeStrayTags } from "./stray_tags.js";

const VOID = nameSet("br hr img col source track wbr input embed area base link meta param");
const INLINE_NAMES = new Set([...INLINE, "data"]);
// Elements whose content is text, not markup.
const RAW = nameSet("script style textarea title xmp iframe noembed noframes noscript");

const BLOCK_TAG = new RegExp(`<(?:${BLOCKS.join("|")})(?=[\\s/>])`, "i");
// A "<" that begins no known tag.
const LESS_THAN = new RegExp(`<(?!/?(?:${KNOWN.join("|")})(?=[\\s/>])|!--)`, "gi");
// A tag or comment that is never closed matches up to the end of the text, without the groups `end` and
// `close`. Otherwise the search would begin again at every "<" after it.
const QUOTED = `"[^"]*(?:"|$)|'[^']*(?:'|$)`;
const TOKEN = new RegExp(
  `<!--[^]*?(?:(?<end>-->)|$)|<(?<slash>/?)(?<tag>[a-z][^\\s/>]*)(?<attributes>(?:[^>"']|${QUOTED})*)(?:(?<close>>)|$)`,
  "gi",
);
const ATTRIBUTE = /([^\s/>"'=]+)(?:\s*=\s*(?:"[^"]*"|'[^']*'|[^\s>]*))?/g;

/** @typedef {{name: string, source: string, trailing: string, isEditable: boolean, rows: number}} Piece */
/** @typedef {{name: string, start: number, end: number, isEditable: boolean, rows: number}} Span */

/** @param {string} text */
export const isPlain = (text) => !BLOCK_TAG.test(text);

/**
 * Returns plain text as HTML, in the same way as the server (spectator.text.html.paragraphs.body_html).
 * @param {string} text
 */
export function makeParagraphs(text) {
  const lines = text
    .replace(/\r\n?|[\x85\u2028\u2029]/g, "\n")
    .trim()
    .split("\n")
    .map((line) => line.trim());
  const hasBlankLine = lines.includes("");
  /** @type {string[][]} */
  const groups = [[]];
  for (const line of lines) {
    if (line) groups[groups.length - 1].push(line);
    if (!line || !hasBlankLine) groups.push([]);
  }
  const paragraphs = groups.filter((group) => group.length).map((group) => group.join("<br>\n"));
  return paragraphs.map((text) => `<p>${text.replace(LESS_THAN, "&lt;")}</p>`).join("\n");
}

/** Collects the top-level blocks of HTML, token by token. */
class BlockSplitter {
  /** @param {string} html */
  constructor(html) {
    this.html = html;
    /** @type {string[]} */
    this.open = [];
    /** @type {Span[]} */
    this.spans = [];
    this.at = 0;
  }

  get last() {
    return this.spans[this.spans.length - 1];
  }

  /** @param {string} name @param {number} start @param {number} end */
  addSpan(name, start, end) {
    const { last, html } = this;
    // Adjacent text and inline elements are one piece.
    const isInline = last && last.name === "" && name === "";
    if (isInline && !html.slice(last.end, start).trim()) last.end = end;
    else this.spans.push({ name, start, end, isEditable: EDITABLE.has(name), rows: 0 });
  }

  /**
   * Reads the text before the next token. Returns false if it contains markup.
   * @param {number} end
   */
  readText(end) {
    const { at } = this;
    const text = this.html.slice(at, end);
    if (/<[!?/a-z]/i.test(text)) return false;
    if (!this.open.length && text.trim())
      this.addSpan("", at + text.search(/\S/), at + text.trimEnd().length);
    return true;
  }

  /**
   * Reads a tag or comment. Returns false if it is not closed, or is an end tag without its start tag.
   * @param {RegExpExecArray} token
   */
  readToken({ 0: raw, index, groups: { tag, slash, end, close } = {} }) {
    if (!end && !close) return false;
    const name = tag ? tag.toLowerCase() : "#comment";
    this.at = index + raw.length;
    if (slash) {
      if (this.open.pop() !== name) return false;
      this.last.end = this.at;
      return true;
    }
    const isTop = !this.open.length;
    if (isTop) this.addSpan(INLINE_NAMES.has(name) ? "" : name, index, this.at);
    if (!isTop && !EDITABLE_WITHIN.has(name)) this.last.isEditable = false;
    if (name === "tr") this.last.rows += 1;
    if (name === "#comment" || VOID.has(name)) return true;
    this.open.push(name);
    return !RAW.has(name) || this.skipRawText(name);
  }

  /** @param {string} name of a RAW element */
  skipRawText(name) {
    const pattern = new RegExp(`</${name}(?=[\\s/>])`, "gi");
    pattern.lastIndex = this.at;
    const end = pattern.exec(this.html);
    if (end) this.at = end.index;
    return Boolean(end);
  }
}

/**
 * Splits HTML into its top-level blocks. `lead` and the pieces' `source` and `trailing`, joined, are the
 * HTML, byte for byte. Returns null if a start or end tag is missing.
 * @param {string} html
 * @returns {{lead: string, pieces: Piece[]} | null}
 */
export function splitBlocks(html) {
  const splitter = new BlockSplitter(html);
  for (;;) {
    TOKEN.lastIndex = splitter.at;
    const token = TOKEN.exec(html);
    if (!splitter.readText(token ? token.index : html.length)) return null;
    if (!token) break;
    if (!splitter.readToken(token)) return null;
  }
  if (splitter.open.length) return null;
  const { spans } = splitter;
  const pieces = spans.map(({ name, start, end, isEditable, rows }, index) => {
    const next = index + 1 < spans.length ? spans[index + 1].start : html.length;
    const trailing = html.slice(end, next);
    return { name, source: html.slice(start, end), trailing, isEditable, rows };
  });
  return { lead: html.slice(0, spans.length ? spans[0].start : html.length), pieces };
}

/**
 * Returns HTML without styles and event handlers. The Content-Security-Policy forbids them, so browsers
 * would report an error as soon as they parse them.
 * @param {string} html
 */
export function stripHandlers(html) {
  return closeStrayTags(html).replace(TOKEN, (token, ...captures) => {
    const { slash, tag, attributes, close } = captures[captures.length - 1];
    if (!close || !/style|on/i.test(attributes)) return token;
    const allowed = attributes.replace(
      ATTRIBUTE,
      (/** @type {string} */ attribute, /** @type {string} */ name) =>
        /^(?:style$|on)/i.test(name) ? "" : attribute,
    );
    return `<${slash}${tag}${allowed}>`;
  });
}

/**
 * Parses HTML into a document in which nothing is loaded and no script runs.
 * @param {string} html
 */
export const parseInert = (html) =>
  new DOMParser().parseFromString(stripHandlers(html), "text/html");
