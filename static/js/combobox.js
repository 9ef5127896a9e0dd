/* A text input with a list of suggestions below it, by the ARIA pattern of a combobox. */

const STEPS = { ArrowDown: 1, ArrowUp: -1 };

export class Combobox {
  /** `ask` fetches the suggestions for what is in the input, and calls `showOptions` when the list has
      them. Enter clicks the active option. */
  constructor(input, list, ask, waitMs) {
    Object.assign(this, { input, list, ask, waitMs, active: null, timer: 0 });
    const aria = { autocomplete: "list", expanded: "false", controls: list.id };
    for (const [name, value] of Object.entries(aria)) input.setAttribute(`aria-${name}`, value);
    input.setAttribute("role", "combobox");
    input.after(list);
    input.addEventListener("keydown", (event) => this.handleKey(event));
    input.addEventListener("blur", () => this.close());
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

  askSoon() {
    clearTimeout(this.timer);
    this.timer = setTimeout(this.ask, this.waitMs);
  }

  /** Opens the list if it has options and may be open; returns how many there are, in words. */
  showOptions(mayOpen = true) {
    const options = this.options();
    options.forEach((option, index) => (option.id = `${this.list.id}-${index}`));
    this.setOpen(mayOpen && options.length > 0);
    if (!options.length) return "";
    return `${options.length} ${options.length === 1 ? "suggestion" : "suggestions"}`;
  }

  handleKey(event) {
    const { active, list } = this;
    const step = STEPS[event.key];
    if (event.isComposing || event.altKey) return;
    if (step && list.hidden) this.ask();
    else if (step) this.move(step);
    else if (event.key === "Escape" && !list.hidden) this.close();
    else if (event.key === "Enter" && active) active.click();
    else return;
    event.preventDefault();
  }

  move(step) {
    const options = this.options();
    const isInList = this.active || step > 0;
    const next = isInList ? options.indexOf(this.active) + step : options.length - 1;
    this.setActive(options[next] || null);
  }
}
