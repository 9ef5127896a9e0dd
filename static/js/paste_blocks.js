/* Converts the elements of the clipboard to blocks of a story. */
import { pasteState } from "./paste_state.js";
import { makeBlocks, makeElement } from "./paste_lines.js";
import { extractMarker, groupLists, looseItems, numberOf } from "./paste_lists.js";
import { isBlock, markText, skipElement } from "./paste_marks.js";
import { emojiOf, styles } from "./paste_source.js";

/** Returns the content of an element as blocks. List items are not in lists yet (see paste_lists.js).
    `outer` are the marks around the element, `list` is the list that it is in, and `tag` is the name of
    the blocks. */
export function collectBlocks(container, outer, list, tag = "p") {
  const collected = [];
  let line = [];
  const endLine = () => {
    collected.push(makeBlocks(line, tag));
    line = [];
  };
  const add = (node, marks) => {
    const inner = pasteState.anchors.idByNode.has(node)
      ? { ...marks, id: pasteState.anchors.idByNode.get(node) }
      : marks;
    const texts = marks.pre ? node.data.split(/\r?\n/) : [node.data];
    texts.forEach((text, at) => line.push({ text, marks: inner, isBreak: at > 0 }));
  };
  const visit = (node, marks) => {
    if (node.nodeType === 3) return add(node, marks);
    const text = node.nodeType === 1 ? emojiOf(node) : "";
    if (text) return line.push({ text, marks });
    if (node.nodeType !== 1 || skipElement(node)) return null;
    const inner = markText(node, marks);
    if (node.localName === "br")
      line.push({ text: "", marks, isBreak: !styles(node).has("page-break-before") });
    else if (isBlock(node)) {
      endLine();
      pasteState.hasBlock = true;
      collected.push(convertElement(node, inner, list, tag));
    } else {
      const gap = needsSpaces(node) ? [{ text: " ", marks }] : [];
      line.push(...gap);
      node.childNodes.forEach((child) => visit(child, inner));
      line.push(...gap);
    }
    return null;
  };
  container.childNodes.forEach((child) => visit(child, outer));
  endLine();
  return collected.flat();
}

// The symbols of a formula, and table cells outside of a table, are separated by spaces.
const needsSpaces = (element) =>
  (/MathML$/.test(element.namespaceURI) && !element.children.length) ||
  /^(?:table-c|inline-(?:block|flex|grid|table))/.test(styles(element).get("display") || "");

function convertElement(element, marks, list, tag) {
  const name = element.localName;
  // In desktop Word, a paragraph is a list item if it has a style such as "mso-list: l0 level1 lfo2".
  const word = /\bl\d+\s+level(\d+)\s+lfo(\d+)/.exec(styles(element).get("mso-list") || "");
  const rank = titleRank(element);
  if (name === "table") return convertTable(element, marks);
  if (name === "hr") return [makeElement("hr")];
  if (name === "ul" || name === "ol") return convertList(element, marks, list);
  if (name === "li")
    return convertItem(element, marks, list || { depth: 1, root: element.parentNode });
  if (name === "blockquote")
    return withText(makeElement("blockquote", groupLists(collectBlocks(element, marks, null))));
  if (rank)
    return collectBlocks(element, { ...marks, isTitle: true }, list, rank > 2 ? "h3" : "h2");
  if (!word) return collectBlocks(element, marks, list, tag);
  const start = numberOf(extractMarker(element));
  return convertItem(element, marks, {
    root: `lfo${word[2]}`,
    depth: Number(word[1]),
    isOrdered: start !== null,
    start,
  });
}

const withText = (block) => (block.textContent ? [block] : []);

/** Returns the level of a heading, 0 for any other element. */
function titleRank(element) {
  const [, rank] = /^h([1-6])$/.exec(element.localName) || [];
  const [, named] = /\bMso(Title|Heading[1-9]?)\b/.exec(element.className) || [];
  if (element.getAttribute("role") === "heading")
    return Number(element.getAttribute("aria-level")) || 2;
  return rank ? Number(rank) : named ? Number(named.slice(7)) || 1 : 0;
}

function convertList(element, marks, list) {
  const isOrdered = element.localName === "ol";
  const inner = { root: list ? list.root : element, depth: list ? list.depth + 1 : 1, isOrdered };
  const first = element.querySelector(":scope > li");
  return itemsOf(element).flatMap((child) => {
    if (skipElement(child)) return [];
    const start =
      child === first && isOrdered ? { start: Number(element.getAttribute("start")) || 1 } : {};
    if (child.localName === "li")
      return convertItem(child, markText(child, marks), { ...inner, ...start });
    return convertElement(child, markText(child, marks), inner, "p");
  });
}

/** Returns the children of a list. Text and inline elements between its items become items. */
function itemsOf(element) {
  let item = null;
  for (const node of [...element.childNodes]) {
    const isInline = node.nodeType === 3 ? node.data.trim() : node.nodeType === 1 && !isBlock(node);
    if (isInline && !item) node.before((item = element.ownerDocument.createElement("li")));
    if (isInline) item.append(node);
    else if (node.nodeType === 1) item = null;
  }
  return [...element.children];
}

function convertItem(element, marks, list) {
  const level =
    Number(element.getAttribute("aria-level") || element.getAttribute("data-aria-level")) ||
    list.depth;
  const root = element.getAttribute("data-listid") || list.root;
  const blocks = collectBlocks(element, marks, { ...list, root, depth: level });
  const content = blocks.filter((block) => !looseItems.has(block));
  const nestedItems = blocks.filter((block) => looseItems.has(block));
  if (!content.length) return nestedItems;
  const item = unwrapParagraph("li", content);
  looseItems.set(item, { ...list, level, root });
  return [item, ...nestedItems];
}

/** Makes a list item or cell of blocks; a single paragraph is replaced by its content. */
function unwrapParagraph(tag, blocks) {
  const [paragraph] = blocks;
  const isOne = blocks.length === 1 && paragraph.localName === "p";
  const element = makeElement(tag, isOne ? [...paragraph.childNodes] : blocks);
  if (isOne) for (const { name, value } of paragraph.attributes) element.setAttribute(name, value);
  return element;
}

function convertTable(element, marks) {
  const rows = [...element.rows];
  const captions = element.caption ? [element.caption] : [];
  const isSingleCell = rows.length < 2 && rows.every((row) => row.cells.length < 2);
  if (isSingleCell)
    return [...captions, ...rows.flatMap((row) => [...row.cells])].flatMap((box) =>
      collectBlocks(box, marks, null),
    );
  const table = makeElement("table");
  if (marks.dir === "rtl") table.dir = "rtl";
  if (element.caption)
    table.append(unwrapParagraph("caption", collectBlocks(element.caption, marks)));
  let section = null;
  for (const row of rows.filter((candidate) => !skipElement(candidate))) {
    const name = row.parentNode.localName === "thead" ? "thead" : "tbody";
    if (!section || section.localName !== name) table.append((section = makeElement(name)));
    section.append(
      makeElement(
        "tr",
        [...row.cells].map((cell) => convertCell(cell, markText(row, marks))),
      ),
    );
  }
  return withText(table);
}

function convertCell(cell, outer) {
  const marks = { ...markText(cell, outer), isTitle: cell.localName === "th" };
  const converted = unwrapParagraph(cell.localName, groupLists(collectBlocks(cell, marks, null)));
  for (const name of ["colspan", "rowspan"])
    if (Number(cell.getAttribute(name)) > 1)
      converted.setAttribute(name, Number(cell.getAttribute(name)));
  return converted;
}
