// Small experiments drawn from many runs: the spread of the runs beside the interval of their interquartile mean.
import { explain, fixed } from "../explain.js";

const MOST = 40;
const COLOURS = ["green", "purple"];

/**
 * @typedef {object} Data
 * @property {string[]} names of the pools
 * @property {number[][][]} runs of each pool and experiment
 * @property {number[][][]} low ends of the intervals of 2, 3, ... seeds, by pool and experiment
 * @property {number[][][]} high
 * @property {number[]} truth
 * @property {string} label
 * @property {[number, number]} limits
 * @property {number} longest
 */

/** @param {number[]} x */
const meanOf = (x) => x.reduce((sum, value) => sum + value, 0) / x.length;

/** @param {number[]} x */
function standardDeviation(x) {
  const mean = meanOf(x);
  return Math.sqrt(x.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (x.length - 1));
}

/** @param {number[]} x */
function interquartileMean(x) {
  /** @param {number} i */
  const edge = (i) => Math.min(Math.max(i / x.length, 0.25), 0.75);
  return [...x].sort((a, b) => a - b).reduce((sum, value, i) => sum + value * (edge(i + 1) - edge(i)), 0) / 0.5;
}

/**
 * The chart for one position of the controls.
 * @param {Record<string, any>} values
 * @param {Data} data
 * @returns {import("../chart.js").Chart}
 */
export function figure({ seeds: count, experiment }, data) {
  /** @type {import("../chart.js").Mark[]} */
  const marks = [];
  /** @type {import("../chart.js").Mark[]} */
  const lengths = [];
  /** @type {string[]} */
  const words = [];
  const sizes = Array.from({ length: count - 1 }, (_, i) => i + 2);
  data.names.forEach((name, place) => {
    const runs = data.runs[place][experiment - 1].slice(0, count);
    const [low, high] = [data.low, data.high].map((end) => end[place][experiment - 1].slice(0, count - 1));
    const [height, colour, truth] = [data.names.length - 1 - place, COLOURS[place], data.truth[place]];
    const mean = meanOf(runs);
    const spread = sizes.map((size) => standardDeviation(runs.slice(0, size)));
    const [widest, from, to] = [spread[count - 2], low[count - 2], high[count - 2]];
    marks.push(
      { kind: "line", x: [truth, truth], y: [height - 0.42, height + 0.42], colour, dash: "5 4" },
      { kind: "points", x: runs, y: runs.map(() => height), colour: "grey", size: 3 },
      { kind: "line", x: [mean - widest, mean + widest], y: [height - 0.2, height - 0.2], colour: "grey", width: 3 },
      { kind: "line", x: [from, to], y: [height + 0.2, height + 0.2], colour, width: 6 },
      { kind: "points", x: [interquartileMean(runs)], y: [height + 0.2], colour, size: 6 },
    );
    lengths.push(
      { kind: "line", x: sizes, y: spread.map((one) => 2 * one), colour, dash: "5 4", label: `± standard deviation, ${name}` },
      { kind: "line", x: sizes, y: high.map((end, i) => end - low[i]), colour, label: `interval, ${name}` },
    );
    words.push(`${name}: ± standard deviation is ${fixed(2 * widest, 0)} long, the interval ${fixed(to - from, 0)}; it `
      + `${from <= truth && truth <= to ? "holds" : "misses"} the value of the whole pool, ${fixed(truth, 0)}.`);
  });
  const levels = data.names.map((_, i) => i);
  return {
    panels: [
      {
        x: { label: data.label, low: data.limits[0], high: data.limits[1] },
        y: { label: "", low: -0.6, high: data.names.length - 0.4, ticks: levels, names: [...data.names].reverse() },
        marks,
      },
      {
        x: { label: "seeds of each", low: 0, high: MOST }, y: { label: "length of the bar", low: 0, high: data.longest },
        marks: lengths,
      },
    ],
    words: words.join(" "),
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
