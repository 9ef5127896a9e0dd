/* Small features of the story form: lengths, word count, keyboard shortcuts, links of the error summary,
   other editors, checks of the picture. */
import { INLINE } from "./html_names.js";
import { formatNumber, gettext, ngettext } from "./messages.js";

const WAIT_MS = 250;
const HOLD_MS = 10000; // in which a second press of a shortcut is ignored
const WORDS_PER_MINUTE = 230; // the same as in spectator/text/words/excerpts.py
const find = (id) => document.getElementById(id);
const form = find("story");

const clone = (id) => document.importNode(find(id).content, true).firstElementChild;
const onText = (field, act) =>
  ["input", "restored"].forEach((event) => field.addEventListener(event, act));
const describe = (field, note, isDescribed) => {
  const ids = (field.getAttribute("aria-describedby") || "")
    .split(/\s+/)
    .filter((id) => id && id !== note.id);
  field.setAttribute("aria-describedby", [...ids, ...(isDescribed ? [note.id] : [])].join(" "));
};

/* The lengths of headline and dek. A letter with its marks (ẹ́) is one character. */
const segmenter = window.Intl && Intl.Segmenter ? new Intl.Segmenter() : null;
const lengthOf = (text) => (segmenter ? [...segmenter.segment(text)] : [...text]).length;
for (const id of ["headline", "dek"]) {
  const field = find(id);
  const guide = clone(`guide-${id}`);
  const show = () => {
    const length = lengthOf(field.value.trim());
    const isLong = length > Number(guide.dataset.most);
    const text = ngettext("%(count)s character", "%(count)s characters", length);
    guide.textContent = length ? text + (isLong ? ` – ${guide.dataset.long}` : "") : "";
    guide.classList.toggle("too-long", isLong);
  };
  guide.id = `${id}-length`;
  field.after(guide);
  describe(field, guide, true);
  onText(field, show);
  show();
}

/* The fields of the story's text have its language, and its writing direction if it is from right to left. */
const STORY_TEXT = ["kicker", "headline", "dek", "body", "body-editor", "note"];
const SEARCH_TEXT = ["search_title", "search_description"];
const PICTURE_TEXT = ["picture_alt", "picture_caption", "picture_credit"];
const language = find("language");
const followLanguage = () => {
  const [option] = language.selectedOptions;
  const isListed = option && option.value !== "other";
  for (const field of [...STORY_TEXT, ...PICTURE_TEXT, ...SEARCH_TEXT].map(find)) {
    // Beside the editor the field shows HTML.
    if (!field || (field.id === "body" && find("body-editor"))) continue;
    field.lang = isListed ? option.value : "";
    field.dir = (isListed && option.dataset.dir) || "auto";
  }
};
onText(language, followLanguage);

/* The number of words in the text, counted in the same way as on the server. */
const COMMENT = /<!--[\s\S]*?(?:-->|$)/g;
const NOT_TEXT =
  /<(script|style|svg|iframe|noembed|noframes|title|template)\b[\s\S]*?(?:<\/\1\s*>|$)/gi;
const INLINE_NAMES = INLINE.filter((name) => name !== "br").join("|");
const INLINE_TAG = new RegExp(`</?(?:${INLINE_NAMES})(?=[\\s/>])[^<>]*>`, "gi");
const ANY_TAG = /<\/?[a-z][^<>]*>/gi;
function wordsIn(html) {
  const markup = html.replace(COMMENT, "").replace(NOT_TEXT, " ");
  // Inline tags do not separate words, all others do.
  const text = markup.replace(INLINE_TAG, "").replace(ANY_TAG, " ").replace(/</g, "&lt;");
  const { textContent } = new DOMParser().parseFromString(text, "text/html").body;
  return textContent.split(/[\s፡—–…]+/).filter((word) => /[\p{L}\p{N}]/u.test(word)).length;
}
const body = find("body");
const words = clone("word-count");
const count = () => {
  const number = wordsIn(body.value);
  const minutes = Math.max(1, Math.round(number / WORDS_PER_MINUTE));
  const text = ngettext("%(count)s word", "%(count)s words", number);
  const reading = gettext("%(minutes)s min read", { minutes });
  words.textContent = number ? `${text} · ${reading}` : text;
};
let timer = 0;
find("counts").prepend(words);
count();
onText(body, () => {
  clearTimeout(timer);
  timer = setTimeout(count, WAIT_MS);
});

/* Ctrl+S and Ctrl+Enter (on a Mac, Cmd) save. Ctrl+Shift+Enter opens a dialog that asks whether to publish.
   Enter in a one-line field presses the form's first button, which changes nothing for readers. It is
   hidden; the bar has a visible one with the same value. */
const [saveButton] = form.querySelectorAll("button[name=do]");
const findButton = (...values) =>
  values.map((value) => form.querySelector(`.bar button[value=${value}]`)).find(Boolean);
