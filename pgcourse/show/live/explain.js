// A figure that answers its controls at once, in the page, without a kernel.
import { drawChart } from "./chart.js";
import { keepKeys } from "./keys.js";

/** @typedef {import("./chart.js").Chart} Chart */
/**
 * @typedef {object} Control
 * @property {string} name
 * @property {string} label
 * @property {"slider"|"choice"} kind
 * @property {number|string} value
 * @property {number} [low]
 * @property {number} [high]
 * @property {number} [step]
 * @property {number} [digits] after the point
 * @property {string[]} [options]
 */

/**
 * Python's f"{x:.{digits}f}", ties to even included.
 * @param {number} x
 * @param {number} digits
 * @returns {string}
 */
export function fixed(x, digits) {
  if (Number.isNaN(x)) return "nan";
  if (!Number.isFinite(x)) return x > 0 ? "inf" : "-inf";
  const scaled = Math.abs(x) * 10 ** digits;
  let text = Math.abs(x).toFixed(digits);
  // JavaScript takes the larger of two equally near. Only what is a whole number of 2 ** -(digits + 1) lies in the middle.
  if (digits <= 15 && scaled % 1 === 0.5 && (Math.abs(x) * 2 ** (digits + 1)) % 1 === 0 && Math.floor(scaled) % 2 === 0) {
    text = (Math.floor(scaled) / 10 ** digits).toFixed(digits);
  }
  return x < 0 || Object.is(x, -0) ? `-${text}` : text;
}

/**
 * Python's f"{x:+.{digits}f}".
 * @param {number} x
 * @param {number} digits
 * @returns {string}
 */
export function signed(x, digits) {
  const text = fixed(x, digits);
  return text.startsWith("-") || text === "nan" ? text : `+${text}`;
}

/**
 * Numbers from low to high, as numpy's linspace gives them.
 * @param {number} low
 * @param {number} high
 * @param {number} count
 * @returns {number[]}
 */
export function linspace(low, high, count) {
  const step = (high - low) / (count - 1);
  return Array.from({ length: count }, (_, i) => (i === count - 1 ? high : low + i * step));
}

/**
 * One control: a labelled slider or menu of the page, with its value beside it.
 * @param {Control} control
 * @param {string} id
 * @param {(value: number | string) => void} changed
 * @returns {HTMLElement}
 */
export function makeControl(control, id, changed) {
  const row = document.createElement("div");
  row.className = "pg-control";
  const label = document.createElement("label");
  label.htmlFor = id;
  label.textContent = control.label;
  if (control.kind === "choice") {
    const menu = document.createElement("select");
    menu.id = id;
    menu.append(...(control.options ?? []).map((option) => new Option(option, option, false, option === control.value)));
    menu.addEventListener("input", () => changed(menu.value));
    row.append(label, menu);
  } else {
    const slider = document.createElement("input");
    Object.assign(slider, { id, type: "range", min: control.low, max: control.high, step: control.step });
    slider.value = String(control.value);
    const output = document.createElement("output");
    output.htmlFor.add(id);
    const show = () => {
      output.textContent = fixed(Number(slider.value), control.digits ?? 0);
      slider.setAttribute("aria-valuetext", output.textContent);
    };
    slider.addEventListener("input", () => {
      show();
      changed(Number(slider.value));
    });
    show();
    row.append(label, slider, output);
  }
  keepKeys(row);
  return row;
}

/**
 * Controls, chart and what it says in words.
 * @param {HTMLElement} stage
 * @param {{controls: Control[], data: any}} given
 * @param {(values: Record<string, any>, data: any) => Chart} figure the chart for the controls' values
 * @param {string} name of this explainer in the page
 */
export function explain(stage, given, figure, name) {
  /** @type {Record<string, number | string>} */
  const values = Object.fromEntries(given.controls.map((control) => [control.name, control.value]));
  const chart = document.createElement("div");
  const words = document.createElement("p");
  words.className = "pg-words";
  words.setAttribute("role", "status");
  let room = 0;
  const draw = () => {
    const drawing = figure(values, given.data);
    if (room) drawChart(chart, drawing, room);
    const said = drawing.words.replace(/-(?=\d)/g, "−"); // a minus sign, no hyphen
    if (words.textContent !== said) words.textContent = said;
  };
  let waiting = false;
  const redraw = () => {
    if (waiting) return;
    waiting = true; // one drawing a frame, however fast the slider moves
    requestAnimationFrame(() => {
      waiting = false;
      draw();
    });
  };
  const controls = document.createElement("div");
  controls.className = "pg-controls";
  controls.append(...given.controls.map((control) => makeControl(control, `${name}-${control.name}`, (value) => {
    values[control.name] = value;
    redraw();
  })));
  draw(); // before anything is shown: what cannot be drawn leaves the still picture in its place
  stage.append(controls, chart, words);
  new ResizeObserver(() => {
    const width = Math.floor(stage.clientWidth);
    if (width && width !== room) {
      room = width;
      draw();
    }
  }).observe(stage);
}
