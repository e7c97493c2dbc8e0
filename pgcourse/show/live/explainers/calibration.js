// How sure a learner was of each prediction, against how often they were right.
import { answers } from "../answers.js";
import { explain, fixed } from "../explain.js";

const FEWEST = 5;
const LEVELS = [-1, 0.6, 0.85, 1];
const Z = 1.959963984540054;

/** @param {number} right @param {number} count @returns {[number, number]} Wilson's interval */
function interval(right, count) {
  const [share, weight] = [right / count, (Z * Z) / count];
  const middle = (share + weight / 2) / (1 + weight);
  const half = (Z / (1 + weight)) * Math.sqrt((share * (1 - share)) / count + weight / (4 * count));
  return [Math.max(middle - half, 0), Math.min(middle + half, 1)];
}

/** @param {number} share @returns {string} */
const percent = (share) => `${fixed(share * 100, 0)}%`;

/** @param {[number, boolean][]} pairs confidence, and whether it was right @returns {string} */
function verdict(pairs) {
  const count = pairs.length;
  if (count < FEWEST) {
    return `${count} of your predictions came with a confidence; from ${FEWEST} on this says something. `
      + "Say how sure you are when you commit a prediction.";
  }
  const said = pairs.reduce((sum, [confidence]) => sum + confidence, 0) / count;
  const hits = pairs.filter(([, right]) => right).length;
  const [low, high] = interval(hits, count);
  let judged = said > hits / count ? "you were surer than right" : "you knew more than you trusted yourself";
  if (low <= said && said <= high) judged = "the two agree as far as so few answers can tell";
  return `Over ${count} predictions you were ${percent(said)} sure and ${percent(hits / count)} right `
    + `(95 % interval ${percent(low)} to ${percent(high)}): ${judged}.`;
}

/**
 * The chart of these answers.
 * @param {Record<string, any>} _values
 * @param {Record<string, {confidence: number, correct: boolean}>} data
 * @returns {import("../chart.js").Chart}
 */
export function figure(_values, data) {
  /** @type {[number, boolean][]} */
  const pairs = Object.values(data).map((entry) => [entry.confidence, entry.correct]);
  /** @type {import("../chart.js").Mark[]} */
  const marks = [{ kind: "line", x: [0, 1], y: [0, 1], colour: "grey", dash: "2 4", label: "as sure as right" }];
  for (let i = 0; i + 1 < LEVELS.length; i++) {
    const group = pairs.filter(([confidence]) => LEVELS[i] < confidence && confidence <= LEVELS[i + 1]);
    if (!group.length) continue;
    const count = group.length;
    const said = group.reduce((sum, [confidence]) => sum + confidence, 0) / count;
    const right = group.filter(([, correct]) => correct).length;
    marks.push({ kind: "line", x: [said, said], y: interval(right, count), colour: "blue", width: 4 });
    marks.push({ kind: "points", x: [said], y: [right / count], colour: "blue", size: 6 });
    marks.push({ kind: "text", x: [said + 0.015], y: [right / count], text: `${right} of ${count}`, colour: "ink", anchor: "start" });
  }
  return {
    panels: [{
      x: { label: "how sure you said you were", low: 0.4, high: 1.08 },
      y: { label: "share of right answers", low: -0.03, high: 1.03 }, marks, height: 300,
    }],
    words: verdict(pairs),
  };
}

/**
 * Fill the stage; what this browser has kept counts too.
 * @param {HTMLElement} stage
 * @param {any} given
 * @param {string} name
 */
export function main(stage, given, name) {
  const here = Object.entries(answers()).filter(([, answer]) => typeof answer?.confidence === "number");
  explain(stage, { ...given, data: { ...given.data, ...Object.fromEntries(here) } }, figure, name);
}
