/* The cards of opaque blocks in the editor: how they look, and what their buttons do. */
import { askForCaption } from "./editor_dialogs.js";
import { CARD, isEmpty } from "./editor_shape.js";
import { blockOf } from "./opaque_blocks.js";
import { setRovingTabindex } from "./roving_tabindex.js";

// The cards are in shadow trees, where the editor's tree walks cannot tear them apart; they have the
// page's styles.
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
    part("more").textContent = block.more;
    part("noun").textContent = block.noun;
    part("edit").hidden = !block.isSimple;
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

/** The next block in a direction, without the empty lines between; null where there is none. */
function neighbour(card, step) {
  const isFiller = (block) => block.dataset.filler !== undefined;
  let next = card[step];
  while (next && isFiller(next) && isEmpty(next) && next[step]) next = next[step];
  return next && !isFiller(next) ? next : null;
}

/** Makes the cards' buttons move, edit and remove them. */
export function bindCardButtons(editor, root, say) {
  const move = (card, step, method) => {
    const next = neighbour(card, step);
    if (!next)
      return say(`The ${blockOf(card).noun} is already ${method === "before" ? "first" : "last"}.`);
    editor.saveUndoState();
    next[method](card);
    editor.checkCards();
    card.focusOn(method === "before" ? "up" : "down");
    card.scrollIntoView({ block: "nearest" });
    return say(`Moved ${method === "before" ? "up" : "down"}.`);
  };
  const actions = {
    up: (card) => move(card, "previousElementSibling", "before"),
    down: (card) => move(card, "nextElementSibling", "after"),
    edit: (card) => askForCaption(editor, card, say),
    remove: (card) => {
      const { noun } = blockOf(card);
      const range = document.createRange();
      range.setStart(card.nextElementSibling || card.previousElementSibling, 0);
      editor.saveUndoState();
      blockOf(card).isRemoved = blockOf(card).isLoose = true;
      card.remove();
      editor.checkCards();
      editor.focus();
      if (root.contains(range.startContainer)) editor.setSelection(range);
      say(`Removed the ${noun}. Undo brings it back.`);
    },
  };
  root.addEventListener("card-action", (event) => actions[event.detail](event.target));
}
