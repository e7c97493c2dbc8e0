// CartPole-v1, the dynamics of pgcourse/envs/cartpole.py: a pole on a cart that is pushed left or right.

/** @typedef {import("../worlds.js").World} World */

const GRAVITY = 9.8; // m/s^2
const [CART_MASS, POLE_MASS] = [1.0, 0.1]; // kg
const TOTAL_MASS = CART_MASS + POLE_MASS;
const HALF_LENGTH = 0.5; // m, half of the pole
const FORCE = 10; // N
const TIME_STEP = 0.02; // s
const POSITION_LIMIT = 2.4; // m
const ANGLE_LIMIT = (12 * 2 * Math.PI) / 360; // rad
const HALF_VIEW = 2.7; // m to either side of the middle

/** @type {World} */
export const cartpole = {
  words: "a cart with a pole",
  stepsPerSecond: 1 / TIME_STEP,
  limit: 500,
  startSize: 4,
  actions: 2,
  high: 1,
  ratio: 0.4,

  start: (numbers) => numbers.map((u) => u * 0.1 - 0.05),

  step([position, velocity, angle, turning], action) {
    const [sine, cosine] = [Math.sin(angle), Math.cos(angle)];
    const push = ((action === 1 ? FORCE : -FORCE) + POLE_MASS * HALF_LENGTH * turning ** 2 * sine) / TOTAL_MASS;
    const inertia = HALF_LENGTH * (4 / 3 - (POLE_MASS * cosine ** 2) / TOTAL_MASS);
    const angular = (GRAVITY * sine - push * cosine) / inertia;
    const acceleration = push - (POLE_MASS * HALF_LENGTH * angular * cosine) / TOTAL_MASS;
    const state = [
      position + TIME_STEP * velocity, velocity + TIME_STEP * acceleration, angle + TIME_STEP * turning,
      turning + TIME_STEP * angular,
    ];
    return { state, reward: 1, terminated: Math.abs(state[0]) > POSITION_LIMIT || Math.abs(state[2]) > ANGLE_LIMIT };
  },

  observe: (state) => state,

  /** A knock on the cart: it is faster at once, and the pole leans against the movement. */
  push: ([position, velocity, angle, turning], strength) => [position, velocity + 0.5 * strength, angle, turning - 0.4 * strength],

  effort: (action) => (action === 1 ? 1 : -1),

  describe: ([position, , angle]) =>
    `the cart is ${Math.abs(position).toFixed(1)} m ${position < 0 ? "left" : "right"} of the middle, the pole leans ` +
    `${((Math.abs(angle) * 180) / Math.PI).toFixed(0)}° to the ${angle < 0 ? "left" : "right"}`,

  draw(pen, width, height, [position, , angle], effort, colour) {
    const scale = width / (2 * HALF_VIEW);
    const ground = height - 0.35 * scale;
    const x = width / 2 + position * scale;
    const [wide, tall, length] = [0.62 * scale, 0.3 * scale, 2 * HALF_LENGTH * scale];
    pen.strokeStyle = colour.line;
    pen.lineWidth = 2;
    pen.beginPath(); // the track, to the limits
    for (const end of [-POSITION_LIMIT, POSITION_LIMIT]) {
      pen.moveTo(width / 2 + end * scale, ground - 0.28 * scale);
      pen.lineTo(width / 2 + end * scale, ground + 0.12 * scale);
    }
    pen.moveTo(width / 2 - POSITION_LIMIT * scale, ground);
    pen.lineTo(width / 2 + POSITION_LIMIT * scale, ground);
    pen.stroke();
    const hinge = ground - tall;
    pen.lineWidth = 1;
    pen.setLineDash([3, 4]);
    pen.beginPath(); // how far the pole may lean
    for (const side of [-ANGLE_LIMIT, ANGLE_LIMIT]) {
      pen.moveTo(x, hinge);
      pen.lineTo(x + Math.sin(side) * length, hinge - Math.cos(side) * length);
    }
    pen.stroke();
    pen.setLineDash([]);
    pen.fillStyle = colour.ink;
    pen.beginPath();
    pen.roundRect(x - wide / 2, ground - tall, wide, tall, 3);
    pen.fill();
    pen.strokeStyle = colour.agent;
    pen.lineWidth = Math.max(0.11 * scale, 4);
    pen.lineCap = "round";
    pen.beginPath();
    pen.moveTo(x, hinge);
    pen.lineTo(x + Math.sin(angle) * length, hinge - Math.cos(angle) * length);
    pen.stroke();
    pen.fillStyle = colour.paper;
    pen.beginPath();
    pen.arc(x, hinge + 0.1 * scale, 0.055 * scale, 0, 2 * Math.PI);
    pen.fill();
    if (Math.abs(effort) > 0.12) { // the mean push of the last steps, behind the cart
      const from = x - (Math.sign(effort) * wide) / 2 - effort * 0.6 * scale;
      const to = x - Math.sign(effort) * (wide / 2 + 3);
      pen.strokeStyle = colour.accent;
      pen.lineWidth = 3;
      pen.beginPath();
      pen.moveTo(from, ground - tall / 2);
      pen.lineTo(to, ground - tall / 2);
      pen.moveTo(to - Math.sign(effort) * 5, ground - tall / 2 - 5);
      pen.lineTo(to, ground - tall / 2);
      pen.lineTo(to - Math.sign(effort) * 5, ground - tall / 2 + 5);
      pen.stroke();
    }
  },
};
