// Agents at work side by side, at the environment's own speed. They can be stopped, begun again, and pushed.
import { actor } from "./policy.js";
import { between, element, painter, whole } from "./canvas.js";
import { WORLDS, uniform } from "./worlds.js";

/** @typedef {import("./policy.js").PolicyData} PolicyData */
/** @typedef {import("./worlds.js").State} State */
/** @typedef {import("./worlds.js").World} World */
/**
 * @typedef {{title: string, policy: PolicyData | null, colour: string}} AgentData a policy of null acts at random
 * @typedef {{env: string, seed: string, agents: AgentData[]}} Given seed: of the start states, the same for all agents
 */

const REST = 1; // s that a finished episode is seen before the next one begins
const SMOOTH = 0.15; // how fast the arrow of the push follows the actions
const NEWS = 1000; // ms between two changes of the words below a picture
const SPEEDS = { "quarter speed": 0.25, "half speed": 0.5, "true speed": 1, "double speed": 2 };

const RANDOM_STREAM = 1_000_000; // where the random agent's numbers begin, behind those of the start states

/** One agent in its own copy of the environment, episode after episode. */
export class Agent {
  episode = 0;
  /** @type {number[]} */
  finished = []; // returns of the episodes before this one
  /** @type {State} */
  state = [];
  /** @type {State} */
  before = []; // the state one step ago
  steps = 0;
  total = 0;
  effort = 0; // mean of the last actions, from -1 to 1
  waiting = 0; // s since the end of the episode
  over = false;

  /** @param {World} world @param {AgentData} data @param {string} seed */
  constructor(world, data, seed) {
    const choose = data.policy ? actor(data.policy) : null;
    this.world = world;
    this.title = data.title;
    this.seed = seed;
    /** @type {() => number} */
    this.choose = choose ? () => choose(world.observe(this.state)) : () => this.atRandom();
    this.restart();
  }

  /** Begin again at the first episode. */
  restart() {
    this.episode = 0;
    this.finished = [];
    this.begin();
  }

  begin() {
    const { world } = this;
    this.state = world.start(uniform(this.seed, this.episode, world.startSize));
    this.before = this.state;
    [this.steps, this.total, this.effort, this.waiting] = [0, 0, 0, 0];
    this.over = false;
  }

  /** @returns {number} */
  atRandom() {
    const { actions, high, limit } = this.world;
    const [u] = uniform(this.seed, RANDOM_STREAM + this.episode * limit + this.steps, 1);
    return actions ? Math.floor(u * actions) : high * (2 * u - 1);
  }

  /** One step of the environment, or of the rest between two episodes. */
  tick() {
    const { world } = this;
    this.before = this.state;
    if (this.over) {
      this.waiting += 1 / world.stepsPerSecond;
      if (this.waiting >= REST) {
        this.episode += 1;
        this.begin();
      }
      return;
    }
    const action = this.choose();
    const { state, reward, terminated } = world.step(this.state, action);
    this.state = state;
    this.steps += 1;
    this.total += reward;
    this.effort += SMOOTH * (world.effort(action) - this.effort);
    if (terminated || this.steps >= world.limit) {
      this.over = true;
      this.effort = 0;
      this.finished.push(this.total);
    }
  }

  /** @param {number} strength positive to the right */
  push(strength) {
    if (!this.over) this.state = this.world.push(this.state, strength);
  }

  /** @returns {string[]} */
  get now() {
    return [`step ${this.steps}`, `return ${whole(this.total)}`, ...(this.over ? ["over"] : [])];
  }

  /** @returns {string} */
  get soFar() {
    const count = this.finished.length;
    const mean = this.finished.reduce((sum, value) => sum + value, 0) / count;
    return count ? `episodes so far: ${count}, mean return ${whole(mean)}` : "first episode";
  }
}

/**
 * @param {HTMLElement} stage
 * @param {Given} given
 * @param {string} name of this figure in the page
 */
