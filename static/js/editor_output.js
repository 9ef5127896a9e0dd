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

// Elements whose id an element before them has: both are halves of one that was split.
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
  // Squire puts zero-width spaces where an empty element is to take the cursor.
  if (node.nodeType === 3) return escapeHtml(node.data.replace(/\u200b/g, ""));
  if (node.nodeType !== 1 || node.localName === CARD) return "";
  const tag = tagOf(node);
  if (tag === "br") return "<br>\n";
  const content = [...node.childNodes].map(inline).join("");
  const own = attributes(node);
  if (!EDITABLE_WITHIN.has(tag) || ((tag === "span" || tag === "a") && !own)) return content;
  return content || own.includes(' id="') ? `<${tag}${own}>${content}</${tag}>` : "";
}

/** A line without what editing leaves behind: doubled tags, spaces at its ends, the break that ends it. */
const tagsOf = (text) => (text.match(/<[^>]*>/g) || []).filter((tag) => tag !== "<br>").join("");

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

/** The serialized blocks among a node's children; what runs on between them becomes paragraphs. */
function blocks(parent) {
  const out = [];
  let run = [];
  const close = () => {
    const text = serializeLine(run);
    if (text) out.push(`<p>${text}</p>`);
    run = [];
  };
  for (const node of parent.childNodes) {
    if (!isBlock(node)) run.push(node);
    else {
      close();
      out.push(serializeBlock(node));
    }
  }
  close();
  return out.filter(Boolean);
}

function item(element) {
  const parts = blocks(element);
  const paragraphs = parts.filter((part) => part.startsWith("<p"));
  const isBare = !element.querySelector(":scope > p") && paragraphs.length === 1;
  const content = parts
    .map((part) => (isBare && part === paragraphs[0] ? part.slice(3, -4) : part))
    .join("");
  return content ? `<li${attributes(element)}>${content}</li>` : "";
}

function list(element) {
  const items = [];
  for (const child of element.children) {
    // Squire nests a list beside the item that it belongs to.
    const nested = child.matches("ul, ol") ? serializeBlock(child) : "";
    if (!child.matches("ul, ol")) items.push(item(child));
    else if (nested) items.push(`${(items.pop() || "<li></li>").slice(0, -5)}${nested}</li>`);
  }
  const content = items.filter(Boolean).join("");
  return content
    ? `<${element.localName}${attributes(element)}>${content}</${element.localName}>`
    : "";
}

/** A block of the editor as clean HTML; empty where there is nothing in it. */
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

/** Clean HTML of what was cut or copied from the editor; its opaque blocks stay where they are. */
export function cleanCopied(html) {
  const { body } = parseInert(html);
  if (!hasBlocks(body)) return [...body.childNodes].map(inline).join("");
  // Spaces at the ends are spaces at the cursor where this is pasted; a block shows none.
  const [, before, after] = /^([ \xa0]?)[\s\S]*?([ \xa0]?)$/.exec(body.textContent);
  const copied = blocks(body).join("\n");
  const spaced = before ? copied.replace(/^(?:<[^>]*>)+/, "$&&nbsp;") : copied;
  return after ? spaced.replace(/(?:<\/[^>]*>)+$/, "&nbsp;$&") : spaced;
}

/** The same as `serializeBlock` without the ids of some elements, which others before them have. */
export function serializeWithoutIds(element, elements) {
  duplicates = new Set(elements);
  const html = serializeBlock(element);
  duplicates = new Set();
  return html;
}
