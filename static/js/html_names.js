// @ts-check
/* The names of HTML elements and attributes, which the server puts into the page (`html_names` in
   spectator/templating.py). */

/** @type {{blocks: string[], breaks: string[], inline: string[], known: string[], attributes: Record<string, string[]>}} */
const names = JSON.parse(document.getElementById("html-names")?.textContent || "");

/** Block elements. A text with one of their tags is HTML, any other is plain text. */
export const BLOCKS = names.blocks;
/** Block elements, and other elements that begin a new line. */
export const BREAKS = names.breaks;
export const INLINE = names.inline;
/** Elements whose tags are markup even in plain text. */
export const KNOWN = names.known;
/** The attributes that a stored text may have, by element; those of "*" are for every element. */
export const ATTRIBUTES = names.attributes;

/** @param {string} text names, separated by spaces */
export const nameSet = (text) => new Set(text.split(" "));
/** Blocks that the editor can edit. */
export const EDITABLE = nameSet("p h2 h3 ul ol blockquote");
/** Elements that such a block may contain. */
export const EDITABLE_WITHIN = nameSet(
  "p li ul ol br strong b em i u s a sub sup small mark abbr cite q code span del ins bdi bdo time editor-note",
);
