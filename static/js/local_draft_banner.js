/* Offers to restore unsaved text that is only on this device. Discarded text can be restored for as long
   as local_drafts.js stores it; that file also explains the fields of a draft. */
import {
  draftId,
  field,
  form,
  saveIfChanged,
  saveLocally,
  showStatus,
  values,
} from "./autosave.js";
import { progress } from "./autosave_state.js";
import * as localDrafts from "./local_drafts.js";
import { formatTime, gettext } from "./messages.js";

const { story } = form.dataset;
const container = document.getElementById("local-drafts");
// These also differ between forms with the same text; "copy" is the id of a form.
const NOT_COMPARED = new Set(["version", "copy", "published_at_was", "published_at_zone"]);
const LINE_ELEMENTS = "p, h2, h3, li, tr, blockquote, figure, br";

function plainText(html) {
  const { body } = new DOMParser().parseFromString(html, "text/html");
  for (const block of body.querySelectorAll(LINE_ELEMENTS)) block.append("\n");
  return body.textContent.trim();
}

const normalizeText = (text) => (text || "").replace(/\r\n?/g, "\n").trim();
const isSame = (one, other) => normalizeText(one) === normalizeText(other);
const cloneTemplate = (id) => document.getElementById(id).content.firstElementChild.cloneNode(true);
const partsOf = (element) => (name) => element.querySelector(`[data-part=${name}]`);
const timeOf = (draft) => formatTime(new Date(draft.at));

function labelOf(name) {
  const label = document.querySelector(`label[for="${name}"], label[for="${name}-entry"]`);
  return label?.firstChild.textContent.trim() || name;
}

/** Returns whether the draft was typed while a form was being sent whose response is this page. Such
    a draft continues this page's text, although its version number is the one from before the save.
    `data-confirmed` is the id of the form that the page responds to. */
const continuesSubmission = (draft) =>
  Boolean(draft.after) && draft.after === document.body.dataset.confirmed;

function setValue(control, value) {
  control.value = value;
  if (control.value === value || control.localName !== "select") return;
  control.append(new Option(value, value)); // an option that is missing on this page
  control.value = value;
}

function restore(draft, banner) {
  saveIfChanged();
  const changed = [];
  for (const [name, value] of Object.entries(draft.values)) {
    const control = field(name);
    const isOldVersion = name === "version" && continuesSubmission(draft);
    if (!control || isSame(control.value, value) || isOldVersion) continue;
    setValue(control, value);
    changed.push(control instanceof RadioNodeList ? control[0] : control);
  }
  const zone = document.getElementById("published_at-zone");
  if (zone) zone.textContent = field("published_at_zone").value;
  for (const control of changed)
    control.dispatchEvent(new CustomEvent("restored", { bubbles: true }));
  banner.remove();
  field("headline").dispatchEvent(new Event("input", { bubbles: true }));
  field("headline").focus();
  // If the story was new and has been saved since, store the draft again under the story's own id.
  if (draft.id !== draftId())
    saveLocally().then(() => progress.canStoreLocally && localDrafts.remove(draft.id));
  showStatus(gettext("Restored from this device."));
}

/** Stores the time when a draft was discarded (0: not discarded). Then replaces the element that shows
    the draft by what `makeElement` returns, null if there is nothing left to restore. */
async function setDiscarded(draft, time, element, makeElement) {
  draft.discarded = time;
  try {
    await localDrafts.save(draft);
  } catch {
    showStatus(gettext("This browser could not store that. Try again."));
    return;
  }
  element.remove();
  const next = makeElement(draft);
  if (next) next.querySelector("summary, button").focus();
  else showStatus(gettext("The form below already has these changes."));
}

function offerUndo(draft) {
  const notice = cloneTemplate("discarded-draft");
  const part = partsOf(notice);
  part("at").textContent = timeOf(draft);
  part("headline").textContent = draft.headline;
  part("undo").addEventListener("click", () => setDiscarded(draft, 0, notice, offerRestore));
  container.append(notice);
  return notice;
}

/** Adds a row for each field, with its value on the device and its value on the page. */
function addComparison(template, names, draft, current) {
  for (const name of names) {
    const row = template.content.cloneNode(true);
    const textOf = (value) => (name === "body" ? plainText(value ?? "") : value);
    const [device, page] = row.querySelectorAll(".text");
    row.querySelector("h3").textContent = labelOf(name);
    device.textContent = textOf(draft.values[name]) || gettext("(empty)");
    page.textContent = textOf(current[name]) || gettext("(empty)");
    template.before(row);
  }
}

function offerRestore(draft) {
  const current = values();
  const isDifferent = (name) =>
    !NOT_COMPARED.has(name) && field(name) && !isSame(current[name], draft.values[name]);
  const names = Object.keys(draft.values).filter(isDifferent);
  if (!names.length) return null;
  const banner = cloneTemplate("local-draft");
  const part = partsOf(banner);
  const heading = part("heading");
  heading.id = `draft-${draft.copy}`;
  banner.setAttribute("aria-labelledby", heading.id);
  part("at").textContent = timeOf(draft);
  part("unsent").hidden = !draft.wanted; // the action of the form that could not be sent
  addComparison(part("row"), names, draft, current);
  part("restore").addEventListener("click", () => restore(draft, banner));
  part("discard").addEventListener("click", () =>
    setDiscarded(draft, Date.now(), banner, offerUndo),
  );
  container.append(banner);
  return banner;
}

function showDrafts(drafts) {
  const own = drafts.filter((draft) => draft.story === story || continuesSubmission(draft));
  for (const draft of own.sort((one, other) => other.at - one.at))
    if (draft.discarded) offerUndo(draft);
    else offerRestore(draft);
}

localDrafts.cleanedUp
  .then(localDrafts.all)
  .then(showDrafts)
  .catch(() => (progress.canStoreLocally = false));
