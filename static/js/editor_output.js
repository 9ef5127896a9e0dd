/* The editor's blocks as clean HTML. */
import { ADDRESS, CARD, allowedAttributes, hasBlocks, isBlock } from "./editor_shape.js";
import { EDITABLE_WITHIN } from "./html_names.js";
import { parseInert } from "./html_source.js";

const STORED_TAGS = { b: "strong", i: "em" };

const escapeHtml = (text) =>
  text
    .replace(/&/g, "&amp;")
    .replace(/</g, "&lt;")
    .replace(/>/g, "&gt;")
    .replace(/\xa0/g, "&nbsp;");
const tagOf = (element) =>
  element.dataset.as || STORED_TAGS[element.localName] || element.localName;

// Elements that have the same id as an element before them: halves of an element that was split.
let duplicates = new Set();

function attributes(element) {
  const allowed = allowedAttributes(tagOf(element));
  const serialized = [...element.attributes].map(({ name: editorName, value }) => {
    const name = editorName === "data-id" ? "id" : editorName;
    const isDuplicate = name === "id" && duplicates.has(element);
    const isForeign = (name === "href" || name === "cite") && !ADDRESS.test(value.trim());
    if (!allowed.includes(name) || isDuplicate || isForeign) return "";
    return ` ${name}="${escapeHtml(value).replace(/"/g, "&quot;")}"`;
  });
  return serialized.join("");
}

function inline(node) {
  // Squire puts zero-width spaces into empty elements, so that the cursor can be there.
  if (node.nodeType === 3) return escapeHtml(node.data.replace(/\u200b/g, ""));
  if (node.nodeType !== 1 || node.localName === CARD) return "";
  const tag = tagOf(node);
  if (tag === "br") return "<br>\n";
  const content = [...node.childNodes].map(inline).join("");
  const own = attributes(node);
  if (!EDITABLE_WITHIN.has(tag) || ((tag === "span" || tag === "a") && !own)) return content;
  return content || own.includes(' id="') ? `<${tag}${own}>${content}</${tag}>` : "";
}

const tagsOf = (text) => (text.match(/<[^>]*>/g) || []).filter((tag) => tag !== "<br>").join("");

/** Removes what editing leaves in a line: doubled tags, spaces at its ends, a break at its end. */
function tidyLine(line) {
  let text = line
    .replace(/<\/(strong|em|u|s|sub|sup|small)><\1>/g, "")
    .replace(/(?: |&nbsp;)*&nbsp; | &nbsp;/g, " ")
    .replace(/ {2,}/g, " ")
    .replace(/ *<br>\n */g, "<br>\n");
  for (let before = null; before !== text;) {
    before = text;
    text = text
      .replace(/^(?:\s|&nbsp;|<(?!br>)\w[^>]*>)+/, tagsOf)
      .replace(/(?:\s|&nbsp;|<br>|<\/[^>]*>)+$/, tagsOf)
      .replace(/<(\w+)><\/\1>/g, "");
  }
  return /\S/.test(text.replace(/<[^>]*>/g, "")) || text.includes(' id="') ? text : "";
}

export const serializeLine = (nodes) => tidyLine(nodes.map(inline).join(""));

/** Serializes a node's blocks; text and inline elements between them become paragraphs. */
function blocks(parent) {
  const serialized = [];
  let line = [];
  const endLine = () => {
    const text = serializeLine(line);
    if (text) serialized.push(`<p>${text}</p>`);
    line = [];
  };
  for (const node of parent.childNodes) {
    if (!isBlock(node)) line.push(node);
    else {
      endLine();
      serialized.push(serializeBlock(node));
    }
  }
  endLine();
  return serialized.filter(Boolean);
}

function item(element) {
  const children = blocks(element);
  const paragraphs = children.filter((html) => html.startsWith("<p"));
  const isBare = !element.querySelector(":scope > p") && paragraphs.length === 1;
  const [opening, closing] = ["<p>".length, -"</p>".length];
  const content = children
    .map((html) => (isBare && html === paragraphs[0] ? html.slice(opening, closing) : html))
    .join("");
  return content ? `<li${attributes(element)}>${content}</li>` : "";
}

function list(element) {
  const items = [];
  for (const child of element.children) {
    // Squire puts a nested list after the item that it belongs to; HTML has it inside the item.
    const nested = child.matches("ul, ol") ? serializeBlock(child) : "";
    if (!child.matches("ul, ol")) items.push(item(child));
    else if (nested) {
      const parent = items.pop() || "<li></li>";
      items.push(`${parent.slice(0, -"</li>".length)}${nested}</li>`);
    }
  }
  const content = items.filter(Boolean).join("");
  return content
    ? `<${element.localName}${attributes(element)}>${content}</${element.localName}>`
    : "";
}

/** Returns a block of the editor as clean HTML, "" if it has no content. */
export function serializeBlock(element) {
  const tag = element.localName;
  if (tag === "ul" || tag === "ol") return list(element);
  if (tag === "blockquote") {
    const content = blocks(element).join("");
    return content ? `<blockquote${attributes(element)}>${content}</blockquote>` : "";
  }
  if (hasBlocks(element)) return blocks(element).join("");
  const text = serializeLine([...element.childNodes]);
  const isInside = element.parentElement && element.parentElement.closest("li, blockquote");
  const name = (tag === "h2" || tag === "h3") && !isInside ? tag : "p";
  return text ? `<${name}${attributes(element)}>${text}</${name}>` : "";
}

/** Returns what was cut or copied from the editor as clean HTML, without opaque blocks. */
export function cleanCopied(html) {
  const { body } = parseInert(html);
  if (!hasBlocks(body)) return [...body.childNodes].map(inline).join("");
  // The spaces at both ends separate this text from that around it where it is pasted. As a block would
  // not show them, they become &nbsp;.
  const [, before, after] = /^([ \xa0]?)[\s\S]*?([ \xa0]?)$/.exec(body.textContent);
  const copied = blocks(body).join("\n");
  const spaced = before ? copied.replace(/^(?:<[^>]*>)+/, "$&&nbsp;") : copied;
  return after ? spaced.replace(/(?:<\/[^>]*>)+$/, "&nbsp;$&") : spaced;
}

/** Does the same as `serializeBlock` without the ids of some elements, which are duplicates. */
export function serializeWithoutIds(element, elements) {
  duplicates = new Set(elements);
  const html = serializeBlock(element);
  duplicates = new Set();
  return html;
}
