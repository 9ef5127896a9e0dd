/* Offers to restore unsaved text that is only on this device. Discarded text can be restored for as long
   as local_drafts.js stores it. */
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

const { story } = form.dataset;
const container = document.getElementById("local-drafts");
const NOT_COMPARED = new Set(["version", "copy"]);
const LINES = "p, h2, h3, li, tr, blockquote, figure, br";

function plainText(html) {
  const { body } = new DOMParser().parseFromString(html, "text/html");
  for (const block of body.querySelectorAll(LINES)) block.append("\n");
  return body.textContent.trim();
}

const normalizeText = (text) => (text || "").replace(/\r\n?/g, "\n").trim();
const isSame = (one, other) => normalizeText(one) === normalizeText(other);
const cloneTemplate = (id) => document.getElementById(id).content.firstElementChild.cloneNode(true);
const partsOf = (element) => (name) => element.querySelector(`[data-part=${name}]`);
const timeOf = (draft) =>
  new Date(draft.at).toLocaleString([], { dateStyle: "medium", timeStyle: "medium" });

function labelOf(name) {
  const label = document.querySelector(`label[for="${name}"], label[for="${name}-entry"]`);
  return label?.firstChild.textContent.trim() || name;
}

/** Returns whether this page is the response to the form that was being sent when the draft was typed.
    The draft is then based on the version on this page. */
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
    // The draft has the version before the submission; this page has the new one.
    const isOldVersion = name === "version" && continuesSubmission(draft);
    if (!control || isSame(control.value, value) || isOldVersion) continue;
    setValue(control, value);
    changed.push(control instanceof RadioNodeList ? control[0] : control);
  }
  for (const control of changed)
    control.dispatchEvent(new CustomEvent("restored", { bubbles: true }));
  banner.remove();
  field("headline").dispatchEvent(new Event("input", { bubbles: true }));
  field("headline").focus();
  if (draft.id !== draftId())
    saveLocally().then(() => progress.canStoreLocally && localDrafts.remove(draft.id));
  showStatus("Restored from this device.");
}

/** Stores the time when a draft was discarded (0: not discarded), and replaces its element. */
async function setDiscarded(draft, time, element, makeElement) {
  draft.discarded = time;
  try {
    await localDrafts.save(draft);
  } catch {
    showStatus("This browser could not update its copy.");
    return;
  }
  element.remove();
  const next = makeElement(draft);
  if (next) next.querySelector("summary, button").focus();
  else showStatus("This copy is the same as the form below.");
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

/** Adds a row for each field that shows its value on the device and on the page. */
function addComparison(template, names, draft, current) {
  for (const name of names) {
    const row = template.content.cloneNode(true);
    const text = ({ [name]: value }) => (name === "body" ? plainText(value ?? "") : value);
    const [device, page] = row.querySelectorAll(".text");
    row.querySelector("h3").textContent = labelOf(name);
    device.textContent = text(draft.values) || "(empty)";
    page.textContent = text(current) || "(empty)";
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
  heading.id = `copy-${draft.copy}`;
  banner.setAttribute("aria-labelledby", heading.id);
  part("at").textContent = timeOf(draft);
  part("unsent").hidden = !draft.wanted;
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
