/* The marks of text on the clipboard: emphasis, links, language and direction. */
import { BREAKS } from "./html_names.js";
import { clip } from "./paste_clip.js";
import { fragmentOf, nounOf, styles } from "./paste_source.js";

const BLOCKS = new Set(BREAKS);

/** Returns a URL without Google's redirect, "" if a story may not link to it. */
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

/** Does the same for a link, which may also lead to an anchor in the pasted text or in the story. */
function linkAddress(href) {
  const fragment = fragmentOf(href);
  if (clip.anchors.ids.has(fragment)) return `#${clip.anchors.ids.get(fragment)}`;
  return clip.anchors.isOwn && /^#./.test(href || "") ? href : safeAddress(href);
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
  if (hasStyle("font-weight", /^(?:normal|lighter|[1-5]\d\d)/)) marks.strong = false;
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
      id: clip.anchors.places.get(element) || "",
    });
  if (tag === "pre" || hasStyle("white-space", /^(?:pre|break-spaces)/)) marks.pre = true;
  marks.lang = element.getAttribute("lang") || element.getAttribute("xml:lang") || marks.lang;
  // A left-to-right word in a right-to-left paragraph does not change the paragraph's direction.
  const dir = (element.getAttribute("dir") || style.get("direction") || "").toLowerCase();
  if (dir && (marks.dir !== "rtl" || isBlock(element))) marks.dir = dir;
  return marks;
}

/** Returns whether an element is omitted, and counts the things that are not pasted. */
export function isSkipped(element) {
  const noun = nounOf(element);
  if (noun) clip.skipped.set(noun, (clip.skipped.get(noun) || 0) + 1);
  return noun !== null;
}

export const isBlock = (element) =>
  BLOCKS.has(element.localName) ||
  /^(?:block|flex|grid|list-item|flow-root|table(?!-c))/.test(styles(element).get("display") || "");
