// @ts-check
/* Tags that are never closed, and would take in or hide what follows them. */
import { nameSet } from "./html_names.js";

// One of these that is never closed would take in all that follows, or hide it.
const ENCLOSING =
  "audio button canvas del iframe math noembed noframes noscript object plaintext script select" +
  " style svg template textarea title video xml xmp";
const RAW = nameSet("iframe noembed noframes script style textarea title xmp");
const VISIBLE = nameSet("audio button canvas iframe math object select svg textarea video");
const ENCLOSING_TAG = new RegExp(
  `<(/?)(${ENCLOSING.replace(/ /g, "|")})(?=[\\s/>])(?:[^<>"']|"[^"]*"|'[^']*')*>|<!--`,
  "gi",
);

/**
 * HTML without style elements, in which no stray tag takes in what follows it.
 * @param {string} html
 */
export function closeStrayTags(html) {
  const lower = html.toLowerCase();
  /** @type {Record<string, number>} */
  const ends = {};
  /** @param {string} mark @param {number} from */
  const endOf = (mark, from) => {
    if (ends[mark] === undefined || (ends[mark] >= 0 && ends[mark] < from))
      ends[mark] = lower.indexOf(mark, from);
    return ends[mark];
  };
  /** @typedef {{at: number, end: number, text: string}} Change what stands for a stretch */
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
  let passed = 0; // the end of a comment, or of what is text and no markup
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
