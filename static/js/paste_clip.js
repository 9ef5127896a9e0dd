/* What is known of the clipboard that is being cleaned. */

export const clip = {
  language: "", // the language around it
  anchors: { ids: new Map(), places: new Map(), isOwn: false }, // what its links lead to
  skipped: new Map(), // how often something is left out, by noun
  hasBlock: false,
};

/** Begins with another clipboard; `isOwn` says that it was copied from the editor. */
export function resetClip(isOwn) {
  clip.language = "";
  clip.anchors = { ids: new Map(), places: new Map(), isOwn };
  clip.skipped = new Map();
  clip.hasBlock = false;
}
