/* The state of the paste that is being converted. */

export const pasteState = {
  language: "", // the language of the clipboard, or of the story
  isFromEditor: false, // whether the text was copied from this site's editor
  anchors: { newIds: new Map(), idByNode: new Map() }, // see findAnchors in paste_source.js
  skipped: new Map(), // the number of omitted things, by noun
  hasBlock: false, // whether anything on the clipboard begins a new line
};

/** Resets the state for another paste. */
export function resetPasteState(isFromEditor) {
  Object.assign(pasteState, {
    language: "",
    isFromEditor,
    anchors: { newIds: new Map(), idByNode: new Map() },
    skipped: new Map(),
    hasBlock: false,
  });
}
