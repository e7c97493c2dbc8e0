// A question in the page: a quiz answers at once, a prediction is committed first and compared when the learner has looked.
import { answers, keepAnswer } from "./answers.js";
import { keepKeys } from "./keys.js";

/**
 * @typedef {object} Question
 * @property {string} id
 * @property {"quiz"|"prediction"} kind
 * @property {string[]} options as text
 * @property {number} answer
 */

/**
 * Bring the form to life that stands in the stage: radio buttons, button, the reasons below.
 * @param {HTMLElement} stage
 * @param {Question} question
 * @param {string} name of this question in the page
 */
export function main(stage, question, name) {
  const root = /** @type {HTMLElement} */ (stage.parentElement);
  const radios = [...stage.querySelectorAll("input")];
  const bar = /** @type {HTMLElement} */ (stage.querySelector(".pg-question-bar"));
  const button = /** @type {HTMLButtonElement} */ (stage.querySelector("button"));
  const sure = stage.querySelector("select");
  const verdict = /** @type {HTMLElement} */ (stage.querySelector(".pg-verdict"));
  const reasons = [...root.querySelectorAll("[data-reason]")];
  const letter = (/** @type {number} */ i) => String.fromCharCode(65 + i);
  const chosen = () => radios.findIndex((radio) => radio.checked);
  /** @param {string} words @param {string} more @param {Element} [reason] */
  const say = (words, more, reason) => {
    const strong = document.createElement("strong");
    strong.textContent = words;
    verdict.replaceChildren(strong, ` ${more} `, ...(reason ? [...reason.childNodes].map((node) => node.cloneNode(true)) : []));
  };
  /** @param {boolean} right */
  const mark = (right) => {
    root.classList.toggle("pg-card-right", right);
    root.classList.toggle("pg-card-wrong", !right);
  };

  radios.forEach((radio, i) => {
    Object.assign(radio, { name, hidden: false, id: `${name}-${i}` });
    radio.addEventListener("change", () => (button.disabled = false));
  });
  sure?.setAttribute("id", `${name}-sure`);
  stage.querySelector("label[data-sure]")?.setAttribute("for", `${name}-sure`);
  bar.hidden = false;
  keepKeys(stage);

  const judge = () => {
    const right = chosen() === question.answer;
    mark(right);
    say(right ? "✓ Right." : "✗ Not this one.", "", reasons[chosen()]);
    return right;
  };
  const lock = () => {
    for (const control of [...radios, ...(sure ? [sure] : [])]) control.disabled = true;
    Object.assign(button, { disabled: false, textContent: "Compare" });
    say(`Committed: ${letter(chosen())}.`, "Now run the next cell and look, then press Compare.");
  };
  const compare = () => {
    const right = chosen() === question.answer;
    mark(right);
    button.disabled = true;
    const certainty = sure && sure.selectedIndex > 0 ? `, ${sure.selectedOptions[0].text}` : "";
    say(right ? "✓ That is what happened." : "✗ It came out otherwise.", `You said ${letter(chosen())}${certainty}.`, reasons[0]);
  };

  let committed = false;
  button.addEventListener("click", () => {
    if (chosen() < 0) return;
    const right = chosen() === question.answer;
    const confidence = sure && sure.selectedIndex > 0 ? Number(sure.value) : null;
    if (question.kind === "quiz") judge();
    else if (committed) return compare();
    else {
      committed = true;
      lock();
    }
    keepAnswer(root, question.id, { answer: question.options[chosen()], confidence, correct: right });
  });

  const before = answers()[question.id];
  const marked = before ? question.options.indexOf(before.answer) : -1;
  if (marked < 0) return;
  radios[marked].checked = true;
  button.disabled = false;
  if (question.kind === "quiz") judge();
  else {
    if (sure && before.confidence !== null) sure.value = String(before.confidence);
    committed = true;
    lock();
  }
}
