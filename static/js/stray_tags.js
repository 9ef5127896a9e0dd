// @ts-check
/* Closes or removes tags without an end tag that would enclose or hide all text after them. */
import { nameSet } from "./html_names.js";

// Elements that, without an end tag, enclose or hide all text after them.
const ENCLOSING =
  "audio button canvas del iframe math noembed noframes noscript object plaintext script select" +
  " style svg template textarea title video xml xmp";
// Elements whose content is text, not markup.
const RAW = nameSet("iframe noembed noframes script style textarea title xmp");
// Of these a stray tag is closed; others are removed.
const VISIBLE = nameSet("audio button canvas iframe math object select svg textarea video");
const ENCLOSING_TAG = new RegExp(
  `<(/?)(${ENCLOSING.replace(/ /g, "|")})(?=[\\s/>])(?:[^<>"']|"[^"]*"|'[^']*')*>|<!--`,
  "gi",
);

/**
 * Returns HTML without style elements and without stray tags.
 * @param {string} html
 */
export function closeStrayTags(html) {
  const lower = html.toLowerCase();
  /** @type {Record<string, number>} */
  const ends = {};
  /** Returns the next position of a mark, -1 for none. @param {string} mark @param {number} from */
  const endOf = (mark, from) => {
    if (ends[mark] === undefined || (ends[mark] >= 0 && ends[mark] < from))
      ends[mark] = lower.indexOf(mark, from);
    return ends[mark];
  };
  /** @typedef {{at: number, end: number, text: string}} Change a replacement of a part of the text */
  /** @type {Change[]} */
  const changes = [];
  /** @type {Record<string, Change[]>} */
  const open = {};
  /** @param {number} at @param {string} raw @param {string} name */
  const stray = (at, raw, name) => ({
    at,
    end: at + raw.length,
    text: VISIBLE.has(name) ? `${raw}</${name}>` : "",
  });
  let passed = 0; // the end of the last comment or RAW element
  for (const match of html.matchAll(ENCLOSING_TAG)) {
    const [raw, slash, tag] = match;
    const at = match.index || 0;
    const name = (tag || "").toLowerCase();
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
  changes.push(...Object.values(open).flat());
  let result = "";
  let from = 0;
  for (const { at, end, text } of changes.sort((one, other) => one.at - other.at)) {
    result += html.slice(from, at) + text;
    from = end;
  }
  return result + html.slice(from);
}
