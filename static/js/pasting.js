/* What a word processor or a web page puts on the clipboard, as plain, good HTML: `spectatorPaste(html)`.
   Our policy makes browsers report style attributes once they are parsed: they are read as data-style. */
(() => {
  "use strict";
  const LARGEST = 2000000; // characters; what is longer comes as plain paragraphs
  const BLOCK_NAMES =
    "address article aside blockquote caption center dd details dialog div dl dt fieldset figcaption figure footer" +
    " form h1 h2 h3 h4 h5 h6 header hr legend li main nav ol p pre section summary table tbody td tfoot th thead tr ul";
  const BLOCKS = new Set(BLOCK_NAMES.split(" "));
  // What is no text, or was deleted from it (a tracked change).
  const SKIPPED = new Set(
    ("audio base button canvas colgroup del embed head iframe img input link math meta noscript object script select" +
      " style svg template textarea title video xml").split(" ")
  );
  const NESTING = ["strong", "em", "s", "script"];

  const STYLES = /<style(?=[\s/>])[\s\S]*?(?:<\/style\s*>|$)/gi;
  const COMMENTS = /<!--[\s\S]*?(?:-->|$)/g;
  const TAG = /<([a-z][^\s/<>]*)((?:[^<>"']|"[^"]*"|'[^']*')*)>/gi;
  const ATTRIBUTE = /([^\s/>"'=]+)(\s*=\s*(?:"[^"]*"|'[^']*'|[^\s>"']*))?/g;
  const GAP = /([ \t\n\r\f\u00a0]+)/;

  let surrounding = ""; // the language around what is being cleaned
  let lists = null; // pasting_lists.js
  const page = document.implementation.createHTMLDocument("");
  const make = (tag, nodes = []) => {
    const made = page.createElement(tag);
    for (const node of nodes) made.append(node);
    return made;
  };

  /** The clipboard's document, in which nothing is loaded and no script runs. */
  function parsed(html) {
    const attribute = (all, key, value = "") =>
      /^on/i.test(key) ? "" : key.toLowerCase() === "style" ? `data-style${value}` : all;
    const quiet = (tag, name, attributes) => `<${name}${attributes.replace(ATTRIBUTE, attribute)}>`;
    return new DOMParser().parseFromString(html.replace(STYLES, "").replace(TAG, quiet), "text/html");
  }

  function styles(element) {
    const pairs = (element.getAttribute("data-style") || "").toLowerCase().split(";");
    return new Map(pairs.map((pair) => pair.split(":", 2).map((part) => part.trim())).filter((pair) => pair[1]));
  }

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

  function language(tag) {
    try {
      return Intl.getCanonicalLocales(tag)[0] || "";
    } catch {
      return "";
    }
  }

  /** What an element says of the text in it, added to what was said around it. */
  function marked(element, outer) {
    const [tag, style, marks] = [element.localName, styles(element), { ...outer }];
    const says = (name, pattern) => pattern.test(style.get(name) || "");
    if (tag === "b" || tag === "strong" || says("font-weight", /^(?:bold|[6-9]\d\d|1000)/)) marks.strong = true;
    if (says("font-weight", /^(?:normal|lighter|[1-5]\d\d)/)) marks.strong = false;
    if (tag === "i" || tag === "em" || says("font-style", /^(?:italic|oblique)/)) marks.em = true;
    if (says("font-style", /^normal/)) marks.em = false;
    const isStruck = says("text-decoration", /line-through/) || says("text-decoration-line", /line-through/);
    if (tag === "s" || tag === "strike" || isStruck) marks.s = true;
    if (tag === "sub" || says("vertical-align", /^sub$/)) marks.script = "sub";
    if (tag === "sup" || says("vertical-align", /^super$/)) marks.script = "sup";
    if (tag === "a") marks.href = address(element.getAttribute("href"));
    if (tag === "pre" || says("white-space", /^(?:pre|break-spaces)/)) marks.pre = true;
    marks.lang = element.getAttribute("lang") || element.getAttribute("xml:lang") || marks.lang;
    // A Latin word in an Arabic paragraph does not turn the paragraph.
    const dir = (element.getAttribute("dir") || style.get("direction") || "").toLowerCase();
    if (dir && (marks.dir !== "rtl" || BLOCKS.has(tag))) marks.dir = dir;
    return marks;
  }

  function isSkipped(element) {
    const style = styles(element);
    const isHidden = element.hidden || style.get("display") === "none" || style.get("mso-hide") === "all";
    const isComment = /^comment/.test(style.get("mso-element") || style.get("mso-special-character") || "");
    return isHidden || isComment || SKIPPED.has(element.localName) || element.classList.contains("MsoCommentReference");
  }

  /** A line's words and the gaps between them: one space, a break, or the space that French typography needs. */
  function tokens(line) {
    const found = [];
    let [space, breaks] = ["", 0];
    const gap = (before, after) => {
      const isKept = /^[:;!?»%]/.test(after) || /«$/.test(before) || /^\d\d/.test(before.slice(-1) + after);
      return { text: space === "\u00a0" && isKept ? space : " ", breaks };
    };
    for (const { text, marks, isBreak } of line) {
      breaks += isBreak ? 1 : 0;
      for (const part of text.split(GAP)) {
        if (!part || GAP.test(part)) space += part;
        else {
          if (found.length && (space || breaks)) found.push(gap(found[found.length - 1].text, part));
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
    return marks.href ? [["a", marks.href], ...emphasis] : emphasis;
  }

  /** How many wrappers two places share, from the outermost on. */
  function common(one, other) {
    const end = one.findIndex(([tag, href], at) => !other[at] || tag !== other[at][0] || href !== other[at][1]);
    return end < 0 ? one.length : end;
  }

  /** Puts a line's tokens into a block, each within its links and emphasis; a gap has what both its neighbours have. */
  function fill(block, line) {
    const around = line.map(({ marks }) => marks && wrappers(marks));
    let open = [];
    const chain = [block];
    line.forEach(({ text, breaks }, at) => {
      const wanted = around[at] || around[at - 1].slice(0, common(around[at - 1], around[at + 1]));
      const kept = common(wanted, open);
      chain.length = kept + 1;
      for (const [tag, href] of wanted.slice(kept)) {
        const made = make(tag);
        if (href) made.setAttribute("href", href);
        chain[chain.length - 1].append(made);
        chain.push(made);
      }
      chain[chain.length - 1].append(breaks ? make("br") : text);
      open = wanted;
    });
    block.normalize();
  }

  /** What is said of most letters of a line. */
  function prevailing(name, line) {
    const tally = new Map([["", 0]]);
    for (const { marks, text } of line)
      if (marks && /\p{L}/u.test(text)) tally.set(marks[name], (tally.get(marks[name]) || 0) + text.length);
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
    const visit = (node, marks) => {
      const lines = node.nodeType !== 3 ? [] : marks.pre ? node.data.split(/\r?\n/) : [node.data];
      lines.forEach((text, at) => line.push({ text, marks, isBreak: at > 0 }));
      if (node.nodeType !== 1 || isSkipped(node)) return;
      const inner = marked(node, marks);
      if (node.localName === "br") line.push({ text: "", marks, isBreak: !styles(node).has("page-break-before") });
      else if (BLOCKS.has(node.localName)) {
        close();
        out.push(converted(node, inner, list, tag));
      } else node.childNodes.forEach((child) => visit(child, inner));
    };
    container.childNodes.forEach((child) => visit(child, outer));
    close();
    return out.flat();
  }

  function converted(element, marks, list, tag) {
    const name = element.localName;
    const word = /\bl\d+\s+level(\d+)\s+lfo(\d+)/.exec(styles(element).get("mso-list") || "");
    const rank = titleRank(element);
    if (name === "table") return table(element, marks);
    if (name === "hr") return [make("hr")];
    if (name === "ul" || name === "ol") return listed(element, marks, list);
    if (name === "li") return item(element, marks, list || { depth: 1, root: element.parentNode });
    if (name === "blockquote") return full(make("blockquote", lists.grouped(gather(element, marks, null))));
    if (rank) return gather(element, { ...marks, isTitle: true }, list, rank > 2 ? "h3" : "h2");
    if (!word) return gather(element, marks, list, tag);
    const start = lists.numberOf(lists.takeMarker(element));
    return item(element, marks, { root: `lfo${word[2]}`, depth: Number(word[1]), isOrdered: start !== null, start });
  }

  const full = (made) => (made.textContent ? [made] : []);

  function titleRank(element) {
    const [, rank] = /^h([1-6])$/.exec(element.localName) || [];
    const [, named] = /\bMso(Title|Heading[1-9]?)\b/.exec(element.className) || [];
    if (element.getAttribute("role") === "heading") return Number(element.getAttribute("aria-level")) || 2;
    return rank ? Number(rank) : named ? Number(named.slice(7)) || 1 : 0;
  }

  function listed(element, marks, list) {
    const isOrdered = element.localName === "ol";
    const inner = { root: list ? list.root : element, depth: list ? list.depth + 1 : 1, isOrdered };
    const first = element.querySelector(":scope > li");
    return [...element.children].flatMap((child) => {
      if (isSkipped(child)) return [];
      const more = child === first && isOrdered ? { start: Number(element.getAttribute("start")) || 1 } : {};
      if (child.localName === "li") return item(child, marked(child, marks), { ...inner, ...more });
      return converted(child, marked(child, marks), inner, "p");
    });
  }

  function item(element, marks, list) {
    const level = Number(element.getAttribute("aria-level") || element.getAttribute("data-aria-level")) || list.depth;
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
    if (rows.length === 1 && rows[0].cells.length === 1) return gather(rows[0].cells[0], marks, null); // a box
    const made = make("table");
    if (marks.dir === "rtl") made.dir = "rtl";
    if (element.caption) made.append(unwrapped("caption", gather(element.caption, marks)));
    let section = null;
    for (const row of rows.filter((each) => !isSkipped(each))) {
      const name = row.parentNode.localName === "thead" ? "thead" : "tbody";
      if (!section || section.localName !== name) made.append((section = make(name)));
      section.append(make("tr", [...row.cells].map((cell) => cellOf(cell, marked(row, marks)))));
    }
    return full(made);
  }

  function cellOf(cell, outer) {
    const marks = { ...marked(cell, outer), isTitle: cell.localName === "th" };
    const made = unwrapped(cell.localName, lists.grouped(gather(cell, marks, null)));
    for (const name of ["colspan", "rowspan"])
      if (Number(cell.getAttribute(name)) > 1) made.setAttribute(name, Number(cell.getAttribute(name)));
    return made;
  }

  function plain(html) {
    const breaks = new RegExp(`</?(?:br|${BLOCK_NAMES.replace(/ /g, "|")})(?=[\\s/>])[^<>]*>`, "gi");
    const text = html.replace(STYLES, "").replace(COMMENTS, "").replace(breaks, "\n\n").replace(/<[^<>]*>/g, "");
    const { body } = new DOMParser().parseFromString(text, "text/html");
    return body.textContent.split(/\n\s*\n/).flatMap((line) => blocksOf([{ text: line, marks: {} }], "p"));
  }

  window.spectatorPaste = (html) => {
    lists = window.spectatorPaste.lists;
    const field = document.getElementById("language");
    const source = html.length > LARGEST ? null : parsed(html);
    const { body, documentElement: root } = source || document;
    const spoken = source && (body.lang || root.lang);
    surrounding = language(spoken || (field && field.value) || document.documentElement.lang).split("-")[0];
    const blocks = source ? lists.grouped(gather(body, marked(body, {}), null)) : plain(html);
    const isInline = source && blocks.length === 1 && !body.querySelector(BLOCK_NAMES.replace(/ /g, ","));
    return isInline ? blocks[0].innerHTML : blocks.map((each) => each.outerHTML).join("\n");
  };
})();
