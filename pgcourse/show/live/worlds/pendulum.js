// Pendulum-v1, the dynamics of pgcourse/envs/pendulum.py: a rod to swing up and hold with too weak a motor.

/** @typedef {import("../worlds.js").World} World */

const GRAVITY = 10; // m/s^2; mass and length are 1
const TIME_STEP = 0.05; // s
const MAX_SPEED = 8; // rad/s
const MAX_TORQUE = 2; // N m

/** The angle in [-pi, pi). @param {number} angle @returns {number} */
function wrapped(angle) {
  const turn = 2 * Math.PI;
  return ((((angle + Math.PI) % turn) + turn) % turn) - Math.PI;
}

/** @param {number} value @param {number} limit @returns {number} */
function clip(value, limit) {
  return Math.min(Math.max(value, -limit), limit);
}

/** @type {World} */
export const pendulum = {
  words: "a rod on a motor",
  stepsPerSecond: 1 / TIME_STEP,
  limit: 200,
  startSize: 2,
  actions: 0,
  high: MAX_TORQUE,
  ratio: 0.72,

  start: ([angle, speed]) => [-(1 - 2 * angle) * Math.PI, -(1 - 2 * speed)],

  step([angle, speed], action) {
    const torque = clip(action, MAX_TORQUE);
    const cost = wrapped(angle) ** 2 + 0.1 * speed ** 2 + 0.001 * torque ** 2;
    const next = clip(speed + (1.5 * GRAVITY * Math.sin(angle) + 3 * torque) * TIME_STEP, MAX_SPEED);
    return { state: [angle + next * TIME_STEP, next], reward: -cost, terminated: false };
  },

  observe: ([angle, speed]) => [Math.cos(angle), Math.sin(angle), speed],

  /** A knock on the rod's tip. */
  push: ([angle, speed], strength) => [angle, clip(speed - 2.5 * strength * Math.sign(Math.cos(angle)), MAX_SPEED)],

  effort: (action) => clip(action, MAX_TORQUE) / MAX_TORQUE,

  describe: ([angle]) => `the rod is ${((Math.abs(wrapped(angle)) * 180) / Math.PI).toFixed(0)}° from upright`,

  draw(pen, width, height, [angle], effort, colour) {
    const [x, y, length] = [width / 2, height / 2, height * 0.4];
    pen.strokeStyle = colour.line;
    pen.lineWidth = 1;
    pen.setLineDash([3, 4]);
    pen.beginPath(); // where it should stand, and the way of its tip
    pen.moveTo(x, y);
    pen.lineTo(x, y - length);
    pen.moveTo(x + length, y);
    pen.arc(x, y, length, 0, 2 * Math.PI);
    pen.stroke();
    pen.setLineDash([]);
    pen.strokeStyle = colour.agent;
    pen.lineCap = "round";
    pen.lineWidth = Math.max(length * 0.16, 6);
    pen.beginPath(); // a positive angle leans to the left, as in Gymnasium's picture
    pen.moveTo(x, y);
    pen.lineTo(x - Math.sin(angle) * length, y - Math.cos(angle) * length);
    pen.stroke();
    pen.fillStyle = colour.ink;
    pen.beginPath();
    pen.arc(x, y, Math.max(length * 0.06, 3), 0, 2 * Math.PI);
    pen.fill();
    if (Math.abs(effort) > 0.12) { // the torque: an arc from the right of the hinge, against the clock where positive
      const [radius, end] = [length * 0.45, -effort * 1.4];
      const [tipX, tipY, turn] = [x + radius * Math.cos(end), y + radius * Math.sin(end), end - (Math.sign(effort) * Math.PI) / 2];
      pen.strokeStyle = colour.accent;
      pen.lineWidth = 3;
      pen.beginPath();
      pen.arc(x, y, radius, 0, end, effort > 0);
      for (const side of [2.5, -2.5]) {
        pen.moveTo(tipX, tipY);
        pen.lineTo(tipX + 7 * Math.cos(turn + side), tipY + 7 * Math.sin(turn + side));
      }
      pen.stroke();
    }
  },
};
