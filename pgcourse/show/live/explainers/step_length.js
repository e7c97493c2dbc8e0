// A line search: divergence and surrogate along one direction, true and modelled, and the lengths that are tried.
import { explain, fixed, linspace } from "../explain.js";

const FARTHEST = 2; // whole steps
const SHARES = linspace(0, FARTHEST, 81);

/**
 * @typedef {object} Data
 * @property {number[]} lengths in whole steps at the limit `max_kl`
 * @property {number[]} kl
 * @property {number[]} improvement
 * @property {number} curvature
 * @property {number} slope
 * @property {number} max_kl
 * @property {number} backtracks
 * @property {number} shrink
 */

/** @param {number[]} x ascending @param {number[]} y @param {number} at */
function between(x, y, at) {
  let i = x.findIndex((value) => value > at) - 1;
  if (i < 0) i = x.length - 2;
  return y[i] + ((at - x[i]) / (x[i + 1] - x[i])) * (y[i + 1] - y[i]);
}

/**
 * The chart for one position of the controls.
 * @param {Record<string, any>} values
 * @param {Data} data
 * @returns {import("../chart.js").Chart}
 */
export function figure({ max_kl: maxKl, first }, data) {
  const whole = Math.sqrt(maxKl / data.max_kl);
  const promised = data.slope * whole;
  /** @param {number} share */
  const klAt = (share) => between(data.lengths, data.kl, share * whole);
  /** @param {number} share */
  const gainAt = (share) => between(data.lengths, data.improvement, share * whole);
  /** @type {number[]} */
  const refused = [];
  let taken = null;
  for (let power = 0; power < data.backtracks && taken === null; power++) {
    const share = first * data.shrink ** power;
    if (gainAt(share) > 0 && klAt(share) <= maxKl) taken = share;
    else refused.push(share);
  }
  let words = `None of the ${refused.length} lengths is allowed: the policy stays where it was.`;
  if (taken !== null) {
    words = (refused.length ? `Refused ${refused.length} times, then taken` : "Taken at once")
      + `: length ${fixed(taken, 2)}, with a KL of ${fixed(klAt(taken), 4)} nats where ${fixed(maxKl, 2)} are allowed, and an `
      + `improvement of ${fixed(gainAt(taken), 4)} where the linear model says ${fixed(promised * taken, 4)}.`;
  }
  /** @param {(share: number) => number} truth @param {number} unit @returns {import("../chart.js").Mark[]} */
  const tries = (truth, unit) => [
    ...(refused.length ? [{
      kind: /** @type {"points"} */ ("points"), x: refused, y: refused.map((share) => truth(share) / unit), colour: "ink",
      shape: /** @type {"cross"} */ ("cross"), size: 5,
    }] : []),
    ...(taken === null ? [] : [{
      kind: /** @type {"points"} */ ("points"), x: [taken], y: [truth(taken) / unit], colour: "ink", size: 6,
    }]),
  ];
  const x = { label: "length of the step, 1 = the whole step", low: 0, high: FARTHEST };
  return {
    panels: [
      {
        x, y: { label: "KL / max_kl", low: 0, high: 4 },
        marks: [
          { kind: "area", x: [0, FARTHEST], low: [1, 1], high: [4, 4], colour: "grey", label: "not allowed" },
          { kind: "line", x: SHARES, y: SHARES.map((share) => klAt(share) / maxKl), colour: "vermillion", label: "on the batch" },
          {
            kind: "line", x: SHARES, y: SHARES.map((share) => (data.curvature * (share * whole) ** 2) / 2 / maxKl), colour: "blue",
            dash: "5 4", label: "quadratic model",
          },
          ...tries(klAt, maxKl),
        ],
      },
      {
        x, y: { label: "improvement / promised at length 1", low: -0.5, high: 2 },
        marks: [
          { kind: "rule", axis: "y", at: 0, colour: "grey" },
          { kind: "line", x: SHARES, y: SHARES.map((share) => gainAt(share) / promised), colour: "vermillion", label: "on the batch" },
          { kind: "line", x: SHARES, y: SHARES, colour: "blue", dash: "5 4", label: "linear model" },
          ...tries(gainAt, promised),
        ],
      },
    ],
    words,
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
