// The same divergence from a Gaussian policy: its true region, the ellipse that models it, and two steps to its edge.
import { explain, fixed, linspace } from "../explain.js";

const BEST_ACTION = 1;
const POINTS = 120; // of half an edge
const BISECTIONS = 60;
const ACTIONS = linspace(-4, 5, 181);

/** @typedef {[number, number]} Step change of the mean, change of log std */

/** The change of log std alone, upwards (side 1) or downwards, that costs maxKl. @param {number} maxKl @param {number} side */
function root(maxKl, side) {
  let [near, far] = [0, 3 * side];
  for (let i = 0; i < BISECTIONS; i++) {
    const middle = (near + far) / 2;
    if (Math.exp(2 * middle) * (2 * maxKl + 1 - 2 * middle) > 1) near = middle;
    else far = middle;
  }
  return near;
}

/** All changes that cost exactly maxKl. @param {number} std @param {number} maxKl */
function region(std, maxKl) {
  const [low, high] = [root(maxKl, -1), root(maxKl, 1)];
  const s = linspace(0, Math.PI, POINTS).map((turn) => (low + high) / 2 - ((high - low) / 2) * Math.cos(turn));
  const m = s.map((v) => std * Math.sqrt(Math.max(Math.exp(2 * v) * (2 * maxKl + 1 - 2 * v) - 1, 0)));
  return { mean: [...m, ...m.map((v) => -v).reverse()], logStd: [...s, ...[...s].reverse()] };
}

/** KL(N(0, std) || N(mean, std e^change)) in nats. @param {number} std @param {Step} step */
function gaussianKl(std, [mean, change]) {
  return change + (std ** 2 + mean ** 2) / (2 * std ** 2 * Math.exp(2 * change)) - 0.5;
}

/** Scaled to ½ xᵀFx = maxKl. @param {Step} x @param {number} std @param {number} maxKl @returns {Step} */
function toTheEdge([mean, logStd], std, maxKl) {
  const length = Math.sqrt((2 * maxKl) / (mean ** 2 / std ** 2 + 2 * logStd ** 2));
  return [mean * length, logStd * length];
}

/** @param {number} mean @param {number} std */
function density(mean, std) {
  return ACTIONS.map((a) => Math.exp(-0.5 * ((a - mean) / std) ** 2) / (std * Math.sqrt(2 * Math.PI)));
}

/** Mean squared distance from the best action. @param {number} mean @param {number} std */
function distance(mean, std) {
  return (mean - BEST_ACTION) ** 2 + std ** 2;
}

/**
 * The chart for one position of the controls.
 * @param {Record<string, any>} values
 * @returns {import("../chart.js").Chart}
 */
export function figure({ std, max_kl: maxKl }) {
  const edge = region(std, maxKl);
  const turn = linspace(0, 2 * Math.PI, 2 * POINTS);
  const [halfMean, halfLogStd] = [std * Math.sqrt(2 * maxKl), Math.sqrt(maxKl)];
  const gain = [2 * BEST_ACTION, -2 * std ** 2];
  const plain = toTheEdge([gain[0], gain[1]], std, maxKl);
  const natural = toTheEdge([gain[0] * std ** 2, gain[1] / 2], std, maxKl); // F⁻¹ g
  const along = [-gain[1], gain[0]].map((v) => (10 * v) / Math.hypot(gain[0], gain[1]));
  const [plainStd, naturalStd] = [std * Math.exp(plain[1]), std * Math.exp(natural[1])];
  const cosine = (plain[0] * natural[0] + plain[1] * natural[1]) / Math.hypot(...plain) / Math.hypot(...natural);
  const angle = (Math.acos(Math.min(1, cosine)) * 180) / Math.PI;
  return {
    panels: [
      {
        x: { label: "change of the mean", low: -1.4, high: 2.4 },
        y: { label: "change of log std", low: -1, high: 1 },
        marks: [
          { kind: "line", x: edge.mean, y: edge.logStd, colour: "ink", label: "KL is max_kl" },
          {
            kind: "line", x: turn.map((t) => halfMean * Math.cos(t)), y: turn.map((t) => halfLogStd * Math.sin(t)),
            colour: "grey", dash: "5 4", label: "its quadratic model",
          },
          {
            kind: "line", x: [natural[0] - along[0], natural[0] + along[0]], y: [natural[1] - along[1], natural[1] + along[1]],
            colour: "green", width: 1, label: "equal gain, linear model",
          },
          { kind: "arrow", x: [0, plain[0]], y: [0, plain[1]], colour: "blue", width: 2.5, label: "gradient" },
          {
            kind: "arrow", x: [0, natural[0]], y: [0, natural[1]], colour: "vermillion", width: 2.5, label: "natural gradient",
          },
        ],
        aspect: "equal",
      },
      {
        x: { label: "action", low: -4, high: 5 }, y: { label: "density", low: 0, high: 1.25 }, height: 205,
        marks: [
          { kind: "rule", axis: "x", at: BEST_ACTION, colour: "ink", width: 1, label: "best action" },
          { kind: "line", x: ACTIONS, y: density(0, std), colour: "grey", dash: "5 4", label: "old policy" },
          { kind: "line", x: ACTIONS, y: density(plain[0], plainStd), colour: "blue", label: "after the gradient" },
          {
            kind: "line", x: ACTIONS, y: density(natural[0], naturalStd), colour: "vermillion",
            label: "after the natural gradient",
          },
        ],
      },
    ],
    words: `Mean squared distance of an action from the best one: ${fixed(distance(0, std), 2)} before, `
      + `${fixed(distance(plain[0], plainStd), 2)} after the gradient, `
      + `${fixed(distance(natural[0], naturalStd), 2)} after the natural gradient. Both steps end on the ellipse; their `
      + `true KL is ${fixed(gaussianKl(std, plain), 3)} and ${fixed(gaussianKl(std, natural), 3)}. `
      + `The angle between them is ${fixed(angle, 0)}°.`,
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
