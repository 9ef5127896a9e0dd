/* Restores the card of an opaque block (opaque_blocks.js) when an edit has removed it. */
import { CARD, isBlock, isEmpty } from "./editor_shape.js";
import { blockOf, isCard } from "./opaque_blocks.js";
import { gettext } from "./messages.js";

/** Keeps every card in the editor: a card that was not removed with its own button is put back after the
    block that it followed. Every edit is checked soon after it. Returns a function that checks at once and
    takes the reason: "history" after an undo or redo, which may remove some cards, "opened" when another
    text is loaded. */
export function guardCards(editor, root, announce) {
  let lastNodes = []; // the editor's top-level nodes at the last check
  /** Returns the top-level node that a node is in, null if the node is no longer in the editor. */
  const topLevelNode = (node) => {
    while (node && node.parentNode !== root) node = node.parentNode;
    return node;
  };

  /** Wraps text and inline elements that are directly in the root, adjacent ones in one paragraph. */
  function wrapInlineNodes() {
    const inlineNodes = [...root.childNodes].filter((node) => !isBlock(node) && !isCard(node));
    if (!inlineNodes.length) return;
    const { anchorNode, anchorOffset, focusNode, focusOffset } = getSelection();
    for (const node of inlineNodes) {
      const before = node.previousSibling;
      if (before && before.dataset.wrapper !== undefined) before.append(node);
      else {
        const paragraph = document.createElement("p");
        paragraph.dataset.wrapper = "";
        node.replaceWith(paragraph);
        paragraph.append(node);
      }
    }
    for (const paragraph of root.querySelectorAll("[data-wrapper]"))
      delete paragraph.dataset.wrapper;
    const hasSelection = inlineNodes.some(
      (node) => node.contains(anchorNode) || node.contains(focusNode),
    );
    // Moving a node has moved the selection.
    if (hasSelection)
      getSelection().setBaseAndExtent(anchorNode, anchorOffset, focusNode, focusOffset);
  }

  /** Keeps each card once, directly in the root and empty, and adds its block to `seen`. Returns a block
      whose card was moved. */
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
      block.isRemoved = false; // an undo may have brought the card back
      if (card.parentNode !== root) {
        topLevelNode(card).after(card);
        moved = block;
      }
    }
    return moved;
  }

  /** Puts missing cards back to where they were. Returns a block whose card was put back. */
  function restoreMissingCards(seen, isHistory) {
    let restored = null;
    for (const [index, node] of lastNodes.entries()) {
      const block = isCard(node) ? blockOf(node) : null;
      if (!block || seen.has(block)) continue;
      const mayBeMissing = block.isRemoved || (isHistory && block.mayVanishOnUndo);
      if (mayBeMissing) continue;
      // The nearest earlier node that is still in the editor.
      const before = lastNodes.slice(0, index).reverse().map(topLevelNode).find(Boolean);
      if (before) before.after(node);
      else root.prepend(node);
      restored = block;
    }
    return restored;
  }

  /** Adds empty lines before, between and after cards, where somebody can type. They are not saved
      while they are empty, and are removed when they are no longer needed. */
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

  const checkCards = (reason) => {
    let guarded = null; // a block whose card an edit has moved or removed
    if (reason === "opened") lastNodes = [];
    editor.modifyDocument(() => {
      // Chromium adds styles when it joins blocks. The Content-Security-Policy forbids them in HTML, and
      // an undo sets the editor's HTML from what was stored.
      for (const styled of root.querySelectorAll("[style]")) styled.removeAttribute("style");
      wrapInlineNodes();
      const seen = new Set(); // the blocks whose cards are in the editor
      const moved = normalizeCards(seen);
      guarded = restoreMissingCards(seen, reason === "history") || moved;
      addFillerLines();
    });
    lastNodes = [...root.childNodes];
    watcher.takeRecords();
    // An attempt to delete a card may instead move it into the block before or after it.
    if (guarded)
      announce(gettext("To remove the %(block)s, use its Remove button.", { block: guarded.noun }));
  };
  const watcher = new MutationObserver(() => checkCards());
  watcher.observe(root, { childList: true, subtree: true, attributeFilter: ["style"] });
  return checkCards;
}
