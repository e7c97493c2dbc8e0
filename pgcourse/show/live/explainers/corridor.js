// The short corridor: the exact return of every stochastic policy, its slope, and steps along the gradient.
import { explain, fixed, linspace, signed } from "../explain.js";

const GRID = linspace(0.03, 0.97, 160);
const REACH = 0.1; // of the tangent, to both sides
const STEP_SIZE = 0.02; // learning rate of the logit
const BEST = 2 - Math.SQRT2;

/** @param {number} p @returns {number} */
const exactValue = (p) => -(4 - 2 * p) / (p * (1 - p));
/** By the logit of p. @param {number} p @returns {number} */
const exactGradient = (p) => (2 * p * (1 - p) + (4 - 2 * p) * (1 - 2 * p)) / (p * (1 - p));

/**
 * The probabilities after 0, 1, ... steps of gradient ascent on the logit.
 * @param {number} p
 * @param {number} steps
 * @returns {number[]}
 */
function climb(p, steps) {
  const course = [p];
  let logit = Math.log(p / (1 - p));
  for (let k = 0; k < steps; k++) {
    logit += STEP_SIZE * exactGradient(course[k]);
    course.push(1 / (1 + Math.exp(-logit)));
  }
  return course;
}

/**
 * The chart for one position of the controls.
 * @param {Record<string, any>} values
 * @returns {import("../chart.js").Chart}
 */
export function figure({ p, steps }) {
  const course = climb(p, steps);
  const end = course[steps];
  const passed = course.slice(0, -1);
  const [value, gradient] = [exactValue(end), exactGradient(end)];
  const slope = gradient / (end * (1 - end));
  const near = [end - REACH, end + REACH];
  const moved = steps ? `After ${fixed(steps, 0)} steps of gradient ascent p is ${fixed(end, 3)}` : `At p = ${fixed(end, 2)}`;
  const x = { label: "probability p of going right", low: 0, high: 1 };
  return {
    panels: [
      {
        x, y: { label: "expected return", low: -80, high: 0 },
        marks: [
          { kind: "rule", axis: "x", at: BEST, colour: "grey", dash: "2 4", label: "best p" },
          { kind: "line", x: GRID, y: GRID.map(exactValue), colour: "blue" },
          { kind: "line", x: near, y: near.map((each) => value + slope * (each - end)), colour: "vermillion", label: "slope here" },
          { kind: "points", x: passed, y: passed.map(exactValue), colour: "grey", size: 3 },
          { kind: "points", x: [end], y: [value], colour: "ink", size: 6 },
        ],
      },
      {
        x, y: { label: "gradient in the logit", low: -40, high: 80 },
        marks: [
          { kind: "rule", axis: "x", at: BEST, colour: "grey", dash: "2 4" },
          { kind: "rule", axis: "y", at: 0, colour: "grey" },
          { kind: "line", x: GRID, y: GRID.map(exactGradient), colour: "vermillion" },
          { kind: "points", x: [end], y: [gradient], colour: "ink", size: 6 },
        ],
      },
    ],
    words: `${moved}: expected return ${fixed(value, 2)}, gradient ${signed(gradient, 2)}. `
      + `One more step makes right ${gradient > 0 ? "more" : "less"} likely.`,
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
