// The reader at the environment: by keyboard, with buttons on a phone. It waits for the first key, and begins slowly.
import { between, element, painter, whole } from "./canvas.js";
import { WORLDS } from "./worlds.js";

/** @typedef {{env: string, rivals: {label: string, value: number}[], low: number, high: number}} Given the ends of the score bar */

const [SLOWEST, RAMP] = [0.2, 20]; // share of true speed at first, and s until it is reached
/** @type {Record<string, (seconds: number) => number>} */
const SPEEDS = {
  "slow start": (seconds) => Math.min(1, SLOWEST + ((1 - SLOWEST) * seconds) / RAMP),
  "quarter speed": () => 0.25,
  "half speed": () => 0.5,
  "true speed": () => 1,
};
// What the two directions do; `rest` is the action without a key, null where the last one goes on.
/** @type {Record<string, {left: number, right: number, rest: number | null, names: string[], help: string, width: number}>} */
const HANDS = {
  "CartPole-v1": {
    left: 0, right: 1, rest: null, names: ["← Left", "Right →"], width: 620,
    help: "An arrow key says where the cart is pushed from then on: there is no rest.",
  },
  "Pendulum-v1": {
    left: 2, right: -2, rest: 0, names: ["↺ Left", "Right ↻"], width: 420,
    help: "The full force acts as long as you hold a key: ← against the clock, → with it.",
  },
};
/** @type {Record<string, "left" | "right">} */
const KEYS = { ArrowLeft: "left", ArrowRight: "right", a: "left", d: "right" };

/**
 * @param {HTMLElement} stage
 * @param {Given} given
 * @param {string} name of this figure in the page
 */
