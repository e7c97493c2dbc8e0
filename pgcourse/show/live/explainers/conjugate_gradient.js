// Steepest descent and conjugate gradient on one valley, from the same start.
import { explain, fixed, linspace } from "../explain.js";

/** @typedef {[number, number]} Vector */
/** @typedef {[Vector, Vector]} Matrix */
/** @type {Vector} */
const SOLUTION = [3, 1];
const LEVELS = 5;
const SMALLEST = 1e-12; // below the precision of the numbers a residual is noise
const FEW = 0.01; // of the first residual
const LONGEST = 2000; // iterations that are counted
const CIRCLE = linspace(0, 2 * Math.PI, 120);

/** @param {Vector} a @param {Vector} b */
const dot = (a, b) => a[0] * b[0] + a[1] * b[1];
/** @param {Matrix} m @param {Vector} v @returns {Vector} */
const times = (m, v) => [dot(m[0], v), dot(m[1], v)];
/** @param {Vector} a @param {number} s @param {Vector} b @returns {Vector} a + s b */
const plus = (a, s, b) => [a[0] + s * b[0], a[1] + s * b[1]];

/** Along the floor, and across it. @param {number} angle degrees @returns {[Vector, Vector]} */
function directions(angle) {
  const turn = (angle * Math.PI) / 180;
  return [[Math.cos(turn), Math.sin(turn)], [-Math.sin(turn), Math.cos(turn)]];
}

/** @param {number} condition @param {number} angle @returns {Matrix} */
function valley(condition, angle) {
  const [p, q] = directions(angle);
  /** @param {number} i @param {number} j */
  const entry = (i, j) => p[i] * p[j] + condition * q[i] * q[j];
  return [[entry(0, 0), entry(0, 1)], [entry(1, 0), entry(1, 1)]];
}

/** @param {Matrix} a @param {Vector} b @param {number} iterations @returns {Vector[]} */
function steepestDescent(a, b, iterations) {
  /** @type {Vector[]} */
  const points = [[0, 0]];
  for (let k = 0; k < iterations; k++) {
    const residual = plus(b, -1, times(a, points[k]));
    const curvature = dot(residual, times(a, residual));
    points.push(plus(points[k], curvature > 0 ? dot(residual, residual) / curvature : 0, residual));
  }
  return points;
}

/** @param {Matrix} a @param {Vector} b @param {number} iterations @returns {Vector[]} */
function conjugateGradient(a, b, iterations) {
  /** @type {Vector[]} */
  const points = [[0, 0]];
  let [residual, search, squared] = [b, b, dot(b, b)];
  const target = 1e-24 * squared;
  for (let k = 0; k < iterations; k++) {
    if (squared <= target) {
      points.push(points[k]);
      continue;
    }
    const product = times(a, search);
    const step = squared / dot(search, product);
    points.push(plus(points[k], step, search));
    residual = plus(residual, -step, product);
    const previous = squared;
    squared = dot(residual, residual);
    search = plus(residual, squared / previous, search);
  }
  return points;
}

/** @param {number} condition @param {number} angle @param {Matrix} a */
function levelLines(condition, angle, a) {
  const [p, q] = directions(angle);
  const reach = Math.sqrt(dot(SOLUTION, times(a, SOLUTION)));
  return Array.from({ length: LEVELS }, (_, k) => [0, 1].map((i) => CIRCLE.map((t) => (
    SOLUTION[i] + ((reach * (k + 1)) / LEVELS) * (p[i] * Math.cos(t) + (q[i] * Math.sin(t)) / Math.sqrt(condition))
  ))));
}

/** Of steepest descent, then of conjugate gradient. @param {number} condition @param {number} angle */
function iterationsUntilFew(condition, angle) {
  const [p, q] = directions(angle);
  let [along, across] = [dot(SOLUTION, p), condition * dot(SOLUTION, q)];
  const start = along ** 2 + across ** 2;
  let count = 0;
  while (along ** 2 + across ** 2 >= FEW ** 2 * start && count < LONGEST) {
    const step = (along ** 2 + across ** 2) / (along ** 2 + condition * across ** 2);
    [along, across] = [along * (1 - step), across * (1 - step * condition)];
    count += 1;
  }
  return [count, Math.min(count, 2)];
}

/**
 * The chart for one position of the controls.
 * @param {Record<string, any>} values
 * @returns {import("../chart.js").Chart}
 */
export function figure({ condition, angle, iterations }) {
  const a = valley(condition, angle);
  const b = times(a, SOLUTION);
  const walks = [steepestDescent(a, b, iterations), conjugateGradient(a, b, iterations)];
  const left = walks.map((walk) => walk.map((x) => {
    const residual = plus(b, -1, times(a, x));
    return Math.max(Math.sqrt(dot(residual, residual) / dot(b, b)), SMALLEST);
  }));
  const counts = walks[0].map((_, k) => k);
  const looks = [
    { label: "steepest descent", colour: "blue", shape: /** @type {"square"} */ ("square") },
    { label: "conjugate gradient", colour: "vermillion" },
  ];
  const [descent, conjugate] = walks.map((walk) => Math.hypot(...plus(SOLUTION, -1, walk[iterations])));
  const needed = iterationsUntilFew(condition, angle);
  /** @type {import("../chart.js").Mark[]} */
  const lines = walks.map((walk, i) => ({
    kind: "line", x: walk.map((x) => x[0]), y: walk.map((x) => x[1]), colour: looks[i].colour, label: looks[i].label,
  }));
  /** @param {number[]} x @param {number[]} y @param {number} i @returns {import("../chart.js").Mark} */
  const dots = (x, y, i) => ({
    kind: "points", x, y, colour: looks[i].colour, size: 3.5, ...(looks[i].shape ? { shape: looks[i].shape } : {}),
  });
  return {
    panels: [
      {
        x: { label: "x₁", low: -0.6, high: 3.8 }, y: { label: "x₂", low: -1.4, high: 2.4 }, aspect: "equal",
        marks: [
          ...levelLines(condition, angle, a).map(([x, y]) => (
            { kind: /** @type {"line"} */ ("line"), x, y, colour: "pale", width: 1 }
          )),
          ...lines,
          ...walks.map((walk, i) => dots(walk.map((x) => x[0]), walk.map((x) => x[1]), i)),
          { kind: "points", x: [SOLUTION[0]], y: [SOLUTION[1]], colour: "ink", size: 7, hollow: true, label: "solution" },
        ],
      },
      {
        x: { label: "iterations", low: 0, high: 20 },
        y: { label: "‖b − A x‖ / ‖b‖", low: SMALLEST / 3, high: 10, log: true },
        height: 290,
        marks: [
          { kind: "rule", axis: "y", at: FEW, colour: "grey", dash: "2 4", label: "a hundredth" },
          ...left.map((y, i) => ({ kind: /** @type {"line"} */ ("line"), x: counts, y, colour: looks[i].colour })),
          ...left.map((y, i) => dots(counts, y, i)),
        ],
      },
    ],
    words: `Iterations until the residual is below a hundredth of the first: steepest descent ${needed[0]}, conjugate `
      + `gradient ${needed[1]}. After ${fixed(iterations, 0)}, steepest descent is ${fixed(descent, 3)} away from the `
      + `solution, conjugate gradient ${fixed(conjugate, 3)}.`,
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
