// A critic that is off by a constant: what notices it, and what does not.
import { explain, fixed, signed } from "../explain.js";

const REACH = 60; // of the offset

/**
 * The chart for one position of the controls.
 * @param {Record<string, any>} values
 * @param {any} data
 * @returns {import("../chart.js").Chart}
 */
export function figure({ offset }, data) {
  const meanValue = data.mean_value + offset;
  const meanReturn = data.mean_return;
  const error = Math.sqrt(data.variance + (meanValue - meanReturn) ** 2); // root of the mean square of V - G
  const { low, high } = data;
  const middle = data.mean_value;
  return {
    panels: [
      {
        x: { label: "V(s) + offset", low, high }, y: { label: "return G", low: 0, high: data.top },
        marks: [
          { kind: "points", x: data.values.map((/** @type {number} */ value) => value + offset), y: data.returns, size: 2, colour: "blue" },
          { kind: "line", x: [low, high], y: [low, high], width: 1.5, colour: "ink", label: "V = G" },
        ],
      },
      {
        x: { label: "over the visited states", low: -0.6, high: 2.6, ticks: [0, 1, 2], names: ["mean of G", "mean of V", "typical error"] },
        y: { label: "discounted steps", low: Math.min(0, middle - REACH), high: middle + 1.2 * REACH },
        marks: [
          { kind: "bars", x: [0], y: [meanReturn], width: 0.6, colour: "vermillion" },
          { kind: "bars", x: [1], y: [meanValue], width: 0.6, colour: "blue" },
          { kind: "bars", x: [2], y: [error], width: 0.6, colour: "grey" },
          { kind: "rule", axis: "y", at: 0, colour: "grey" },
        ],
      },
    ],
    words: `Offset ${signed(offset, 0)}: explained variance ${fixed(data.explained, 2)}, as at every offset. The mean of V is `
      + `${fixed(meanValue, 1)}, that of G ${fixed(meanReturn, 1)}; the typical error is ${fixed(error, 1)}.`,
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
