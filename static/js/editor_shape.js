// @ts-check
/* The elements of the editor: blocks, cards, and the attributes that they may have. */
import { ATTRIBUTES } from "./html_names.js";

/** URLs that a link may have: http, https, mailto, tel, and relative ones. */
export const ADDRESS = /^(?:(?:https?|mailto|tel):|[^a-z]|[a-z+.-]+(?:[^a-z+.\-:]|$))/i;
/** The name of a card's element. A card represents an opaque block (opaque_blocks.js). */
export const CARD = "opaque-block";
/** A selector of the editor's blocks. */
export const BLOCKS = "p, h2, h3, ul, ol, li, blockquote, div";

/** @param {any} node */
export const isBlock = (node) => node.nodeType === Node.ELEMENT_NODE && node.matches(BLOCKS);

/** @param {Element} node */
export const hasBlocks = (node) => [...node.children].some(isBlock);

/** @param {string} tag */
export const allowedAttributes = (tag) => [...ATTRIBUTES["*"], ...(ATTRIBUTES[tag] || [])];

/** @param {Element} block */
export const isEmpty = (block) => !(block.textContent || "").replace(/\u200b/g, "");
