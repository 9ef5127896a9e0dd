/* What a word processor or a web page puts on the clipboard, as plain, good HTML: `spectatorPaste(html)`. Every word of it
   and every boundary between words is in the result; what is no text and left out is told by `spectatorPaste.read(html)`.
   Our policy makes browsers report style attributes once they are parsed: they are read as data-style. */
(() => {
  "use strict";
  // What is more comes as plain paragraphs: the browser takes about 40 µs for an element and 100 µs for a block.
  const LARGEST = 2000000; // characters
  const MOST_ELEMENTS = 16000; // outside of tables, which become one card each
  const MOST_BLOCKS = 8000;
  const MOST_TABLES = 500;
  const BLOCK_NAMES =
    "address article aside blockquote caption center dd details dialog div dl dt fieldset figcaption figure footer" +
    " form h1 h2 h3 h4 h5 h6 header hr legend li main nav ol p pre section summary table tbody td tfoot th thead tr ul";
  const BLOCKS = new Set(BLOCK_NAMES.split(" "));
  const NESTING = ["strong", "em", "s", "script"];

  const ELEMENT = /<(?!t(?:r|[dh]|body|head|foot)(?=[\s/>]))[a-z]/gi;
  const BLOCK = new RegExp(
    `<(?:${BLOCK_NAMES.replace(/ (?:t[dr]|tbody|tfoot|th|thead)(?= |$)/g, "").replace(/ /g, "|")})(?=[\\s/>])`,
    "gi",
  );
  const COMMENTS = /<!--[\s\S]*?-->/g;
  const GAP = /([ \t\n\r\f\u00a0]+)/;

  let surrounding = ""; // the language around what is being cleaned
  let lists = null; // pasting_lists.js
  let source = null; // pasting_source.js
  let anchors = null; // the places that links of the clipboard lead to
  let counts = new Map(); // what is left out, by noun
  let hasBlock = false;
  const page = document.implementation.createHTMLDocument("");
  const make = (tag, nodes = []) => {
    const made = page.createElement(tag);
    for (const node of nodes) made.append(node);
    return made;
  };

  /** An address that a story may link to; empty for any other. */
  function address(href) {
    const text = (href || "").replace(/[\t\n\r]/g, "").trim();
    try {
      const url = new URL(text);
      const isWrapped = /^(?:www\.)?google\.[a-z.]+$/.test(url.hostname) && url.pathname === "/url";
      const inner = isWrapped && (url.searchParams.get("q") || url.searchParams.get("url"));
      if (inner) return address(inner);
      return /^(?:https?|mailto|tel):$/.test(url.protocol) ? text : "";
    } catch {
      return "";
    }
  }

  /** The same for a link, which may also lead to a place in what is pasted, or in the story that it was copied from. */
  function link(href) {
    const fragment = source.fragmentOf(href);
    if (anchors.ids.has(fragment)) return `#${anchors.ids.get(fragment)}`;
    return anchors.isOwn && /^#./.test(href || "") ? href : address(href);
  }

  function language(tag) {
    if (!tag) return ""; // which Intl would say with an exception, thousands of times
    try {
      return Intl.getCanonicalLocales(tag)[0] || "";
    } catch {
      return "";
    }
  }

  /** What an element says of the text in it, added to what was said around it. */
  function marked(element, outer) {
    const [tag, style, marks] = [element.localName, source.styles(element), { ...outer }];
    const says = (name, pattern) => pattern.test(style.get(name) || "");
    if (tag === "b" || tag === "strong" || says("font-weight", /^(?:bold|[6-9]\d\d|1000)/))
      marks.strong = true;
    if (says("font-weight", /^(?:normal|lighter|[1-5]\d\d)/)) marks.strong = false;
    if (tag === "i" || tag === "em" || says("font-style", /^(?:italic|oblique)/)) marks.em = true;
    if (says("font-style", /^normal/)) marks.em = false;
    const isStruck =
      says("text-decoration", /line-through/) || says("text-decoration-line", /line-through/);
    if (tag === "s" || tag === "strike" || isStruck) marks.s = true;
    if (tag === "sub" || says("vertical-align", /^sub$/)) marks.script = "sub";
    if (tag === "sup" || says("vertical-align", /^super$/)) marks.script = "sup";
    if (tag === "a")
      Object.assign(marks, {
        href: link(element.getAttribute("href")),
        id: anchors.places.get(element) || "",
      });
    if (tag === "pre" || says("white-space", /^(?:pre|break-spaces)/)) marks.pre = true;
    marks.lang = element.getAttribute("lang") || element.getAttribute("xml:lang") || marks.lang;
    // A Latin word in an Arabic paragraph does not turn the paragraph.
    const dir = (element.getAttribute("dir") || style.get("direction") || "").toLowerCase();
    if (dir && (marks.dir !== "rtl" || isBlock(element))) marks.dir = dir;
    return marks;
  }

  /** Whether an element is left out; what it shows is counted. */
  function isSkipped(element) {
    const noun = source.nounOf(element);
    if (noun) counts.set(noun, (counts.get(noun) || 0) + 1);
    return noun !== null;
  }

  const isBlock = (element) =>
    BLOCKS.has(element.localName) ||
    /^(?:block|flex|grid|list-item|flow-root|table(?!-c))/.test(
      source.styles(element).get("display") || "",
    );

  /** A line's words and the gaps between them: one space, a break, or the space that French typography needs. */
  function tokens(line) {
    const found = [];
    let [space, breaks] = ["", 0];
    const gap = (before, after) => {
      const isKept =
        /^[:;!?»%]/.test(after) || /«$/.test(before) || /^\d\d/.test(before.slice(-1) + after);
      return { text: space === "\u00a0" && isKept ? space : " ", breaks };
    };
    for (const { text, marks, isBreak } of line) {
      breaks += isBreak ? 1 : 0;
      for (const part of text.split(GAP)) {
        if (!part || GAP.test(part)) space += part;
        else {
          if (found.length && (space || breaks))
            found.push(gap(found[found.length - 1].text, part));
          found.push({ text: part, marks, breaks: 0 });
          [space, breaks] = ["", 0];
        }
      }
    }
    return found;
  }

  function wrappers(marks) {
    const names = NESTING.filter((name) => marks[name] && !(marks.isTitle && name === "strong"));
    const emphasis = names.map((name) => [name === "script" ? marks.script : name]);
    if (marks.href) return [["a", marks.href, marks.id || ""], ...emphasis];
    return marks.id ? [["span", "", marks.id], ...emphasis] : emphasis;
  }

  /** How many wrappers two places share, from the outermost on. */
  function common(one, other) {
    const end = one.findIndex(
      (wrapper, at) => !other[at] || wrapper.some((part, place) => part !== other[at][place]),
    );
    return end < 0 ? one.length : end;
  }

  /** Puts a line's tokens into a block, each within its links and emphasis; a gap has what both its neighbours have. */
  function fill(block, line) {
    const around = line.map(({ marks }) => marks && wrappers(marks));
    let [open, words] = [[], ""]; // words on their way into the last element of the chain
    const chain = [block];
    const put = (node) => {
      if (words) chain[chain.length - 1].append(words);
      words = "";
      if (node) chain[chain.length - 1].append(node);
    };
    line.forEach(({ text, breaks }, at) => {
      const wanted = around[at] || around[at - 1].slice(0, common(around[at - 1], around[at + 1]));
      const kept = common(wanted, open);
      if (kept < Math.max(wanted.length, open.length)) put();
      chain.length = kept + 1;
      for (const [tag, href, id] of wanted.slice(kept)) {
        const made = make(tag);
        if (href) made.setAttribute("href", href);
        if (id) made.id = id;
        chain[chain.length - 1].append(made);
        chain.push(made);
      }
      if (breaks) put(make("br"));
      else words += text;
      open = wanted;
    });
    put();
  }

  /** What is said of most letters of a line. */
  function prevailing(name, line) {
    const tally = new Map([["", 0]]);
    for (const { marks, text } of line)
      if (marks && /\p{L}/u.test(text))
        tally.set(marks[name], (tally.get(marks[name]) || 0) + text.length);
    return [...tally].sort(([, one], [, other]) => other - one)[0][0] || "";
  }

  /** A block with the direction of its words, and their language if that is not the one around. */
  function block(tag, line) {
    const made = make(tag);
    fill(made, line);
    const lang = language(prevailing("lang", line));
    if (prevailing("dir", line) === "rtl") made.dir = "rtl";
    if (lang && lang.split("-")[0] !== surrounding) made.lang = lang;
    return made;
  }

  /** The blocks of a line: one, or several where empty lines part it. */
  function blocksOf(line, tag) {
    const parts = [[]];
    for (const token of tokens(line)) {
      if (token.breaks > 1 && tag === "p") parts.push([]);
      else parts[parts.length - 1].push(token);
    }
    return parts.filter((part) => part.length).map((part) => block(tag, part));
  }

  /** Everything in an element as blocks; list items come loose, `grouped` makes lists of them. */
  function gather(container, outer, list, tag = "p") {
    const out = [];
    let line = [];
    const close = () => {
      out.push(blocksOf(line, tag));
      line = [];
    };
    const add = (node, marks) => {
      const inner = anchors.places.has(node) ? { ...marks, id: anchors.places.get(node) } : marks;
      const texts = marks.pre ? node.data.split(/\r?\n/) : [node.data];
      texts.forEach((text, at) => line.push({ text, marks: inner, isBreak: at > 0 }));
    };
    const visit = (node, marks) => {
      if (node.nodeType === 3) return add(node, marks);
      const text = node.nodeType === 1 ? source.emojiOf(node) : "";
      if (text) return line.push({ text, marks });
      if (node.nodeType !== 1 || isSkipped(node)) return null;
      const inner = marked(node, marks);
      if (node.localName === "br")
        line.push({ text: "", marks, isBreak: !source.styles(node).has("page-break-before") });
      else if (isBlock(node)) {
        close();
        hasBlock = true;
        out.push(converted(node, inner, list, tag));
      } else {
        const gap = isApart(node) ? [{ text: " ", marks }] : [];
        line.push(...gap);
        node.childNodes.forEach((child) => visit(child, inner));
        line.push(...gap);
      }
      return null;
    };
    container.childNodes.forEach((child) => visit(child, outer));
    close();
    return out.flat();
  }

  // The parts of a formula stand apart, as do cells that are none of a table.
  const isApart = (element) =>
    (/MathML$/.test(element.namespaceURI) && !element.children.length) ||
    /^(?:table-c|inline-(?:block|flex|grid|table))/.test(
      source.styles(element).get("display") || "",
    );

  function converted(element, marks, list, tag) {
    const name = element.localName;
    const word = /\bl\d+\s+level(\d+)\s+lfo(\d+)/.exec(
      source.styles(element).get("mso-list") || "",
    );
    const rank = titleRank(element);
    if (name === "table") return table(element, marks);
    if (name === "hr") return [make("hr")];
    if (name === "ul" || name === "ol") return listed(element, marks, list);
    if (name === "li") return item(element, marks, list || { depth: 1, root: element.parentNode });
    if (name === "blockquote")
      return full(make("blockquote", lists.grouped(gather(element, marks, null))));
    if (rank) return gather(element, { ...marks, isTitle: true }, list, rank > 2 ? "h3" : "h2");
    if (!word) return gather(element, marks, list, tag);
    const start = lists.numberOf(lists.takeMarker(element));
    return item(element, marks, {
      root: `lfo${word[2]}`,
      depth: Number(word[1]),
      isOrdered: start !== null,
      start,
    });
  }

  const full = (made) => (made.textContent ? [made] : []);

  function titleRank(element) {
    const [, rank] = /^h([1-6])$/.exec(element.localName) || [];
    const [, named] = /\bMso(Title|Heading[1-9]?)\b/.exec(element.className) || [];
    if (element.getAttribute("role") === "heading")
      return Number(element.getAttribute("aria-level")) || 2;
    return rank ? Number(rank) : named ? Number(named.slice(7)) || 1 : 0;
  }

  function listed(element, marks, list) {
    const isOrdered = element.localName === "ol";
    const inner = { root: list ? list.root : element, depth: list ? list.depth + 1 : 1, isOrdered };
    const first = element.querySelector(":scope > li");
    return itemsOf(element).flatMap((child) => {
      if (isSkipped(child)) return [];
      const more =
        child === first && isOrdered ? { start: Number(element.getAttribute("start")) || 1 } : {};
      if (child.localName === "li") return item(child, marked(child, marks), { ...inner, ...more });
      return converted(child, marked(child, marks), inner, "p");
    });
  }

  /** The children of a list; what runs on between its items is an item as well. */
  function itemsOf(element) {
    let loose = null;
    for (const node of [...element.childNodes]) {
      const isInline =
        node.nodeType === 3 ? node.data.trim() : node.nodeType === 1 && !isBlock(node);
      if (isInline && !loose) node.before((loose = element.ownerDocument.createElement("li")));
      if (isInline) loose.append(node);
      else if (node.nodeType === 1) loose = null;
    }
    return [...element.children];
  }

  function item(element, marks, list) {
    const level =
      Number(element.getAttribute("aria-level") || element.getAttribute("data-aria-level")) ||
      list.depth;
    const root = element.getAttribute("data-listid") || list.root;
    const parts = gather(element, marks, { ...list, root, depth: level });
    const own = parts.filter((part) => !lists.loose.has(part));
    const deeper = parts.filter((part) => lists.loose.has(part));
    if (!own.length) return deeper;
    const made = unwrapped("li", own);
    lists.loose.set(made, { ...list, level, root });
    return [made, ...deeper];
  }

  /** A list item or cell: where it holds one paragraph, its text without the paragraph. */
  function unwrapped(tag, parts) {
    const isOne = parts.length === 1 && parts[0].localName === "p";
    const made = make(tag, isOne ? [...parts[0].childNodes] : parts);
    if (isOne) for (const { name, value } of parts[0].attributes) made.setAttribute(name, value);
    return made;
  }

  function table(element, marks) {
    const rows = [...element.rows];
    const parts = element.caption ? [element.caption] : [];
    const isBox = rows.length < 2 && rows.every((row) => row.cells.length < 2);
    if (isBox)
      return [...parts, ...rows.flatMap((row) => [...row.cells])].flatMap((part) =>
        gather(part, marks, null),
      );
    const made = make("table");
    if (marks.dir === "rtl") made.dir = "rtl";
    if (element.caption) made.append(unwrapped("caption", gather(element.caption, marks)));
    let section = null;
    for (const row of rows.filter((each) => !isSkipped(each))) {
      const name = row.parentNode.localName === "thead" ? "thead" : "tbody";
      if (!section || section.localName !== name) made.append((section = make(name)));
      section.append(
        make(
          "tr",
          [...row.cells].map((cell) => cellOf(cell, marked(row, marks))),
        ),
      );
    }
    return full(made);
  }

  function cellOf(cell, outer) {
    const marks = { ...marked(cell, outer), isTitle: cell.localName === "th" };
    const made = unwrapped(cell.localName, lists.grouped(gather(cell, marks, null)));
    for (const name of ["colspan", "rowspan"])
      if (Number(cell.getAttribute(name)) > 1)
        made.setAttribute(name, Number(cell.getAttribute(name)));
    return made;
  }

  function plain(html) {
    const breaks = new RegExp(
      `</?(?:br|${BLOCK_NAMES.replace(/ /g, "|")})(?=[\\s/>])[^<>]*>`,
      "gi",
    );
    const pictures = (html.match(/<img(?=[\s/>])/gi) || []).length;
    if (pictures) counts.set("picture", pictures);
    const whole = source.tamed(html);
    // Behind the last end of a comment none is closed, and looking for that costs the square of the text.
    const last = whole.lastIndexOf("-->");
    const end = last < 0 ? 0 : last + 3;
    const text = (whole.slice(0, end).replace(COMMENTS, "") + whole.slice(end))
      .replace(breaks, "\n\n")
      .replace(/<[^<>]*>/g, "");
    const { body } = new DOMParser().parseFromString(text, "text/html");
    const lines = body.textContent.split(/\n\s*\n/).filter((line) => line.trim());
    const many = Math.ceil(lines.length / MOST_BLOCKS);
    const paragraphs =
      many > 1
        ? lines.map((_, at) => (at % many ? "" : lines.slice(at, at + many).join(" ")))
        : lines;
    return paragraphs.flatMap((line) => blocksOf([{ text: line, marks: {} }], "p"));
  }

  const SPACE = /^[ \t\n\r\f\u00a0]/;

  /** The spaces around what is pasted: they part it from the words at the cursor. */
  function outerSpaces(body) {
    const texts = [];
    const visit = (node) => {
      if (node.nodeType === 3 && node.data) texts.push(node.data);
      else if (node.nodeType === 1 && source.nounOf(node) === null) node.childNodes.forEach(visit);
    };
    visit(body);
    const last = texts.length ? texts[texts.length - 1] : "";
    return [SPACE.test(texts[0] || "") ? " " : "", SPACE.test(last.slice(-1)) ? " " : ""];
  }

  /** The same within the first and the last of some blocks, as spaces that no program drops. */
  function setApart(blocks, [before, after]) {
    const ends = [
      [blocks[0], before, "prepend"],
      [blocks[blocks.length - 1], after, "append"],
    ];
    for (const [end, space, place] of ends)
      if (space && end && /^(?:p|h2|h3)$/.test(end.localName)) end[place]("\u00a0");
  }

  function written(body, root) {
    const field = document.getElementById("language");
    const spoken =
      body.lang || root.lang || (field && field.value) || document.documentElement.lang;
    surrounding = language(spoken).split("-")[0];
    const blocks = lists.grouped(gather(body, marked(body, {}), null));
    const [before, after] = outerSpaces(body);
    if (!blocks.length) return !body.firstElementChild || anchors.isOwn ? before : "";
    if (blocks.length === 1 && !hasBlock) return before + blocks[0].innerHTML + after;
    if (anchors.isOwn) setApart(blocks, [before, after]);
    return blocks.map((each) => each.outerHTML).join("\n");
  }

  const TOO_MUCH = "Pasted without formatting because the text is very long.";
  const times = (pattern, html) => (html.match(pattern) || []).length;
  const isTooMuch = (html) =>
    html.length > LARGEST ||
    times(ELEMENT, html) > MOST_ELEMENTS ||
    times(BLOCK, html) > MOST_BLOCKS ||
    times(/<table(?=[\s/>])/gi, html) > MOST_TABLES;

  /** `{html, lost}`: good HTML for what is on the clipboard, and a sentence on what is not in it. `taken` tells whether the
      story has an id. */
  function read(html, taken = () => false) {
    ({ lists, source } = window.spectatorPaste);
    [counts, hasBlock] = [new Map(), false];
    const isOwn = html.slice(0, 1000).includes("<!-- squire -->");
    if (isTooMuch(html)) {
      anchors = { ids: new Map(), places: new Map(), isOwn: false };
      const paragraphs = plain(html).map((paragraph) => paragraph.outerHTML);
      return { html: paragraphs.join("\n"), lost: `${TOO_MUCH} ${source.sentence(counts)}`.trim() };
    }
    const { body, documentElement: root } = source.parsed(html);
    anchors = { ...source.anchorsIn(body, taken, isOwn), isOwn };
    return { html: written(body, root), lost: source.sentence(counts) };
  }

  window.spectatorPaste = (html) => read(html).html;
  window.spectatorPaste.read = read;
})();
