/* Names in one line of text, as the server reads and writes it (parse_names, join_names in
   spectator/newsroom/forms.py). */

const SEMICOLON = /[;؛\n]/;
const COMMA = /[,،፣]/;

export const separator = (text) => (SEMICOLON.test(text) ? SEMICOLON : COMMA);
export const trimmed = (names) => names.map((name) => name.trim()).filter(Boolean);
export const namesIn = (text) => trimmed(text.split(separator(text)));
export const inOneLine = (names) =>
  names.some((name) => COMMA.test(name)) ? `${names.join("; ")};` : names.join(", ");
export const isSame = (one, other) =>
  one.normalize().toLowerCase() === other.normalize().toLowerCase();

export const hasComma = (text) => COMMA.test(text);
