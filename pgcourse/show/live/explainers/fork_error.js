// Bias against noise of an advantage whose truth is known, at the fork of the long corridor, for every λ.
import { explain, fixed } from "../explain.js";

const HIGHEST = 2;

/** The place of the smallest number, the first of several. @param {number[]} numbers */
const least = (numbers) => numbers.indexOf(Math.min(...numbers));

/**
 * The chart for one position of the controls.
 * @param {Record<string, any>} values
 * @param {{lambdas: number[], critics: Record<string, {bias: number[], noise: number[]}>}} data
 * @returns {import("../chart.js").Chart}
 */
export function figure({ gae_lambda, episodes, updates }, data) {
  const known = data.critics[updates];
  const bias = known.bias.map(Math.abs);
  const noise = known.noise.map((one) => Math.sqrt(4 / Number(episodes)) * one);
  const error = bias.map((size, i) => Math.sqrt(size ** 2 + noise[i] ** 2));
  const here = least(data.lambdas.map((one) => Math.abs(one - gae_lambda)));
  const best = least(error);
  const x = data.lambdas;
  return {
    panels: [{
      x: { label: "λ", low: -0.02, high: 1.02, ticks: [0, 0.2, 0.4, 0.6, 0.8, 1] },
      y: { label: "error [reward]", low: 0, high: HIGHEST, ticks: [0, 0.5, 1, 1.5, 2] },
      height: 270,
      marks: [
        { kind: "rule", axis: "y", at: 1, colour: "grey", label: "the effect to be seen", dash: "2 3" },
        { kind: "line", x, y: bias, colour: "vermillion", label: "size of the bias", dash: "6 4" },
        { kind: "line", x, y: noise, colour: "blue", label: "noise", dash: "8 3 2 3" },
        { kind: "line", x, y: error, colour: "ink", label: "error: both together", width: 2.5 },
        { kind: "points", x: [x[best]], y: [error[best]], colour: "green", label: "the least error", size: 6, shape: "square" },
        { kind: "points", x: [x[here]], y: [error[here]], colour: "ink", label: "your λ", size: 6 },
      ],
    }],
    words: `Averaged over ${episodes} episodes, the advantage at λ = ${fixed(x[here], 2)} is off by ${fixed(error[here], 2)}: `
      + `bias ${fixed(bias[here], 2)}, noise ${fixed(noise[here], 2)}. The least error is ${fixed(error[best], 2)}, `
      + `at λ = ${fixed(x[best], 2)}.`,
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
