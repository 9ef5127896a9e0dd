/* The rich editor of a story's text. It hides the textarea, which remains the form's field. */
import { guardCards } from "./card_guard.js";
import { askForLink, askForPicture, openDialog } from "./editor_dialogs.js";
import { syncWithField } from "./editor_field.js";
import { cleanCopied } from "./editor_output.js";
import { bindPaste, plainTextToPasteHtml, sanitizePaste } from "./editor_paste.js";
import { CARD } from "./editor_shape.js";
import { bindCardButtons } from "./opaque_block_card.js";
import { blockOf, isCard } from "./opaque_blocks.js";
import { setRovingTabindex } from "./roving_tabindex.js";
import { gettext } from "./messages.js";

const COMMAND = /Mac OS X|iP(?:ad|hone|od)/.test(navigator.userAgent) ? "Meta-" : "Ctrl-";

const makeClass = () =>
  class StoryEditor extends Squire {
    handleEvent(event) {
      // The card itself handles events on it; only focus and blur are the editor's, too.
      const isOnCard = isCard(event.target) && !/^(?:focus|blur)$/.test(event.type);
      if (!isOnCard) super.handleEvent(event);
    }

    /** Loads blocks and empties the undo history. */
    load(blocks) {
      this.modifyDocument(() => {
        this._root.replaceChildren(...blocks);
        if (!blocks.length) this._root.append(this.createDefaultBlock());
      });
      this.checkCards("opened");
      this.modifyDocument(() => {
        Object.assign(this, {
          _undoIndex: -1,
          _undoStack: [],
          _undoStackLength: 0,
          _isInUndoState: false,
        });
        const range = document.createRange();
        range.setStart(this._root.firstElementChild, 0);
        this.saveUndoState(range);
        this.setSelection(range);
      });
      this.fireEvent("undoStateChange", { canUndo: false, canRedo: false });
    }

    splitBlock(isLine, range) {
      super.splitBlock(isLine, range);
      const { startContainer: parent, startOffset: offset } = this.getSelection();
      // Browsers show no new line after a <br> at the end of a block, so a second one is needed.
      const node = isLine && parent.nodeType === 1 ? parent.childNodes[offset - 1] : null;
      if (node && node.localName === "br" && !node.nextSibling)
        node.after(document.createElement("br"));
      return this;
    }

    insertPlainText(text, isPaste) {
      return this.insertHTML(plainTextToPasteHtml(text), isPaste);
    }

    undo() {
      super.undo();
      this.checkCards("history");
      return this;
    }

    redo() {
      super.redo();
      this.checkCards("history");
      return this;
    }
  };

/** Returns a node's content as blocks of one name, without lists and quotations around them. */
function flatten(parent, tag, out = document.createDocumentFragment()) {
  for (const node of [...parent.childNodes]) {
    if (node.nodeType !== 1 || !node.matches("p, h2, h3, ul, ol, li, blockquote, div"))
      out.append(node);
    else if (
      [...node.children].some((child) => child.matches("p, h2, h3, ul, ol, li, div, blockquote"))
    )
      flatten(node, tag, out);
    else {
      const block = document.createElement(tag);
      for (const name of ["lang", "dir", "data-id", "data-key"])
        if (node.hasAttribute(name)) block.setAttribute(name, node.getAttribute(name));
      block.append(...node.childNodes);
      out.append(block);
    }
  }
  return out;
}

/** Returns the functions of the buttons and keys, by name. A function returns false if it did nothing. */
function makeCommands(editor, root, announce) {
  const isOn = (tag) => editor.hasFormat(tag);
  const format = (tag) => () =>
    editor.changeFormat(isOn(tag) ? null : { tag }, isOn(tag) ? { tag } : null);
  const onBlocks = (act) => () => {
    const range = editor.getSelection();
    const cards = [...root.querySelectorAll(CARD)];
    const card = cards.find((other) => range.intersectsNode(other));
    if (card)
      announce(gettext("Select text without the %(block)s in it.", { block: blockOf(card).noun }));
    else act();
    editor.focus();
    return !card;
  };
  // Squire removes the blocks from the page before it calls the function, so `isOn` is called first.
  const heading = (tag) =>
    onBlocks(() => {
      const name = isOn(tag) ? "p" : tag;
      editor.modifyBlocks((blocks) => flatten(blocks, name));
    });
  const quote = () => {
    if (isOn("blockquote")) return editor.decreaseQuoteLevel();
    return editor.modifyBlocks((blocks) => {
      const quotation = document.createElement("blockquote");
      for (const title of blocks.querySelectorAll("h2, h3"))
        title.replaceWith(flatten({ childNodes: [title] }, "p"));
      quotation.append(blocks);
      return quotation;
    });
  };
  const list = (tag, make) => onBlocks(() => (isOn(tag) ? editor.removeList() : make.call(editor)));
  return {
    bold: format("b"),
    italic: format("i"),
    h2: heading("h2"),
    h3: heading("h3"),
    quote: onBlocks(quote),
    ul: list("ul", editor.makeUnorderedList),
    ol: list("ol", editor.makeOrderedList),
    deeper: () => (isOn("li") ? editor.increaseListLevel() : null),
    out: () => (isOn("li") ? editor.decreaseListLevel() : null),
    link: () => askForLink(editor, announce),
    picture: () => askForPicture(editor, announce),
    undo: () => editor.undo(),
    redo: () => editor.redo(),
    help: () => openDialog("editor-shortcuts"),
  };
}

