// Which family of methods for which task: five questions, answered one after the other for a case.
import { explain } from "../explain.js";

const [LEFT, RIGHT, HALF] = [[0, 4.7], [5.9, 10], 0.36];

/**
 * @typedef {{question: string, leaves: boolean, advice: string}} Step
 * @typedef {{asked: number, advice: string, because: string}} Case
 */

/**
 * The chart for one position of the controls.
 * @param {Record<string, any>} values
 * @param {{steps: Step[], cases: Record<string, Case>, last: string}} data
 * @returns {import("../chart.js").Chart}
 */
export function figure({ case: name, answered }, { steps, cases, last }) {
  const chosen = cases[name];
  const arrived = answered >= chosen.asked;
  /** @param {number[]} x @param {number} y @param {string} text @param {string} colour @param {boolean} strong */
  const box = (x, y, text, colour, strong) => ({
    kind: /** @type {"box"} */ ("box"), x, y: [y - HALF, y + HALF], text, colour: strong ? colour : "grey",
    ...(strong ? { strong } : {}),
  });
  /** @param {number[]} x @param {number[]} y @param {string} colour @param {boolean} on */
  const arrow = (x, y, colour, on) => (
    { kind: /** @type {"arrow"} */ ("arrow"), x, y, colour: on ? colour : "grey", width: on ? 3 : 1 }
  );
  /** @type {import("../chart.js").Mark[]} */
  const marks = steps.flatMap((step, row) => {
    const y = steps.length - row;
    const reached = row <= answered && row < chosen.asked;
    const leaving = arrived && row + 1 === chosen.asked && chosen.advice === step.advice;
    const on = reached && row < answered && !leaving;
    const [out, further] = step.leaves ? ["yes", "no"] : ["no", "yes"];
    return [
      box(LEFT, y, step.question, "blue", reached),
      box(RIGHT, y, step.advice, "vermillion", leaving),
      arrow([LEFT[1], RIGHT[0]], [y, y], "vermillion", leaving),
      arrow([2, 2], [y - HALF, y - 1 + HALF], "blue", on),
      {
        kind: /** @type {"text"} */ ("text"), x: [5.3], y: [y + 0.16], text: out, colour: leaving ? "ink" : "grey",
        anchor: /** @type {"middle"} */ ("middle"),
      },
      {
        kind: /** @type {"text"} */ ("text"), x: [2.2], y: [y - 0.5], text: further, colour: on ? "ink" : "grey",
        anchor: /** @type {"start"} */ ("start"),
      },
    ];
  });
  marks.push(box(LEFT, 0, last, "vermillion", arrived && chosen.advice === last));
  return {
    panels: [{
      x: { label: "", low: -0.1, high: 10.1 }, y: { label: "", low: -0.5, high: steps.length + 0.5 }, marks, height: 430, bare: true,
    }],
    words: arrived
      ? `${name}: ${chosen.advice}. ${chosen.because}`
      : `${name}. What is your answer to question ${answered + 1}? ${steps[answered].question}`,
  };
}

/**
 * Fill the stage.
 * @param {HTMLElement} stage
 * @param {any} given
 * @param {string} name
 */
export function main(stage, given, name) {
  explain(stage, given, figure, name);
}
