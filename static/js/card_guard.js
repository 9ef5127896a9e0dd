/* What keeps an edit from taking the card of an opaque block away. */
import { CARD, isBlock, isEmpty } from "./editor_shape.js";
import { blockOf, isCard } from "./opaque_blocks.js";

/** Keeps every card in the editor's root, whatever an edit does to it: what was not removed by its own
    button comes back behind the block that it followed. Returns a function that checks at once; `why`
    is "history" after an undo or redo, which may take away what was made since opening, and "opened"
    when another text is shown. */
export function guardCards(editor, root, say) {
  let order = [];
  const top = (node) => {
    while (node && node.parentNode !== root) node = node.parentNode;
    return node;
  };

  /** Text in the root itself is a paragraph, though the browser may have removed its element. */
  function wrapLooseNodes() {
    const loose = [...root.childNodes].filter((node) => !isBlock(node) && !isCard(node));
    if (!loose.length) return;
    const { anchorNode, anchorOffset, focusNode, focusOffset } = getSelection();
    for (const node of loose) {
      const before = node.previousSibling;
      if (before && before.dataset.loose !== undefined) before.append(node);
      else {
        const paragraph = document.createElement("p");
        paragraph.dataset.loose = "";
        node.replaceWith(paragraph);
        paragraph.append(node);
      }
    }
    for (const paragraph of root.querySelectorAll("[data-loose]")) delete paragraph.dataset.loose;
    const isInside = loose.some((node) => node.contains(anchorNode) || node.contains(focusNode));
    if (isInside) getSelection().setBaseAndExtent(anchorNode, anchorOffset, focusNode, focusOffset);
  }

  /** Each card once, in the root itself, with nothing inside. */
  function normalizeCards(seen) {
    let moved = null;
    for (const card of root.querySelectorAll(CARD)) {
      const block = blockOf(card);
      if (card.textContent.trim()) {
        const paragraph = document.createElement("p");
        paragraph.append(...card.childNodes);
        card.after(paragraph);
      }
      card.replaceChildren();
      if (!block || seen.has(block)) {
        card.remove();
        continue;
      }
      seen.add(block);
      block.isRemoved = false;
      if (card.parentNode !== root) {
        top(card).after(card);
        moved = block;
      }
    }
    return moved;
  }

  function restoreLostCards(seen, isHistory) {
    let restored = null;
    for (const [index, card] of order.entries()) {
      const block = isCard(card) ? blockOf(card) : null;
      const mayBeMissing = !block || block.isRemoved || (isHistory && block.isLoose);
      if (mayBeMissing || seen.has(block)) continue;
      const before = order.slice(0, index).reverse().map(top).find(Boolean);
      if (before) before.after(card);
      else root.prepend(card);
      restored = block;
    }
    return restored;
  }

  /** A line to write on before, between and behind cards; empty ones are not written out. */
  function addFillerLines() {
    const cursor = getSelection().anchorNode;
    for (const line of root.querySelectorAll(":scope > [data-filler]")) {
      const [before, after] = [line.previousElementSibling, line.nextElementSibling];
      const isNeeded = (!before || isCard(before)) && (!after || isCard(after));
      if (!isEmpty(line)) delete line.dataset.filler;
      else if (!isNeeded && !line.contains(cursor)) line.remove();
    }
    const filler = () => {
      const line = editor.createDefaultBlock();
      line.dataset.filler = "";
      return line;
    };
    for (const card of root.querySelectorAll(`:scope > ${CARD}`)) {
      const before = card.previousElementSibling;
      if (!before || isCard(before)) card.before(filler());
      if (!card.nextElementSibling) card.after(filler());
    }
  }

  const checkCards = (why) => {
    let restored = null;
    if (why === "opened") order = [];
    editor.modifyDocument(() => {
      // Chromium styles what it joins; an undo would restore that as markup, which the policy forbids.
      for (const styled of root.querySelectorAll("[style]")) styled.removeAttribute("style");
      wrapLooseNodes();
      const seen = new Set();
      restored = normalizeCards(seen);
      restored = restoreLostCards(seen, why === "history") || restored;
      addFillerLines();
    });
    order = [...root.childNodes];
    watcher.takeRecords();
    if (restored) say(`To remove the ${restored.noun}, use its Remove button.`);
  };
  const watcher = new MutationObserver(() => checkCards());
  watcher.observe(root, { childList: true, subtree: true, attributeFilter: ["style"] });
  return checkCards;
}
