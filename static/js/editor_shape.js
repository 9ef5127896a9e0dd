// @ts-check
/* What the editor holds: blocks, and the attributes that their elements may have. */
import { ATTRIBUTES } from "./html_names.js";

/** Addresses that a link may lead to; relative ones included. */
export const ADDRESS = /^(?:(?:https?|mailto|tel):|[^a-z]|[a-z+.-]+(?:[^a-z+.\-:]|$))/i;
/** The element of a card, which stands for an opaque block. */
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
