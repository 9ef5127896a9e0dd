/* The marks of text on the clipboard: emphasis, links, language and direction. */
import { BREAKS } from "./html_names.js";
import { pasteState } from "./paste_state.js";
import { fragmentOf, nounOf, styles } from "./paste_source.js";

const NEW_LINE_ELEMENTS = new Set(BREAKS);
const FIRST_LETTER = /\p{L}/u;
const RIGHT_TO_LEFT =
  /[\p{Script=Adlam}\p{Script=Arabic}\p{Script=Hebrew}\p{Script=Nko}\p{Script=Syriac}\p{Script=Thaana}]/u;

/** Returns a URL, without Google's redirect; "" if a story may not link to it. */
function safeAddress(href) {
  const text = (href || "").replace(/[\t\n\r]/g, "").trim();
  try {
    const url = new URL(text);
    const isWrapped = /^(?:www\.)?google\.[a-z.]+$/.test(url.hostname) && url.pathname === "/url";
    const inner = isWrapped && (url.searchParams.get("q") || url.searchParams.get("url"));
    if (inner) return safeAddress(inner);
    return /^(?:https?|mailto|tel):$/.test(url.protocol) ? text : "";
  } catch {
    return "";
  }
}

/** Returns the URL of a pasted link, "" if a story may not have it. Links to an anchor in the pasted text
    become "#id"; so do those to an anchor of the story, if the text was copied from the editor. */
function linkAddress(href) {
  const fragment = fragmentOf(href);
  if (pasteState.anchors.newIds.has(fragment)) return `#${pasteState.anchors.newIds.get(fragment)}`;
  return pasteState.isFromEditor && /^#./.test(href || "") ? href : safeAddress(href);
}

export function canonicalLanguage(tag) {
  if (!tag) return ""; // avoids thousands of exceptions, which are slow
  try {
    return Intl.getCanonicalLocales(tag)[0] || "";
  } catch {
    return "";
  }
}

/** Returns the marks of the text in an element; `outer` are those around it. */
export function markText(element, outer) {
  const [tag, style, marks] = [element.localName, styles(element), { ...outer }];
  const hasStyle = (name, pattern) => pattern.test(style.get(name) || "");
  if (tag === "b" || tag === "strong" || hasStyle("font-weight", /^(?:bold|[6-9]\d\d|1000)/))
    marks.strong = true;
  if (hasStyle("font-weight", /^(?:normal|lighter|[1-5]\d\d\b)/)) marks.strong = false;
  if (tag === "i" || tag === "em" || hasStyle("font-style", /^(?:italic|oblique)/)) marks.em = true;
  if (hasStyle("font-style", /^normal/)) marks.em = false;
  const isStruck =
    hasStyle("text-decoration", /line-through/) || hasStyle("text-decoration-line", /line-through/);
  if (tag === "s" || tag === "strike" || isStruck) marks.s = true;
  if (tag === "sub" || hasStyle("vertical-align", /^sub$/)) marks.script = "sub";
  if (tag === "sup" || hasStyle("vertical-align", /^super$/)) marks.script = "sup";
  if (tag === "a")
    Object.assign(marks, {
      href: linkAddress(element.getAttribute("href")),
      id: pasteState.anchors.idByNode.get(element) || "",
    });
  if (tag === "pre" || hasStyle("white-space", /^(?:pre|break-spaces)/)) marks.pre = true;
  marks.lang = element.getAttribute("lang") || element.getAttribute("xml:lang") || marks.lang;
  // A paragraph gets the direction of most of its text (makeBlock in paste_lines.js). Within right-to-left
  // text only blocks change the direction: a long name in Latin letters must not turn the paragraph round.
  const dir = directionOf(element, style);
  if (dir && (marks.dir !== "rtl" || isBlock(element))) marks.dir = dir;
  return marks;
}

/** Returns the direction that an element sets, "" for none; "auto" stands for that of its first letter. */
function directionOf(element, style) {
  const dir = (element.getAttribute("dir") || style.get("direction") || "").toLowerCase();
  if (dir !== "auto") return dir;
  const [letter] = FIRST_LETTER.exec(element.textContent) || [];
  if (!letter) return "";
  return RIGHT_TO_LEFT.test(letter) ? "rtl" : "ltr";
}

/** Returns whether an element is omitted, and counts it if somebody would miss it. */
export function skipElement(element) {
  const noun = nounOf(element); // "" for an invisible element, null for one that can be pasted
  if (noun) pasteState.skipped.set(noun, (pasteState.skipped.get(noun) || 0) + 1);
  return noun !== null;
}

export const isBlock = (element) =>
  NEW_LINE_ELEMENTS.has(element.localName) ||
  // Not table-cell and table-caption: `needsSpaces` in paste_blocks.js sets spaces around those.
  /^(?:block|flex|grid|list-item|flow-root|table(?!-c))/.test(styles(element).get("display") || "");
