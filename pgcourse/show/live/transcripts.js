// What a language model answers at stages of its training: a table, and a slider over the updates.
import { makeControl } from "./explain.js";

/**
 * @typedef {{tokens: string[], probabilities: number[], right: boolean}} Answer
 */

/**
 * A place for characters, spaces too.
 * @returns {HTMLElement}
 */
function codeOf() {
  const code = document.createElement("code");
  code.setAttribute("style", "white-space:pre");
  return code;
}

/**
 * The tokens, each on a shade of its probability, and the verdict in a sign and a word.
 * @param {Answer} answer
 * @returns {HTMLElement}
 */
function cellOf(answer) {
  const cell = document.createElement("td");
  const code = codeOf();
  code.append(...answer.tokens.map((token, i) => {
    const span = document.createElement("span");
    span.setAttribute("style", `--pg-p:${answer.probabilities[i]}`);
    span.title = String(answer.probabilities[i]);
    span.textContent = token;
    return span;
  }));
  const verdict = document.createElement("span");
  const word = answer.right ? "right" : "wrong";
  verdict.setAttribute("role", "img");
  verdict.setAttribute("aria-label", word);
  verdict.textContent = answer.right ? "✓" : "✗";
  cell.append(code, " ", verdict);
  return cell;
}

/**
 * One look at the model.
 * @param {string[]} prompts
 * @param {Answer[][]} answers
 * @returns {HTMLElement}
 */
function tableOf(prompts, answers) {
  const table = document.createElement("table");
  table.className = "pg-answers";
  const body = table.createTBody();
  prompts.forEach((prompt, i) => {
    const row = body.insertRow();
    const head = document.createElement("th");
    head.scope = "row";
    const code = codeOf();
    code.textContent = prompt;
    head.append(code);
    row.append(head, ...answers[i].map(cellOf));
  });
  return table;
}

/**
 * Fill the stage.
 * @param {HTMLElement} stage
 * @param {{prompts: string[], every: number, stages: Answer[][][]}} given
 * @param {string} name
 */
export function main(stage, given, name) {
  const room = document.createElement("div");
  const words = document.createElement("p");
  words.className = "pg-words";
  words.setAttribute("role", "status");
  /** @param {number | string} updates */
  const show = (updates) => {
    const answers = given.stages[Number(updates) / given.every];
    const all = answers.flat();
    room.replaceChildren(tableOf(given.prompts, answers));
    words.textContent = `After ${updates} updates ${all.filter((answer) => answer.right).length} of ${all.length} answers are right.`;
  };
  const last = (given.stages.length - 1) * given.every;
  const controls = document.createElement("div");
  controls.className = "pg-controls";
  const slider = { name: "updates", label: "updates", low: 0, high: last, value: 0, step: given.every, digits: 0 };
  if (last) controls.append(makeControl({ ...slider, kind: "slider" }, `${name}-updates`, show));
  show(0);
  stage.append(controls, room, words);
}
