// What a discount does: three episodes with the same total reward.
import { explain, fixed } from "../explain.js";

const LENGTH = 40;
/** @type {Record<string, number[]>} */
const EPISODES = {
  "a reward each second step": Array.from({ length: LENGTH }, (_, t) => t % 2),
  "all at the end": Array.from({ length: LENGTH }, (_, t) => (t === LENGTH - 1 ? 20 : 0)),
  "a price first, then more": Array.from({ length: LENGTH }, (_, t) => (t === 0 ? -20 : 40 / (LENGTH - 1))),
};
/** @type {Record<string, [number, number]>} */
const REWARD_LIMITS = {
  "a reward each second step": [0, 1.2], "all at the end": [0, 22], "a price first, then more": [-22, 4],
};

/**
 * The chart for one position of the controls.
 * @param {Record<string, any>} values
 * @returns {import("../chart.js").Chart}
 */
export function figure({ episode, gamma, start }) {
  const rewards = EPISODES[episode];
  const steps = rewards.map((_, t) => t);
  const returns = [...rewards];
  for (let t = LENGTH - 2; t >= 0; t--) returns[t] += gamma * returns[t + 1];
  const counted = rewards.map((reward, t) => (t < start ? 0 : gamma ** (t - start) * reward));
  const horizon = gamma < 1
    ? `the weights of an endless episode sum to ${fixed(1 / (1 - gamma), 1)}`
    : "all rewards count the same";
  const x = { label: "step of the episode", low: -1, high: LENGTH };
  const [low, high] = REWARD_LIMITS[episode];
  return {
    panels: [
      {
        x, y: { label: "reward", low, high }, height: 190,
        marks: [
          { kind: "bars", x: steps, y: rewards, width: 0.8, colour: "pale", label: "reward r" },
          {
            kind: "bars", x: steps, y: counted, width: 0.45, colour: "vermillion",
            label: "what it counts from the chosen step: γᵏ r",
          },
        ],
      },
      {
        x, y: { label: "return G", low: -22, high: 22 }, height: 190,
        marks: [
          { kind: "line", x: steps, y: returns, colour: "blue", label: "return G from each step" },
          { kind: "points", x: [start], y: [returns[start]], colour: "vermillion", size: 6 },
          { kind: "rule", axis: "y", at: 0, colour: "grey" },
        ],
      },
    ],
    columns: 1,
    words: `G at step ${fixed(start, 0)} is ${fixed(returns[start], 2)}: the sum of the narrow bars. `
      + `At γ = ${fixed(gamma, 2)} ${horizon}.`,
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
