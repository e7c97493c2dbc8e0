// GAE taken apart: TD errors, how much each counts in the advantage of one step, and the advantages of all steps.
import { explain, fixed, signed } from "../explain.js";

/** @typedef {import("../chart.js").Mark} Mark */
/**
 * @typedef {object} Data one environment of a rollout
 * @property {number[]} rewards
 * @property {number[]} values
 * @property {number[]} next_values
 * @property {number[]} terminated 0 or 1
 * @property {number[]} truncated 0 or 1
 * @property {[number, number]} delta_limits
 * @property {[number, number]} advantage_limits
 */

/**
 * The recursion of pgcourse/returns.py.
 * @param {number[]} deltas
 * @param {(t: number) => boolean} ends
 * @param {number} decay γλ
 * @returns {number[]}
 */
function gae(deltas, ends, decay) {
  const advantages = [...deltas];
  for (let t = deltas.length - 2; t >= 0; t--) {
    if (!ends(t)) advantages[t] += decay * advantages[t + 1];
  }
  return advantages;
}

/**
 * The chart for one position of the controls.
 * @param {Record<string, any>} values
 * @param {Data} data
 * @returns {import("../chart.js").Chart}
 */
export function figure({ gamma, gae_lambda, step }, data) {
  /** @param {number} t */
  const ended = (t) => data.terminated[t] === 1 || data.truncated[t] === 1;
  const deltas = data.rewards.map((reward, t) => (
    reward + gamma * data.next_values[t] * (1 - data.terminated[t]) - data.values[t]
  ));
  const whole = gae(deltas, ended, gamma);
  const chosen = gae(deltas, ended, gamma * gae_lambda);
  const steps = deltas.map((_, t) => t);
  const ends = steps.filter(ended);
  const end = ends.find((t) => t >= step);
  const last = end ?? deltas.length - 1;
  let weight = 1;
  const weights = steps.map((t) => {
    if (t > step) weight *= gamma * gae_lambda;
    return t < step || t > last ? 0 : weight;
  });
  const until = end === undefined ? "the end of the rollout" : `the end of the episode at step ${end}`;
  const x = { label: "", low: -1, high: steps.length };
  /** @type {Mark[]} */
  const rules = ends.map((t) => ({ kind: "rule", axis: "x", at: t + 0.5, colour: "purple", width: 2 }));
  /** @type {Mark} */
  const zero = { kind: "rule", axis: "y", at: 0, colour: "grey", width: 1 };
  return {
    panels: [
      {
        x, y: { label: "TD error δ", low: data.delta_limits[0], high: data.delta_limits[1] }, height: 120,
        marks: [
          { kind: "bars", x: steps, y: deltas, width: 0.8, colour: "pale", label: "TD error δ" },
          {
            kind: "bars", x: steps, y: deltas.map((delta, t) => weights[t] * delta), width: 0.45, colour: "vermillion",
            label: "what it counts: (γλ)ᵏ δ",
          },
          zero, ...rules,
        ],
      },
      {
        x, y: { label: "weight (γλ)ᵏ", low: 0, high: 1.08, ticks: [0, 0.5, 1] }, height: 80,
        marks: [{ kind: "bars", x: steps, y: weights, width: 0.45, colour: "vermillion" }, ...rules],
      },
      {
        x: { ...x, label: "step of the rollout" }, height: 170,
        y: { label: "advantage A", low: data.advantage_limits[0], high: data.advantage_limits[1] },
        marks: [
          zero, ...rules,
          { kind: "line", x: steps, y: deltas, colour: "blue", label: "λ = 0", dash: "6 4", width: 1.5 },
          { kind: "line", x: steps, y: whole, colour: "orange", label: "λ = 1", dash: "2 3", width: 1.5 },
          { kind: "line", x: steps, y: chosen, colour: "green", label: "your λ", width: 2.5 },
          { kind: "points", x: [step], y: [chosen[step]], colour: "vermillion", label: "your step", size: 6 },
        ],
      },
    ],
    columns: 1,
    words: `A at step ${fixed(step, 0)} is ${signed(chosen[step], 2)}: the sum of the narrow bars, up to ${until}. `
      + `The weights sum to ${fixed(weights.reduce((sum, weight) => sum + weight, 0), 1)}.`,
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
