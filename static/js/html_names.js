// @ts-check
/* The names of HTML elements and attributes as the server knows them (`html_names` in
   spectator/templating.py). */

/** @type {{blocks: string[], breaks: string[], inline: string[], known: string[], attributes: Record<string, string[]>}} */
const names = JSON.parse(document.getElementById("html-names")?.textContent || "");

/** Elements of which any makes a text HTML. */
export const BLOCKS = names.blocks;
/** Blocks, and others that begin a new line. */
export const BREAKS = names.breaks;
export const INLINE = names.inline;
/** Elements whose tags are markup in a plain text. */
export const KNOWN = names.known;
/** The attributes of a stored text, by element; "*" has those of every element. */
export const ATTRIBUTES = names.attributes;

/** @param {string} text names, separated by spaces */
export const nameSet = (text) => new Set(text.split(" "));
/** Blocks that the editor edits. */
export const EDITABLE = nameSet("p h2 h3 ul ol blockquote");
/** Elements that may stand in a block that the editor edits. */
export const EDITABLE_WITHIN = nameSet(
  "p li ul ol br strong b em i u s a sub sup small mark abbr cite q code span del ins bdi bdo time",
);
