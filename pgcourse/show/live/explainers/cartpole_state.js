// One state of CartPole: the cart, what critic and policy say of it, and their maps over angle and angular velocity.
import { explain, fixed, linspace } from "../explain.js";
import { network } from "../policy.js";

const CELLS = 21; // along each axis of a map
const FASTEST = 1.5; // rad/s, at the edge of the map
const STEEPEST = 12; // degrees
const SWEEP = 49; // angles of the curves
const TOP_VALUE = 100;
const POLE = 1; // m, its length in the picture
const SHOWN = 0.05; // slower than this has no arrow
const ANGLES = linspace(-STEEPEST * (1 - 1 / CELLS), STEEPEST * (1 - 1 / CELLS), CELLS);
const SPEEDS = linspace(-FASTEST * (1 - 1 / CELLS), FASTEST * (1 - 1 / CELLS), CELLS);

/**
 * @typedef {{value: (obs: number[]) => number, right: (obs: number[]) => number}} Networks
 * @typedef {{values: number[][], right: number[][]}} Maps rows of equal angular velocity
 */
/** @type {WeakMap<object, Networks & {maps: Map<string, Maps>}>} what was computed, by agent */
const known = new WeakMap();

/** @param {any} agent */
function networksOf(agent) {
  let found = known.get(agent);
  if (!found) {
    const [critic, policy] = [network(agent.critic), network(agent.policy)];
    found = {
      value: (obs) => critic(obs)[0],
      right: (obs) => {
        const [left, right] = policy(obs);
        return 1 / (1 + Math.exp(left - right));
      },
      maps: new Map(),
    };
    known.set(agent, found);
  }
  return found;
}

/** @param {number} degrees @returns {number} */
const radians = (degrees) => (degrees * Math.PI) / 180;

/** Kept: only position and velocity of the cart change them. @param {any} agent @param {number} position @param {number} velocity */
function mapsOf(agent, position, velocity) {
  const { value, right, maps } = networksOf(agent);
  const key = `${position} ${velocity}`;
  let found = maps.get(key);
  if (!found) {
    /** @param {(obs: number[]) => number} what */
    const over = (what) => SPEEDS.map((speed) => ANGLES.map((angle) => what([position, velocity, radians(angle), speed])));
    found = { values: over(value), right: over(right) };
    if (maps.size > 50) maps.clear();
    maps.set(key, found);
  }
  return found;
}

/** At each angle the angular velocity at which the probability first crosses one half. @param {number[][]} rows @returns {number[]} */
function undecided(rows) {
  return ANGLES.map((_, j) => {
    const i = SPEEDS.findIndex((_speed, k) => k + 1 < CELLS && rows[k][j] < 0.5 !== rows[k + 1][j] < 0.5);
    const share = i < 0 ? NaN : (0.5 - rows[i][j]) / (rows[i + 1][j] - rows[i][j]);
    return i < 0 ? NaN : SPEEDS[i] + share * (SPEEDS[i + 1] - SPEEDS[i]);
  });
}

/**
 * The chart for one position of the controls.
 * @param {Record<string, any>} values
 * @param {Record<string, any>} data
 * @returns {import("../chart.js").Chart}
 */
export function figure({ agent, position, velocity, angle, angular_velocity: turn }, data) {
  const chosen = data[agent];
  const { value, right } = networksOf(chosen);
  const maps = mapsOf(chosen, position, velocity);
  const sweep = linspace(-STEEPEST, STEEPEST, SWEEP);
  /** @param {number} degrees */
  const at = (degrees) => [position, velocity, radians(degrees), turn];
  const [here, push] = [value(at(angle)), right(at(angle))];
  const tip = [position + POLE * Math.sin(radians(angle)), POLE * Math.cos(radians(angle))];
  /** @type {import("../chart.js").Mark[]} */
  const arrows = [[position, -0.3, velocity], [tip[0], tip[1], turn]]
    .filter(([, , speed]) => Math.abs(speed) > SHOWN)
    .map(([x, y, speed]) => ({ kind: "arrow", x: [x, x + 0.5 * speed], y: [y, y], colour: "blue" }));
  const leaning = { label: "pole angle [degrees]", low: -STEEPEST, high: STEEPEST };
  const turning = { label: "angular velocity [rad/s]", low: -FASTEST, high: FASTEST };
  const ends = { x: [-STEEPEST, STEEPEST], y: [-FASTEST, FASTEST] };
  /** On the maps, whose colours are those of both themes. @type {import("../chart.js").Mark[]} */
  const above = [
    { kind: "points", x: chosen.angles, y: chosen.speeds, size: 1.2, colour: "#555555" },
    { kind: "line", x: ANGLES, y: undecided(maps.right), colour: "#111111" },
    { kind: "points", x: [angle], y: [turn], size: 7, colour: "#111111" },
    { kind: "points", x: [angle], y: [turn], size: 4, colour: "#ffffff" },
  ];
  return {
    panels: [
      {
        title: "the cart; arrows are velocities", aspect: "equal",
        x: { label: "position [m]", low: -2.9, high: 2.9 }, y: { label: "", low: -1, high: 2.4, ticks: [] },
        marks: [
          { kind: "line", x: [-2.4, 2.4], y: [0, 0], width: 1, colour: "grey" },
          { kind: "bars", x: [position], y: [0.12], base: -0.12, width: 0.5, colour: "ink" },
          { kind: "line", x: [position, tip[0]], y: [0, tip[1]], width: 6, colour: "orange" },
          ...arrows,
        ],
      },
      {
        title: "as the pole tilts",
        x: leaning, y: { label: "", low: 0, high: 1.2 },
        marks: [
          { kind: "line", x: sweep, y: sweep.map((each) => value(at(each)) / TOP_VALUE), colour: "ink", label: `V(s) / ${TOP_VALUE}` },
          { kind: "line", x: sweep, y: sweep.map((each) => right(at(each))), colour: "vermillion", dash: "6 4", label: "probability of right" },
          { kind: "rule", axis: "x", at: angle, colour: "grey", dash: "2 4" },
          { kind: "points", x: [angle, angle], y: [here / TOP_VALUE, push], size: 5, colour: "grey" },
        ],
      },
      {
        title: `V(s), from 0 (dark) to ${TOP_VALUE} (bright)`, x: leaning, y: turning,
        marks: [{ kind: "tiles", ...ends, values: maps.values, range: [0, TOP_VALUE], scale: "sequential", colour: "ink" }, ...above],
      },
      {
        title: "the push: left (blue) or right (orange)", x: leaning, y: turning,
        marks: [{ kind: "tiles", ...ends, values: maps.right, range: [0, 1], scale: "diverging", colour: "ink" }, ...above],
      },
    ],
    columns: 2,
    words: `In this state V(s) = ${fixed(here, 1)}, and the policy pushes right with probability ${fixed(push, 2)}.`,
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
