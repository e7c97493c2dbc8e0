// A policy of the Pendulum in one picture: its torque in every state, and the path of one episode from any start.
import { explain, fixed, linspace, signed } from "../explain.js";
import { network } from "../policy.js";
import { pendulum } from "../worlds/pendulum.js";

/** @typedef {import("../policy.js").PolicyData} PolicyData */

const [COLUMNS, ROWS] = [61, 41];
const [STEPS, STEP] = [200, 0.05]; // s
const [FASTEST, STRONGEST, UPRIGHT, HELD] = [8, 2, 0.2, 20];
const PATH = "#111111";

/** @param {number} torque */
const limited = (torque) => Math.min(Math.max(torque, -STRONGEST), STRONGEST);

/** @typedef {{act: (state: number[]) => number, field: number[][]}} Known a policy's torque in a state, and everywhere */
/** @type {WeakMap<PolicyData, Known>} */
const known = new WeakMap();

/** @param {PolicyData} data @returns {Known} */
function know(data) {
  const before = known.get(data);
  if (before) return before;
  const outputs = network(data);
  /** @param {number[]} state */
  const act = (state) => limited(outputs(pendulum.observe(state))[0]);
  const angles = linspace(-Math.PI, Math.PI, COLUMNS);
  const field = linspace(-FASTEST, FASTEST, ROWS).map((velocity) => angles.map((angle) => act([angle, velocity])));
  known.set(data, { act, field });
  return { act, field };
}

/** Into [-π, π), as Python's remainder does. @param {number} angle */
function wrapped(angle) {
  const turn = 2 * Math.PI;
  const rest = (angle + Math.PI) % turn;
  return (rest < 0 ? rest + turn : rest) - Math.PI;
}

/**
 * The chart for one position of the controls.
 * @param {Record<string, any>} values
 * @param {{policies: Record<string, PolicyData>}} data
 * @returns {import("../chart.js").Chart}
 */
export function figure({ policy, angle, velocity }, data) {
  const { act, field } = know(data.policies[policy]);
  let state = [angle, velocity];
  let total = 0;
  const [angles, velocities, torques] = [[wrapped(angle)], [velocity], /** @type {number[]} */ ([])];
  for (let t = 0; t < STEPS; t++) {
    const torque = act(state);
    const after = pendulum.step(state, torque);
    state = after.state;
    total += after.reward;
    torques.push(torque);
    angles.push(wrapped(state[0]));
    velocities.push(state[1]);
  }
  /** @type {[number[], number[]]} */
  const path = [[], []];
  angles.forEach((here, t) => {
    if (t && Math.abs(here - angles[t - 1]) > Math.PI) path.forEach((axis) => axis.push(NaN)); // a gap: from π to -π
    path[0].push(here);
    path[1].push(velocities[t]);
  });
  const away = angles.map(Math.abs);
  let last = STEPS;
  while (last >= 0 && away[last] < UPRIGHT) last--;
  const end = last < STEPS - HELD ? `stays upright from second ${fixed((last + 1) * STEP, 1)} on` : "does not stay upright";
  const [first, final] = [0, STEPS].map((t) => ({ x: [angles[t]], y: [velocities[t]] }));
  const seconds = angles.map((_, t) => t * STEP);
  return {
    panels: [
      {
        x: {
          label: "angle [rad]", low: -Math.PI, high: Math.PI,
          ticks: [-Math.PI, -Math.PI / 2, 0, Math.PI / 2, Math.PI], names: ["−π", "−π/2", "upright", "π/2", "π"],
        },
        y: { label: "angular velocity [rad/s]", low: -FASTEST, high: FASTEST, ticks: [-8, -4, 0, 4, 8] },
        height: 260,
        marks: [
          {
            kind: "tiles", x: [-Math.PI, Math.PI], y: [-FASTEST, FASTEST], values: field, range: [-STRONGEST, STRONGEST],
            scale: "diverging", colour: "ink",
          },
          { kind: "line", x: path[0], y: path[1], colour: "#ffffff", width: 4 },
          { kind: "line", x: path[0], y: path[1], colour: PATH, width: 1.8 },
          { kind: "points", ...first, colour: "#ffffff", size: 7 },
          { kind: "points", ...first, colour: PATH, size: 5 },
          { kind: "points", ...final, colour: "#ffffff", size: 8, shape: "square" },
          { kind: "points", ...final, colour: PATH, size: 6, shape: "square" },
        ],
      },
      {
        x: { label: "time [s]", low: 0, high: STEPS * STEP, ticks: [0, 2, 4, 6, 8, 10] },
        y: { label: "angle [rad], torque [N m]", low: -2.2, high: 3.4, ticks: [-2, -1, 0, 1, 2, 3] },
        height: 260,
        marks: [
          { kind: "rule", axis: "y", at: 0, colour: "grey", width: 1 },
          { kind: "line", x: seconds.slice(0, -1), y: torques, colour: "vermillion", label: "torque", width: 1.2 },
          { kind: "line", x: seconds, y: away, colour: "ink", label: "angle from upright" },
        ],
      },
    ],
    words: `From ${signed(angle, 1)} rad at ${signed(velocity, 1)} rad/s this policy gets a return of ${fixed(total, 0)}, `
      + `and the rod ${end}.`,
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