const publishButton = findButton("update", "publish");
const publishDialog = find("publish-dialog");
let sentAt = -HOLD_MS; // a second submission would conflict with the first one's new version
let isTouched = false;
form.addEventListener("input", () => (isTouched = true));
addEventListener(
  "submit",
  (event) => {
    if (event.target !== form || event.submitter !== saveButton || saveButton.value !== "keep")
      return;
    event.preventDefault();
    event.stopImmediatePropagation();
    // "keep" only autosaves, so no request for a page is needed. Input in any field starts an autosave.
    if (isTouched)
      form.elements.namedItem("version").dispatchEvent(new Event("input", { bubbles: true }));
  },
  true,
);
addEventListener("submit", (event) => {
  if (event.target === form && !event.defaultPrevented && event.submitter?.formTarget !== "_blank")
    sentAt = performance.now();
});
addEventListener("pageshow", () => (sentAt = -HOLD_MS));
findButton(saveButton.value)?.setAttribute("aria-keyshortcuts", "Control+S Control+Enter");
publishButton?.setAttribute("aria-keyshortcuts", "Control+Shift+Enter");
const press = (button) => {
  if (performance.now() - sentAt >= HOLD_MS) form.requestSubmit(button);
};
publishDialog?.addEventListener("close", () => {
  if (publishDialog.returnValue === "yes") press(publishButton);
});
const openPublishDialog = () => {
  publishDialog.returnValue = "";
  publishDialog.showModal();
};
document.addEventListener(
  "keydown",
  (event) => {
    const isEnter = event.key === "Enter";
    const isS = (event.key || "").toLowerCase() === "s"; // "S" with caps lock
    const isSave = !event.shiftKey && (isEnter || isS);
    const isPublish = event.shiftKey && isEnter && Boolean(publishDialog);
    const hasModifier = (event.ctrlKey || event.metaKey) && !event.altKey;
    if (!hasModifier || !(isSave || isPublish) || event.isComposing) return;
    event.preventDefault();
    event.stopPropagation();
    if (event.repeat || document.querySelector("dialog[open]")) return;
    if (isSave) press(saveButton);
    else openPublishDialog();
  },
  true,
);

/* A link of the error summary moves the focus to its field, or to the control that replaces the field. */
document.addEventListener("click", (event) => {
  const link = event.target.closest(".summary a[href^='#']");
  if (!link) return;
  const id = link.hash.slice(1);
  const targets = [find(`${id}-entry`), id === "body" ? find("body-editor") : null, find(id)];
  const target = targets.find((element) => element && element.getClientRects().length);
  if (!target) return;
  event.preventDefault();
  target.focus();
});

/* Announces who else has the story open, but only when it changes. */
const presence = find("presence");
if (presence) {
  const status = clone("presence-status");
  const presenceText = () => presence.textContent.replace(/\s+/g, " ").trim();
  let last = presenceText();
  presence.after(status);
  new MutationObserver(() => {
    if (presenceText() === last) return;
    last = presenceText();
    status.textContent = last;
  }).observe(presence, { childList: true, characterData: true, subtree: true });
}

/* The selected picture: its name and size, whether it is too large, whether it needs alt text. */
const [picture, alt] = [find("picture"), find("picture_alt")];
const [pictureNote, tooLarge, altRequired] = [
  "picture-selected",
  "picture-too-large",
  "alt-required",
].map(clone);
const size = (bytes) =>
  bytes < 1e6
    ? gettext("%(size)s KB", { size: Math.ceil(bytes / 1024) })
    : gettext("%(size)s MB", { size: formatNumber(Math.round((bytes / 1024 / 1024) * 10) / 10) });
const toggleNote = (note, field, isDescribed) => {
  if (isDescribed) field.after(note);
  else note.remove();
  describe(field, note, isDescribed);
};
const checkAlt = () => {
  const isNeeded = picture.files.length > 0 && !alt.value.trim();
  toggleNote(altRequired, alt, isNeeded);
  alt.setAttribute("aria-required", String(isNeeded));
};
const checkPicture = () => {
  const [file] = picture.files;
  const isTooLarge = Boolean(file) && file.size > Number(picture.dataset.largest);
  toggleNote(pictureNote, picture, Boolean(file) && !isTooLarge);
  toggleNote(tooLarge, picture, isTooLarge);
  picture.setAttribute("aria-invalid", String(isTooLarge));
  if (file) pictureNote.textContent = `${file.name}, ${size(file.size)}`;
  if (isTooLarge) {
    tooLarge.textContent = gettext("%(file)s is larger than %(limit)s. Choose a smaller picture.", {
      file: file.name,
      limit: size(Number(picture.dataset.largest)),
    });
    picture.value = "";
  }
  checkAlt();
};
picture.addEventListener("change", checkPicture);
onText(alt, checkAlt);