const TAGS = {
  bold: "b",
  italic: "i",
  link: "a",
  h2: "h2",
  h3: "h3",
  quote: "blockquote",
  ul: "ul",
  ol: "ol",
};

function setKeys(editor, run, tools) {
  const keys = {
    b: "bold",
    i: "italic",
    k: "link",
    "[": "out",
    "]": "deeper",
    "Shift-7": "ol",
    "Shift-8": "ul",
  };
  const withAlt = { 2: "h2", 3: "h3", q: "quote", œ: "quote" };
  const handle = (key, name) =>
    editor.setKeyHandler(key, (_, event) => {
      // AltGr is for typing characters, but Windows reports it as Ctrl and Alt.
      if (event.getModifierState("AltGraph")) return;
      event.preventDefault();
      run(name);
    });
  for (const [key, name] of Object.entries(keys)) handle(COMMAND + key, name);
  for (const [key, name] of Object.entries(withAlt)) handle(`Alt-${COMMAND}${key}`, name);
  // Squire's handlers are removed: Tab must leave the editor, Page Up and Down would go to the ends of the
  // story, and the other two make formats that the editor does not have.
  for (const key of ["Tab", "Shift-Tab", "PageUp", "PageDown", `${COMMAND}d`, `${COMMAND}Shift-9`])
    editor.setKeyHandler(key, null);
  editor.setKeyHandler("Alt-F10", (_, event) => {
    event.preventDefault();
    tools.querySelector('[tabindex="0"]').focus();
  });
}

function setTools(editor, root, tools, run) {
  setRovingTabindex(tools);
  tools.addEventListener("mousedown", (event) => event.preventDefault()); // the text keeps its selection
  tools.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (button && button.getAttribute("aria-disabled") !== "true") run(button.dataset.do);
  });
  tools.addEventListener("keydown", (event) => {
    if (event.key === "Escape") editor.focus();
  });
  let isDue = false;
  const show = () => {
    isDue = false;
    for (const [name, tag] of Object.entries(TAGS)) {
      const button = tools.querySelector(`[data-do="${name}"]`);
      button.setAttribute("aria-pressed", String(editor.hasFormat(tag)));
    }
  };
  for (const event of ["pathChange", "select", "cursor", "input"])
    editor.addEventListener(event, () => {
      if (!isDue) requestAnimationFrame(show);
      isDue = true;
    });
  editor.addEventListener("undoStateChange", ({ detail }) => {
    tools.querySelector('[data-do="undo"]').setAttribute("aria-disabled", String(!detail.canUndo));
    tools.querySelector('[data-do="redo"]').setAttribute("aria-disabled", String(!detail.canRedo));
  });
}

function start(field, template) {
  const box = document.importNode(template.content, true).firstElementChild;
  const find = (selector) => box.querySelector(selector);
  const [root, tools, status] = [
    find("#body-editor"),
    find("[role=toolbar]"),
    find(".editor-status"),
  ];
  const announce = (words) => (status.textContent = words);
  const label = document.querySelector('label[for="body"]');
  label.id = label.id || "body-label";
  root.setAttribute("aria-labelledby", label.id);
  root.lang = field.lang;
  root.dir = field.dir || "auto";
  if (field.hasAttribute("aria-invalid")) {
    root.setAttribute("aria-invalid", "true");
    root.setAttribute("aria-describedby", "body-error");
  }
  field.before(box);

  const editor = new (makeClass())(root, {
    blockTag: "P",
    addLinks: false,
    undo: { documentSizeThreshold: 0, undoLimit: 200 },
    sanitizeToDOMFragment: sanitizePaste,
    willCutCopy: cleanCopied,
    didError: (error) => reportError(error),
  });
  editor.checkCards = guardCards(editor, root, announce);
  const commands = makeCommands(editor, root, announce);
  const run = (name) => {
    const isDone = commands[name]() !== false;
    const button = tools.querySelector(`[data-do="${name}"]`);
    const isFormat = TAGS[name] && name !== "link";
    if (isDone && isFormat)
      announce(
        editor.hasFormat(TAGS[name])
          ? gettext("%(format)s on", { format: button.ariaLabel })
          : gettext("%(format)s off", { format: button.ariaLabel }),
      );
  };
  setTools(editor, root, tools, run);
  setKeys(editor, run, tools);
  bindCardButtons(editor, root, announce);
  bindPaste(editor, announce);
  syncWithField(editor, root, field, box, label);
}

document.addEventListener("DOMContentLoaded", () => {
  const [field, template] = ["body", "editor-frame"].map((id) => document.getElementById(id));
  const isLoaded =
    window.Squire && window.DOMPurify && DOMPurify.isSupported && window.customElements;
  const isSupported = "adoptedStyleSheets" in document && "replaceChildren" in document.body;
  if (!(isLoaded && isSupported)) return;
  const begin = () => start(field, template);
  // If the scripts loaded late and somebody already types in the field, wait until they leave it.
  if (document.activeElement === field) field.addEventListener("blur", begin, { once: true });
  else begin();
});
