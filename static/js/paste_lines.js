/* Converts lines of the clipboard to blocks. A line is a list of texts with their marks: links, emphasis,
   language and direction (paste_marks.js). */
import { pasteState } from "./paste_state.js";
import { canonicalLanguage } from "./paste_marks.js";

const NESTING = ["strong", "em", "s", "script"];
const GAP = /([ \t\n\r\f\u00a0]+)/;
const page = document.implementation.createHTMLDocument("");

export function makeElement(tag, nodes = []) {
  const element = page.createElement(tag);
  for (const node of nodes) element.append(node);
  return element;
}

/** Returns a line's words and the gaps between them. A gap is a number of breaks, a space, or a no-break
    space where typography needs one, as in French before a colon. */
function tokenize(line) {
  const tokens = [];
  let [space, breaks] = ["", 0];
  const gap = (before, after) => {
    const isNeeded =
      /^[:;!?»%]/.test(after) || /«$/.test(before) || /^\d\d/.test(before.slice(-1) + after);
    return { text: space === "\u00a0" && isNeeded ? space : " ", breaks };
  };
  for (const { text, marks, isBreak } of line) {
    breaks += isBreak ? 1 : 0;
    for (const part of text.split(GAP)) {
      if (!part || GAP.test(part)) space += part;
      else {
        if (tokens.length && (space || breaks))
          tokens.push(gap(tokens[tokens.length - 1].text, part));
        tokens.push({ text: part, marks, breaks: 0 });
        [space, breaks] = ["", 0];
      }
    }
  }
  return tokens;
}

function wrappers(marks) {
  const names = NESTING.filter((name) => marks[name] && !(marks.isTitle && name === "strong"));
  const emphasis = names.map((name) => [name === "script" ? marks.script : name]);
  if (marks.href) return [["a", marks.href, marks.id || ""], ...emphasis];
  return marks.id ? [["span", "", marks.id], ...emphasis] : emphasis;
}

/** Returns how many wrappers two tokens share, counted from the outermost one. */
function sharedWrappers(one, other) {
  const end = one.findIndex(
    (wrapper, at) => !other[at] || wrapper.some((part, index) => part !== other[at][index]),
  );
  return end < 0 ? one.length : end;
}

/** Appends a line's tokens to a block, in elements for their links and emphasis. A gap is in the elements
    that both its neighbours share. */
function fillBlock(block, line) {
  const around = line.map(({ marks }) => marks && wrappers(marks));
  let open = [];
  let words = ""; // text not yet appended to the innermost open element
  const chain = [block]; // the open elements
  const put = (node) => {
    if (words) chain[chain.length - 1].append(words);
    words = "";
    if (node) chain[chain.length - 1].append(node);
  };
  line.forEach(({ text, breaks }, at) => {
    const wanted =
      around[at] || around[at - 1].slice(0, sharedWrappers(around[at - 1], around[at + 1]));
    const shared = sharedWrappers(wanted, open);
    if (shared < Math.max(wanted.length, open.length)) put();
    chain.length = shared + 1;
    for (const [tag, href, id] of wanted.slice(shared)) {
      const wrapper = makeElement(tag);
      if (href) wrapper.setAttribute("href", href);
      if (id) wrapper.id = id;
      chain[chain.length - 1].append(wrapper);
      chain.push(wrapper);
    }
    if (breaks) put(makeElement("br"));
    else words += text;
    open = wanted;
  });
  put();
}

/** Returns the value of a mark that applies to most of a line's text. */
function dominantValue(name, line) {
  const tally = new Map([["", 0]]);
  for (const { marks, text } of line)
    if (marks && /\p{L}/u.test(text))
      tally.set(marks[name], (tally.get(marks[name]) || 0) + text.length);
  return [...tally].sort(([, one], [, other]) => other - one)[0][0] || "";
}

/** Makes a block with the direction of its words, and with their language if it differs from the story's. */
function makeBlock(tag, line) {
  const block = makeElement(tag);
  fillBlock(block, line);
  const lang = canonicalLanguage(dominantValue("lang", line));
  if (dominantValue("dir", line) === "rtl") block.dir = "rtl";
  if (lang && lang.split("-")[0] !== pasteState.language) block.lang = lang;
  return block;
}

/** Makes blocks of a line: several if it contains empty lines. */
export function makeBlocks(line, tag) {
  const parts = [[]];
  for (const token of tokenize(line)) {
    if (token.breaks > 1 && tag === "p") parts.push([]);
    else parts[parts.length - 1].push(token);
  }
  return parts.filter((part) => part.length).map((part) => makeBlock(tag, part));
}
