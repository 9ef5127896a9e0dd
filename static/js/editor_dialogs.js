/* The editor's dialogs: a link's address, a picture, the keys. Each is made when it opens and gone when it closes. */
(() => {
  "use strict";
  const ours = (window.spectatorEditor = window.spectatorEditor || {});
  const PAIRS =
    /^(?:https?:\/\/[^\s/?#]+\S*|mailto:[^\s@]+@[^\s@]+|tel:\+?[0-9][0-9 ().-]*|\/(?![/\\])\S*|#\S+)$/i;
  const NOT_SENT = "Not sent. Try again when you're back online.";

  /** Opens the dialog that a template holds. Its controls are found by their names; `close` gives focus back. */
  ours.dialog = (id) => {
    const dialog = document.importNode(document.getElementById(id).content, true).firstElementChild;
    document.querySelector("main").append(dialog);
    dialog.addEventListener("close", () => dialog.remove());
    dialog.querySelector("[data-do=close]").addEventListener("click", () => dialog.close());
    dialog.showModal();
    return dialog;
  };

  const wrong = (dialog, field, words) => {
    const message = dialog.querySelector("[role=alert]");
    message.textContent = words;
    if (!field) return;
    field.setAttribute("aria-invalid", "true");
    field.setAttribute("aria-describedby", message.id);
    field.focus();
  };

  ours.askForLink = (editor, say) => {
    const range = editor.getSelection();
    const node = range.commonAncestorContainer;
    const link = (node.nodeType === 1 ? node : node.parentNode).closest("#body-editor a");
    const dialog = ours.dialog("editor-link");
    const { address, remove } = dialog.querySelector("form").elements;
    address.value = link ? link.getAttribute("href") || "" : "";
    remove.hidden = !link;
    const done = (words) => {
      dialog.close();
      editor.focus();
      say(words);
    };
    remove.addEventListener("click", () => {
      editor.setSelection(range);
      editor.removeLink();
      done("Link removed.");
    });
    dialog.querySelector("form").addEventListener("submit", (event) => {
      event.preventDefault();
      event.stopPropagation();
      const href = address.value.trim();
      if (!PAIRS.test(href)) {
        wrong(
          dialog,
          address,
          "Start with https://, mailto: or tel:, or with / for a page on this site.",
        );
        return;
      }
      editor.setSelection(range);
      if (link) {
        editor.saveUndoState(range);
        link.setAttribute("href", href);
      } else editor.makeLink(href);
      done("Link added.");
    });
    address.select();
  };

  /** A figure as one line of source, without what a template puts between its tags. */
  function figureSource(figure, { alt, caption, credit }) {
    const made = figure.cloneNode(true);
    const { img, caption: old } = ours.captioned(made);
    for (const node of [...made.childNodes]) if (node.nodeType === 3) node.remove();
    img.setAttribute("alt", alt);
    const text = old || made.ownerDocument.createElement("figcaption");
    text.replaceChildren(caption);
    if (credit) {
      const cite = made.ownerDocument.createElement("cite");
      cite.textContent = credit;
      text.append(caption ? " " : "", cite);
    }
    if (caption || credit) made.append(text);
    else text.remove();
    return made.outerHTML;
  }

  const piece = (source) => ({ name: "figure", source, rows: 0 });

  /** The top-level block that the cursor is in. */
  function blockAt(editor) {
    const root = editor.getRoot();
    const { startContainer, startOffset } = editor.getSelection();
    let node =
      startContainer === root ? root.childNodes[startOffset] || root.lastChild : startContainer;
    while (node.parentNode !== root) node = node.parentNode;
    return node;
  }

  function show(editor, card, words, say) {
    editor.look();
    card.focusOn("up");
    card.scrollIntoView({ block: "nearest" });
    say(words);
  }

  async function send(form) {
    const data = new FormData(form);
    data.set("csrf_token", document.querySelector("#story [name=csrf_token]").value);
    const answer = await fetch("/newsroom/fragments/pictures", { method: "POST", body: data });
    const page = ours.inert(await answer.text());
    const stored = page.querySelector("template[data-outcome=stored]");
    const refused = page.querySelector("[data-outcome=refused]");
    if (answer.ok && stored) return { figure: stored.content.querySelector("figure") };
    return {
      refusal: refused ? refused.textContent.trim() : `Not saved (${answer.status}). Try again.`,
    };
  }

  ours.askForPicture = (editor, say) => {
    const range = editor.getSelection();
    const dialog = ours.dialog("editor-picture");
    const form = dialog.querySelector("form");
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      event.stopPropagation();
      const button = form.querySelector("[type=submit]");
      if (button.getAttribute("aria-disabled") === "true") return;
      button.setAttribute("aria-disabled", "true");
      wrong(dialog, null, "");
      const { figure, refusal } = await send(form).catch(() => ({ refusal: NOT_SENT }));
      button.removeAttribute("aria-disabled");
      if (!figure) {
        wrong(dialog, null, refusal);
        return;
      }
      if (!dialog.open) return; // closed meanwhile: the picture is not wanted
      dialog.close();
      const { alt, caption, credit } = Object.fromEntries(
        [...new FormData(form)].map(([name, text]) => [name, String(text).trim()]),
      );
      const card = ours.create(piece(figureSource(figure, { alt, caption, credit })));
      editor.setSelection(range);
      editor.saveUndoState(range);
      blockAt(editor).after(card);
      show(editor, card, "Picture inserted.", say);
    });
  };

  ours.askForCaption = (editor, card, say) => {
    const island = ours.of(card);
    const figure = ours.inert(island.source).querySelector("figure");
    const { img, text, credit } = ours.captioned(figure);
    const dialog = ours.dialog("editor-picture");
    const form = dialog.querySelector("form");
    form.elements.picture.closest(".field").remove();
    const now = { alt: img.getAttribute("alt") || "", caption: text, credit };
    for (const [name, value] of Object.entries(now)) form.elements[name].value = value;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      event.stopPropagation();
      const next = Object.fromEntries(
        Object.keys(now).map((name) => [name, form.elements[name].value.trim()]),
      );
      dialog.close();
      if (Object.keys(now).every((name) => now[name] === next[name])) return;
      // Another island takes its place, so that an undo finds the old one as it was.
      const made = ours.create(piece(figureSource(figure, next)), island.key, true);
      editor.saveUndoState();
      island.isRemoved = island.isLoose = true;
      card.replaceWith(made);
      show(editor, made, "Picture details changed.", say);
    });
  };
})();
