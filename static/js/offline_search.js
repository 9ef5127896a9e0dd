/* Search in an exported site, without a server. A page opened from a disk can load scripts, but neither fetch files nor
   import modules, so this is a classic script, and its data are scripts that call `spectatorSearch`. */
(() => {
  /** @typedef {{ count: number, perFile: number, prefixLength: number, folds: Record<string, string>, common: string[], prefixes: string[] }} Start */
  /** @typedef {[headline: string, file: string, date: string, section: string, language: string, summary: string]} Story */
  /** @typedef {Map<number, number>} Scores */
  const PAGE_SIZE = 20;
  const MIN_PREFIX = 3; // letters of a word that also stand for longer words
  const results = /** @type {HTMLElement} */ (document.getElementById("results"));
  const box = /** @type {HTMLInputElement} */ (document.getElementById("q"));
  const form = /** @type {HTMLFormElement} */ (document.getElementById("search"));
  const status = document.getElementById("status");
  const intro = [...results.childNodes];
  const root = results.dataset.root ?? "";
  const { lang } = document.documentElement;
  const dates = lang === "en" ? "en-GB" : lang; // day before month, as on all pages
  /** @type {Map<string, Promise<any>>} */
  const loads = new Map();
  /** @type {Map<string, (data: any) => void>} */
  const waiting = new Map();
  let current = 0; // the number of the last search

  Object.assign(window, {
    spectatorSearch: (/** @type {string} */ name, /** @type {any} */ data) =>
      waiting.get(name)?.(data),
  });

  /** Loads a piece of the data once.
   * @param {string} name
   * @returns {Promise<any>} */
  function load(name) {
    let promise = loads.get(name);
    if (!promise) {
      promise = new Promise((resolve, reject) => {
        waiting.set(name, resolve);
        const script = document.createElement("script");
        script.src = `${root}search/${name}.js`;
        script.onerror = () => {
          loads.delete(name);
          reject(new Error(name));
        };
        document.head.append(script);
      });
      loads.set(name, promise);
    }
    return promise;
  }

  /** Returns the words of a text, folded as those of the stories.
   * @param {string} text
   * @param {Start} start */
  function wordsOf(text, { folds }) {
    const fold = (/** @type {string} */ char) =>
      folds[char] ?? folds[char.toLowerCase()] ?? char.toLowerCase();
    const folded = [...text.normalize("NFC")]
      .map(fold)
      .join("")
      .replace(/\p{Mn}/gu, "");
    return [...new Set(folded.split(/[^\p{L}\p{N}\p{Mc}]+/u).filter(Boolean))];
  }

  /** Adds the stories of a word to scores by number.
   * @param {string} postings
   * @param {number} weight
   * @param {Scores} scores */
  function addPostings(postings, weight, scores) {
    let number = 0;
    for (const difference of postings.split(" ")) {
      number += parseInt(difference, 36);
      const story = number >> 1;
      scores.set(story, Math.max(scores.get(story) ?? 0, weight * (number & 1 ? 3 : 1)));
    }
  }

  /** Returns the stories with a word, or with a longer one, and a score for each.
   * @param {string} word
   * @param {Start} start */
  async function storiesWith(word, start) {
    /** @type {Scores} */
    const scores = new Map();
    const prefix = [...word].slice(0, start.prefixLength).join("");
    if (!start.prefixes.includes(prefix)) return scores;
    const codes = [...prefix].map((char) => (char.codePointAt(0) ?? 0).toString(16));
    const words = await load(`words-${codes.join("-")}`);
    for (const [candidate, postings] of Object.entries(words)) {
      if (candidate === word) addPostings(postings, 2, scores);
      else if (word.length >= MIN_PREFIX && candidate.startsWith(word))
        addPostings(postings, 1, scores);
    }
    return scores;
  }

  /** Returns the numbers of the stories that have most of the words, the best first.
   * @param {string} text */
  async function find(text) {
    const start = /** @type {Start} */ (await load("start"));
    const words = wordsOf(text, start).filter((word) => !start.common.includes(word));
    const lists = await Promise.all(words.map((word) => storiesWith(word, start)));
    /** @type {Map<number, { words: number, score: number }>} */
    const hits = new Map();
    for (const scores of lists) {
      const rarity = Math.log(1 + start.count / (1 + scores.size));
      for (const [story, score] of scores) {
        const hit = hits.get(story) ?? { words: 0, score: 0 };
        hits.set(story, { words: hit.words + 1, score: hit.score + score * rarity });
      }
    }
    const most = Math.max(0, ...[...hits.values()].map((hit) => hit.words));
    return [...hits]
      .filter(([, hit]) => hit.words === most)
      .sort(([a, first], [b, second]) => second.score - first.score || a - b)
      .map(([story]) => story);
  }

  /** Creates an element with a text or with children.
   * @param {string} name
   * @param {Record<string, string>} attributes
   * @param {(string | Node)[]} content */
  function element(name, attributes, ...content) {
    const node = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    node.append(...content);
    return node;
  }

  /** @param {Story} story */
  function card([headline, file, date, section, language, summary]) {
    const day = new Intl.DateTimeFormat(dates, {
      dateStyle: "long",
      timeZone: "UTC",
    }).format(new Date(`${date}T00:00:00Z`));
    const link = element("a", { href: root + file.split("/").map(encodeURIComponent).join("/") });
    link.textContent = headline;
    const eyebrow = element("p", { class: "eyebrow" }, element("b", {}, section), " ");
    eyebrow.append(element("time", { datetime: date }, day));
    return element(
      "article",
      { class: "card" },
      eyebrow,
      element("h3", { lang: language, dir: "auto" }, link),
      element("p", { class: "dek", lang: language, dir: "auto" }, summary),
    );
  }

  /** Shows the next stories, and a button for those after them.
   * @param {number[]} stories
   * @param {number} search */
  async function show(stories, search) {
    const start = /** @type {Start} */ (await load("start"));
    const page = stories.slice(0, PAGE_SIZE);
    const files = page.map((story) => load(`stories-${Math.floor(story / start.perFile)}`));
    const pieces = await Promise.all(files);
    if (search !== current) return;
    const cards = page.map((story, i) => card(pieces[i][story % start.perFile]));
    results.append(...cards);
    const rest = stories.slice(PAGE_SIZE);
    if (!rest.length) return;
    const more = element("button", { class: "more", type: "button" }, results.dataset.more ?? "");
    more.addEventListener("click", async () => {
      more.remove();
      const { length } = results.children;
      await show(rest, search);
      results.children[length]?.querySelector("a")?.focus();
    });
    results.append(more);
  }

  /** Shows the stories that match the text in the box. */
  async function run() {
    const search = ++current;
    const text = box.value.trim();
    const stories = text ? await find(text) : [];
    if (search !== current) return;
    const count = new Intl.NumberFormat(lang).format(stories.length);
    const summary = stories.length
      ? `${results.dataset.stories}: ${count}`
      : (results.dataset.none ?? "");
    if (status) status.textContent = text ? summary : "";
    if (text) results.replaceChildren(element("p", { class: "note" }, summary));
    else results.replaceChildren(...intro);
    if (stories.length) await show(stories, search);
  }

  const report = () => void run().catch(() => results.replaceChildren(...intro));
  let timer = 0;
  box.addEventListener("input", () => {
    clearTimeout(timer);
    timer = window.setTimeout(report, 200);
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    report();
  });
  box.value = new URLSearchParams(location.search).get("q") ?? "";
  if (box.value) report();
})();
