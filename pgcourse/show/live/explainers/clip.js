// PPO's clip up close: one row of a batch, with a good action and with a bad one, at any probability ratio.
import { explain, fixed } from "../explain.js";

/** @typedef {import("../chart.js").Mark} Mark */

const REACH = 0.24;
/** @type {[number, string][]} */
const TITLES = [[1, "A good action: A > 0"], [-1, "A bad action: A < 0"]];

/** @param {number} x @param {number} low @param {number} high */
const clamp = (x, low, high) => Math.min(Math.max(x, low), high);

/**
 * What the clipped objective does with this row, after "A good action".
 * @param {number} ratio
 * @param {number} sign
 * @param {boolean} stops
 * @returns {string}
 */
function verdict(ratio, sign, stops) {
  const wanted = sign > 0 ? "likelier" : "rarer";
  if (stops) return `is ${wanted} by enough: gradient 0`;
  if (ratio === 1) return `is as likely as before: the gradient makes it ${wanted}`;
  const now = ratio > 1 ? "likelier than before" : "rarer than before";
  const back = (ratio > 1) === (sign < 0);
  return `is ${now}: the gradient makes it ${wanted}${back ? " again" : ""}`;
}

/**
 * The chart for one position of the controls.
 * @param {Record<string, any>} values
 * @returns {import("../chart.js").Chart}
 */
export function figure({ ratio, clip_coef }) {
  const [low, high] = [1 - clip_coef, 1 + clip_coef];
  const grid = [0, low, high, 2]; // straight between these
  /** @param {number} r @param {number} sign */
  const objective = (r, sign) => Math.min(r * sign, clamp(r, low, high) * sign);
  /** @param {number} sign */
  const stopsAt = (sign) => (sign > 0 ? ratio > high : ratio < low);
  const panels = TITLES.map(([sign, title]) => {
    const height = objective(ratio, sign);
    const flat = sign > 0 ? (high + 2) / 2 : low / 2;
    /** @type {Mark[]} */
    const row = stopsAt(sign)
      ? [{ kind: "points", x: [ratio], y: [height], colour: "blue", label: "your row: gradient 0", size: 6, shape: "square" }]
      : [
        {
          kind: "arrow", x: [ratio, ratio + REACH * sign], y: [height, height + REACH], colour: "vermillion", width: 2.5,
        },
        { kind: "points", x: [ratio], y: [height], colour: "vermillion", label: "your row: uphill", size: 6 },
      ];
    /** @type {Mark[]} */
    const marks = [
      { kind: "rule", axis: "x", at: low, colour: "grey", dash: "2 3" },
      { kind: "rule", axis: "x", at: high, colour: "grey", dash: "2 3" },
      { kind: "line", x: grid, y: grid.map((r) => r * sign), colour: "grey", label: "ρ A", dash: "6 4" },
      {
        kind: "line", x: grid, y: grid.map((r) => clamp(r, low, high) * sign), colour: "grey", label: "clip(ρ) A", dash: "2 3",
      },
      { kind: "line", x: grid, y: grid.map((r) => objective(r, sign)), colour: "ink", label: "the smaller one", width: 3.5 },
      ...row,
      {
        kind: "text", x: [flat], y: [objective(flat, sign) - 0.15], text: "flat: gradient 0", colour: "blue",
        anchor: "middle",
      },
    ];
    return {
      title, marks, x: { label: "probability ratio ρ", low: 0, high: 2, ticks: [0, 0.5, 1, 1.5, 2] },
      y: { label: "objective for |A| = 1", low: sign > 0 ? 0 : -2, high: sign > 0 ? 2.3 : 0.3 },
    };
  });
  const [good, bad] = TITLES.map(([sign]) => verdict(ratio, sign, stopsAt(sign)));
  return {
    panels,
    words: `At ρ = ${fixed(ratio, 2)}, with the interval from ${fixed(low, 2)} to ${fixed(high, 2)}: `
      + `a good action ${good}. A bad action ${bad}.`,
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
