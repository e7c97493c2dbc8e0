// The diagnostics of runs with a bug over those of healthy runs, one bug after the other.
import { explain, fixed } from "../explain.js";

/**
 * @typedef {{mean: number[], low: number[], high: number[]}} Curve
 * @typedef {{curves: Record<string, Curve>, x: number[], returns: number[][], middle: number[]}} Runs
 * @typedef {Runs & {healthy: string, limits: Record<string, [number, number]>, logarithmic: string[], updates: [number, number]}} Ill
 * @typedef {object} Data
 * @property {Record<string, Ill>} traps
 * @property {Record<string, Runs>} healthy
 * @property {string[]} metrics
 * @property {Record<string, string>} titles
 * @property {string} value
 * @property {string} return
 * @typedef {import("../chart.js").Mark} Mark
 */

/**
 * The chart for one position of the controls.
 * @param {Record<string, any>} values
 * @param {Data} data
 * @returns {import("../chart.js").Chart}
 */
export function figure({ trap }, data) {
  const ill = data.traps[trap];
  const healthy = data.healthy[ill.healthy];
  const runs = [
    { run: healthy, colour: "vermillion", label: "healthy", width: 3, shift: 0.15 },
    { run: ill, colour: "ink", label: "with the bug", width: 1.6, shift: -0.15 },
  ];
  /** @type {Mark[]} */
  const dots = runs.flatMap(({ run, colour, label, shift }) => run.returns.map((numbers, place) => ({
    kind: /** @type {"points"} */ ("points"), x: numbers.map(() => place + shift), y: numbers, colour, size: 2.5,
    ...(place ? {} : { label }),
  })));
  /** @param {string} metric @returns {Mark[]} */
  const curvesOf = (metric) => runs.flatMap(({ run, colour, width }) => {
    const names = metric === data.value ? [metric, data.return] : [metric];
    return names.filter((name) => name in run.curves).flatMap((name) => {
      const { mean, low, high } = run.curves[name];
      const { x } = run;
      return [
        { kind: /** @type {"area"} */ ("area"), x, low, high, colour },
        { kind: /** @type {"line"} */ ("line"), x, y: mean, colour, width, ...(name === data.value ? { dash: "5 4" } : {}) },
      ];
    });
  });
  const [low, high] = ill.limits.returns;
  return {
    panels: [
      {
        x: { label: "", low: -0.5, high: 1.5, ticks: [0, 1], names: ["in training", "held out"] },
        y: { label: "", low, high }, marks: dots, title: "return, a dot a seed", height: 120,
      },
      ...data.metrics.filter((metric) => metric in ill.limits).map((metric) => ({
        x: { label: "", low: ill.updates[0], high: ill.updates[1] },
        y: {
          label: "", low: ill.limits[metric][0], high: ill.limits[metric][1],
          ...(ill.logarithmic.includes(metric) ? { log: true } : {}),
        },
        marks: curvesOf(metric), title: data.titles[metric], height: 120,
      })),
    ],
    columns: 3,
    words: `${trap}. Return of the last 100 episodes in training: ${fixed(ill.middle[0], 0)} with the bug, `
      + `${fixed(healthy.middle[0], 0)} healthy; on held-out start states: ${fixed(ill.middle[1], 0)} and `
      + `${fixed(healthy.middle[1], 0)} (interquartile means of ten seeds).`,
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
