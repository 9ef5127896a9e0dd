/* The source of a story, cut into its top-level blocks byte for byte, and the islands: blocks that the editor cannot
   hold. An island is a piece of source that a card stands for (cards.js); its HTML never enters the page. */
(() => {
  "use strict";
  const ours = (window.spectatorEditor = window.spectatorEditor || {});
  const words = (text) => new Set(text.split(" "));

  // The names that spectator/text/{markup,html,paragraphs}.py know; a test compares the two.
  const PARTS = "caption colgroup thead tbody tfoot tr";
  const BLOCKS =
    "p h1 h2 h3 h4 h5 h6 blockquote pre ul ol li dl dt dd figure figcaption table details summary div hr section article" +
    ` aside header footer main nav address center form fieldset ${PARTS} iframe video audio td th`;
  const PHRASES =
    "a abbr b bdi bdo br cite code del dfn em i ins kbd mark q rp rt ruby s samp small span strong sub sup time u var wbr";
  const KNOWN =
    `${BLOCKS} ${PHRASES} col source track img script style template svg noembed noframes title font input button object` +
    " embed noscript";
  const HELD = words("p h2 h3 ul ol blockquote");
  const WITHIN = words(
    "p li ul ol br strong b em i u s a sub sup small mark abbr cite q code span del ins bdi bdo time",
  );
  const VOID = words("br hr img col source track wbr input embed area base link meta param");
  const LOOSE = words(`${PHRASES} data`);
  const RAW = words("script style textarea title xmp iframe noembed noframes noscript");

  const BLOCK_TAG = new RegExp(`<(?:${BLOCKS.replace(/ /g, "|")})(?=[\\s/>])`, "i");
  const NO_TAG = new RegExp(`<(?!/?(?:${KNOWN.replace(/ /g, "|")})(?=[\\s/>])|!--)`, "gi");
  const TOKEN = /<!--[\s\S]*?-->|<(\/?)([a-z][^\s/>]*)((?:[^>"']|"[^"]*"|'[^']*')*)>/gi;
  const ATTRIBUTE = /([^\s/>"'=]+)(?:\s*=\s*(?:"[^"]*"|'[^']*'|[^\s>]*))?/g;

  const isPlain = (text) => !BLOCK_TAG.test(text);

  /** The HTML of a plain text, as the server makes it (spectator.text.html.paragraphs.body_html). */
  function paragraphs(text) {
    const lines = text
      .replace(/\r\n?|[\x85\u2028\u2029]/g, "\n")
      .trim()
      .split("\n")
      .map((line) => line.trim());
    const hasBlankLine = lines.includes("");
    const groups = [[]];
    for (const line of lines) {
      if (line) groups[groups.length - 1].push(line);
      if (!line || !hasBlankLine) groups.push([]);
    }
    const full = groups.filter((group) => group.length);
    return full.map((group) => `<p>${group.join("<br>\n").replace(NO_TAG, "&lt;")}</p>`).join("\n");
  }

  /** The top-level blocks of HTML, `{lead, pieces: [{name, source, behind, isHeld, rows}]}` which joined give the HTML
      again byte for byte; null where its tags do not pair. */
  function cut(html) {
    const open = [];
    const found = [];
    let at = 0;
    const take = (name, start, end) => {
      const last = found[found.length - 1];
      // What runs on between blocks is one piece, whatever inline elements are in it.
      const runsOn = last && last.name === "" && name === "" && !html.slice(last.end, start).trim();
      if (runsOn) last.end = end;
      else found.push({ name, start, end, isHeld: HELD.has(name), rows: 0 });
    };
    const text = (end) => {
      const piece = html.slice(at, end);
      if (/<[!?/a-z]/i.test(piece)) return false;
      if (!open.length && piece.trim())
        take("", at + piece.search(/\S/), at + piece.trimEnd().length);
      return true;
    };
    TOKEN.lastIndex = 0;
    for (let token; (token = TOKEN.exec(html)); at = TOKEN.lastIndex) {
      if (!text(token.index)) return null;
      const [raw, slash, written] = token;
      const name = written ? written.toLowerCase() : "#comment";
      if (slash) {
        if (open.pop() !== name) return null;
        found[found.length - 1].end = TOKEN.lastIndex;
        continue;
      }
      if (!open.length) take(LOOSE.has(name) ? "" : name, token.index, token.index + raw.length);
      const piece = found[found.length - 1];
      if (open.length && !WITHIN.has(name)) piece.isHeld = false;
      if (name === "tr") piece.rows += 1;
      if (name === "#comment" || VOID.has(name)) continue;
      open.push(name);
      if (RAW.has(name)) {
        const end = new RegExp(`</${name}(?=[\\s/>])`, "gi");
        end.lastIndex = TOKEN.lastIndex;
        const close = end.exec(html);
        if (!close) return null;
        TOKEN.lastIndex = close.index;
      }
    }
    if (open.length || !text(html.length)) return null;
    const pieces = found.map(({ name, start, end, isHeld, rows }, index) => {
      const next = index + 1 < found.length ? found[index + 1].start : html.length;
      return { name, source: html.slice(start, end), behind: html.slice(end, next), isHeld, rows };
    });
    return { lead: html.slice(0, found.length ? found[0].start : html.length), pieces };
  }

  /** HTML without styles and event handlers. They would never work here, but browsers report them as soon as they are
      parsed: the page's policy forbids them. */
  function quiet(html) {
    return window.spectatorPaste.source
      .tamed(html)
      .replace(TOKEN, (tag, slash, name, attributes) => {
        if (!attributes || !/style|on/i.test(attributes)) return tag;
        const kept = attributes.replace(ATTRIBUTE, (all, key) =>
          /^(?:style$|on)/i.test(key) ? "" : all,
        );
        return `<${slash}${name}${kept}>`;
      });
  }

  /** A document in which nothing is loaded and no script runs. */
  const inert = (html) => new DOMParser().parseFromString(quiet(html), "text/html");

  const short = (text) => {
    const line = text.replace(/\s+/g, " ").trim();
    return line.length > 90 ? `${line.slice(0, 89).trimEnd()}…` : line;
  };

  function host(frame) {
    try {
      return new URL(frame.getAttribute("src"), location.href).hostname;
    } catch {
      return "";
    }
  }

  const count = (number, one, many) =>
    `${number.toLocaleString("en")} ${number === 1 ? one : many}`;

  const NOUNS = {
    "": "Loose text",
    "#comment": "Comment",
    p: "Paragraph",
    ul: "List",
    ol: "List",
    blockquote: "Quotation",
    h2: "Heading",
    h3: "Heading",
    h4: "Small heading",
    video: "Video",
    audio: "Sound",
    details: "Details",
    pre: "Fixed-width text",
    dl: "List of terms",
    hr: "Dividing line",
  };

  /** What a card says of a piece of source: `{noun, label, more, picture, isSimple}`. */
  function describe({ name, source, rows }) {
    if (rows) return { noun: "table", label: `Table, ${count(rows, "row", "rows")}`, more: "" };
    // The space keeps words of neighbours apart in what the card tells of them.
    const body = inert(source.slice(0, 20000).replace(/></g, "> <")).body;
    const [frame, ...pictures] = [body.querySelector("iframe"), ...body.querySelectorAll("img")];
    const more = short(body.textContent);
    if (frame)
      return { noun: "embed", label: host(frame) ? `Embed from ${host(frame)}` : "Embed", more };
    if (pictures.length > 1)
      return { noun: "gallery", label: `Gallery, ${pictures.length} pictures`, more };
    if (pictures.length && (name === "figure" || name === "img")) {
      const alt = short(pictures[0].getAttribute("alt") || "");
      const picture = pictures[0].getAttribute("src") || "";
      const isSimple = Boolean(ours.captioned(body.firstElementChild));
      return {
        noun: "picture",
        label: `Picture: ${alt || "no alt text"}`,
        more,
        picture,
        isSimple,
      };
    }
    const noun = NOUNS[name] || "Block";
    return {
      noun: noun.toLowerCase(),
      label: noun,
      more: name === "#comment" ? short(source.slice(4, -3)) : more,
    };
  }

  /** The image and the caption's parts of a figure that holds nothing else; null for any other. */
  ours.captioned = (figure) => {
    if (!figure || figure.localName !== "figure") return null;
    const [img, caption, ...rest] = figure.children;
    const isBare = [...figure.childNodes].every((node) => node.nodeType === 1 || !node.data.trim());
    if (!isBare || rest.length || !img || img.localName !== "img") return null;
    if (!caption) return { img, caption: null, text: "", credit: "" };
    const nodes = [...caption.childNodes].filter((node) => node.nodeType === 1 || node.data.trim());
    const credit =
      nodes.length && nodes[nodes.length - 1].localName === "cite" ? nodes.pop() : null;
    const isText =
      nodes.every((node) => node.nodeType === 3) && (!credit || !credit.children.length);
    if (caption.localName !== "figcaption" || !isText) return null;
    const text = nodes
      .map((node) => node.data)
      .join("")
      .trim();
    return { img, caption, text, credit: credit ? credit.textContent.trim() : "" };
  };

  // By number. What is removed stays here, so that an undo finds it.
  const islands = new Map();

  /** Makes the card of a piece of source. `key` is its place among the pieces; what was made since opening is loose:
      undo and redo may take it away. */
  function create(piece, key = null, isLoose = key === null) {
    const island = { ...describe(piece), source: piece.source, key, isLoose, isRemoved: false };
    const number = String(islands.size + 1);
    islands.set(number, island);
    const card = document.createElement("story-island");
    card.setAttribute("contenteditable", "false");
    card.dataset.island = number;
    return card;
  }

  const of = (card) => islands.get(card.dataset.island);

  const isCard = (node) => Boolean(node) && node.localName === "story-island";

  /** What the editor shows of a text, and what it has to remember to give every block back as it was. */
  ours.opened = (text) => {
    const html = isPlain(text) ? paragraphs(text) : text;
    const whole = { lead: "", pieces: [{ name: "", source: html, behind: "", rows: 0 }] };
    const { lead, pieces } = cut(html) || cut(ours.mended(html)) || whole;
    const nodes = pieces.map((piece, key) => {
      const block = ours.held(piece);
      if (!block) return create(piece, key);
      block.dataset.key = key;
      piece.own = ours.written(block);
      return block;
    });
    return { nodes, memory: { text, lead, pieces } };
  };

  /** The parts of the editor's text in order: the source where a block is as it was opened, else what it has become. */
  function partsOf(root, pieces) {
    const parts = [];
    const used = new Set();
    const add = (html, key, isExact) => {
      const isFirst = pieces[key] !== undefined && !used.has(key);
      if (html || isExact)
        parts.push({ html, key: isFirst ? key : null, isExact: isFirst && isExact });
      if (isFirst) used.add(key);
    };
    const identified = [...root.querySelectorAll("[data-id]")];
    const later = identified.filter(
      (node, at) => identified.findIndex((other) => other.dataset.id === node.dataset.id) < at,
    );
    for (const node of root.childNodes) {
      const key = node.dataset && node.dataset.key ? Number(node.dataset.key) : null;
      const piece = pieces[key];
      const island = isCard(node) ? of(node) : null;
      if (island)
        add(
          island.source,
          island.key,
          Boolean(pieces[island.key]) && pieces[island.key].source === island.source,
        );
      else if (!ours.isBlock(node))
        add(ours.line([node]) && `<p>${ours.line([node])}</p>`, null, false);
      else if (piece && !used.has(key) && piece.own === ours.written(node))
        add(piece.source, key, true);
      else add(ours.writtenWithout(node, later), key, false);
    }
    return parts;
  }

  /** The editor's text. Where nothing was touched it is the text that was opened, not a byte of it changed. */
  ours.whole = (root, { text, lead, pieces }) => {
    const parts = partsOf(root, pieces);
    if (
      parts.length === pieces.length &&
      parts.every((part, at) => part.isExact && part.key === at)
    )
      return text;
    const joined = parts.map(({ html, key }, at) => {
      const next = parts[at + 1];
      const behind = key === null ? "" : pieces[key].behind;
      if (!next) return html + (key === pieces.length - 1 ? behind : "");
      const isNeighbour = key !== null && next.key === key + 1;
      return html + (isNeighbour ? behind : behind || "\n");
    });
    return (parts.length && parts[0].key === 0 ? lead : "") + joined.join("");
  };

  Object.assign(ours, {
    BLOCKS,
    KNOWN,
    WITHIN,
    isPlain,
    paragraphs,
    cut,
    quiet,
    inert,
    create,
    of,
    isCard,
  });
})();
