// The learning curve of one run, as figure() of share.py makes it.
import { explain } from "./explain.js";

/** @typedef {import("./chart.js").Chart} Chart */
/**
 * @typedef {{x: number[], returns: number[], smooth: number[], low: number, high: number, count: number, window: number, first: string,
 *   last: string}} Data
 */

/**
 * @param {Record<string, any>} _values there are no controls
 * @param {Data} data
 * @returns {Chart}
 */
export function figure(_values, data) {
  return {
    panels: [{
      x: { label: "episode", low: 0, high: data.count },
      y: { label: "return", low: data.low, high: data.high },
      marks: [
        { kind: "points", colour: "pale", label: "an episode", x: data.x, y: data.returns, size: 2 },
        { kind: "line", colour: "blue", label: `mean of the last ${data.window}`, x: data.x, y: data.smooth },
      ],
      height: 260,
    }],
    words: `From ${data.first} in the first episode to ${data.last} on average of the last ${data.window}.`,
  };
}

/** @param {HTMLElement} stage @param {{controls: [], data: Data}} given @param {string} name */
export function main(stage, given, name) {
  explain(stage, given, figure, name);
}
