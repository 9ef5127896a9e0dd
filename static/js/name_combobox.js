/* A combobox whose suggestions htmx fetches, and a status line for screen readers. */
import { Combobox } from "./combobox.js";
import { isSame } from "./name_lists.js";
import { gettext } from "./messages.js";

const WAIT_MS = 200;
const query = document.getElementById("suggestion-query");

export const clone = (id) =>
  document.importNode(document.getElementById(id).content, true).firstElementChild;
const status = clone("suggestions-status");
export const announce = (text) => (status.textContent = text);
query.after(status);

export const labelOf = (field) => document.querySelector(`label[for="${field.id}"]`);

/** A combobox whose list htmx fills. `question` is the text of the last request, `values` are the names
    that the server returned, null until then. */
export class NameCombobox extends Combobox {
  /** Of the callbacks, `take(option)` is called when an option is selected, and `answered()` after a
      response. `isLeftOut(name)` says which names not to offer, `creates(text)` whether to offer the
      text as a new name. */
  constructor(input, kind, callbacks) {
    const list = clone(`suggestions-${kind}`);
    const label = labelOf(input);
    label.id = label.id || `${input.id}-label`;
    list.id = `${input.id}-suggestions`;
    list.setAttribute("aria-labelledby", label.id);
    super(input, list, () => this.fetchFor(input.value.trim()), WAIT_MS);
    const defaults = { isLeftOut: () => false, creates: () => false, answered: () => {} };
    Object.assign(this, { question: null, values: null, ...defaults, ...callbacks });
    input.autocomplete = "off";
    if (window.htmx) window.htmx.process(list);
    for (const event of ["htmx:afterSwap", "htmx:after:swap"])
      list.addEventListener(event, () => this.handleSuggestions()); // htmx 2 or htmx 4
    list.addEventListener("click", (event) => {
      const option = event.target.closest("[role=option]");
      if (!option) return;
      this.take(option);
      this.close();
    });
  }

  fetchFor(text) {
    clearTimeout(this.timer);
    this.question = query.value = text;
    this.values = null;
    this.list.dispatchEvent(new Event("suggest"));
  }

  handleInput() {
    this.setActive(null);
    for (const stale of this.list.querySelectorAll("[data-new]")) stale.remove();
    if (!this.options().length) this.setOpen(false);
    this.fetchSoon();
  }

  handleSuggestions() {
    this.values = this.options().map((option) => option.dataset.value);
    for (const option of this.options()) if (this.isLeftOut(option.dataset.value)) option.remove();
    const text = this.input.value.trim();
    const hasFocus = document.activeElement === this.input;
    const count = this.showOptions(hasFocus);
    if (this.creates(text) && !this.values.some((value) => isSame(value, text))) {
      this.addNewName(text);
      this.showOptions(hasFocus);
    }
    if (hasFocus) announce(count || gettext("No suggestions"));
    this.answered();
  }

  addNewName(text) {
    const option = clone("new-suggestion");
    option.dataset.value = text;
    option.textContent = option.textContent.trim().replace("…", () => text);
    this.list.append(option);
  }
}
