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
  { files: ["tools/**/*.mjs"], languageOptions: { ecmaVersion: 2022, sourceType: "module", globals: globals.node } },
];
