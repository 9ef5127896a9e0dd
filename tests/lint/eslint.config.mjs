/** ESLint: its recommended rules and a few that keep the scripts plain. Prettier has the format. */
import js from "@eslint/js";
import globals from "globals";

const VAGUE =
  "asked chosen each found given here it kept known made mine place posted shown thing typed".split(
    " ",
  );

const PLAIN = {
  // Values are named for their type or role.
  "id-denylist": ["error", ...VAGUE],
  "max-lines": ["error", 300],
  eqeqeq: "error",
  "no-undef-init": "error",
  "no-useless-rename": "error",
  "no-var": "error",
  "object-shorthand": "error",
  "prefer-const": "error",
  "prefer-template": "error",
};

// The scripts of the CDN: htmx, and the editor with its sanitizer.
const THIRD_PARTY = { DOMPurify: "readonly", Squire: "readonly", htmx: "readonly" };

export default [
  js.configs.recommended,
  {
    files: ["static/js/**/*.js"],
    languageOptions: { sourceType: "module", globals: { ...globals.browser, ...THIRD_PARTY } },
    linterOptions: { reportUnusedDisableDirectives: "error" },
    rules: PLAIN,
  },
];
