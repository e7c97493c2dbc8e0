// A constant is subtracted from the return: how the estimates scatter, and their variance against the constant.
import { explain, fixed, signed } from "../explain.js";

const [LOW, HIGH] = [-60, 10]; // of the constant [reward]
const [REACH, WIDTH] = [200, 10]; // of the histogram and of its bins
const TALLEST = 0.5;
const EQUAL = 0.005; // of a ratio that reads 1.00
const BINS = (2 * REACH) / WIDTH;

/** @param {number[]} numbers @returns {number} */
const sum = (numbers) => numbers.reduce((a, b) => a + b, 0);

/**
 * The chart for one position of the controls.
 * @param {Record<string, any>} values
 * @param {Record<string, {scores: number[], returns: number[], counts: number[]}>} data
 * @returns {import("../chart.js").Chart}
 */
export function figure({ p, b }, data) {
  const { scores, returns, counts } = data[p];
  const total = sum(counts);
  /** @param {number} constant @returns {[number, number]} mean and variance of the estimates */
  const spread = (constant) => {
    const estimates = scores.map((score, i) => score * (returns[i] - constant));
    const mean = sum(estimates.map((each, i) => counts[i] * each)) / total;
    return [mean, sum(estimates.map((each, i) => counts[i] * (each - mean) ** 2)) / (total - 1)];
  };
  const squares = scores.map((score, i) => counts[i] * score ** 2);
  const best = sum(squares.map((square, i) => square * returns[i])) / sum(squares);
  const meanReturn = sum(returns.map((each, i) => counts[i] * each)) / total;
  const shares = new Array(BINS).fill(0);
  scores.forEach((score, i) => {
    const bin = Math.floor((score * (returns[i] - b) + REACH) / WIDTH);
    shares[Math.min(Math.max(bin, 0), BINS - 1)] += counts[i] / total;
  });
  const [mean, variance] = spread(b);
  const [, atZero] = spread(0);
  const ratio = variance / atZero;
  const grid = Array.from({ length: HIGH - LOW + 1 }, (_, i) => LOW + i);
  const compared = Math.abs(ratio - 1) < EQUAL ? "as much as" : ratio < 1 ? "less than" : "more than";
  return {
    panels: [
      {
        x: { label: "estimate from one episode: score · (G − b)", low: -REACH, high: REACH },
        y: { label: "share of the episodes", low: 0, high: TALLEST },
        marks: [
          { kind: "bars", x: shares.map((_, i) => -REACH + (i + 0.5) * WIDTH), y: shares, width: 0.9 * WIDTH, colour: "sky" },
          { kind: "rule", axis: "x", at: mean, colour: "ink", label: "their mean" },
        ],
      },
      {
        x: { label: "constant b that is subtracted [reward]", low: LOW, high: HIGH },
        y: { label: "variance, as multiple of that at b = 0", low: 0, high: 2.5 },
        marks: [
          { kind: "line", x: grid, y: grid.map((each) => spread(each)[1] / atZero), colour: "blue" },
          { kind: "rule", axis: "x", at: meanReturn, colour: "orange", dash: "6 4", label: "mean return" },
          { kind: "rule", axis: "x", at: best, colour: "green", dash: "2 4", width: 2.5, label: "least variance" },
          { kind: "points", x: [b], y: [ratio], colour: "ink", size: 6 },
        ],
      },
    ],
    words: `b = ${fixed(b, 0)}: single estimates scatter by ${fixed(Math.sqrt(variance), 1)} around their mean `
      + `${signed(mean, 1)}. The variance is ${fixed(ratio, 2)} times that at b = 0, ${compared} without a baseline.`,
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
