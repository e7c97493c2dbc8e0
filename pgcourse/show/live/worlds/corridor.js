// ShortCorridor-v0, the dynamics of pgcourse/envs/corridor.py: three squares that look alike, in the second left is right.

/** @typedef {import("../worlds.js").World} World */

const NUM_SQUARES = 3;
const SWITCHED_SQUARE = 1;

/** @type {World} */
export const corridor = {
  words: "a corridor of three squares",
  stepsPerSecond: 3,
  limit: 1000,
  startSize: 1,
  actions: 2,
  high: 1,
  ratio: 0.3,

  start: () => [0],

  step([square], action) {
    const direction = (action === 1 ? 1 : -1) * (square === SWITCHED_SQUARE ? -1 : 1);
    const next = Math.max(square + direction, 0);
    return { state: [next], reward: -1, terminated: next >= NUM_SQUARES };
  },

  observe: () => [1],

  push: ([square], strength) => [Math.min(Math.max(square + Math.sign(strength), 0), NUM_SQUARES - 1)],

  effort: (action) => (action === 1 ? 1 : -1),

  describe: ([square]) => (square >= NUM_SQUARES ? "at the goal" : `in square ${Math.round(square) + 1} of ${NUM_SQUARES}`),

  draw(pen, width, height, [square], effort, colour) {
    const side = Math.min(width / (NUM_SQUARES + 1.5), height * 0.7);
    const [left, top] = [(width - side * (NUM_SQUARES + 1)) / 2, (height - side) / 2 + side * 0.1];
    pen.font = `${Math.max(side * 0.2, 11)}px system-ui, sans-serif`;
    pen.textAlign = "center";
    for (let k = 0; k <= NUM_SQUARES; k++) {
      pen.strokeStyle = colour.muted;
      pen.lineWidth = 1.5;
      pen.setLineDash(k === NUM_SQUARES ? [4, 4] : []);
      pen.strokeRect(left + k * side, top, side, side);
      pen.fillStyle = colour.muted;
      const words = k === NUM_SQUARES ? "goal" : k === SWITCHED_SQUARE ? "⇄" : "";
      pen.fillText(words, left + (k + 0.5) * side, top + side * 0.26);
    }
    pen.setLineDash([]);
    pen.fillStyle = colour.agent;
    pen.beginPath();
    pen.arc(left + (square + 0.5) * side, top + side * 0.6, side * 0.22, 0, 2 * Math.PI);
    pen.fill();
    pen.textAlign = "start";
  },
};
