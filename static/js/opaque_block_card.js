/* The cards that represent opaque blocks in the editor, and the actions of their buttons. */
import { askForCaption } from "./editor_dialogs.js";
import { CARD, isEmpty } from "./editor_shape.js";
import { blockOf } from "./opaque_blocks.js";
import { setRovingTabindex } from "./roving_tabindex.js";
import { gettext } from "./messages.js";

// The content of a card is in a shadow tree, so that the editor cannot change it. Shadow trees do not
// inherit the page's style sheets, so they are copied.
let pageStyles = null;

function addPageStyles(root) {
  if (!pageStyles) {
    pageStyles = new CSSStyleSheet();
    const own = [...document.styleSheets].filter(
      (sheet) => sheet.href && sheet.href.startsWith(location.origin),
    );
    pageStyles.replaceSync(
      own.flatMap((sheet) => [...sheet.cssRules].map((rule) => rule.cssText)).join("\n"),
    );
  }
  root.adoptedStyleSheets = [pageStyles];
}

class OpaqueBlockCard extends HTMLElement {
  connectedCallback() {
    const block = blockOf(this);
    if (!block || this.shadowRoot) return;
    const root = this.attachShadow({ mode: "open" });
    addPageStyles(root);
    root.append(document.getElementById("block-card").content.cloneNode(true));
    const part = (name) => root.querySelector(`[data-part="${name}"]`);
    part("card").setAttribute("aria-label", block.label);
    part("tools").setAttribute("aria-label", block.label);
    part("label").textContent = block.label;
    part("more").textContent = block.excerpt;
    part("question-text").textContent = gettext("Remove this %(block)s?", { block: block.noun });
    part("edit").hidden = !block.hasEditableCaption;
    const image = part("picture");
    image.hidden = !/^\/media\/[^/]/.test(block.picture || "");
    if (!image.hidden) image.src = block.picture;
    setRovingTabindex(part("tools"));
    root.addEventListener("click", (event) =>
      this.handleButton(event.target.closest("button"), part),
    );
  }

  handleButton(button, part) {
    const action = button && button.dataset.do;
    if (action === "ask" || action === "keep") {
      part("tools").hidden = action === "ask";
      part("question").hidden = action === "keep";
      part(action === "ask" ? "keep" : "ask").focus();
    } else if (action)
      this.dispatchEvent(new CustomEvent("card-action", { detail: action, bubbles: true }));
  }

  focusOn(action) {
    this.shadowRoot.querySelector(`[data-do="${action}"]`).focus();
  }
}

if (window.customElements) customElements.define(CARD, OpaqueBlockCard);

const UP = { sibling: "previousElementSibling", insert: "before", name: "up" };
const DOWN = { sibling: "nextElementSibling", insert: "after", name: "down" };

/** Returns the next block in a direction, without empty filler lines (card_guard.js), null at the end. */
function neighbour(card, { sibling }) {
  const isFiller = (block) => block.dataset.filler !== undefined;
  let block = card[sibling];
  while (block && isFiller(block) && isEmpty(block)) block = block[sibling];
  return block && !isFiller(block) ? block : null;
}

/** Returns the sentence that a card cannot move further. */
function describeEnd(card, direction) {
  const values = { block: blockOf(card).noun };
  return direction === UP
    ? gettext("The %(block)s is already first.", values)
    : gettext("The %(block)s is already last.", values);
}

/** Makes the cards' buttons move, edit and remove them. */
export function bindCardButtons(editor, root, announce) {
  const move = (card, direction) => {
    const next = neighbour(card, direction);
    if (!next) return announce(describeEnd(card, direction));
    editor.saveUndoState();
    next[direction.insert](card);
    editor.checkCards();
    card.focusOn(direction.name);
    card.scrollIntoView({ block: "nearest" });
    return announce(direction === UP ? gettext("Moved up.") : gettext("Moved down."));
  };
  const actions = {
    up: (card) => move(card, UP),
    down: (card) => move(card, DOWN),
    edit: (card) => askForCaption(editor, card, announce),
    remove: (card) => {
      const block = blockOf(card);
      const range = document.createRange();
      range.setStart(card.nextElementSibling || card.previousElementSibling, 0);
      editor.saveUndoState();
      block.isRemoved = true;
      block.mayVanishOnUndo = true;
      card.remove();
      editor.checkCards();
      editor.focus();
      // checkCards may have removed the filler line that the range starts in.
      if (root.contains(range.startContainer)) editor.setSelection(range);
      announce(gettext("Removed the %(block)s. Undo brings it back.", { block: block.noun }));
    },
  };
  root.addEventListener("card-action", (event) => actions[event.detail](event.target));
}
