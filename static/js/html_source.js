// @ts-check
/* The source of a story: plain text or HTML, its top-level blocks byte for byte, and the same without
   what browsers would run. */
import { BLOCKS, EDITABLE, EDITABLE_WITHIN, INLINE, KNOWN, nameSet } from "./html_names.js";
import { closeStrayTags } from "./stray_tags.js";

const VOID = nameSet("br hr img col source track wbr input embed area base link meta param");
const LOOSE = new Set([...INLINE, "data"]);
const RAW = nameSet("script style textarea title xmp iframe noembed noframes noscript");

const BLOCK_TAG = new RegExp(`<(?:${BLOCKS.join("|")})(?=[\\s/>])`, "i");
const NO_TAG = new RegExp(`<(?!/?(?:${KNOWN.join("|")})(?=[\\s/>])|!--)`, "gi");
// A tag or comment that is never closed is matched to the end, or the search would begin again at
// every "<" behind it; it has no end.
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
 * The HTML of a plain text, as the server makes it (spectator.text.html.paragraphs.body_html).
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
  return paragraphs.map((text) => `<p>${text.replace(NO_TAG, "&lt;")}</p>`).join("\n");
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
    // What runs on between blocks is one piece, whatever inline elements are in it.
    const runsOn = last && last.name === "" && name === "" && !html.slice(last.end, start).trim();
    if (runsOn) last.end = end;
    else this.spans.push({ name, start, end, isEditable: EDITABLE.has(name), rows: 0 });
  }

  /**
   * Reads the text before the next token. False where it has what is no text.
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
   * Reads a tag or comment. False where it has no end, or ends what is not open.
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
    if (isTop) this.addSpan(LOOSE.has(name) ? "" : name, index, this.at);
    if (!isTop && !EDITABLE_WITHIN.has(name)) this.last.isEditable = false;
    if (name === "tr") this.last.rows += 1;
    if (name === "#comment" || VOID.has(name)) return true;
    this.open.push(name);
    return !RAW.has(name) || this.skipRawText(name);
  }

  /** @param {string} name of an element whose content is no markup */
  skipRawText(name) {
    const pattern = new RegExp(`</${name}(?=[\\s/>])`, "gi");
    pattern.lastIndex = this.at;
    const end = pattern.exec(this.html);
    if (end) this.at = end.index;
    return Boolean(end);
  }
}

/**
 * The top-level blocks of HTML, which joined give the HTML again byte for byte; null where its tags do
 * not pair.
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
 * HTML without styles and event handlers. They would never work here, but browsers report them as soon
 * as they are parsed: the page's policy forbids them.
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
 * A document in which nothing is loaded and no script runs.
 * @param {string} html
 */
export const parseInert = (html) =>
  new DOMParser().parseFromString(stripHandlers(html), "text/html");
