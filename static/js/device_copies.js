"use strict";
/* Offers what an earlier window left on this device beside the form. What is discarded can be brought back for as long
   as copies.js keeps it. */
(() => {
  const keeping = window.spectatorKeeping;
  const copies = window.spectatorCopies;
  if (!keeping || !copies) return;
  const { form, field, values, identity, say, keep } = keeping;
  const { story } = form.dataset;
  const place = document.getElementById("local-drafts");
  const NOT_COMPARED = new Set(["version", "copy"]);

  const plain = (text) => {
    const page = new DOMParser().parseFromString(text, "text/html");
    for (const block of page.body.querySelectorAll("p, h2, h3, li, tr, blockquote, figure, br"))
      block.append("\n");
    return page.body.textContent.trim();
  };
  const even = (text) => (text || "").replace(/\r\n?/g, "\n").trim();
  const same = (one, other) => even(one) === even(other);
  const labelOf = (name) =>
    document
      .querySelector(`label[for="${name}"], label[for="${name}-entry"]`)
      ?.firstChild.textContent.trim() || name;
  const cloneOf = (id) => document.getElementById(id).content.firstElementChild.cloneNode(true);
  const partsOf = (element) => (name) => element.querySelector(`[data-part=${name}]`);
  const timeOf = (record) =>
    new Date(record.at).toLocaleString([], { dateStyle: "medium", timeStyle: "medium" });

  /* Typed while the form was being sent whose answer this page is: it goes on from the version that is shown here. */
  const isSequel = (record) =>
    Boolean(record.after) && record.after === document.body.dataset.confirmed;
  const set = (target, value) => {
    target.value = value;
    if (target.value === value || target.localName !== "select") return;
    target.append(new Option(value, value)); // a choice that this page did not know of
    target.value = value;
  };
  const restore = (record, banner) => {
    keeping.keepTyped();
    const changed = [];
    for (const [name, value] of Object.entries(record.values)) {
      const target = field(name);
      if (!target || same(target.value, value) || (name === "version" && isSequel(record)))
        continue;
      set(target, value);
      changed.push(target instanceof RadioNodeList ? target[0] : target);
    }
    for (const target of changed)
      target.dispatchEvent(new CustomEvent("restored", { bubbles: true }));
    banner.remove();
    field("headline").dispatchEvent(new Event("input", { bubbles: true }));
    field("headline").focus();
    if (record.id !== identity()) keep().then(() => keeping.canKeep() && copies.forget(record.id));
    say("Restored from this device.");
  };

  /* One tap discards, one tap brings back. */
  const mark = async (record, at, banner, next) => {
    record.discarded = at;
    try {
      await copies.keep(record);
    } catch {
      return void say("This browser could not update its copy.");
    }
    banner.remove();
    const shown = next(record);
    if (shown) shown.querySelector("summary, button").focus();
    else say("This copy is the same as the form below.");
  };
  const offerBack = (record) => {
    const line = cloneOf("discarded-draft");
    const part = partsOf(line);
    part("at").textContent = timeOf(record);
    part("headline").textContent = record.headline;
    part("undo").addEventListener("click", () => mark(record, 0, line, offer));
    place.append(line);
    return line;
  };
  const offer = (record) => {
    const now = values();
    const names = Object.keys(record.values).filter(
      (name) => !NOT_COMPARED.has(name) && field(name) && !same(now[name], record.values[name]),
    );
    if (!names.length) return null;
    const banner = cloneOf("local-draft");
    const part = partsOf(banner);
    const heading = part("heading");
    heading.id = `copy-${record.copy}`;
    banner.setAttribute("aria-labelledby", heading.id);
    part("at").textContent = timeOf(record);
    part("unsent").hidden = !record.wanted;
    const row = part("row");
    for (const name of names) {
      const shown = row.content.cloneNode(true);
      const text = (from) => (name === "body" ? plain(from[name] ?? "") : from[name]) || "(empty)";
      shown.querySelector("h3").textContent = labelOf(name);
      const [device, here] = shown.querySelectorAll(".text");
      device.textContent = text(record.values);
      here.textContent = text(now);
      row.before(shown);
    }
    part("restore").addEventListener("click", () => restore(record, banner));
    part("discard").addEventListener("click", () => mark(record, Date.now(), banner, offerBack));
    place.append(banner);
    return banner;
  };

  const show = (found) => {
    const records = found
      .filter((each) => each.story === story || isSequel(each))
      .sort((a, b) => b.at - a.at);
    for (const record of records) (record.discarded ? offerBack : offer)(record);
  };
  copies.ready.then(copies.everything).then(show).catch(keeping.cannotKeep);
})();
