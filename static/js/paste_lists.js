/* Lists of the clipboard. Google puts a nested list after the item that it belongs to, Word for the web
   has a separate list for each item, and desktop Word has paragraphs that only look like items. So all
   items are first collected without their lists (loose items), and then put into new lists. */

// The level, list (root), kind and first number of items that are not in a list yet.
export const looseItems = new WeakMap();

/** Removes and returns the marker that Word writes before an item, such as “·” or “iv.”. */
export function extractMarker(paragraph) {
  let marker = "";
  const take = (node) => {
    marker += node.textContent;
    node.remove();
  };
  const walker = paragraph.ownerDocument.createTreeWalker(paragraph, NodeFilter.SHOW_COMMENT);
  for (let comment; (comment = walker.nextNode());) {
    const isEnd = (node) => !node || (node.nodeType === 8 && /\[endif\]/i.test(node.data));
    if (/\[if !supportLists\]/i.test(comment.data))
      while (!isEnd(comment.nextSibling)) take(comment.nextSibling);
  }
  for (const element of paragraph.querySelectorAll("[data-style]"))
    if (/mso-list:\s*ignore/i.test(element.dataset.style)) take(element);
  return marker.replace(/[\s\u00a0]+/g, "");
}

/** Returns the number that a marker means, null for a bullet. Bullets may be letters: “o”, “Ø”, “§”. */
export function numberOf(marker) {
  const [, last] = /(\p{Nd}+|\p{L}{1,7}(?=[.)]))[.)]*$/u.exec(marker) || [];
  if (!last) return null;
  // The last four bits of a digit's code are its value, for Latin and Arabic digits.
  if (/^\p{Nd}/u.test(last))
    return Number([...last].map((digit) => digit.charCodeAt(0) & 15).join(""));
  const letters = last.toLowerCase();
  const values = [...letters].map((letter) => ({ i: 1, v: 5, x: 10, l: 50, c: 100 })[letter]);
  const isRoman = values.every(Boolean) && (letters.length > 1 || letters === "i");
  if (isRoman)
    return values.reduce((sum, value, at) => sum + (value < values[at + 1] ? -value : value), 0);
  return /^[a-z]$/.test(letters) ? letters.charCodeAt(0) - 96 : 1;
}

/** Returns the blocks with loose items put into nested lists. */
export function groupLists(blocks) {
  const out = [];
  let open = [];
  for (const part of blocks) {
    const item = looseItems.get(part);
    if (!item) {
      open = [];
      out.push(part);
      continue;
    }
    while (open.length > 1 && open[open.length - 1].level > item.level) open.pop();
    let top = open[open.length - 1];
    if (top) top.level = Math.min(top.level, item.level); // a list may begin with a deeper item
    const isOtherList =
      top &&
      top.level === item.level &&
      (top.root !== item.root || top.isOrdered !== item.isOrdered);
    if (isOtherList) open.pop();
    if (!top || isOtherList || item.level > top.level) {
      top = { ...item, element: part.ownerDocument.createElement(item.isOrdered ? "ol" : "ul") };
      if (item.isOrdered && item.start > 1) top.element.setAttribute("start", item.start);
      const parent = open[open.length - 1];
      if (parent) parent.element.lastChild.append(top.element);
      else out.push(top.element);
      open.push(top);
    }
    top.element.append(part);
  }
  out.filter((part) => part.matches("ul, ol")).forEach(normalizeList);
  return out;
}

/** If all items are right-to-left, makes the list right-to-left, so that its bullets are on the right. */
function normalizeList(list) {
  list.querySelectorAll("ul, ol").forEach(normalizeList);
  const all = [...list.children];
  if (!all.every((item) => item.dir === "rtl")) return;
  for (const item of all) item.removeAttribute("dir");
  list.dir = "rtl";
}
