// Two decisions: what the values at the start are, by what the policy does on the bridge and by the discount.
import { explain, fixed, signed } from "../explain.js";

const [LEFT, TOLL, PRIZE] = [1, -1, 4]; // rewards: left at the start; right at the start; right on the bridge
const EQUAL = 1e-9;

/**
 * The chart for one position of the controls.
 * @param {Record<string, any>} values
 * @returns {import("../chart.js").Chart}
 */
export function figure({ right_on_bridge: p, gamma }) {
  const right = TOLL + gamma * PRIZE * p;
  const value = (LEFT + right) / 2;
  const advantage = LEFT - value;
  const better = Math.abs(advantage) < EQUAL
    ? "Both are equally good"
    : `${advantage > 0 ? "Left" : "Right"} is better than what the coin does on average`;
  const y = { label: "Q(start, action)", low: -1.2, high: 3.2 };
  return {
    panels: [
      {
        x: { label: "action at the start", low: -0.6, high: 1.6, ticks: [0, 1], names: ["left", "right"] }, y,
        marks: [
          { kind: "bars", x: [0], y: [LEFT], width: 0.5, colour: "blue" },
          { kind: "bars", x: [1], y: [right], width: 0.5, colour: "vermillion" },
          { kind: "rule", axis: "y", at: 0, colour: "grey" },
          { kind: "rule", axis: "y", at: value, colour: "ink", dash: "6 4", label: "V(start), their mean" },
        ],
      },
      {
        x: { label: "probability p of right on the bridge", low: 0, high: 1 }, y,
        marks: [
          { kind: "line", x: [0, 1], y: [LEFT, LEFT], colour: "blue", label: "left" },
          { kind: "line", x: [0, 1], y: [TOLL, TOLL + gamma * PRIZE], colour: "vermillion", label: "right" },
          { kind: "rule", axis: "x", at: p, colour: "grey", dash: "2 4" },
          { kind: "points", x: [p], y: [LEFT], colour: "blue", size: 5 },
          { kind: "points", x: [p], y: [right], colour: "vermillion", size: 5 },
        ],
      },
    ],
    words: `Q(left) = ${fixed(LEFT, 2)}, Q(right) = ${fixed(right, 2)}, V = ${fixed(value, 2)}. ${better}: `
      + `the advantage of left is ${signed(advantage, 2)}, of right ${signed(right - value, 2)}.`,
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
