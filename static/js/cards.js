/* The cards of islands in the editor: how they look and move, and what keeps an edit from taking one away. */
(() => {
  "use strict";
  const ours = (window.spectatorEditor = window.spectatorEditor || {});
  const { of, isCard } = ours;
  const isEmpty = (block) => !block.textContent.replace(/\u200b/g, "");

  /** One stop for the Tab key in a row of buttons; arrow keys go on from there. */
  ours.roving = (row) => {
    const buttons = () => [...row.querySelectorAll("button:not([hidden])")];
    const rove = (to) => buttons().forEach((button) => (button.tabIndex = button === to ? 0 : -1));
    row.addEventListener("focusin", (event) => rove(event.target));
    row.addEventListener("keydown", (event) => {
      const all = buttons();
      const at = all.indexOf(event.target);
      const isRightToLeft = getComputedStyle(row).direction === "rtl";
      const steps = { ArrowRight: isRightToLeft ? -1 : 1, ArrowLeft: isRightToLeft ? 1 : -1 };
      const to = { Home: 0, End: all.length - 1 }[event.key] ?? at + (steps[event.key] || NaN);
      if (at < 0 || Number.isNaN(to)) return;
      event.preventDefault();
      all[(to + all.length) % all.length].focus();
    });
    rove(buttons()[0]);
  };

  // The cards live in shadow trees, where the editor's tree walks cannot tear them apart; they wear the page's clothes.
  let clothes = null;
  function dressed(root) {
    if (!clothes) {
      clothes = new CSSStyleSheet();
      const own = [...document.styleSheets].filter(
        (sheet) => sheet.href && sheet.href.startsWith(location.origin),
      );
      clothes.replaceSync(
        own.flatMap((sheet) => [...sheet.cssRules].map((rule) => rule.cssText)).join("\n"),
      );
    }
    root.adoptedStyleSheets = [clothes];
    return root;
  }

  class StoryIsland extends HTMLElement {
    connectedCallback() {
      const island = of(this);
      if (!island || this.shadowRoot) return;
      const root = dressed(this.attachShadow({ mode: "open" }));
      root.append(document.getElementById("block-card").content.cloneNode(true));
      const part = (name) => root.querySelector(`[data-part="${name}"]`);
      part("card").setAttribute("aria-label", island.label);
      part("tools").setAttribute("aria-label", island.label);
      part("label").textContent = island.label;
      part("more").textContent = island.more;
      part("noun").textContent = island.noun;
      part("edit").hidden = !island.isSimple;
      const image = part("picture");
      image.hidden = !/^\/media\/[^/]/.test(island.picture || "");
      if (!image.hidden) image.src = island.picture;
      ours.roving(part("tools"));
      root.addEventListener("click", (event) => this.act(event.target.closest("button"), part));
    }

    act(button, part) {
      const act = button && button.dataset.do;
      if (act === "ask" || act === "keep") {
        part("tools").hidden = act === "ask";
        part("question").hidden = act === "keep";
        part(act === "ask" ? "keep" : "ask").focus();
      } else if (act) this.dispatchEvent(new CustomEvent("island", { detail: act, bubbles: true }));
    }

    focusOn(act) {
      this.shadowRoot.querySelector(`[data-do="${act}"]`).focus();
    }
  }

  if (window.customElements) customElements.define("story-island", StoryIsland);

  /** Keeps every island in the editor's root, whatever an edit does to it: what was not removed by its own button comes
      back behind the block that it followed. Returns a function that looks at once; `why` is "history" after an undo or
      redo, which may take away what was made since opening, and "opened" when another text is shown. */
  ours.guard = (editor, root, say) => {
    let order = [];
    const top = (node) => {
      while (node && node.parentNode !== root) node = node.parentNode;
      return node;
    };

    /** What runs on in the root itself is a paragraph, though the browser may have taken its own away. */
    function wrapLoose() {
      const loose = [...root.childNodes].filter((node) => !ours.isBlock(node) && !isCard(node));
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
      if (isInside)
        getSelection().setBaseAndExtent(anchorNode, anchorOffset, focusNode, focusOffset);
    }

    /** Each card once, in the root itself, with nothing inside. */
    function settle(seen) {
      let moved = null;
      for (const card of root.querySelectorAll("story-island")) {
        const island = of(card);
        if (card.textContent.trim()) {
          const paragraph = document.createElement("p");
          paragraph.append(...card.childNodes);
          card.after(paragraph);
        }
        card.replaceChildren();
        if (!island || seen.has(island)) {
          card.remove();
          continue;
        }
        seen.add(island);
        island.isRemoved = false;
        if (card.parentNode !== root) {
          top(card).after(card);
          moved = island;
        }
      }
      return moved;
    }

    function putBack(seen, isHistory) {
      let back = null;
      for (const [at, card] of order.entries()) {
        const island = isCard(card) ? of(card) : null;
        if (!island || seen.has(island) || island.isRemoved || (isHistory && island.isLoose))
          continue;
        const before = order.slice(0, at).reverse().map(top).find(Boolean);
        if (before) before.after(card);
        else root.prepend(card);
        back = island;
      }
      return back;
    }

    /** A line to write on before, between and behind islands; empty ones are not written out. */
    function makePlaces() {
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
      for (const card of root.querySelectorAll(":scope > story-island")) {
        const before = card.previousElementSibling;
        if (!before || isCard(before)) card.before(filler());
        if (!card.nextElementSibling) card.after(filler());
      }
    }

    const look = (why) => {
      let back = null;
      if (why === "opened") order = [];
      editor.modifyDocument(() => {
        // Chromium dresses what it joins; an undo would put that back as markup, which the page's policy forbids.
        for (const styled of root.querySelectorAll("[style]")) styled.removeAttribute("style");
        wrapLoose();
        const seen = new Set();
        back = settle(seen);
        back = putBack(seen, why === "history") || back;
        makePlaces();
      });
      order = [...root.childNodes];
      watcher.takeRecords();
      if (back) say(`To remove the ${back.noun}, use its Remove button.`);
    };
    const watcher = new MutationObserver(() => look());
    watcher.observe(root, { childList: true, subtree: true, attributeFilter: ["style"] });
    return look;
  };

  /** The cards' buttons. */
  ours.setCards = (editor, root, say) => {
    const beyond = (card, step) => {
      let next = card[step];
      while (next && next.dataset.filler !== undefined && isEmpty(next) && next[step])
        next = next[step];
      return next && next.dataset.filler === undefined ? next : null;
    };
    const move = (card, step, place) => {
      const next = beyond(card, step);
      if (!next)
        return say(`The ${of(card).noun} is already ${place === "before" ? "first" : "last"}.`);
      editor.saveUndoState();
      next[place](card);
      editor.look();
      card.focusOn(place === "before" ? "up" : "down");
      card.scrollIntoView({ block: "nearest" });
      return say(`Moved ${place === "before" ? "up" : "down"}.`);
    };
    const acts = {
      up: (card) => move(card, "previousElementSibling", "before"),
      down: (card) => move(card, "nextElementSibling", "after"),
      edit: (card) => ours.askForCaption(editor, card, say),
      remove: (card) => {
        const { noun } = of(card);
        const range = document.createRange();
        range.setStart(card.nextElementSibling || card.previousElementSibling, 0);
        editor.saveUndoState();
        of(card).isRemoved = of(card).isLoose = true;
        card.remove();
        editor.look();
        editor.focus();
        if (root.contains(range.startContainer)) editor.setSelection(range);
        say(`Removed the ${noun}. Undo brings it back.`);
      },
    };
    root.addEventListener("island", (event) => acts[event.detail](event.target));
  };

  // Squire drops spaces at the ends of what is pasted; this stands for one meanwhile.
  const EDGE = "\ue000";

  function textsOf(fragment) {
    const walker = document.createTreeWalker(fragment, NodeFilter.SHOW_TEXT);
    const found = [];
    while (walker.nextNode()) if (walker.currentNode.data) found.push(walker.currentNode);
    return found;
  }

  /** What Squire makes of pasted HTML: a table becomes a card. Squire drops elements that it does not know, so a marked
      paragraph stands for the card until what is pasted has been cleaned. */
  ours.takePastes = (editor, say) => {
    editor.addEventListener("willPaste", ({ detail }) => {
      if (!detail.fragment) return;
      for (const paragraph of detail.fragment.querySelectorAll("[data-card]")) {
        const card = document.createElement("story-island");
        card.setAttribute("contenteditable", "false");
        card.dataset.island = paragraph.dataset.card;
        // The first block that is pasted flows into the one at the cursor.
        if (!paragraph.previousSibling) paragraph.before(editor.createDefaultBlock());
        paragraph.replaceWith(card);
      }
      for (const node of textsOf(detail.fragment)) node.data = node.data.replaceAll(EDGE, " ");
      if (lost) say(lost);
    });
  };

  const MOST_LOOSE = 50;
  let lost = ""; // what was not pasted, in a sentence

  ours.readPaste = (html, editor) => {
    const root = editor.getRoot();
    const islands = [...root.querySelectorAll("story-island")]
      .map((card) => of(card).source)
      .join("");
    const taken = (id) =>
      Boolean(root.querySelector(`[data-id="${CSS.escape(id)}"]`)) ||
      islands.includes(` id="${id}"`);
    const read = window.spectatorPaste
      ? window.spectatorPaste.read(html, taken)
      : { html, lost: "" };
    lost = read.lost;
    const fragment = ours.pasted(read.html, (source, rows) => {
      const paragraph = document.createElement("p");
      paragraph.dataset.card = ours.create({ name: "table", source, rows }).dataset.island;
      paragraph.textContent = "…"; // Squire drops what is empty
      return paragraph;
    });
    // Outside of a paragraph Squire takes a line break for the end of one, and moves every node by itself into a new one,
    // which takes time that grows with the square of their number.
    const isLoose = ![...fragment.children].some(ours.isBlock);
    if (isLoose && (fragment.childNodes.length > MOST_LOOSE || fragment.querySelector("br"))) {
      const paragraph = document.createElement("p");
      paragraph.append(...fragment.childNodes);
      fragment.append(paragraph);
    }
    const texts = textsOf(fragment);
    if (texts.length) {
      const [first, last] = [texts[0], texts[texts.length - 1]];
      first.data = first.data.replace(/^[ \xa0]/, EDGE);
      last.data = last.data.replace(/[ \xa0]$/, EDGE);
    }
    return fragment;
  };

  /** Plain text as HTML to paste: an empty line ends a paragraph, a line break stays one. */
  ours.plainPaste = (text) => {
    const escape = (words) =>
      words.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
    const [before, after] = [/^\s/, /\S\s+$/].map((pattern) => (pattern.test(text) ? " " : ""));
    const paragraphs = text
      .replace(/\r\n?/g, "\n")
      .trim()
      .split(/\n[^\S\n]*\n\s*/);
    const made = paragraphs.map((paragraph) => escape(paragraph).replace(/\n/g, "<br>"));
    const whole = `${before}${made.join("</p><p>")}${after}`;
    // Marked as Squire marks what it copies: of such HTML the outer spaces are kept.
    return `<!-- squire -->${made.length > 1 ? `<p>${whole}</p>` : whole}`;
  };

  ours.isEmpty = isEmpty;
})();
