/* The clipboard's document: how it is parsed, its elements that are not text, and its anchors. */
import { nameSet } from "./html_names.js";
import { closeStrayTags } from "./stray_tags.js";
import { joinList, ngettext } from "./messages.js";

// Elements whose content browsers do not show.
const HIDDEN = nameSet(
  "base colgroup head link meta noscript script style template title xml annotation annotation-xml",
);
// Elements that cannot be pasted, and the keys of their names in COUNTS.
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
// A tag and an attribute as browsers read them: a quote delimits a value only directly after "=".
const VALUE = /[\t\n\f\r ]*=[\t\n\f\r ]*(?:"[^"]*"|'[^']*'|[^\t\n\f\r >"'][^\t\n\f\r >]*|)/.source;
const ATTRIBUTE = new RegExp(`([^\\t\\n\\f\\r />][^\\t\\n\\f\\r />=]*)((?:${VALUE})?)`, "g");
const TAG = new RegExp(
  `<([a-z][^\\t\\n\\f\\r />]*)((?:[\\t\\n\\f\\r /]|${ATTRIBUTE.source})*)(?=>|$)`,
  "gi",
);
const ROW_TAG = /<(\/?)(?:t[rdh]|tbody|thead|tfoot|caption)(?=[\s/>])/gi;
const EMOJI =
  /^(?:\p{Extended_Pictographic}|\p{Emoji_Presentation}|\p{Emoji_Modifier}|\p{Regional_Indicator}|\ufe0f|\u200d|\u20e3|[#*0-9](?=\ufe0f?\u20e3)|[\u{e0020}-\u{e007f}])+$/u;
// The ids that the server lets a story have: the same pattern as `_ID` in spectator/text/html/sanitizer.py.
// They have a digit or one of -_:. so that none is a name that a script uses.
const SAFE_ID = /^(?=[A-Za-z_]*[-0-9:._])[A-Za-z_][\w:.-]{0,99}$/;

/** Browsers put what was copied between two comments, StartFragment and EndFragment. Removes the white
    space next to them that was not copied. */
function removeSpaceOutsideFragment(page) {
  const comments = page.createTreeWalker(page, NodeFilter.SHOW_COMMENT);
  while (comments.nextNode()) {
    const comment = comments.currentNode;
    const [, edge] = /^\s*(Start|End)Fragment\s*$/.exec(comment.data) || [];
    if (!edge) continue; // another comment
    const outside = { Start: "previousSibling", End: "nextSibling" }[edge];
    while (comment[outside]?.nodeType === Node.TEXT_NODE && !comment[outside].data.trim())
      comment[outside].remove();
  }
}

/** Parses the clipboard into a document in which nothing is loaded and no script runs. */
export function parseClipboard(html) {
  // The Content-Security-Policy forbids event handlers and style attributes: rename them. What looks like a
  // tag may be text of a comment or of an element such as <xmp>, where the next tag begins in an attribute's
  // value: `<` is escaped there.
  const disarmTag = (_tag, name, attributes) => {
    const renamed = attributes.replace(ATTRIBUTE, (attribute, key) =>
      /^(?:on|style$)/i.test(key) ? `data-${attribute}` : attribute,
    );
    return `<${(name + renamed).replaceAll("<", "&lt;")}`;
  };
  // It forbids style elements too: those that `closeStrayTags` did not recognise become hidden ones.
  let source = closeStrayTags(html)
    .replace(TAG, disarmTag)
    .replace(/<(\/?)style(?=[\s/>])/gi, "<$1xml");
  // The parser would drop rows and cells outside of a table and join their words.
  if (!/<table[\s/>]/i.test(source)) source = source.replace(ROW_TAG, "<$1div");
  // Without <body>, the parser would drop white space before the first word.
  const page = new DOMParser().parseFromString(`<body>${source}`, "text/html");
  removeSpaceOutsideFragment(page);
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
  const isEmoticon = isNamed && alt.length < 20; // such as ":-)"; a longer text describes a picture
  return alt && (EMOJI.test(alt) || isEmoticon) ? alt : "";
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

// What people call the elements that cannot be pasted.
const COUNTS = {
  picture: (count) => ngettext("%(count)s picture", "%(count)s pictures", count),
  video: (count) => ngettext("%(count)s video", "%(count)s videos", count),
  "audio clip": (count) => ngettext("%(count)s audio clip", "%(count)s audio clips", count),
  embed: (count) => ngettext("%(count)s embed", "%(count)s embeds", count),
  button: (count) => ngettext("%(count)s button", "%(count)s buttons", count),
  "form field": (count) => ngettext("%(count)s form field", "%(count)s form fields", count),
  "deleted passage": (count) =>
    ngettext("%(count)s deleted passage", "%(count)s deleted passages", count),
};

/** Returns a sentence that says what was not pasted, "" for nothing. `counts` is a Map by noun. */
export function describeSkipped(counts) {
  const total = [...counts.values()].reduce((sum, count) => sum + count, 0);
  if (!total) return "";
  const items = joinList([...counts].map(([noun, count]) => COUNTS[noun](count)));
  return counts.has("picture")
    ? ngettext(
        "%(items)s was not pasted: add pictures with the Picture button.",
        "%(items)s were not pasted: add pictures with the Picture button.",
        total,
        { items },
      )
    : ngettext(
        "%(items)s was not pasted: add what is missing by hand.",
        "%(items)s were not pasted: add what is missing by hand.",
        total,
        { items },
      );
}

/** Returns the fragment of a link, decoded if it is valid; "" if there is none. */
export const fragmentOf = (href) => {
  const [, fragment] = /#([^#]+)$/.exec(href || "") || [];
  try {
    return fragment ? decodeURIComponent(fragment) : "";
  } catch {
    return fragment;
  }
};

/** Returns the ids that the clipboard's anchors, the elements that a link may lead to, get in the story:
    `newIds` by the anchor's name, `idByNode` by the link or text node that gets the id. An anchor gets one
    if a link of the clipboard leads to it, or if its name is free in the story and the clipboard was copied
    from this site's editor. `isTaken(id)` returns whether the story already has an id. */
export function findAnchors(body, isTaken, isFromEditor) {
  const links = [...body.querySelectorAll("a[href*='#']")];
  const wanted = new Set(links.map((link) => fragmentOf(link.getAttribute("href"))));
  const [newIds, idByNode, used] = [new Map(), new Map(), new Set()];
  const waiting = []; // names of anchors that no text has followed yet
  let last = null; // the last text node
  const isNew = (name) =>
    name && !newIds.has(name) && (wanted.has(name) || (isFromEditor && !isTaken(name)));
  const freeId = (name) => {
    const base = SAFE_ID.test(name)
      ? name
      : `n-${name.replace(/[^A-Za-z0-9_.-]+/g, "-").slice(0, 80)}`;
    let id = base;
    for (let number = 2; isTaken(id) || used.has(id); number += 1) id = `${base}-${number}`;
    return id;
  };
  // Gives the waiting anchors one id, at the link around a text node or, if that has an id, at the node.
  const assignId = (node) => {
    const link = node.parentElement.closest("a[href]");
    const holder = link && !idByNode.has(link) ? link : node;
    const id = idByNode.get(holder) || freeId(waiting[0]);
    idByNode.set(holder, id);
    used.add(id);
    for (const name of waiting.splice(0)) newIds.set(name, id);
  };
  const visit = (node) => {
    if (node.nodeType === 3 && node.data.trim()) {
      last = node;
      if (waiting.length) assignId(node);
    }
    if (node.nodeType !== 1 || nounOf(node) !== null) return;
    for (const name of [node.id, node.localName === "a" && node.getAttribute("name")])
      if (isNew(name)) waiting.push(name);
    node.childNodes.forEach(visit);
  };
  visit(body);
  if (waiting.length && last) assignId(last);
  return { newIds, idByNode };
}
