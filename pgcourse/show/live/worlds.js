// The environments that run in the page, by Gymnasium's ids, and start states that are those of Python.
import { cartpole } from "./worlds/cartpole.js";
import { corridor } from "./worlds/corridor.js";
import { pendulum } from "./worlds/pendulum.js";

/**
 * @typedef {number[]} State
 * @typedef {{ink: string, paper: string, muted: string, line: string, accent: string, agent: string}} Colours
 * @typedef {object} World
 * @property {string} words what one sees
 * @property {number} stepsPerSecond of the environment's own time
 * @property {number} limit steps after which an episode is truncated
 * @property {number} startSize uniform numbers that a start state takes
 * @property {number} actions how many; 0 for one number
 * @property {number} high the largest of one number
 * @property {number} ratio of the picture: height by width
 * @property {(numbers: number[]) => State} start
 * @property {(state: State, action: number) => {state: State, reward: number, terminated: boolean}} step
 * @property {(state: State) => number[]} observe
 * @property {(state: State, strength: number) => State} push from outside: to the right where positive, 1 is a good knock
 * @property {(action: number) => number} effort the action as a number from -1 to 1, to draw it
 * @property {(state: State) => string} describe
 * @property {(pen: CanvasRenderingContext2D, width: number, height: number, state: State, effort: number, colour: Colours) => void} draw
 */

/** @type {Record<string, World>} */
export const WORLDS = { "CartPole-v1": cartpole, "Pendulum-v1": pendulum, "ShortCorridor-v0": corridor };

const [GOLDEN_GAMMA, MIX_1, MIX_2] = [0x9e3779b97f4a7c15n, 0xbf58476d1ce4e5b9n, 0x94d049bb133111ebn];
const BITS = (1n << 64n) - 1n;

/** @param {bigint} x @returns {bigint} */
function mix(x) {
  x = ((x ^ (x >> 30n)) * MIX_1) & BITS;
  x = ((x ^ (x >> 27n)) * MIX_2) & BITS;
  return x ^ (x >> 31n);
}

/**
 * Numbers in [0, 1), those of pgcourse/envs/seeding.py: from nothing but a seed and the number of an episode.
 * @param {string} seed an integer in decimals: it may have more digits than a number of the page holds
 * @param {number} episode
 * @param {number} count
 * @returns {number[]}
 */
export function uniform(seed, episode, count) {
  const key = mix(BigInt(seed));
  return Array.from({ length: count }, (_, i) => {
    const counter = BigInt(episode * count + i + 1);
    return Number(mix((key + GOLDEN_GAMMA * counter) & BITS) >> 40n) * 2 ** -24;
  });
}