export function main(stage, given, name) {
  const world = WORLDS[given.env];
  const agents = given.agents.map((data) => new Agent(world, data, given.seed));
  const grid = element("div", { class: "pg-agents" }); // laid out here: a notebook may have no stylesheet
  grid.style.cssText = "display: grid; grid-template-columns: repeat(auto-fit, minmax(min(210px, 100%), 1fr)); gap: 0.75em 1em";
  const places = agents.map((agent, i) => {
    const canvas = /** @type {HTMLCanvasElement} */ (element("canvas", { role: "img" }));
    canvas.style.cssText = `display: block; width: 100%; aspect-ratio: 1 / ${world.ratio}; cursor: pointer; touch-action: pan-y`;
    const words = element("div", { class: "pg-agent-words", "aria-live": "off" });
    grid.append(element("div", { class: "pg-agent" }, element("div", { class: "pg-panel-title" }, agent.title), canvas, words));
    pushedByHand(canvas, agent, () => draw());
    return { agent, canvas, words, paint: painter(canvas, world, given.agents[i].colour) };
  });
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  let [wanted, seen, clock, speed, last, told, awake] = [!still, false, 0, 1, 0, 0, false];

  const draw = () => {
    for (const { agent, paint } of places) paint(between(agent.before, agent.state, clock), agent.effort, agent.now);
  };
  const tell = () => {
    for (const { agent, canvas, words } of places) {
      if (words.textContent !== agent.soFar) words.textContent = agent.soFar;
      canvas.setAttribute("aria-label", `${agent.title}: ${world.words}; ${world.describe(agent.state)}; ${agent.now.join(", ")}`);
    }
  };
  /** @param {number} now */
  const frame = (now) => {
    awake = wanted && seen && stage.isConnected;
    if (!awake) return;
    clock += (Math.min(now - last, 100) / 1000) * speed * world.stepsPerSecond;
    last = now;
    for (; clock >= 1; clock -= 1) for (const { agent } of places) agent.tick();
    draw();
    if (now - told > NEWS) {
      told = now;
      tell();
    }
    requestAnimationFrame(frame);
  };
  const wake = () => {
    if (awake || !wanted || !seen) return;
    awake = true;
    last = performance.now();
    requestAnimationFrame(frame);
  };

  const play = /** @type {HTMLButtonElement} */ (element("button", { type: "button", class: "pg-play" }));
  const said = element("p", { class: "pg-unseen", role: "status" });
  said.style.cssText = "position: absolute; width: 1px; height: 1px; margin: 0; overflow: hidden; clip-path: inset(50%)";
  const label = () => {
    play.textContent = wanted ? "Pause" : "Play";
  };
  play.addEventListener("click", () => {
    wanted = !wanted;
    label();
    tell();
    said.textContent = wanted ? "" : `Paused. ${agents.map((agent) => `${agent.title}: ${agent.now.join(", ")}, ${agent.soFar}`).join(". ")}.`;
    wake();
  });
  label();
  const again = element("button", { type: "button" }, "Restart");
  again.addEventListener("click", () => {
    for (const agent of agents) agent.restart();
    clock = 0;
    tell();
    draw();
  });
  const pushes = [["◀ Push left", -1], ["Push right ▶", 1]].map(([text, strength]) => {
    const button = element("button", { type: "button" }, String(text));
    button.addEventListener("click", () => {
      for (const agent of agents) agent.push(Number(strength));
      draw();
    });
    return button;
  });
  const menu = /** @type {HTMLSelectElement} */ (element("select", { id: `${name}-speed` }));
  menu.append(...Object.keys(SPEEDS).map((text) => new Option(text, text, false, text === "true speed")));
  menu.addEventListener("input", () => {
    speed = SPEEDS[/** @type {keyof typeof SPEEDS} */ (menu.value)];
  });
  const choice = element("span", { class: "pg-control" }, element("label", { for: `${name}-speed` }, "Speed"), menu);
  const controls = element("div", { class: "pg-controls" }, play, again, ...pushes, choice);
  controls.addEventListener("keydown", (event) => event.stopPropagation()); // JupyterLab's own commands
  stage.append(grid, controls, said);
  tell();
  new ResizeObserver(() => draw()).observe(grid);
  new IntersectionObserver((entries) => {
    seen = entries[entries.length - 1].isIntersecting;
    wake();
  }, { rootMargin: "0px" }).observe(grid);
}

/**
 * A press pushes away from the pointer, a drag along with it.
 * @param {HTMLCanvasElement} canvas
 * @param {Agent} agent
 * @param {() => void} draw
 */
function pushedByHand(canvas, agent, draw) {
  let from = 0;
  canvas.addEventListener("pointerdown", (event) => {
    const box = canvas.getBoundingClientRect();
    from = event.clientX;
    agent.push(event.clientX - box.left < box.width / 2 ? 1 : -1);
    draw();
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!(event.buttons & 1)) return;
    agent.push((event.clientX - from) / 40);
    from = event.clientX;
    draw();
  });
}
