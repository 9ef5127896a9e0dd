/* The editor of a story's text, over the textarea that stays the form's field. */
(() => {
  "use strict";
  const ours = (window.spectatorEditor = window.spectatorEditor || {});
  const WAIT_MS = 200;
  const COMMAND = /Mac OS X|iP(?:ad|hone|od)/.test(navigator.userAgent) ? "Meta-" : "Ctrl-";

  const makeClass = () =>
    class StoryEditor extends Squire {
      handleEvent(event) {
        // What happens on a card is not typed into the text.
        const isOnCard = ours.isCard(event.target) && !/^(?:focus|blur)$/.test(event.type);
        if (!isOnCard) super.handleEvent(event);
      }

      /** Shows blocks, as they are, with an empty history. */
      load(blocks) {
        this.modifyDocument(() => {
          this._root.replaceChildren(...blocks);
          if (!blocks.length) this._root.append(this.createDefaultBlock());
        });
        this.look("opened");
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
        const { startContainer: parent, startOffset: at } = this.getSelection();
        // A break that ends its block shows no new line: typing would replace it.
        const last = isLine && parent.nodeType === 1 ? parent.childNodes[at - 1] : null;
        if (last && last.localName === "br" && !last.nextSibling)
          last.after(document.createElement("br"));
        return this;
      }

      insertPlainText(text, isPaste) {
        return this.insertHTML(ours.plainPaste(text), isPaste);
      }

      undo() {
        super.undo();
        this.look("history");
        return this;
      }

      redo() {
        super.redo();
        this.look("history");
        return this;
      }
    };

  /** Every block that holds text among a node's children, out of its list or quotation, under another name. */
  function flattened(parent, tag, out = document.createDocumentFragment()) {
    for (const node of [...parent.childNodes]) {
      if (node.nodeType !== 1 || !node.matches("p, h2, h3, ul, ol, li, blockquote, div"))
        out.append(node);
      else if (
        [...node.children].some((child) => child.matches("p, h2, h3, ul, ol, li, div, blockquote"))
      )
        flattened(node, tag, out);
      else {
        const made = document.createElement(tag);
        for (const name of ["lang", "dir", "data-id", "data-key"])
          if (node.hasAttribute(name)) made.setAttribute(name, node.getAttribute(name));
        made.append(...node.childNodes);
        out.append(made);
      }
    }
    return out;
  }

  /** What the buttons and keys do. */
  function makeCommands(editor, root, say) {
    const isOn = (tag) => editor.hasFormat(tag);
    const format = (tag) => () =>
      editor.changeFormat(isOn(tag) ? null : { tag }, isOn(tag) ? { tag } : null);
    const onBlocks = (act) => () => {
      const range = editor.getSelection();
      const island = [...root.querySelectorAll("story-island")].find((card) =>
        range.intersectsNode(card),
      );
      if (island) say(`Select text without the ${ours.of(island).noun} in it.`);
      else act();
      editor.focus();
      return !island;
    };
    // Squire takes the blocks out of the page before it asks what to make of them.
    const heading = (tag) =>
      onBlocks(() => {
        const made = isOn(tag) ? "p" : tag;
        editor.modifyBlocks((blocks) => flattened(blocks, made));
      });
    const quote = () => {
      if (isOn("blockquote")) return editor.decreaseQuoteLevel();
      return editor.modifyBlocks((blocks) => {
        const quotation = document.createElement("blockquote");
        for (const title of blocks.querySelectorAll("h2, h3"))
          title.replaceWith(flattened({ childNodes: [title] }, "p"));
        quotation.append(blocks);
        return quotation;
      });
    };
    const list = (tag, make) =>
      onBlocks(() => (isOn(tag) ? editor.removeList() : make.call(editor)));
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
      link: () => ours.askForLink(editor, say),
      picture: () => ours.askForPicture(editor, say),
      undo: () => editor.undo(),
      redo: () => editor.redo(),
      help: () => ours.dialog("editor-shortcuts"),
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
        // AltGr types a letter; Windows reports it as Ctrl and Alt.
        if (event.getModifierState("AltGraph")) return;
        event.preventDefault();
        run(name);
      });
    for (const [key, name] of Object.entries(keys)) handle(COMMAND + key, name);
    for (const [key, name] of Object.entries(withAlt)) handle(`Alt-${COMMAND}${key}`, name);
    // Tab leaves the text. The others would move the cursor through the whole story, or make what is not offered.
    for (const key of [
      "Tab",
      "Shift-Tab",
      "PageUp",
      "PageDown",
      `${COMMAND}d`,
      `${COMMAND}Shift-9`,
    ])
      editor.setKeyHandler(key, null);
    editor.setKeyHandler("Alt-F10", (_, event) => {
      event.preventDefault();
      tools.querySelector('[tabindex="0"]').focus();
    });
  }

  function setTools(editor, root, tools, run) {
    ours.roving(tools);
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
      tools
        .querySelector('[data-do="undo"]')
        .setAttribute("aria-disabled", String(!detail.canUndo));
      tools
        .querySelector('[data-do="redo"]')
        .setAttribute("aria-disabled", String(!detail.canRedo));
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
    const say = (words) => (status.textContent = words);
    const label = document.querySelector('label[for="body"]');
    label.id = label.id || "body-label";
    root.setAttribute("aria-labelledby", label.id);
    if (field.hasAttribute("aria-invalid")) {
      root.setAttribute("aria-invalid", "true");
      root.setAttribute("aria-describedby", "body-error");
    }
    field.before(box);

    const editor = new (makeClass())(root, {
      blockTag: "P",
      addLinks: false,
      undo: { documentSizeThreshold: 0, undoLimit: 200 },
      sanitizeToDOMFragment: ours.readPaste,
      willCutCopy: ours.copied,
      didError: (error) => reportError(error),
    });
    editor.look = ours.guard(editor, root, say);
    const commands = makeCommands(editor, root, say);
    const run = (name) => {
      const isDone = commands[name]() !== false;
      const button = tools.querySelector(`[data-do="${name}"]`);
      const isFormat = TAGS[name] && name !== "link";
      if (isDone && isFormat)
        say(`${button.ariaLabel} ${editor.hasFormat(TAGS[name]) ? "on" : "off"}`);
    };
    setTools(editor, root, tools, run);
    setKeys(editor, run, tools);
    ours.setCards(editor, root, say);
    ours.takePastes(editor, say);
    keepInStep(editor, root, field, box, label);
  }

  /** The field always has the text: what is written here goes there, what comes from elsewhere is shown here. */
  function keepInStep(editor, root, field, box, label) {
    let memory = null;
    let shown = null;
    let timer = 0;
    const hint = document.getElementById("body-hint"); // it speaks of plain text and HTML
    const load = () => {
      clearTimeout(timer);
      shown = field.value;
      const opened = ours.opened(shown);
      memory = opened.memory;
      editor.load(opened.nodes);
    };
    const flush = () => {
      clearTimeout(timer);
      if (root.hidden) return;
      shown = ours.whole(root, memory);
      if (shown === field.value) return;
      field.value = shown;
      field.dispatchEvent(new Event("input", { bubbles: true }));
    };
    const view = (name) => {
      flush();
      const isHtml = name === "html";
      for (const button of box.querySelectorAll("[data-view]"))
        button.setAttribute("aria-pressed", String(button.dataset.view === name));
      for (const part of [root, box.querySelector("[role=toolbar]")]) part.hidden = isHtml;
      for (const part of [field, hint]) part.hidden = !isHtml;
      // Where a field finds its direction by itself, the browser looks for it anew at every line that is put in.
      if (isHtml) field.dir = "auto";
      else field.removeAttribute("dir");
      if (!isHtml && field.value !== shown) load();
    };
    load();
    view("write");
    editor.addEventListener("input", () => {
      clearTimeout(timer);
      timer = setTimeout(flush, WAIT_MS);
    });
    root.addEventListener("focusout", flush);
    field.form.addEventListener("submit", flush, true);
    for (const event of ["beforeunload", "pagehide"]) window.addEventListener(event, flush, true);
    document.addEventListener("visibilitychange", flush, true);
    // A browser that goes back, or reloads, puts into the field what was in it.
    window.addEventListener("pageshow", () => field.value !== shown && load());
    field.addEventListener("restored", load);
    box.addEventListener("click", (event) => {
      const button = event.target.closest("[data-view]");
      if (!button) return;
      view(button.dataset.view);
      (field.hidden ? root : field).focus();
    });
    for (const way of [label, ...document.querySelectorAll('a[href="#body"]')])
      way.addEventListener("click", (event) => {
        if (!field.hidden) return;
        event.preventDefault();
        root.focus();
      });
  }

  document.addEventListener("DOMContentLoaded", () => {
    const [field, template] = ["body", "editor-frame"].map((id) => document.getElementById(id));
    const isThere =
      window.Squire && window.DOMPurify && DOMPurify.isSupported && window.customElements;
    const isModern = "adoptedStyleSheets" in document && "replaceChildren" in document.body;
    if (!(field && template && isThere && isModern && ours.opened && ours.dialog)) return;
    const begin = () => start(field, template);
    // Its scripts were late, and somebody writes already: the field is not taken away under their hands.
    if (document.activeElement === field) field.addEventListener("blur", begin, { once: true });
    else begin();
  });
})();
