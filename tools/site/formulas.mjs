// Read [[TeX, whether it is displayed], ...] as JSON, write the HTML of each, or {error}, as JSON.
import katex from "katex";

let text = "";
for await (const chunk of process.stdin) text += chunk;
const made = JSON.parse(text).map(([tex, displayMode]) => {
  try {
    return katex.renderToString(tex, { displayMode, strict: "ignore" });
  } catch (error) {
    return { error: error.message };
  }
});
process.stdout.write(JSON.stringify(made));
