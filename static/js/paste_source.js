/* The clipboard's document: how it is parsed, its elements that are not text, and its anchors. */
import { nameSet } from "./html_names.js";
import { closeStrayTags } from "./stray_tags.js";

// Elements whose content browsers do not show.
const HIDDEN = nameSet(
  "base colgroup head link meta noscript script style template title xml annotation annotation-xml",
);
// Elements that cannot be pasted, and what people call them.
const NOUNS = {
  img: "picture",
  svg: "picture",
  canvas: "picture",
  video: "video",
  audio: "audio clip",
  iframe: "embed",
  embed: "embed",
  object: "embed",
  button: "button",
  input: "form field",
  select: "form field",
  textarea: "form field",
  del: "deleted passage",
};
const TAG = /<([a-z][^\s/<>]*)((?:[^<>"']|"[^"]*"|'[^']*')*)>/gi;
const ATTRIBUTE = /([^\s/>"'=]+)(\s*=\s*(?:"[^"]*"|'[^']*'|[^\s>"']*))?/g;
const ROW_TAG = /<(\/?)(?:t[rdh]|tbody|thead|tfoot|caption)(?=[\s/>])/gi;
const EMOJI =
  /^(?:\p{Extended_Pictographic}|\p{Emoji_Presentation}|\p{Emoji_Modifier}|\p{Regional_Indicator}|\ufe0f|\u200d|\u20e3|[#*0-9](?=\ufe0f?\u20e3)|[\u{e0020}-\u{e007f}])+$/u;
// The ids that a stored text may have (spectator.text.html.sanitizer).
const SAFE_ID = /^(?=[A-Za-z_]*[-0-9:._])[A-Za-z_][\w:.-]{0,99}$/;

/** Parses the clipboard into a document in which nothing is loaded and no script runs. */
export function parseClipboard(html) {
  const attribute = (all, key, value = "") =>
    /^on/i.test(key) ? "" : key.toLowerCase() === "style" ? `data-style${value}` : all;
  const disarm = (tag, name, attributes) => `<${name}${attributes.replace(ATTRIBUTE, attribute)}>`;
  let source = closeStrayTags(html).replace(TAG, disarm);
  // The parser would drop rows and cells outside of a table and join their words.
  if (!/<table[\s/>]/i.test(source)) source = source.replace(ROW_TAG, "<$1div");
  // Without <body>, the parser would drop white space before the first word.
  const page = new DOMParser().parseFromString(`<body>${source}`, "text/html");
  // Remove the white space outside of the comments StartFragment and EndFragment.
  const comments = page.createTreeWalker(page, NodeFilter.SHOW_COMMENT);
  while (comments.nextNode()) {
    const [, which] = /^\s*(Start|End)Fragment\s*$/.exec(comments.currentNode.data) || [];
    const sibling = which === "Start" ? "previousSibling" : "nextSibling";
    const outer = () => (which ? comments.currentNode[sibling] : null);
    while (outer() && outer().nodeType === 3 && !outer().data.trim()) outer().remove();
  }
  return page;
}

/** Returns the values of an element's style attribute by property. */
export function styles(element) {
  const pairs = (element.getAttribute("data-style") || "").toLowerCase().split(";");
  return new Map(
    pairs.map((pair) => pair.split(":", 2).map((part) => part.trim())).filter((pair) => pair[1]),
  );
}

/** Returns the emoji or emoticon that a picture shows, "" for any other picture. */
export function emojiOf(element) {
  const alt = element.localName === "img" ? (element.getAttribute("alt") || "").trim() : "";
  const isNamed = /emoji|smil(?:ey|ie)/i.test(
    `${element.className} ${element.getAttribute("src") || ""}`,
  );
  return alt && (EMOJI.test(alt) || (isNamed && alt.length < 20)) ? alt : "";
}

function isHidden(element) {
  const style = styles(element);
  const isComment = /^comment/.test(
    style.get("mso-element") || style.get("mso-special-character") || "",
  );
  const isUndisplayed =
    element.hidden || style.get("display") === "none" || style.get("mso-hide") === "all";
  return (
    isUndisplayed ||
    isComment ||
    HIDDEN.has(element.localName) ||
    element.classList.contains("MsoCommentReference")
  );
}

/** Returns a noun for an element that cannot be pasted, "" if it is invisible, null if it can be pasted. */
export function nounOf(element) {
  if (isHidden(element)) return "";
  const noun = NOUNS[element.localName];
  if (!noun) return null;
  const size = ["width", "height"].map((name) => element.getAttribute(name) || "");
  const isPixel =
    element.localName === "img" && size.some((pixels) => /^[01](?:px)?$/.test(pixels));
  const hasNoText =
    element.localName === "input" &&
    /^(?:hidden|checkbox|radio)$/i.test(element.getAttribute("type"));
  const isEmpty = /^(?:button|del)$/.test(element.localName) && !element.textContent.trim();
  return isPixel || hasNoText || isEmpty ? "" : noun;
}

const countOf = (noun, count) => `${count} ${noun}${count > 1 ? "s" : ""}`;

/** Returns a sentence that says what was not pasted, "" for nothing. `counts` is a Map by noun. */
export function describeSkipped(counts) {
  const total = [...counts.values()].reduce((sum, count) => sum + count, 0);
  if (!total) return "";
  const all = [...counts].map(([noun, count]) => countOf(noun, count));
  const list =
    all.length > 1 ? `${all.slice(0, -1).join(", ")} and ${all[all.length - 1]}` : all[0];
  const help = counts.has("picture")
    ? "add pictures with the Picture button"
    : "add what is missing by hand";
  return `${list} ${total > 1 ? "were" : "was"} not pasted: ${help}.`;
}

export const fragmentOf = (href) => {
  const [, fragment] = /#([^#]+)$/.exec(href || "") || [];
  try {
    return fragment ? decodeURIComponent(fragment) : "";
  } catch {
    return fragment;
  }
};

/** Returns the anchors of the clipboard as `{ids, places}`: `ids` maps the anchor's name to its id in the
    story, `places` maps the link or text node at the anchor to that id. `isTaken(id)` returns whether the
    story has an id. Only anchors that a link of the clipboard leads to are kept; if the clipboard was
    copied from an editor (`isOwn`), also all others whose id is free. */
export function findAnchors(body, isTaken, isOwn) {
  const links = [...body.querySelectorAll("a[href*='#']")];
  const wanted = new Set(links.map((link) => fragmentOf(link.getAttribute("href"))));
  const [ids, places, used] = [new Map(), new Map(), new Set()];
  const waiting = []; // names of anchors before the next text
  let last = null; // the last text node
  const isNew = (name) => name && !ids.has(name) && (wanted.has(name) || (isOwn && !isTaken(name)));
  const freeId = (name) => {
    const base = SAFE_ID.test(name)
      ? name
      : `n-${name.replace(/[^A-Za-z0-9_.-]+/g, "-").slice(0, 80)}`;
    let id = base;
    for (let number = 2; isTaken(id) || used.has(id); number += 1) id = `${base}-${number}`;
    return id;
  };
  const put = (node) => {
    const link = node.parentElement.closest("a[href]");
    const start = link && !places.has(link) ? link : node;
    const id = places.get(start) || freeId(waiting[0]);
    places.set(start, id);
    used.add(id);
    for (const name of waiting.splice(0)) ids.set(name, id);
  };
  const visit = (node) => {
    if (node.nodeType === 3 && node.data.trim()) {
      last = node;
      if (waiting.length) put(node);
    }
    if (node.nodeType !== 1 || nounOf(node) !== null) return;
    for (const name of [node.id, node.localName === "a" && node.getAttribute("name")])
      if (isNew(name)) waiting.push(name);
    node.childNodes.forEach(visit);
  };
  visit(body);
  if (waiting.length && last) put(last);
  return { ids, places };
}
