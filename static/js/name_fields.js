/* The fields for bylines, countries and topics show their names as chips, with suggestions. The source
   field has suggestions too. The form sends its original fields, which are hidden and always contain all
   names and the text that is being typed. */
import { NameCombobox, clone, labelOf, announce } from "./name_combobox.js";
import { hasComma, inOneLine, isSame, namesIn, separator, trimmed } from "./name_lists.js";
import { gettext } from "./messages.js";

const notifyInput = (field) => field.dispatchEvent(new Event("input", { bubbles: true }));

/** The list of a field's chips, one for each name. */
class Chips {
  constructor(list, isOrdered) {
    Object.assign(this, { list, isOrdered });
  }

  all() {
    return [...this.list.children];
  }

  names() {
    return this.all().map((chip) => chip.dataset.name);
  }

  has(name) {
    return this.names().some((other) => isSame(other, name));
  }

  append(name) {
    const chip = clone("token");
    chip.dataset.name = chip.querySelector(".chip-name").textContent = name;
    for (const button of chip.querySelectorAll("button")) {
      const label = button.getAttribute("aria-label").replace("…", () => name);
      button.setAttribute("aria-label", label);
    }
    this.list.append(chip);
  }

  /** Makes one chip reachable with Tab, and shows the buttons that move chips. */
  updateTabStops(current = this.list.firstChild) {
    const ends = { earlier: this.list.firstChild, later: this.list.lastChild };
    this.list.hidden = !current;
    for (const button of this.list.querySelectorAll("button")) {
      const action = button.dataset.do;
      const isRemove = action === "remove";
      button.hidden = !isRemove && (!this.isOrdered || this.list.children.length < 2);
      button.setAttribute("aria-disabled", String(ends[action] === button.parentNode));
      button.tabIndex = isRemove && button.parentNode === current ? 0 : -1;
    }
  }
}

function showScriptedHint(field) {
  const hint = document.querySelector(`#${field.id}-hint [data-scripted]`);
  if (hint) hint.textContent = hint.dataset.scripted;
}

/** Chips and an input that replace a field. With `isFree`, names are allowed that the server does not
    know; with `isOrdered`, the chips can be moved. */
class NameField {
  constructor(field, { isOrdered, isFree }) {
    const box = clone("tokens");
    const [list, entry, error] = ["ul", "input", "p"].map((name) => box.querySelector(name));
    const chips = new Chips(list, isOrdered);
    Object.assign(this, { field, chips, entry, error, isFree });
    this.writtenValue = null;
    this.pending = null; // the arguments of commitNames, while the server looks up a name
    this.replaceField(box);
    this.combobox = new NameCombobox(entry, field.id, {
      take: (option) => {
        entry.value = "";
        this.refuse("");
        this.add(option.dataset.value);
      },
      isLeftOut: (name) => chips.has(name),
      creates: (text) => isFree && text !== "" && !chips.has(text),
      answered: () => this.handleAnswer(),
    });
    this.load();
    this.listen();
  }

  replaceField(box) {
    const { field, entry, error } = this;
    const label = labelOf(field);
    showScriptedHint(field);
    field.after(box);
    field.hidden = true;
    entry.id = `${field.id}-entry`;
    label.htmlFor = entry.id;
    error.id = `${field.id}-unknown`;
    entry.dir = field.dir;
    const described = `${field.getAttribute("aria-describedby") || ""} ${error.id}`.trim();
    entry.setAttribute("aria-describedby", described);
    this.chips.list.setAttribute("aria-label", label.firstChild.textContent.trim());
    this.refuse("");
  }

  listen() {
    const { field, entry, chips } = this;
    field.addEventListener("restored", () => this.load());
    window.addEventListener("pageshow", () => field.value !== this.writtenValue && this.load());
    for (const name of ["input", "compositionend"])
      entry.addEventListener(name, (event) => this.handleInput(event));
    entry.addEventListener("blur", () => this.commitNames(true));
    entry.addEventListener("keydown", (event) => this.handleEntryKey(event));
    chips.list.addEventListener("focusin", (event) =>
      chips.updateTabStops(event.target.closest("li")),
    );
    chips.list.addEventListener("click", (event) => this.handleChipClick(event));
    chips.list.addEventListener("keydown", (event) => this.handleChipKey(event));
  }

  load() {
    this.chips.list.replaceChildren();
    for (const name of namesIn(this.field.value)) this.chips.append(name);
    this.writtenValue = this.field.value;
    this.entry.value = "";
    this.chips.updateTabStops();
  }

  write() {
    this.writtenValue = inOneLine([...this.chips.names(), ...namesIn(this.entry.value)]);
    if (this.writtenValue === this.field.value) return;
    this.field.value = this.writtenValue;
    notifyInput(this.field);
  }

  handleChange(message) {
    this.chips.updateTabStops();
    this.write();
    announce(message);
  }

  add(name) {
    if (this.chips.has(name)) {
      announce(gettext("%(name)s is already in the list", { name }));
      return;
    }
    this.chips.append(name);
    this.handleChange(gettext("%(name)s added", { name }));
  }

