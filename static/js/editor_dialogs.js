/* The editor's dialogs: a link's address, a picture, the keyboard shortcuts. A dialog is created when it
   opens and removed when it closes. */
import { parseInert } from "./html_source.js";
import { blockOf, createCard, figureParts } from "./opaque_blocks.js";
import { gettext } from "./messages.js";

const LINK_ADDRESS =
  /^(?:https?:\/\/[^\s/?#]+\S*|mailto:[^\s@]+@[^\s@]+|tel:\+?[0-9][0-9 ().-]*|\/(?![/\\])\S*|#\S+)$/i;
const NOT_SENT = gettext("Not sent. Try again when you're back online.");

/** Opens the dialog of a template. */
export function openDialog(id) {
  const dialog = document.importNode(document.getElementById(id).content, true).firstElementChild;
  document.querySelector("main").append(dialog);
  dialog.addEventListener("close", () => dialog.remove());
  dialog.querySelector("[data-do=close]").addEventListener("click", () => dialog.close());
  dialog.showModal();
  return dialog;
}

function showError(dialog, field, text) {
  const message = dialog.querySelector("[role=alert]");
  message.textContent = text;
  if (!field) return;
  field.setAttribute("aria-invalid", "true");
  field.setAttribute("aria-describedby", message.id);
  field.focus();
}

export function askForLink(editor, announce) {
  const range = editor.getSelection();
  const node = range.commonAncestorContainer;
  const link = (node.nodeType === 1 ? node : node.parentNode).closest("#body-editor a");
  const dialog = openDialog("editor-link");
  const { address, remove } = dialog.querySelector("form").elements;
  address.value = link ? link.getAttribute("href") || "" : "";
  remove.hidden = !link;
  const close = (message) => {
    dialog.close();
    editor.focus();
    announce(message);
  };
  remove.addEventListener("click", () => {
    editor.setSelection(range);
    editor.removeLink();
    close(gettext("Link removed."));
  });
  dialog.querySelector("form").addEventListener("submit", (event) => {
    event.preventDefault();
    event.stopPropagation();
    const href = address.value.trim();
    if (!LINK_ADDRESS.test(href)) {
      showError(
        dialog,
        address,
        gettext("Start with https://, mailto: or tel:, or with / for a page on this site."),
      );
      return;
    }
    editor.setSelection(range);
    if (link) {
      editor.saveUndoState(range);
      link.setAttribute("href", href);
    } else editor.makeLink(href);
    close(gettext("Link added."));
  });
  address.select();
}

/** Returns a figure as one line of source, without the white space of its template. */
function figureSource(figure, { alt, caption, credit }) {
  const copy = figure.cloneNode(true);
  const { img, caption: old } = figureParts(copy);
  for (const node of [...copy.childNodes]) if (node.nodeType === 3) node.remove();
  img.setAttribute("alt", alt);
  const text = old || copy.ownerDocument.createElement("figcaption");
  text.replaceChildren(caption);
  if (credit) {
    const cite = copy.ownerDocument.createElement("cite");
    cite.textContent = credit;
    text.append(caption ? " " : "", cite);
  }
  if (caption || credit) copy.append(text);
  else text.remove();
  return copy.outerHTML;
}

const figurePiece = (source) => ({ name: "figure", source, rows: 0 });

/** Returns the top-level block that contains the cursor. */
function blockAt(editor) {
  const root = editor.getRoot();
  const { startContainer, startOffset } = editor.getSelection();
  let node =
    startContainer === root ? root.childNodes[startOffset] || root.lastChild : startContainer;
  while (node.parentNode !== root) node = node.parentNode;
  return node;
}

function showCard(editor, card, message, announce) {
  editor.checkCards();
  card.focusOn("up");
  card.scrollIntoView({ block: "nearest" });
  announce(message);
}

async function storePicture(form) {
  const data = new FormData(form);
  data.set("csrf_token", document.querySelector("#story [name=csrf_token]").value);
  const answer = await fetch("/newsroom/fragments/pictures", { method: "POST", body: data });
  const page = parseInert(await answer.text());
  const stored = page.querySelector("template[data-outcome=stored]");
  const refused = page.querySelector("[data-outcome=refused]");
  if (answer.ok && stored) return { figure: stored.content.querySelector("figure") };
  return {
    refusal: refused
      ? refused.textContent.trim()
      : gettext("Not saved (%(status)s). Try again.", { status: answer.status }),
  };
}

export function askForPicture(editor, announce) {
  const range = editor.getSelection();
  const dialog = openDialog("editor-picture");
  const form = dialog.querySelector("form");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    event.stopPropagation();
    const button = form.querySelector("[type=submit]");
    if (button.getAttribute("aria-disabled") === "true") return;
    button.setAttribute("aria-disabled", "true");
    showError(dialog, null, "");
    const { figure, refusal } = await storePicture(form).catch(() => ({ refusal: NOT_SENT }));
    button.removeAttribute("aria-disabled");
    if (!figure) {
      showError(dialog, null, refusal);
      return;
    }
    if (!dialog.open) return; // it was closed during the upload
    dialog.close();
    const { alt, caption, credit } = Object.fromEntries(
      [...new FormData(form)].map(([name, text]) => [name, String(text).trim()]),
    );
    const card = createCard(figurePiece(figureSource(figure, { alt, caption, credit })));
    editor.setSelection(range);
    editor.saveUndoState(range);
    blockAt(editor).after(card);
    showCard(editor, card, gettext("Picture inserted."), announce);
  });
}

export function askForCaption(editor, card, announce) {
  const block = blockOf(card);
  const figure = parseInert(block.source).querySelector("figure");
  const { img, text, credit } = figureParts(figure);
  const dialog = openDialog("editor-picture");
  const form = dialog.querySelector("form");
  form.elements.picture.closest(".field").remove();
  const before = { alt: img.getAttribute("alt") || "", caption: text, credit };
  for (const [name, value] of Object.entries(before)) form.elements[name].value = value;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    event.stopPropagation();
    const after = Object.fromEntries(
      Object.keys(before).map((name) => [name, form.elements[name].value.trim()]),
    );
    dialog.close();
    if (Object.keys(before).every((name) => before[name] === after[name])) return;
    // A new block replaces the old one, so that an undo can restore the old one unchanged.
    const newCard = createCard(figurePiece(figureSource(figure, after)), block.key, true);
    editor.saveUndoState();
    block.isRemoved = true;
    block.mayVanishOnUndo = true;
    card.replaceWith(newCard);
    showCard(editor, newCard, gettext("Picture details changed."), announce);
  });
}
