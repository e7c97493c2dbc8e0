// What the learner has answered: kept in this browser, and in the progress file where the page can reach a kernel.

const KEY = "pgcourse-answers";

/** @typedef {{answer: string, confidence: number | null, correct: boolean}} Answer */

/**
 * All answers of this browser, by question.
 * @returns {Record<string, Answer>}
 */
export function answers() {
  try {
    const kept = JSON.parse(localStorage.getItem(KEY) ?? "{}");
    return kept && typeof kept === "object" && !Array.isArray(kept) ? kept : {};
  } catch {
    return {}; // a page that may keep nothing, or a damaged store
  }
}

/**
 * Keep one answer.
 * @param {HTMLElement} element of the question
 * @param {string} id
 * @param {Answer} answer
 */
export function keepAnswer(element, id, answer) {
  try {
    localStorage.setItem(KEY, JSON.stringify({ ...answers(), [id]: answer }));
  } catch {
    // it counts until the page is closed
  }
  tellKernel(element, [id, answer.answer, answer.confidence, answer.correct]);
}

/**
 * Let the kernel of this notebook record it, where JupyterLab shows itself to the page (`pgcourse lab` does) and a kernel runs.
 * @param {HTMLElement} element
 * @param {any[]} recorded
 */
function tellKernel(element, recorded) {
  const app = /** @type {any} */ (globalThis).jupyterapp;
  if (!app) return;
  const panel = [...app.shell.widgets("main")].find((widget) => widget.node.contains(element));
  const kernel = panel?.context?.sessionContext?.session?.kernel;
  if (!kernel) return;
  const given = JSON.stringify(JSON.stringify(recorded)); // a literal in Python too
  const code = `__import__("pgcourse.checks.progress", fromlist=["progress"]).record_answer(*__import__("json").loads(${given}))`;
  kernel.requestExecute({ code, silent: true, store_history: false, allow_stdin: false });
}
