/* A text input with a list of suggestions below it: the ARIA combobox pattern. */
import { ngettext } from "./messages.js";

/* With an input method (Amharic, Chinese) the letters of an unfinished word are not what somebody means, so they
   get no suggestions. Keyboards on screens compose each word, so that it would never get any. */
const HAS_SCREEN_KEYBOARD = matchMedia("(pointer: coarse)").matches;
const STEPS = { ArrowDown: 1, ArrowUp: -1 };

export class Combobox {
  /** `fetchOptions` fetches suggestions for the text in the input into the list, and then calls
      `showOptions`. Enter clicks the active option. */
  constructor(input, list, fetchOptions, waitMs) {
    Object.assign(this, {
      input,
      list,
      fetchOptions,
      waitMs,
      active: null,
      timer: 0,
      isComposing: false,
    });
    const aria = { autocomplete: "list", expanded: "false", controls: list.id };
    for (const [name, value] of Object.entries(aria)) input.setAttribute(`aria-${name}`, value);
    input.setAttribute("role", "combobox");
    input.after(list);
    input.addEventListener("keydown", (event) => this.handleKey(event));
    input.addEventListener("blur", () => this.close());
    input.addEventListener("compositionstart", () => {
      clearTimeout(this.timer);
      this.isComposing = !HAS_SCREEN_KEYBOARD;
    });
    input.addEventListener("compositionend", () => {
      this.isComposing = false;
      this.fetchSoon();
    });
    list.addEventListener("mousedown", (event) => event.preventDefault()); // keeps the focus
  }

  options() {
    return [...this.list.querySelectorAll("[role=option]")];
  }

  setActive(option) {
    this.active = option;
    for (const other of this.options())
      other.setAttribute("aria-selected", String(other === option));
    if (option) {
      this.input.setAttribute("aria-activedescendant", option.id);
      option.scrollIntoView({ block: "nearest" });
    } else this.input.removeAttribute("aria-activedescendant");
  }

  setOpen(isOpen) {
    this.setActive(null);
    this.list.hidden = !isOpen;
    this.input.setAttribute("aria-expanded", String(isOpen));
  }

  close() {
    clearTimeout(this.timer);
    this.setOpen(false);
  }

  fetchSoon() {
    clearTimeout(this.timer);
    if (!this.isComposing) this.timer = setTimeout(this.fetchOptions, this.waitMs);
  }

  /** Opens the list if it has options and may be open; returns their number as text, "" for none. */
  showOptions(mayOpen = true) {
    const options = this.options();
    options.forEach((option, index) => (option.id = `${this.list.id}-${index}`));
    this.setOpen(mayOpen && options.length > 0);
    if (!options.length) return "";
    return ngettext("%(count)s suggestion", "%(count)s suggestions", options.length);
  }

  handleKey(event) {
    const { active, list } = this;
    const step = STEPS[event.key];
    if (event.isComposing || event.altKey) return;
    if (step && list.hidden) this.fetchOptions();
    else if (step) this.move(step);
    else if (event.key === "Escape" && !list.hidden) this.close();
    else if (event.key === "Enter" && active) active.click();
    else return;
    event.preventDefault();
  }

  move(step) {
    const options = this.options();
    // Without an active option, down goes to the first one (-1 + 1) and up to the last one.
    const isRelative = this.active || step > 0;
    const next = isRelative ? options.indexOf(this.active) + step : options.length - 1;
    this.setActive(options[next] || null);
  }
}
