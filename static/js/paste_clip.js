/* The state of the paste that is being converted. */

export const clip = {
  language: "", // the language of the clipboard, or of the story
  anchors: { ids: new Map(), places: new Map(), isOwn: false }, // see findAnchors in paste_source.js
  skipped: new Map(), // the number of omitted things, by noun
  hasBlock: false,
};

/** Resets the state for another paste; `isOwn` says that it was copied from an editor. */
export function resetClip(isOwn) {
  clip.language = "";
  clip.anchors = { ids: new Map(), places: new Map(), isOwn };
  clip.skipped = new Map();
  clip.hasBlock = false;
}
