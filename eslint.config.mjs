import js from "@eslint/js";
import globals from "globals";

export default [
  js.configs.recommended,
  {
    files: ["pgcourse/**/*.js", "site/**/*.js"],
    languageOptions: { ecmaVersion: 2022, sourceType: "module", globals: globals.browser },
    rules: {
      "eqeqeq": "error",
      "no-var": "error",
      "prefer-const": "error",
      "no-restricted-globals": ["error", "fetch", "XMLHttpRequest", "WebSocket", "EventSource"],
      "no-eval": "error",
    },
  },
  // Nothing that is published asks for anything; the marking page talks to its own server on the teacher's machine.
  { files: ["pgcourse/grading/marking/page.js"], rules: { "no-restricted-globals": "off" } },
  { files: ["tools/**/*.mjs"], languageOptions: { ecmaVersion: 2022, sourceType: "module", globals: globals.node } },
];
