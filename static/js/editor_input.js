/* HTML on its way into the editor, in the shape that Squire edits without loss. */
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
  // Ids become data-id before anything enters the page, so that none can replace a field's.
  SANITIZE_DOM: false,
  RETURN_DOM_FRAGMENT: true,
};

// Squire makes bold and italic of B and I, has no notion of <mark> and turns <ins> into <u>.
const EDITOR_TAGS = { strong: ["b"], em: ["i"], mark: ["span", "mark"], ins: ["span", "ins"] };
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
    element.removeAttribute(attribute); // and set again, in the order that they had
    element.setAttribute(attribute === "id" ? "data-id" : attribute, value);
  }
  // Squire joins neighbours of one name and class: a class of its own keeps each apart.
  const isInline = !isBlock(element) && element.localName !== "br";
  if (isInline && (element.attributes.length || !MERGED.has(element.localName)))
    element.className = `n${++classCount}`;
}

/** Collapses white space as a page will show it: the editor keeps every space
    (`white-space: pre-wrap`). */
function collapse(root) {
  let last = null; // the text that ends the line so far, if it ends with a space
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

/** Puts the bare text of a container into blocks: Squire takes any element with a block in it for a
    container. */
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

/** Any HTML as a fragment of what the editor can hold, in its shape. */
export const sanitizeFragment = (html) => prepare(sanitize(html, CONFIG));

/** The same of what is pasted, except for tables: `makeCard` gives what stands for each, from its source
    and the number of its rows. */
export function sanitizePasted(html, makeCard) {
  const fragment = sanitize(html, PASTED);
  const tables = [...fragment.querySelectorAll("table")].filter(
    (table) => !table.parentNode.closest?.("table"),
  );
  const taken = tables.map((table) => {
    // A table of one row or column lays something out; its content is pasted, each cell as a block.
    const isTable = table.rows.length > 1 && [...table.rows].some((row) => row.cells.length > 1);
    if (!isTable) {
      for (const cell of [...table.querySelectorAll("td, th, caption")].reverse())
        rename(cell, hasBlocks(cell) ? "div" : "p");
      table.replaceWith(sanitizeFragment(table.innerHTML));
    }
    return isTable ? [table, table.outerHTML] : null;
  });
  for (const [table, source] of taken.filter(Boolean))
    table.replaceWith(makeCard(source, table.rows.length));
  return prepare(fragment);
}

/** One block of the source as an element of the editor; null where it is not exactly that. */
export function parseEditable(piece) {
  if (!piece.isEditable) return null;
  const { childNodes, firstElementChild: block } = sanitizeFragment(piece.source);
  return childNodes.length === 1 && block && block.localName === piece.name ? block : null;
}

/** Any HTML with tags that pair; for source that cannot be split as it is. */
export function repairHtml(html) {
  const more = {
    ADD_TAGS: ["iframe"],
    ADD_ATTR: ["cite", "scope"],
    SANITIZE_DOM: false,
    FORCE_BODY: true,
  };
  return DOMPurify.sanitize(stripHandlers(html), more);
}
