/* Suggestions under the search box of the header: a combobox over links. Its styles come with the first focus. */
(() => {
  "use strict";
  const WAIT_MS = 150;
  const PATIENCE_MS = 5000; // suggestions for other letters stand no longer than this
  const SHEET = document.currentScript.dataset.sheet;
  const box = document.getElementById("site-search");
  const list = document.createElement("div");
  const said = document.getElementById("status");
  let [timer, asked, active] = [0, null, null];

  const options = () => [...list.querySelectorAll("[role=option]")];
  const point = (option) => {
    active = option;
    for (const each of options()) each.setAttribute("aria-selected", String(each === option));
    if (!option) return box.removeAttribute("aria-activedescendant");
    box.setAttribute("aria-activedescendant", option.id);
    return option.scrollIntoView({ block: "nearest" });
  };
  const show = (isOpen) => {
    point(null);
    list.hidden = !isOpen;
    box.setAttribute("aria-expanded", String(isOpen));
  };
  const close = () => {
    clearTimeout(timer);
    if (asked) asked.abort();
    show(false);
  };
  const fill = (html) => {
    list.innerHTML = html; // our own fragment, escaped where it was made
    options().forEach((option, at) => (option.id = `found-${at}`));
    const count = options().length;
    show(count > 0);
    said.textContent = count ? `${count} ${count === 1 ? "suggestion" : "suggestions"}` : "";
  };
  /** Asks for what the letters may become; an answer that was overtaken is never shown. */
  const ask = async () => {
    const text = box.value.trim();
    if (asked) asked.abort();
    const mine = (asked = new AbortController());
    if (text.length < 2) return fill("");
    const patience = setTimeout(() => {
      mine.abort();
      fill("");
    }, PATIENCE_MS);
    try {
      const answer = await fetch(`/fragments/suggest?q=${encodeURIComponent(text)}`, {
        signal: mine.signal,
      });
      const html = answer.ok ? await answer.text() : "";
      if (!mine.signal.aborted) fill(html);
    } catch {
      if (!mine.signal.aborted) fill(""); // a help that is missing: Enter searches all the same
    } finally {
      clearTimeout(patience);
    }
  };

  for (const [name, value] of Object.entries({
    autocomplete: "list",
    expanded: "false",
    controls: "search-suggestions",
  }))
    box.setAttribute(`aria-${name}`, value);
  box.setAttribute("role", "combobox");
  Object.assign(list, { id: "search-suggestions", hidden: true });
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", "Suggestions");
  box.after(list);

  box.addEventListener("focus", () => {
    if (document.querySelector(`link[href="${SHEET}"]`)) return;
    document.head.append(
      Object.assign(document.createElement("link"), { rel: "stylesheet", href: SHEET }),
    );
  });
  box.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(ask, WAIT_MS);
  });
  box.addEventListener("keydown", (event) => {
    const all = options();
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (event.isComposing || event.altKey) return;
    if (step && list.hidden) ask();
    else if (step)
      point(all[active || step > 0 ? all.indexOf(active) + step : all.length - 1] || null);
    else if (event.key === "Escape" && !list.hidden) close();
    else if (event.key === "Enter" && active) active.click();
    else return;
    event.preventDefault();
  });
  box.addEventListener("blur", close);
  window.addEventListener("pagehide", close); // who comes back finds the page as it was, without an open list
  list.addEventListener("mousedown", (event) => event.preventDefault()); // the box keeps the focus
})();
