/* Converts HTML to the form that Squire edits without loss, and sanitizes it. */
import { EDITABLE, EDITABLE_WITHIN } from "./html_names.js";
import { hasBlocks, isBlock, ADDRESS, BLOCKS, allowedAttributes } from "./editor_shape.js";
import { stripHandlers } from "./html_source.js";

const TAGS = [...EDITABLE, ...EDITABLE_WITHIN];
const CONFIG = {
  ALLOWED_TAGS: TAGS,
  ALLOWED_ATTR: TAGS.flatMap(allowedAttributes),
  ALLOWED_URI_REGEXP: ADDRESS,
  ALLOW_DATA_ATTR: false,
  ALLOW_ARIA_ATTR: false,
  // `prepareElement` turns ids into data-id, so that none can hide a field of the form.
  SANITIZE_DOM: false,
  RETURN_DOM_FRAGMENT: true,
};

// Elements that Squire cannot edit: the element used instead, and the value of its `data-as` attribute.
// Squire uses B and I for bold and italic, does not know <mark> and <editor-note>, and turns <ins> into
// <u>.
const EDITOR_TAGS = {
  strong: ["b"],
  em: ["i"],
  mark: ["span", "mark"],
  ins: ["span", "ins"],
  "editor-note": ["span", "editor-note"],
};
// Adjacent elements of these names may be joined.
const MERGED = new Set(["b", "i", "u", "s", "sub", "sup", "small"]);
let classCount = 0;

function rename(element, name) {
  const renamed = document.createElement(name);
  for (const { name: attribute, value } of element.attributes)
    renamed.setAttribute(attribute, value);
  renamed.append(...element.childNodes);
  element.replaceWith(renamed);
  return renamed;
}

function prepareElement(original) {
  const [name, meaning] = EDITOR_TAGS[original.localName] || [];
  const element = name ? rename(original, name) : original;
  if (meaning) element.dataset.as = meaning;
  for (const { name: attribute, value } of [...element.attributes]) {
    element.removeAttribute(attribute); // all are set again, so that their order stays the same
    element.setAttribute(attribute === "id" ? "data-id" : attribute, value);
  }
  // Squire joins adjacent elements with the same name and class; a unique class prevents that.
  const isInline = !isBlock(element) && element.localName !== "br";
  if (isInline && (element.attributes.length || !MERGED.has(element.localName)))
    element.className = `n${++classCount}`;
}

/** Collapses white space as browsers do, because the editor shows every space
    (`white-space: pre-wrap`). */
function collapse(root) {
  let last = null; // the last text node of the line, if it ends with a space
  let isAtStart = false;
  const endLine = () => {
    if (last) last.data = last.data.replace(/ $/, "");
    last = null;
    isAtStart = true;
  };
  const walk = (node) => {
    if (node.nodeType === 3) {
      const text = node.data.replace(/[ \t\n\f\r]+/g, " ");
      node.data = isAtStart || last ? text.replace(/^ /, "") : text;
      if (node.data) [last, isAtStart] = [node.data.endsWith(" ") ? node : null, false];
      else node.remove();
      return;
    }
    const isLine = node.localName === "br" || isBlock(node);
    if (isLine) endLine();
    [...node.childNodes].forEach(walk);
    if (isLine) endLine();
  };
  walk(root);
}

/** Wraps a container's text and inline elements in blocks, because Squire expects only blocks in an
    element that has one. */
function wrapRuns(container, name) {
  let wrapper = null;
  for (const node of [...container.childNodes]) {
    if (isBlock(node)) wrapper = null;
    else if (node.nodeType === 3 && !node.data.trim()) node.remove();
    else {
      if (!wrapper) node.before((wrapper = document.createElement(name)));
      wrapper.append(node);
    }
  }
}

function prepare(root) {
  [...root.querySelectorAll("*")].forEach(prepareElement);
  collapse(root);
  for (const list of root.querySelectorAll("ul, ol"))
    for (const node of [...list.childNodes])
      if (node.nodeType === 3 && !node.data.trim()) node.remove();
  for (const quote of root.querySelectorAll("blockquote")) wrapRuns(quote, "p");
  for (const item of root.querySelectorAll("li")) if (hasBlocks(item)) wrapRuns(item, "div");
  for (const block of root.querySelectorAll(BLOCKS))
    if (!block.firstChild && !block.matches("ul, ol")) block.append(document.createElement("br"));
  return root;
}

const PASTED = {
  ...CONFIG,
  ALLOWED_TAGS: [
    ...CONFIG.ALLOWED_TAGS,
    ..."table caption colgroup col thead tbody tfoot tr th td".split(" "),
  ],
  ALLOWED_ATTR: [...CONFIG.ALLOWED_ATTR, "colspan", "rowspan", "scope", "span"],
};
const sanitize = (html, config) =>
  document.importNode(DOMPurify.sanitize(stripHandlers(html), config), true);

/** Returns HTML as a fragment that the editor can edit. */
export const sanitizeFragment = (html) => prepare(sanitize(html, CONFIG));

/** Does the same with pasted HTML, and replaces its tables: `makeCard` returns the replacement for a
    table's source and number of rows. */
export function sanitizePasted(html, makeCard) {
  const fragment = sanitize(html, PASTED);
  const tables = [...fragment.querySelectorAll("table")].filter(
    (table) => !table.parentNode.closest?.("table"),
  );
  const replaceable = tables.map((table) => {
    // A table of one row or one column is layout, not data: its cells are pasted as blocks.
    const isTable = table.rows.length > 1 && [...table.rows].some((row) => row.cells.length > 1);
    if (!isTable) {
      for (const cell of [...table.querySelectorAll("td, th, caption")].reverse())
        rename(cell, hasBlocks(cell) ? "div" : "p");
      table.replaceWith(sanitizeFragment(table.innerHTML));
    }
    return isTable ? [table, table.outerHTML] : null;
  });
  for (const [table, source] of replaceable.filter(Boolean))
    table.replaceWith(makeCard(source, table.rows.length));
  return prepare(fragment);
}

/** Returns a piece of source as an element that the editor can edit, null if it is not one block. */
export function parseEditable(piece) {
  if (!piece.isEditable) return null;
  const { childNodes, firstElementChild: block } = sanitizeFragment(piece.source);
  return childNodes.length === 1 && block && block.localName === piece.name ? block : null;
}

/** Returns HTML in which all tags are closed, for source that `splitBlocks` cannot split. */
export function repairHtml(html) {
  const config = {
    ADD_TAGS: ["iframe"],
    ADD_ATTR: ["cite", "scope"],
    SANITIZE_DOM: false,
    FORCE_BODY: true,
  };
  return DOMPurify.sanitize(stripHandlers(html), config);
}
