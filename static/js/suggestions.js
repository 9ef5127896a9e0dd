/* Names as tokens (byline, countries, topics), and suggestions for them and for the source, asked for by htmx.
   The form's own fields stay what is sent; they are hidden and always hold all names, and what is being typed. */
(() => {
  "use strict";
  const WAIT_MS = 200;
  const SEMICOLON = /[;؛\n]/;
  const COMMA = /[,،፣]/;
  const asked = document.getElementById("suggestion-query");
  if (!asked) return;

  const clone = (id) =>
    document.importNode(document.getElementById(id).content, true).firstElementChild;
  const status = clone("suggestions-status");
  const say = (words) => (status.textContent = words);
  asked.after(status);

  // As the server reads and writes a line (names_in, in_one_line in spectator/newsroom/forms.py).
  const separator = (text) => (SEMICOLON.test(text) ? SEMICOLON : COMMA);
  const trimmed = (names) => names.map((name) => name.trim()).filter(Boolean);
  const namesIn = (text) => trimmed(text.split(separator(text)));
  const inOneLine = (names) =>
    names.some((name) => COMMA.test(name)) ? `${names.join("; ")};` : names.join(", ");
  const isSame = (one, other) => one.normalize().toLowerCase() === other.normalize().toLowerCase();

  const tell = (field) => field.dispatchEvent(new Event("input", { bubbles: true }));
  const labelOf = (field) => document.querySelector(`label[for="${field.id}"]`);

  /** Makes an entry a combobox. `take` gets the option that was chosen, `isLeftOut` says which are not offered,
      `creates` whether a text may become a name of its own; `answered` is called when the server has answered. */
  function combobox(
    entry,
    kind,
    { take, isLeftOut = () => false, creates = () => false, answered = () => {} },
  ) {
    const list = clone(`suggestions-${kind}`);
    const label = labelOf(entry);
    const self = { question: null, values: null };
    let [active, timer] = [null, 0];
    label.id = label.id || `${entry.id}-label`;
    list.id = `${entry.id}-suggestions`;
    list.setAttribute("aria-labelledby", label.id);
    const aria = { autocomplete: "list", expanded: "false", controls: list.id };
    for (const [name, value] of Object.entries(aria)) entry.setAttribute(`aria-${name}`, value);
    entry.setAttribute("role", "combobox");
    entry.autocomplete = "off";
    entry.after(list);
    if (window.htmx) htmx.process(list);

    const options = () => [...list.querySelectorAll("[role=option]")];
    const point = (option) => {
      active = option;
      for (const each of options()) each.setAttribute("aria-selected", String(each === option));
      if (!option) return entry.removeAttribute("aria-activedescendant");
      entry.setAttribute("aria-activedescendant", option.id);
      return option.scrollIntoView({ block: "nearest" });
    };
    const show = (isOpen) => {
      point(null);
      list.hidden = !isOpen;
      entry.setAttribute("aria-expanded", String(isOpen));
    };
    self.close = () => {
      clearTimeout(timer);
      show(false);
    };
    self.ask = (text) => {
      clearTimeout(timer);
      self.question = asked.value = text;
      self.values = null;
      list.dispatchEvent(new Event("suggest"));
    };
    self.typed = () => {
      clearTimeout(timer);
      point(null);
      for (const stale of list.querySelectorAll("[data-new]")) stale.remove();
      if (!options().length) show(false);
      timer = setTimeout(() => self.ask(entry.value.trim()), WAIT_MS);
    };
    const hear = () => {
      self.values = options().map((option) => option.dataset.value);
      for (const option of options()) if (isLeftOut(option.dataset.value)) option.remove();
      const [count, text] = [options().length, entry.value.trim()];
      if (creates(text) && !self.values.some((value) => isSame(value, text))) {
        const option = clone("new-suggestion");
        option.dataset.value = text;
        option.textContent = option.textContent.trim().replace("…", () => text);
        list.append(option);
      }
      options().forEach((option, at) => (option.id = `${list.id}-${at}`));
      const isHere = document.activeElement === entry;
      show(isHere && options().length > 0);
      if (isHere)
        say(count ? `${count} ${count === 1 ? "suggestion" : "suggestions"}` : "No suggestions");
      answered();
    };
    const choose = (option) => {
      take(option);
      self.close();
    };

    for (const event of ["htmx:afterSwap", "htmx:after:swap"]) list.addEventListener(event, hear); // htmx 2, htmx 4
    list.addEventListener("mousedown", (event) => event.preventDefault()); // the entry keeps the focus
    list.addEventListener("click", (event) => {
      const option = event.target.closest("[role=option]");
      if (option) choose(option);
    });
    entry.addEventListener("blur", self.close);
    entry.addEventListener("keydown", (event) => {
      const all = options();
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (event.isComposing || event.altKey) return;
      if (step && list.hidden) self.ask(entry.value.trim());
      else if (step)
        point(all[active || step > 0 ? all.indexOf(active) + step : all.length - 1] || null);
      else if (event.key === "Escape" && !list.hidden) self.close();
      else if (event.key === "Enter" && active) choose(active);
      else return;
      event.preventDefault();
    });
    return self;
  }

  /** Puts chips and an entry in the place of a field. */
  function tokens(field, { isOrdered, isFree }) {
    const box = clone("tokens");
    const [chips, entry, error] = ["ul", "input", "p"].map((name) => box.querySelector(name));
    const label = labelOf(field);
    let shown = null;
    let pending = null; // what the server is asked about before it can become a chip
    const all = () => [...chips.children];
    const names = () => all().map((chip) => chip.dataset.name);
    const has = (name) => names().some((each) => isSame(each, name));

    const write = () => {
      shown = inOneLine([...names(), ...namesIn(entry.value)]);
      if (shown === field.value) return;
      field.value = shown;
      tell(field);
    };
    /** Tab reaches one chip, the arrow keys the others. */
    const arrange = (current = chips.firstChild) => {
      const ends = { earlier: chips.firstChild, later: chips.lastChild };
      chips.hidden = !current;
      for (const button of chips.querySelectorAll("button")) {
        const act = button.dataset.do;
        button.hidden = act !== "remove" && (!isOrdered || chips.children.length < 2);
        button.setAttribute("aria-disabled", String(ends[act] === button.parentNode));
        button.tabIndex = act === "remove" && button.parentNode === current ? 0 : -1;
      }
    };
    const put = (name) => {
      const chip = clone("token");
      chip.dataset.name = chip.querySelector(".chip-name").textContent = name;
      for (const button of chip.querySelectorAll("button"))
        button.setAttribute(
          "aria-label",
          button.getAttribute("aria-label").replace("…", () => name),
        );
      chips.append(chip);
    };
    const changed = (words) => {
      arrange();
      write();
      say(words);
    };
    const add = (name) => {
      if (has(name)) return say(`${name} is already in the list`);
      put(name);
      return changed(`${name} added`);
    };
    const focus = (chip, act = "remove") =>
      (chip ? chip.querySelector(`[data-do="${act}"]`) : entry).focus();
    const remove = (chip) => {
      const next = chip.nextSibling || chip.previousSibling;
      chip.remove();
      changed(`${chip.dataset.name} removed`);
      focus(next);
    };
    const move = (chip, step, act) => {
      const other = step < 0 ? chip.previousSibling : chip.nextSibling;
      if (!isOrdered || !other) return;
      if (step < 0) other.before(chip);
      else other.after(chip);
      changed(`${chip.dataset.name}: ${all().indexOf(chip) + 1} of ${all().length}`);
      focus(chip, act);
    };
    const refuse = (name) => {
      error.textContent = name ? `No country found for “${name}”. Choose one from the list.` : "";
      error.hidden = !name;
      if (name || field.hasAttribute("aria-invalid")) entry.setAttribute("aria-invalid", "true");
      else entry.removeAttribute("aria-invalid");
      if (name) say(error.textContent);
    };

    /** The name that a text stands for; empty while nothing is known of it. */
    const meant = (text) => {
      const offered = combo.question === text && combo.values ? combo.values : [];
      const exact = offered.find((value) => isSame(value, text));
      if (exact || isFree || !window.htmx || /^[A-Z]{2}$/.test(text)) return exact || text;
      return offered.length === 1 ? offered[0] : "";
    };
    /** Makes chips of what was typed: of all of it, or of what a comma ends. */
    const settle = (isWhole) => {
      const parts = entry.value.split(separator(entry.value));
      const isLast = isWhole || COMMA.test(parts[parts.length - 1]); // a name with a comma, for semicolons part them
      const tail = isLast ? "" : parts.pop().trimStart();
      const open = trimmed(parts);
      const before = open.length;
      pending = null;
      while (open.length && meant(open[0])) add(meant(open.shift()));
      if (!open.length) entry.value = tail;
      else if (open.length < before) entry.value = open.join("; ") + (isLast ? "" : `; ${tail}`);
      write();
      if (!open.length) return combo.close();
      if (combo.question === open[0] && combo.values) return refuse(open[0]);
      pending = { isWhole };
      return combo.question === open[0] || combo.ask(open[0]);
    };

    const hint = document.querySelector(`#${field.id}-hint [data-scripted]`);
    if (hint) hint.textContent = hint.dataset.scripted;
    field.after(box);
    field.hidden = true;
    entry.id = `${field.id}-entry`;
    label.htmlFor = entry.id;
    error.id = `${field.id}-unknown`;
    entry.dir = field.dir;
    entry.setAttribute(
      "aria-describedby",
      `${field.getAttribute("aria-describedby") || ""} ${error.id}`.trim(),
    );
    chips.setAttribute("aria-label", label.firstChild.textContent.trim());
    refuse("");
    const combo = combobox(entry, field.id, {
      take: (option) => {
        entry.value = "";
        refuse("");
        add(option.dataset.value);
      },
      isLeftOut: has,
      creates: (text) => isFree && text !== "" && !has(text),
      answered: () => {
        if (!pending) return;
        settle(pending.isWhole);
        if (!pending && error.hidden && entry.value.trim()) combo.typed();
      },
    });
    const load = () => {
      chips.replaceChildren();
      namesIn(field.value).forEach(put);
      shown = field.value;
      entry.value = "";
      arrange();
    };
    const typed = (event) => {
      refuse("");
      pending = null;
      if (!event.isComposing && separator(entry.value).test(entry.value)) settle(false);
      if (!entry.value.trim()) combo.close();
      else if (!pending) combo.typed();
      write();
    };

    load();
    field.addEventListener("restored", load);
    window.addEventListener("pageshow", () => field.value !== shown && load());
    for (const event of ["input", "compositionend"]) entry.addEventListener(event, typed);
    entry.addEventListener("blur", () => settle(true));
    entry.addEventListener("keydown", (event) => {
      if (event.defaultPrevented || event.isComposing) return;
      if (event.key === "Enter") settle(true);
      else if (event.key === "Backspace" && !entry.value && chips.lastChild) focus(chips.lastChild);
      else return;
      event.preventDefault();
    });
    chips.addEventListener("focusin", (event) => arrange(event.target.closest("li")));
    chips.addEventListener("click", (event) => {
      const button = event.target.closest("button");
      if (!button) return;
      if (button.dataset.do === "remove") remove(button.parentNode);
      else move(button.parentNode, button.dataset.do === "later" ? 1 : -1, button.dataset.do);
    });
    chips.addEventListener("keydown", (event) => {
      const chip = event.target.closest("li");
      const step = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 }[event.key];
      if (step && event.altKey) move(chip, step);
      else if (step > 0) focus(chip.nextSibling);
      else if (step) focus(chip.previousSibling || chip);
      else if (event.key === "Delete" || event.key === "Backspace") remove(chip);
      else return;
      event.preventDefault(); // Alt with an arrow would leave the page
    });
  }

  function source(field, link) {
    const combo = combobox(field, "sources", {
      take: ({ dataset }) => {
        field.value = dataset.value;
        tell(field);
        if (!dataset.url || link.value.trim()) return;
        link.value = dataset.url;
        tell(link);
      },
    });
    field.addEventListener("input", combo.typed);
    field.addEventListener("click", () => !field.value.trim() && combo.ask(""));
  }

  const find = (id) => document.getElementById(id);
  tokens(find("authors"), { isOrdered: true, isFree: true });
  tokens(find("countries"), { isOrdered: false, isFree: false });
  tokens(find("topics"), { isOrdered: false, isFree: true });
  source(find("source_name"), find("source_url"));
})();
