// What each fault does to an outcome, and each set of faults together: seeds, interquartile mean and interval.
import { explain, signed } from "../explain.js";

/**
 * @typedef {{name: string, single: boolean, seeds: number[], low: number, high: number, mean: number}} Row
 * @typedef {{rows: Row[], limit: number, label: string, digits: number}} Outcome
 */

/**
 * The chart for one position of the controls.
 * @param {Record<string, any>} values
 * @param {Record<string, Outcome>} data
 * @returns {import("../chart.js").Chart}
 */
export function figure({ outcome }, data) {
  const { rows, limit, label, digits } = data[outcome];
  /** @param {Row} row */
  const nothing = (row) => row.low <= 0 && row.high >= 0;
  const told = rows.filter((row) => !nothing(row)).map((row) => `${row.name} ${signed(row.mean, digits)}`);
  /** @type {import("../chart.js").Mark[]} */
  const marks = rows.flatMap((row, place) => {
    const [y, colour] = [rows.length - 1 - place, row.single ? "blue" : "grey"];
    return [
      { kind: /** @type {"points"} */ ("points"), x: row.seeds, y: row.seeds.map(() => y), colour: "pale", size: 2.5 },
      { kind: /** @type {"line"} */ ("line"), x: [row.low, row.high], y: [y, y], colour, width: 4 },
      {
        kind: /** @type {"points"} */ ("points"), x: [row.mean], y: [y], colour, size: 5,
        ...(nothing(row) ? { hollow: true } : {}),
      },
    ];
  });
  return {
    panels: [{
      x: { label, low: -limit, high: limit },
      y: {
        label: "", low: -0.6, high: rows.length - 0.4, ticks: rows.map((_, i) => i), names: rows.map((row) => row.name).reverse(),
      },
      marks: [{ kind: "rule", axis: "x", at: 0, colour: "grey", dash: "2 4" }, ...marks],
      height: 30 + 26 * rows.length,
    }],
    words: told.length ? `Told from nothing, ${told.length} of ${rows.length}: ${told.join(", ")}.` : "None is told from nothing.",
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