export function main(stage, given, name) {
  const [world, hand] = [WORLDS[given.env], HANDS[given.env]];
  const canvas = /** @type {HTMLCanvasElement} */ (element("canvas", {
    tabindex: "0", role: "application", "aria-label": `The game: ${world.words}. Left and right arrow keys.`,
  }));
  canvas.style.cssText = `display: block; width: 100%; aspect-ratio: 1 / ${world.ratio}; touch-action: pan-y`;
  const call = element("div", { class: "pg-game-call", "aria-hidden": "true" });
  call.style.cssText = "position: absolute; inset: 0; padding-top: 6px; text-align: center; pointer-events: none";
  const field = element("div", { class: "pg-game-field" }, canvas, call);
  field.style.cssText = "position: relative";
  const paint = painter(canvas, world, "blue");
  const said = element("p", { class: "pg-game-words", role: "status" }, `Press Start. ${hand.help}`);

  /** @type {"idle" | "ready" | "running" | "over"} */
  let phase = "idle";
  let [state, before, action, steps, total, best] = [middle(), middle(), hand.rest ?? 0, 0, 0, -Infinity];
  let [clock, last, began, effort] = [0, 0, 0, 0];
  let speed = SPEEDS["slow start"];

  /** @returns {number[]} what stands there before the first game */
  function middle() {
    return world.start(Array.from({ length: world.startSize }, () => 0.5));
  }
  const draw = () => {
    paint(between(before, state, clock), effort, phase === "idle" ? [] : [`step ${steps}`, `return ${whole(total)}`]);
    mine.show(phase === "idle" ? null : total);
  };
  /** @param {string} words */
  const ask = (words) => {
    call.textContent = words;
  };
  const begin = () => {
    // Another start each time: one that is always the same is learnt by heart.
    state = before = world.start(Array.from({ length: world.startSize }, Math.random));
    [steps, total, clock, effort, action] = [0, 0, 0, 0, hand.rest ?? 0];
    phase = "ready";
    start.textContent = "Stop";
    said.textContent = `Ready. The clock waits for your first ← or →. ${hand.help}`;
    ask("Press ← or → to begin");
    canvas.focus({ preventScroll: true });
    stage.scrollIntoView({ block: "nearest" });
    draw();
  };
  /** @param {string} how @param {boolean} counts as a whole episode */
  const end = (how, counts = true) => {
    phase = "over";
    if (counts) best = Math.max(best, total);
    start.textContent = "Play again";
    ask("Over");
    const rivals = given.rivals.map(({ label, value }) => `${label} ${whole(value)}`).join(", ");
    said.textContent =
      `${how} Your return is ${whole(total)} after ${steps} steps${counts ? `; your best so far: ${whole(best)}` : ""}. ` +
      `On average of 100 episodes: ${rivals}. Enter plays again.`;
    if (counts) record.show(best);
    draw();
  };
  /** @param {"left" | "right"} side */
  const press = (side) => {
    if (phase === "idle") begin();
    if (phase === "over") return;
    action = hand[side];
    if (phase !== "ready") return;
    phase = "running";
    said.textContent = "Go.";
    ask("");
    began = last = performance.now();
    requestAnimationFrame(frame);
  };
  const release = () => {
    if (hand.rest !== null) action = hand.rest;
  };
  /** @param {number} now */
  const frame = (now) => {
    if (phase !== "running" || !stage.isConnected) return;
    clock += (Math.min(now - last, 100) / 1000) * speed((now - began) / 1000) * world.stepsPerSecond;
    last = Math.max(now, last);
    for (; clock >= 1; clock -= 1) {
      before = state;
      const step = world.step(state, action);
      state = step.state;
      steps += 1;
      total += step.reward;
      effort += 0.3 * (world.effort(action) - effort);
      if (step.terminated) return end("It is over: the pole fell, or the cart left the track.");
      if (steps >= world.limit) return end("The full length: the time limit ended it.");
    }
    draw();
    requestAnimationFrame(frame);
  };

  const start = element("button", { type: "button", class: "pg-play" }, "Start");
  start.addEventListener("click", () => (phase === "ready" || phase === "running" ? end("You stopped it.", false) : begin()));
  canvas.addEventListener("keydown", (event) => {
    const side = KEYS[event.key];
    if (side) {
      if (!event.repeat) press(side);
    } else if (event.key === "Enter" && (phase === "over" || phase === "idle")) begin();
    else if (event.key === "Escape" && phase === "running") end("You stopped it.", false);
    else return;
    event.preventDefault(); // the page must not scroll
  });
  canvas.addEventListener("keyup", (event) => {
    if (KEYS[event.key] && hand[KEYS[event.key]] === action) release();
  });
  stage.addEventListener("keydown", (event) => event.stopPropagation()); // JupyterLab's own commands

  const touch = element("div", { class: "pg-controls pg-game-touch" });
  for (const [i, side] of /** @type {const} */ (["left", "right"]).entries()) {
    const button = element("button", { type: "button" }, hand.names[i]);
    button.style.cssText = "flex: 1; min-height: 44px; touch-action: none";
    button.addEventListener("pointerdown", () => press(side));
    for (const kind of ["pointerup", "pointercancel", "pointerleave"]) button.addEventListener(kind, release);
    button.addEventListener("keydown", (event) => {
      if ((event.key === " " || event.key === "Enter") && !event.repeat) press(side);
    });
    button.addEventListener("keyup", release);
    touch.append(button);
  }
  const menu = /** @type {HTMLSelectElement} */ (element("select", { id: `${name}-speed` }));
  menu.append(...Object.keys(SPEEDS).map((text) => new Option(text)));
  menu.addEventListener("input", () => {
    speed = SPEEDS[menu.value];
  });
  const choice = element("span", { class: "pg-control" }, element("label", { for: `${name}-speed` }, "Speed"), menu);

  const bars = element("div", { class: "pg-game-bars" });
  bars.style.cssText = "display: grid; grid-template-columns: auto minmax(4em, 1fr) 4.5em; gap: 0.2em 0.7em; align-items: center";
  const mine = bar("you", "blue");
  const record = bar("your best", "blue");
  for (const { label, value } of given.rivals) bar(label, "grey").show(value);

  /** @param {string} label @param {string} colour */
  function bar(label, colour) {
    const fill = element("div", {});
    fill.style.cssText = `height: 0.7em; border-radius: 2px; width: 0; background: var(--pg-${colour}, ${colour === "blue" ? "#0072b2" : "#6e7781"})`;
    const track = element("div", {}, fill);
    track.style.cssText = "border-radius: 2px; background: var(--pg-line, #d0d7de)";
    const number = element("div", {}, "–");
    number.style.cssText = "text-align: right; font-variant-numeric: tabular-nums";
    bars.append(element("div", {}, label), track, number);
    return {
      /** @param {number | null} value */
      show(value) {
        const share = value === null ? 0 : (value - given.low) / (given.high - given.low);
        fill.style.width = `${100 * Math.min(Math.max(share, 0), 1)}%`;
        const text = value === null ? "–" : whole(value);
        if (number.textContent !== text) number.textContent = text;
      },
    };
  }

  const board = element("div", { class: "pg-game" }, element("div", { class: "pg-controls" }, start, choice), field, touch, bars, said);
  board.style.cssText = `max-width: ${hand.width}px`;
  stage.append(board);
  draw();
  new ResizeObserver(draw).observe(canvas);
}
