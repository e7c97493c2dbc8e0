// Logits divided by a temperature: how sure the softmax is, and its entropy.
import { explain, fixed, linspace } from "../explain.js";

/** @type {Record<string, number[]>} */
const LOGITS = { "one favourite": [1, 2, 4], "two rivals": [0, 3, 3.1], "all equal": [2, 2, 2] };
const [LOWEST, HIGHEST, POINTS] = [0.1, 8, 120];

/** @param {number[]} logits @returns {number[]} */
function softmax(logits) {
  const highest = Math.max(...logits);
  const raised = logits.map((logit) => Math.exp(logit - highest));
  const sum = raised.reduce((a, b) => a + b, 0);
  return raised.map((each) => each / sum);
}

/** @param {number[]} probabilities @returns {number} nats */
function entropyOf(probabilities) {
  return probabilities.reduce((sum, p) => (p > 0 ? sum - p * Math.log(p) : sum), 0);
}

/**
 * The chart for one position of the controls.
 * @param {Record<string, any>} values
 * @returns {import("../chart.js").Chart}
 */
export function figure({ temperature, logits }) {
  const chosen = LOGITS[logits];
  /** @param {number} t */
  const at = (t) => softmax(chosen.map((logit) => logit / t));
  const temperatures = linspace(LOWEST, HIGHEST, POINTS);
  const probabilities = at(temperature);
  const entropy = entropyOf(probabilities);
  const most = Math.log(3);
  return {
    panels: [
      {
        x: { label: "action", low: -0.6, high: 2.6, ticks: [0, 1, 2], names: ["0", "1", "2"] },
        y: { label: "probability", low: 0, high: 1 },
        marks: [
          { kind: "bars", x: [0, 1, 2], y: probabilities, width: 0.6, colour: "blue" },
          { kind: "rule", axis: "y", at: 1 / 3, colour: "grey", dash: "2 4" },
        ],
      },
      {
        x: { label: "temperature", low: 0, high: HIGHEST }, y: { label: "entropy [nats]", low: 0, high: 1.2 },
        marks: [
          { kind: "line", x: temperatures, y: temperatures.map((t) => entropyOf(at(t))), colour: "blue" },
          { kind: "rule", axis: "y", at: most, colour: "grey", dash: "2 4", label: "log 3, the most possible" },
          { kind: "points", x: [temperature], y: [entropy], colour: "vermillion", size: 6 },
        ],
      },
    ],
    words: `Probabilities ${probabilities.map((each) => fixed(each, 2)).join(", ")}. `
      + `The entropy is ${fixed(entropy, 2)} nats, of at most ${fixed(most, 2)}.`,
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
