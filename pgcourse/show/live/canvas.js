// A canvas that is sharp on any screen, in the colours of the page's theme, and words for who does not see it.

/** @typedef {import("./worlds.js").Colours} Colours */
/** @typedef {import("./worlds.js").World} World */
/** @typedef {import("./worlds.js").State} State */

/** @type {Record<string, string>} */
const FALLBACK = {
  ink: "#1b1f23", paper: "#ffffff", muted: "#57606a", line: "#d0d7de", accent: "#0b5cad", blue: "#0072b2",
  vermillion: "#d55e00", green: "#00855f", purple: "#b3568b", orange: "#a86e00", grey: "#6e7781",
};
const RENEW = 1000; // ms after which colours are looked up again: the page's stylesheet may have come late
const THEMES = ["data-jp-theme-light", "data-theme"]; // attributes of JupyterLab's body and of the site's root

/**
 * @param {string} tag
 * @param {Record<string, string>} attributes
 * @param {...(Node | string)} children
 * @returns {HTMLElement}
 */
export function element(tag, attributes, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

/**
 * Python's f"{x:,.0f}" with a true minus sign.
 * @param {number} x
 * @returns {string}
 */
export function whole(x) {
  return Math.round(x).toLocaleString("en-US").replace("-", "−").replace(/^−0$/, "0");
}

/**
 * A function that draws a state onto the canvas.
 * @param {HTMLCanvasElement} canvas
 * @param {World} world
 * @param {string} agent name of the agent's colour
 * @returns {(state: State, effort: number, words: string[]) => void}
 */
export function painter(canvas, world, agent) {
  /** @type {Colours | null} */
  let colours = null;
  let looked = 0;
  const pen = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  /** @type {[State, number, string[]] | null} */
  let shown = null;
  /** @param {State} state @param {number} effort @param {string[]} words */
  const paint = (state, effort, words) => {
    shown = [state, effort, words];
    const now = performance.now();
    if (!colours || now - looked > RENEW) {
      const style = getComputedStyle(canvas);
      /** @param {string} name */
      const find = (name) => style.getPropertyValue(`--pg-${name}`).trim() || FALLBACK[name];
      colours = {
        ink: find("ink"), paper: find("paper"), muted: find("muted"), line: find("line"), accent: find("vermillion"),
        agent: find(agent),
      };
      looked = now;
    }
    const [width, dense] = [canvas.clientWidth, window.devicePixelRatio || 1];
    if (!width) return;
    const height = Math.round(width * world.ratio);
    const [wide, tall] = [Math.round(width * dense), Math.round(height * dense)];
    if (canvas.width !== wide || canvas.height !== tall) [canvas.width, canvas.height] = [wide, tall];
    pen.setTransform(dense, 0, 0, dense, 0, 0);
    pen.clearRect(0, 0, width, height);
    world.draw(pen, width, height, state, effort, colours);
    pen.fillStyle = colours.muted;
    pen.font = "12px system-ui, sans-serif";
    pen.textBaseline = "alphabetic";
    words.forEach((line, i) => pen.fillText(line, 8, 17 + 16 * i));
  };
  // What stands still would keep the colours of the theme before.
  const themes = new MutationObserver(() => {
    colours = null;
    if (shown) paint(...shown);
  });
  for (const root of [document.documentElement, document.body]) themes.observe(root, { attributeFilter: THEMES });
  return paint;
}

/**
 * Between two states, for a picture between two steps.
 * @param {State} from
 * @param {State} to
 * @param {number} share 0 to 1
 * @returns {State}
 */
export function between(from, to, share) {
  return to.map((value, i) => from[i] + (value - from[i]) * share);
}
