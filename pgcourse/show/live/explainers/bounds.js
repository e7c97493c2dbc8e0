// A Gaussian over one action with bounds: how much of it they cut off, and what that does to the mean.
import { explain, fixed, linspace, signed } from "../explain.js";

const [LOW, HIGH, REACH] = [-2, 2, 6];
const GRID = linspace(-REACH, REACH, 121);

/**
 * The error function, by a series of which all terms have one sign.
 * @param {number} x
 * @returns {number}
 */
function erf(x) {
  if (Math.abs(x) > 6) return Math.sign(x);
  let term = x;
  let sum = x;
  for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(sum); n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}

/**
 * The chart for one position of the controls.
 * @param {Record<string, any>} values
 * @returns {import("../chart.js").Chart}
 */
export function figure({ mean, std }) {
  /** @param {number} x */
  const share = (x) => 0.5 * (1 + erf((x - mean) / (std * Math.SQRT2)));
  /** @param {number} x */
  const peaked = (x) => Math.exp(-0.5 * ((x - mean) / std) ** 2);
  const [below, above] = [share(LOW), 1 - share(HIGH)];
  const inside = share(HIGH) - below;
  const peak = 1 / (std * Math.sqrt(2 * Math.PI));
  const applied = below * LOW + above * HIGH + mean * inside - std ** 2 * peak * (peaked(HIGH) - peaked(LOW));
  const [left, right] = [GRID.filter((x) => x <= LOW), GRID.filter((x) => x >= HIGH)];
  const shares = [below, inside, above];
  return {
    panels: [
      {
        x: { label: "sampled torque u [N m]", low: -REACH, high: REACH, ticks: [-6, -4, -2, 0, 2, 4, 6] },
        y: { label: "density / its peak", low: 0, high: 1.1, ticks: [0, 0.5, 1] },
        marks: [
          { kind: "area", x: left, low: left.map(() => 0), high: left.map(peaked), colour: "vermillion", label: "cut off" },
          { kind: "area", x: right, low: right.map(() => 0), high: right.map(peaked), colour: "vermillion" },
          { kind: "line", x: GRID, y: GRID.map(peaked), colour: "blue", label: "the policy" },
          { kind: "rule", axis: "x", at: LOW, colour: "grey", dash: "2 3" },
          { kind: "rule", axis: "x", at: HIGH, colour: "grey", dash: "2 3" },
          { kind: "rule", axis: "x", at: mean, colour: "blue", label: "mean sampled", dash: "6 4" },
          { kind: "rule", axis: "x", at: applied, colour: "vermillion", label: "mean applied" },
        ],
      },
      {
        x: { label: "torque applied [N m]", low: -0.6, high: 2.6, ticks: [0, 1, 2], names: ["−2", "between", "+2"] },
        y: { label: "probability", low: 0, high: 1.1, ticks: [0, 0.5, 1] },
        marks: [
          { kind: "bars", x: [0, 2], y: [below, above], width: 0.6, colour: "vermillion" },
          { kind: "bars", x: [1], y: [inside], width: 0.6, colour: "blue" },
          ...shares.map((part, place) => ({
            kind: /** @type {const} */ ("text"), x: [place], y: [part + 0.06], text: fixed(part, 2), colour: "ink",
            anchor: /** @type {const} */ ("middle"),
          })),
        ],
      },
    ],
    words: `${fixed(100 * below, 0)} % of the samples lie below −2 N m, ${fixed(100 * above, 0)} % above +2. The mean sampled `
      + `is ${signed(mean, 1)} N m, the mean applied ${signed(applied, 2)} N m.`,
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
