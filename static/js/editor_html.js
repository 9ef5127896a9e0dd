/* HTML on its way into the editor, in the shape that Squire edits without loss, and out of it again, clean. */
(() => {
  "use strict";
  const ours = (window.spectatorEditor = window.spectatorEditor || {});

  const GLOBAL = ["id", "lang", "dir"];
  const OWN = {
    a: ["href", "title"],
    abbr: ["title"],
    blockquote: ["cite"],
    q: ["cite"],
    del: ["cite", "datetime"],
    ins: ["cite", "datetime"],
    time: ["datetime"],
    li: ["value"],
    ol: ["start", "reversed", "type"],
  };
  const ADDRESS = /^(?:(?:https?|mailto|tel):|[^a-z]|[a-z+.-]+(?:[^a-z+.\-:]|$))/i;
  const CONFIG = {
    ALLOWED_TAGS:
      "p h2 h3 ul ol li blockquote br strong b em i u s a sub sup small mark abbr cite q code span del ins bdi bdo time".split(
        " ",
      ),
    ALLOWED_ATTR: [...GLOBAL, ...new Set(Object.values(OWN).flat())],
    ALLOWED_URI_REGEXP: ADDRESS,
    ALLOW_DATA_ATTR: false,
    ALLOW_ARIA_ATTR: false,
    // Ids become data-id before anything enters the page, so that none can take the place of a field's.
    SANITIZE_DOM: false,
    RETURN_DOM_FRAGMENT: true,
  };
  const BLOCKS = "p, h2, h3, ul, ol, li, blockquote, div";
  const isBlock = (node) => node.nodeType === 1 && node.matches(BLOCKS);
  const hasBlocks = (node) => [...node.children].some(isBlock);

  // Squire makes bold and italic of B and I, has no notion of <mark> and turns <ins> into <u>.
  const EDITED = { strong: ["b"], em: ["i"], mark: ["span", "mark"], ins: ["span", "ins"] };
  const WRITTEN = { b: "strong", i: "em" };
  const MERGED = new Set(["b", "i", "u", "s", "sub", "sup", "small"]);
  let numbered = 0;

  function rename(element, name) {
    const made = document.createElement(name);
    for (const { name: attribute, value } of element.attributes)
      made.setAttribute(attribute, value);
    made.append(...element.childNodes);
    element.replaceWith(made);
    return made;
  }

  function ready(element) {
    const [name, meaning] = EDITED[element.localName] || [];
    const made = name ? rename(element, name) : element;
    if (meaning) made.dataset.as = meaning;
    for (const { name: attribute, value } of [...made.attributes]) {
      made.removeAttribute(attribute); // and put back, in the order that they had
      made.setAttribute(attribute === "id" ? "data-id" : attribute, value);
    }
    // Squire joins neighbours of one name and class: a class of its own keeps each what its attributes make it.
    const isInline = !isBlock(made) && made.localName !== "br";
    if (isInline && (made.attributes.length || !MERGED.has(made.localName)))
      made.className = `n${++numbered}`;
  }

  /** Shows white space as it will be read: the editor keeps every space that is typed (`white-space: pre-wrap`). */
  function collapse(root) {
    let last = null; // the text that ends the line so far, if it ends with a space
    let isAtStart = false;
    const endLine = () => {
      if (last) last.data = last.data.replace(/ $/, "");
      last = null;
      isAtStart = true;
    };
    const walk = (node) => {
      if (node.nodeType === 3) {
        const text = node.data.replace(/[ \t\n\f\r]+/g, " ");
        node.data = isAtStart || last ? text.replace(/^ /, "") : text;
        if (node.data) [last, isAtStart] = [node.data.endsWith(" ") ? node : null, false];
        else node.remove();
        return;
      }
      const isLine = node.localName === "br" || isBlock(node);
      if (isLine) endLine();
      [...node.childNodes].forEach(walk);
      if (isLine) endLine();
    };
    walk(root);
  }

  /** Puts the bare text of a container into blocks, for Squire takes any element with a block in it for a container. */
  function wrapRuns(container, name) {
    let wrapper = null;
    for (const node of [...container.childNodes]) {
      if (isBlock(node)) wrapper = null;
      else if (node.nodeType === 3 && !node.data.trim()) node.remove();
      else {
        if (!wrapper) node.before((wrapper = document.createElement(name)));
        wrapper.append(node);
      }
    }
  }

  function prepare(root) {
    [...root.querySelectorAll("*")].forEach(ready);
    collapse(root);
    for (const list of root.querySelectorAll("ul, ol"))
      for (const node of [...list.childNodes])
        if (node.nodeType === 3 && !node.data.trim()) node.remove();
    for (const quote of root.querySelectorAll("blockquote")) wrapRuns(quote, "p");
    for (const item of root.querySelectorAll("li")) if (hasBlocks(item)) wrapRuns(item, "div");
    for (const block of root.querySelectorAll(BLOCKS))
      if (!block.firstChild && !block.matches("ul, ol")) block.append(document.createElement("br"));
    return root;
  }

  const PASTED = {
    ...CONFIG,
    ALLOWED_TAGS: [
      ...CONFIG.ALLOWED_TAGS,
      ..."table caption colgroup col thead tbody tfoot tr th td".split(" "),
    ],
    ALLOWED_ATTR: [...CONFIG.ALLOWED_ATTR, "colspan", "rowspan", "scope", "span"],
  };
  const sanitize = (html, config) =>
    document.importNode(DOMPurify.sanitize(ours.quiet(html), config), true);

  /** Any HTML as a fragment that holds nothing but what the editor can hold, in its shape. */
  ours.sanitized = (html) => prepare(sanitize(html, CONFIG));

  /** The same of what is pasted, but for tables: `take` gives what stands for each, from its source and its rows. */
  ours.pasted = (html, take) => {
    const fragment = sanitize(html, PASTED);
    const tables = [...fragment.querySelectorAll("table")].filter(
      (table) => !table.parentNode.closest?.("table"),
    );
    const taken = tables.map((table) => {
      // A table of one row or column lays something out; its content is pasted, each cell as a block.
      const isTable = table.rows.length > 1 && [...table.rows].some((row) => row.cells.length > 1);
      if (!isTable) {
        for (const cell of [...table.querySelectorAll("td, th, caption")].reverse())
          rename(cell, hasBlocks(cell) ? "div" : "p");
        table.replaceWith(ours.sanitized(table.innerHTML));
      }
      return isTable ? [table, table.outerHTML] : null;
    });
    for (const [table, source] of taken.filter(Boolean))
      table.replaceWith(take(source, table.rows.length));
    return prepare(fragment);
  };

  /** One block of the source as an element of the editor; null where it is not exactly that. */
  ours.held = (piece) => {
    if (!piece.isHeld) return null;
    const { childNodes, firstElementChild: block } = ours.sanitized(piece.source);
    return childNodes.length === 1 && block && block.localName === piece.name ? block : null;
  };

  /** HTML whose tags pair, of any; for source that cannot be cut as it is. */
  ours.mended = (html) => {
    const more = {
      ADD_TAGS: ["iframe"],
      ADD_ATTR: ["cite", "scope"],
      SANITIZE_DOM: false,
      FORCE_BODY: true,
    };
    return DOMPurify.sanitize(ours.quiet(html), more);
  };

  const escaped = (text) =>
    text
      .replace(/&/g, "&amp;")
      .replace(/</g, "&lt;")
      .replace(/>/g, "&gt;")
      .replace(/\xa0/g, "&nbsp;");
  const name = (element) => element.dataset.as || WRITTEN[element.localName] || element.localName;

  let doubles = new Set(); // elements whose id an element before them has: both are halves of one that was split

  function attributes(element) {
    const allowed = [...GLOBAL, ...(OWN[name(element)] || [])];
    const kept = [...element.attributes].map(({ name: written, value }) => {
      const each = written === "data-id" ? "id" : written;
      const isDouble = each === "id" && doubles.has(element);
      const isForeign = (each === "href" || each === "cite") && !ADDRESS.test(value.trim());
      if (!allowed.includes(each) || isDouble || isForeign) return "";
      return ` ${each}="${escaped(value).replace(/"/g, "&quot;")}"`;
    });
    return kept.join("");
  }

  function inline(node) {
    // Squire puts zero-width spaces where an empty element is to take the cursor.
    if (node.nodeType === 3) return escaped(node.data.replace(/\u200b/g, ""));
    if (node.nodeType !== 1 || node.localName === "story-island") return "";
    const tag = name(node);
    if (tag === "br") return "<br>\n";
    const content = [...node.childNodes].map(inline).join("");
    const own = attributes(node);
    if (!ours.WITHIN.has(tag) || ((tag === "span" || tag === "a") && !own)) return content;
    return content || own.includes(' id="') ? `<${tag}${own}>${content}</${tag}>` : "";
  }

  /** A line without what editing leaves behind: doubled tags, spaces at its ends, the break that ends it. */
  const tagsOf = (text) => (text.match(/<[^>]*>/g) || []).filter((tag) => tag !== "<br>").join("");

  function tidied(line) {
    let text = line
      .replace(/<\/(strong|em|u|s|sub|sup|small)><\1>/g, "")
      .replace(/(?: |&nbsp;)*&nbsp; | &nbsp;/g, " ")
      .replace(/ {2,}/g, " ")
      .replace(/ *<br>\n */g, "<br>\n");
    for (let before = null; before !== text;) {
      before = text;
      text = text
        .replace(/^(?:\s|&nbsp;|<(?!br>)\w[^>]*>)+/, tagsOf)
        .replace(/(?:\s|&nbsp;|<br>|<\/[^>]*>)+$/, tagsOf)
        .replace(/<(\w+)><\/\1>/g, "");
    }
    return /\S/.test(text.replace(/<[^>]*>/g, "")) || text.includes(' id="') ? text : "";
  }

  const line = (nodes) => tidied(nodes.map(inline).join(""));

  /** The written blocks among a node's children; what runs on between them becomes paragraphs. */
  function blocks(parent) {
    const out = [];
    let run = [];
    const close = () => {
      const text = line(run);
      if (text) out.push(`<p>${text}</p>`);
      run = [];
    };
    for (const node of parent.childNodes) {
      if (!isBlock(node)) run.push(node);
      else {
        close();
        out.push(written(node));
      }
    }
    close();
    return out.filter(Boolean);
  }

  function item(element) {
    const parts = blocks(element);
    const paragraphs = parts.filter((part) => part.startsWith("<p"));
    const isBare = !element.querySelector(":scope > p") && paragraphs.length === 1;
    const content = parts
      .map((part) => (isBare && part === paragraphs[0] ? part.slice(3, -4) : part))
      .join("");
    return content ? `<li${attributes(element)}>${content}</li>` : "";
  }

  function list(element) {
    const items = [];
    for (const child of element.children) {
      // Squire nests a list beside the item that it belongs to.
      const nested = child.matches("ul, ol") ? written(child) : "";
      if (!child.matches("ul, ol")) items.push(item(child));
      else if (nested) items.push(`${(items.pop() || "<li></li>").slice(0, -5)}${nested}</li>`);
    }
    const content = items.filter(Boolean).join("");
    return content
      ? `<${element.localName}${attributes(element)}>${content}</${element.localName}>`
      : "";
  }

  /** A block of the editor as clean HTML; empty where there is nothing in it. */
  function written(element) {
    const tag = element.localName;
    if (tag === "ul" || tag === "ol") return list(element);
    if (tag === "blockquote") {
      const content = blocks(element).join("");
      return content ? `<blockquote${attributes(element)}>${content}</blockquote>` : "";
    }
    if (hasBlocks(element)) return blocks(element).join("");
    const text = line([...element.childNodes]);
    const isInside = element.parentElement && element.parentElement.closest("li, blockquote");
    const made = (tag === "h2" || tag === "h3") && !isInside ? tag : "p";
    return text ? `<${made}${attributes(element)}>${text}</${made}>` : "";
  }

  /** Clean HTML of what was cut or copied from the editor; its islands stay where they are. */
  ours.copied = (html) => {
    const { body } = ours.inert(html);
    if (!hasBlocks(body)) return [...body.childNodes].map(inline).join("");
    // Spaces at the ends are spaces at the cursor where this is pasted; a block shows none.
    const [, before, after] = /^([ \xa0]?)[\s\S]*?([ \xa0]?)$/.exec(body.textContent);
    const made = blocks(body).join("\n");
    const begun = before ? made.replace(/^(?:<[^>]*>)+/, "$&&nbsp;") : made;
    return after ? begun.replace(/(?:<\/[^>]*>)+$/, "&nbsp;$&") : begun;
  };

  /** The same as `written` without the ids of some elements, which others before them have. */
  ours.writtenWithout = (element, later) => {
    doubles = new Set(later);
    const html = written(element);
    doubles = new Set();
    return html;
  };

  Object.assign(ours, { isBlock, written, line });
})();
