/** ESLint's recommended rules and a few stricter ones; Prettier checks the format. */
import js from "@eslint/js";
import globals from "globals";

const VAGUE_NAMES =
  "asked chosen each found given here it kept known made mine place posted shown thing typed".split(
    " ",
  );

const STRICTER_RULES = {
  // Values are named for their type or role.
  "id-denylist": ["error", ...VAGUE_NAMES],
  "max-lines": ["error", 300],
  eqeqeq: "error",
  "no-undef-init": "error",
  "no-useless-rename": "error",
  "no-var": "error",
  "object-shorthand": "error",
  "prefer-const": "error",
  "prefer-template": "error",
};

// Globals of the scripts from the CDN: htmx, the editor and its sanitizer.
const THIRD_PARTY = { DOMPurify: "readonly", Squire: "readonly", htmx: "readonly" };

export default [
  js.configs.recommended,
  {
    files: ["static/js/**/*.js"],
    languageOptions: { sourceType: "module", globals: { ...globals.browser, ...THIRD_PARTY } },
    linterOptions: { reportUnusedDisableDirectives: "error" },
    rules: STRICTER_RULES,
  },
];