  focus(chip, action = "remove") {
    (chip ? chip.querySelector(`[data-do="${action}"]`) : this.entry).focus();
  }

  remove(chip) {
    const next = chip.nextSibling || chip.previousSibling;
    chip.remove();
    this.handleChange(gettext("%(name)s removed", { name: chip.dataset.name }));
    this.focus(next);
  }

  move(chip, step, action) {
    const other = step < 0 ? chip.previousSibling : chip.nextSibling;
    if (!this.chips.isOrdered || !other) return;
    if (step < 0) other.before(chip);
    else other.after(chip);
    const all = this.chips.all();
    const values = { name: chip.dataset.name, position: all.indexOf(chip) + 1, total: all.length };
    this.handleChange(gettext("%(name)s: %(position)s of %(total)s", values));
    this.focus(chip, action);
  }

  refuse(name) {
    const { entry, error, field } = this;
    error.textContent = name
      ? gettext("No country found for “%(name)s”. Choose one from the list.", { name })
      : "";
    error.hidden = !name;
    if (name || field.hasAttribute("aria-invalid")) entry.setAttribute("aria-invalid", "true");
    else entry.removeAttribute("aria-invalid");
    if (name) announce(error.textContent);
  }

  /** Returns the name that a text means, "" if it is unknown or the server has not answered yet. */
  resolveName(text) {
    const { question, values } = this.combobox;
    const offered = question === text && values ? values : [];
    const exact = offered.find((value) => isSame(value, text));
    if (exact || this.isFree || !window.htmx || /^[A-Z]{2}$/.test(text)) return exact || text;
    return offered.length === 1 ? offered[0] : "";
  }

  /** Adds chips for all names in the input or, unless `isWhole`, for those that a separator ends. */
  commitNames(isWhole) {
    const { combobox, entry } = this;
    const parts = entry.value.split(separator(entry.value));
    // If semicolons separate the names, the last one is complete once it has a comma.
    const isComplete = isWhole || hasComma(parts[parts.length - 1]);
    const tail = isComplete ? "" : parts.pop().trimStart();
    const names = trimmed(parts);
    const before = names.length;
    this.pending = null;
    while (names.length && this.resolveName(names[0])) this.add(this.resolveName(names.shift()));
    if (!names.length) entry.value = tail;
    else if (names.length < before)
      entry.value = names.join("; ") + (isComplete ? "" : `; ${tail}`);
    this.write();
    if (!names.length) combobox.close();
    else if (combobox.question === names[0] && combobox.values) this.refuse(names[0]);
    else {
      this.pending = { isWhole };
      if (combobox.question !== names[0]) combobox.fetchFor(names[0]);
    }
  }

  handleAnswer() {
    if (!this.pending) return;
    this.commitNames(this.pending.isWhole);
    const isOpen = !this.pending && this.error.hidden && this.entry.value.trim();
    if (isOpen) this.combobox.handleInput();
  }

  handleInput(event) {
    const { combobox, entry } = this;
    this.refuse("");
    this.pending = null;
    if (!event.isComposing && separator(entry.value).test(entry.value)) this.commitNames(false);
    if (!entry.value.trim()) combobox.close();
    else if (!this.pending) combobox.handleInput();
    this.write();
  }

  handleEntryKey(event) {
    if (event.defaultPrevented || event.isComposing) return;
    const last = this.chips.list.lastChild;
    if (event.key === "Enter") this.commitNames(true);
    else if (event.key === "Backspace" && !this.entry.value && last) this.focus(last);
    else return;
    event.preventDefault();
  }

  handleChipClick(event) {
    const button = event.target.closest("button");
    if (!button) return;
    const action = button.dataset.do;
    if (action === "remove") this.remove(button.parentNode);
    else this.move(button.parentNode, action === "later" ? 1 : -1, action);
  }

  handleChipKey(event) {
    const chip = event.target.closest("li");
    const step = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 }[event.key];
    if (step && event.altKey) this.move(chip, step);
    else if (step > 0) this.focus(chip.nextSibling);
    else if (step) this.focus(chip.previousSibling || chip);
    else if (event.key === "Delete" || event.key === "Backspace") this.remove(chip);
    else return;
    event.preventDefault(); // in browsers, Alt with an arrow key goes back or forward
  }
}

/** Suggests values for a field, and fills in the URL of the selected source. */
function suggestValues(field, kind, link) {
  showScriptedHint(field);
  const combobox = new NameCombobox(field, kind, {
    take: ({ dataset }) => {
      field.value = dataset.value;
      notifyInput(field);
      if (!dataset.url || !link || link.value.trim()) return;
      link.value = dataset.url;
      notifyInput(link);
    },
  });
  field.addEventListener("input", () => combobox.handleInput());
  field.addEventListener("click", () => !field.value.trim() && combobox.fetchFor(""));
}

const find = (id) => document.getElementById(id);
new NameField(find("authors"), { isOrdered: true, isFree: true });
new NameField(find("countries"), { isOrdered: false, isFree: false });
new NameField(find("topics"), { isOrdered: false, isFree: true });
suggestValues(find("source_name"), "sources", find("source_url"));
suggestValues(find("translation_of"), "stories");
