/* The clipboard before it is read, for pasting.js: its document, what in it is shown and is no text, and the places that
   its links lead to. */
(() => {
  "use strict";
  const words = (text) => new Set(text.split(" "));
  // Nobody sees what is in these.
  const SILENT = words(
    "base colgroup head link meta noscript script style template title xml annotation annotation-xml",
  );
  // What cannot be pasted, as people call it.
  const NOUNS = {
    img: "picture",
    svg: "picture",
    canvas: "picture",
    video: "video",
    audio: "audio clip",
    iframe: "embed",
    embed: "embed",
    object: "embed",
    button: "button",
    input: "form field",
    select: "form field",
    textarea: "form field",
    del: "deleted passage",
  };
  // One of these that is never closed would take in all that follows, or hide it.
  const TAKING =
    "audio button canvas del iframe math noembed noframes noscript object plaintext script select style svg template" +
    " textarea title video xml xmp";
  const RAW = words("iframe noembed noframes script style textarea title xmp");
  const SHOWN = words("audio button canvas iframe math object select svg textarea video");
  const TAKING_TAG = new RegExp(
    `<(/?)(${TAKING.replace(/ /g, "|")})(?=[\\s/>])(?:[^<>"']|"[^"]*"|'[^']*')*>|<!--`,
    "gi",
  );

  const TAG = /<([a-z][^\s/<>]*)((?:[^<>"']|"[^"]*"|'[^']*')*)>/gi;
  const ATTRIBUTE = /([^\s/>"'=]+)(\s*=\s*(?:"[^"]*"|'[^']*'|[^\s>"']*))?/g;
  const ROW_TAG = /<(\/?)(?:t[rdh]|tbody|thead|tfoot|caption)(?=[\s/>])/gi;
  const EMOJI =
    /^(?:\p{Extended_Pictographic}|\p{Emoji_Presentation}|\p{Emoji_Modifier}|\p{Regional_Indicator}|\ufe0f|\u200d|\u20e3|[#*0-9](?=\ufe0f?\u20e3)|[\u{e0020}-\u{e007f}])+$/u;
  // The ids that a stored text may have (spectator.text.html.sanitizer).
  const SAFE_ID = /^(?=[A-Za-z_]*[-0-9:._])[A-Za-z_][\w:.-]{0,99}$/;

  /** HTML without styles, in which no stray tag takes in what follows it. */
  function tamed(html) {
    const lower = html.toLowerCase();
    const ends = {};
    const endOf = (mark, from) => {
      if (ends[mark] === undefined || (ends[mark] >= 0 && ends[mark] < from))
        ends[mark] = lower.indexOf(mark, from);
      return ends[mark];
    };
    const changes = []; // {at, end, text}: what stands for a stretch
    const open = {};
    const stray = (at, raw, name) => ({
      at,
      end: at + raw.length,
      text: SHOWN.has(name) ? `${raw}</${name}>` : "",
    });
    let passed = 0; // the end of a comment, or of what is text and no markup
    for (const { 0: raw, 1: slash, 2: written, index: at } of html.matchAll(TAKING_TAG)) {
      const name = (written || "").toLowerCase();
      if (at < passed) continue;
      if (!name) passed = Math.max(passed, endOf("-->", at));
      else if (slash) (open[name] || []).pop();
      else if (!RAW.has(name)) (open[name] ||= []).push(stray(at, raw, name));
      else {
        const close = endOf(`</${name}`, at);
        passed = close < 0 ? passed : close;
        if (close < 0) changes.push(stray(at, raw, name));
        else if (name === "style")
          changes.push({ at, end: html.indexOf(">", close) + 1 || html.length, text: "" });
      }
    }
    let [kept, from] = ["", 0];
    for (const { at, end, text } of [...changes, ...Object.values(open).flat()].sort(
      (one, two) => one.at - two.at,
    )) {
      kept += html.slice(from, at) + text;
      from = end;
    }
    return kept + html.slice(from);
  }

  /** The clipboard's document, in which nothing is loaded and no script runs. */
  function parsed(html) {
    const attribute = (all, key, value = "") =>
      /^on/i.test(key) ? "" : key.toLowerCase() === "style" ? `data-style${value}` : all;
    const quiet = (tag, name, attributes) => `<${name}${attributes.replace(ATTRIBUTE, attribute)}>`;
    let source = tamed(html).replace(TAG, quiet);
    // A parser drops the tags of rows that stand in no table, and joins their cells.
    if (!/<table[\s/>]/i.test(source)) source = source.replace(ROW_TAG, "<$1div");
    // White space before the first word is only kept in a body.
    const made = new DOMParser().parseFromString(`<body>${source}`, "text/html");
    const comments = made.createTreeWalker(made, NodeFilter.SHOW_COMMENT);
    while (comments.nextNode()) {
      const [, which] = /^\s*(Start|End)Fragment\s*$/.exec(comments.currentNode.data) || [];
      const sibling = which === "Start" ? "previousSibling" : "nextSibling";
      const outer = () => (which ? comments.currentNode[sibling] : null);
      while (outer() && outer().nodeType === 3 && !outer().data.trim()) outer().remove();
    }
    return made;
  }

  function styles(element) {
    const pairs = (element.getAttribute("data-style") || "").toLowerCase().split(";");
    return new Map(
      pairs.map((pair) => pair.split(":", 2).map((part) => part.trim())).filter((pair) => pair[1]),
    );
  }

  /** The text that a picture stands for: an emoji, or what a page wrote as one. */
  function emojiOf(element) {
    const alt = element.localName === "img" ? (element.getAttribute("alt") || "").trim() : "";
    const isNamed = /emoji|smil(?:ey|ie)/i.test(
      `${element.className} ${element.getAttribute("src") || ""}`,
    );
    return alt && (EMOJI.test(alt) || (isNamed && alt.length < 20)) ? alt : "";
  }

  function isHidden(element) {
    const style = styles(element);
    const isComment = /^comment/.test(
      style.get("mso-element") || style.get("mso-special-character") || "",
    );
    const isAway =
      element.hidden || style.get("display") === "none" || style.get("mso-hide") === "all";
    return (
      isAway ||
      isComment ||
      SILENT.has(element.localName) ||
      element.classList.contains("MsoCommentReference")
    );
  }

  /** What an element shows that is no text, in a word; empty for one that shows nothing, null for one that holds text. */
  function nounOf(element) {
    if (isHidden(element)) return "";
    const noun = NOUNS[element.localName];
    if (!noun) return null;
    const size = ["width", "height"].map((name) => element.getAttribute(name) || "");
    const isPixel =
      element.localName === "img" && size.some((pixels) => /^[01](?:px)?$/.test(pixels));
    const isMute =
      element.localName === "input" &&
      /^(?:hidden|checkbox|radio)$/i.test(element.getAttribute("type"));
    const isEmpty = /^(?:button|del)$/.test(element.localName) && !element.textContent.trim();
    return isPixel || isMute || isEmpty ? "" : noun;
  }

  const several = (noun, count) => `${count} ${noun}${count > 1 ? "s" : ""}`;

  /** What was left out of a paste, in a sentence; empty for nothing. `counts` is a Map by noun. */
  function sentence(counts) {
    const total = [...counts.values()].reduce((sum, count) => sum + count, 0);
    if (!total) return "";
    const all = [...counts].map(([noun, count]) => several(noun, count));
    const list =
      all.length > 1 ? `${all.slice(0, -1).join(", ")} and ${all[all.length - 1]}` : all[0];
    const help = counts.has("picture")
      ? "add pictures with the Picture button"
      : "add what is missing by hand";
    return `${list} ${total > 1 ? "were" : "was"} not pasted: ${help}.`;
  }

  const fragmentOf = (href) => {
    const [, fragment] = /#([^#]+)$/.exec(href || "") || [];
    try {
      return fragment ? decodeURIComponent(fragment) : "";
    } catch {
      return fragment;
    }
  };

  /** The places in the clipboard that its links lead to: `{ids, places}`, the id for each name, and the id of each link
      and piece of text that begins at such a place. `taken` tells whether the story has an id. What was copied from the
      editor keeps all that are free. */
  function anchorsIn(body, taken, isOwn) {
    const links = [...body.querySelectorAll("a[href*='#']")];
    const wanted = new Set(links.map((link) => fragmentOf(link.getAttribute("href"))));
    const [ids, places, used] = [new Map(), new Map(), new Set()];
    const waiting = [];
    let last = null;
    const isNew = (name) => name && !ids.has(name) && (wanted.has(name) || (isOwn && !taken(name)));
    const free = (name) => {
      const base = SAFE_ID.test(name)
        ? name
        : `n-${name.replace(/[^A-Za-z0-9_.-]+/g, "-").slice(0, 80)}`;
      let id = base;
      for (let number = 2; taken(id) || used.has(id); number += 1) id = `${base}-${number}`;
      return id;
    };
    const put = (node) => {
      const link = node.parentElement.closest("a[href]");
      const place = link && !places.has(link) ? link : node;
      const id = places.get(place) || free(waiting[0]);
      places.set(place, id);
      used.add(id);
      for (const name of waiting.splice(0)) ids.set(name, id);
    };
    const visit = (node) => {
      if (node.nodeType === 3 && node.data.trim()) {
        last = node;
        if (waiting.length) put(node);
      }
      if (node.nodeType !== 1 || nounOf(node) !== null) return;
      for (const name of [node.id, node.localName === "a" && node.getAttribute("name")])
        if (isNew(name)) waiting.push(name);
      node.childNodes.forEach(visit);
    };
    visit(body);
    if (waiting.length && last) put(last);
    return { ids, places };
  }

  window.spectatorPaste.source = {
    parsed,
    tamed,
    styles,
    emojiOf,
    nounOf,
    sentence,
    fragmentOf,
    anchorsIn,
  };
})();
