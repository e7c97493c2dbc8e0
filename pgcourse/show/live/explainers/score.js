// A Gaussian policy that becomes sure: the score of its mean grows as it narrows, that of its width does not.
import { explain, fixed, linspace } from "../explain.js";

const GRID = linspace(-2, 2, 161);
const [FOOT, HEIGHT] = [-45, 60];
const WIDTHS = [0.05, 2];

/**
 * The chart for one position of the controls.
 * @param {Record<string, any>} values
 * @param {{noise: number[]}} data
 * @returns {import("../chart.js").Chart}
 */
export function figure({ std }, data) {
  const u = data.noise.map((noise) => std * noise);
  return {
    panels: [
      {
        x: { label: "sample minus mean, u − μ [N m]", low: -2, high: 2, ticks: [-2, -1, 0, 1, 2] },
        y: { label: "score of the mean [1 / (N m)]", low: -45, high: 45, ticks: [-40, -20, 0, 20, 40] },
        marks: [
          {
            kind: "area", x: GRID, low: GRID.map(() => FOOT), colour: "blue", label: "density, peak scaled",
            high: GRID.map((x) => FOOT + HEIGHT * Math.exp(-0.5 * (x / std) ** 2)),
          },
          { kind: "line", x: [-2, 2], y: [-2 / std ** 2, 2 / std ** 2], colour: "grey", label: "(u − μ) / σ²", width: 1 },
          { kind: "points", x: u, y: u.map((x) => x / std ** 2), colour: "vermillion", label: "samples", size: 2.5 },
        ],
      },
      {
        x: { label: "standard deviation σ [N m]", low: WIDTHS[0], high: WIDTHS[1], ticks: [0.05, 0.1, 0.2, 0.5, 1, 2], log: true },
        y: { label: "spread of the score", low: 0.4, high: 25, ticks: [0.5, 1, 2, 5, 10, 20], log: true },
        marks: [
          { kind: "line", x: WIDTHS, y: WIDTHS.map((width) => 1 / width), colour: "vermillion", label: "of the mean: 1/σ" },
          { kind: "line", x: WIDTHS, y: WIDTHS.map(() => Math.SQRT2), colour: "green", label: "of log σ: √2", dash: "6 4" },
          { kind: "points", x: [std, std], y: [1 / std, Math.SQRT2], colour: "ink", size: 5 },
        ],
      },
    ],
    words: `At σ = ${fixed(std, 2)} N m the score of the mean spreads by 1/σ = ${fixed(1 / std, 1)} per N m, `
      + "that of log σ by √2 = 1.4, as at every σ.",
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
