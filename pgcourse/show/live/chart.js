// Draws a chart, given as data, as SVG. The same data are drawn by chart.py where no script runs.

/**
 * @typedef {{label: string, low: number, high: number, ticks?: number[], names?: string[], log?: boolean}} Axis
 * @typedef {object} Mark
 * @property {"line"|"points"|"area"|"bars"|"rule"|"text"|"arrow"|"tiles"|"box"} kind
 * @property {number[]} [x]
 * @property {number[]} [y]
 * @property {number} [at] of a rule: where it crosses its axis
 * @property {"x"|"y"} [axis] of a rule: the axis that it crosses
 * @property {number[]} [low] of an area
 * @property {number[]} [high] of an area
 * @property {string} [colour]
 * @property {string} [dash] of a line or rule, such as "6 4"
 * @property {number} [width] of a line in pixels, of bars in units of x
 * @property {number} [size] of points: radius in pixels
 * @property {number} [base] of bars: where they begin
 * @property {"circle"|"cross"|"square"} [shape]
 * @property {boolean} [hollow] points that are a ring
 * @property {boolean} [strong] a box that is filled, its words in bold
 * @property {string} [label] in the legend
 * @property {string} [text]
 * @property {"start"|"middle"|"end"} [anchor]
 * @property {number[][]} [values] of tiles: rows from the bottom
 * @property {number[]} [range] of tiles: the values at the two ends of the colours
 * @property {"sequential"|"diverging"} [scale]
 * @typedef {{title?: string, x: Axis, y: Axis, marks: Mark[], aspect?: "equal", height?: number, bare?: boolean}} Panel
 * @typedef {{panels: Panel[], words: string, columns?: number}} Chart
 */

/** @type {Record<string, string>} */
const FALLBACK = {
  blue: "#0072B2", vermillion: "#D55E00", green: "#00805D", purple: "#B0528C", orange: "#B36B00", sky: "#3381A6",
  grey: "#6e7781", ink: "currentColor", pale: "#c8ced4",
};
const SCALES = {
  sequential: [[68, 1, 84], [59, 82, 139], [33, 145, 140], [94, 201, 98], [253, 231, 37]],
  diverging: [[0, 90, 150], [140, 180, 215], [245, 245, 245], [235, 165, 120], [190, 75, 0]],
};
const MARGIN = { left: 58, right: 14, top: 10, bottom: 44 };
const PAPER = "var(--pg-paper, var(--jp-layout-color0, #fff))";
const LETTER = 6.3; // pixels of a letter, on average
const STACKED_BELOW = 560; // pixels: narrower than this, panels stand one below the other
const WIDEST = 860;

/** @param {string | undefined} name @returns {string} */
export function colourOf(name = "ink") {
  return name in FALLBACK ? `var(--pg-${name}, ${FALLBACK[name]})` : name;
}

/**
 * @param {string} tag
 * @param {Record<string, string | number>} attributes
 * @param {string} [text]
 * @returns {SVGElement}
 */
function svg(tag, attributes, text) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  if (text !== undefined) element.textContent = text;
  return element;
}

/**
 * Round numbers, about `count` of them, from low to high.
 * @param {number} low
 * @param {number} high
 * @param {number} count
 * @returns {number[]}
 */
export function niceTicks(low, high, count) {
  const rough = (high - low) / Math.max(count, 1);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 2.5, 5, 10].find((factor) => factor * power >= rough * 0.999) ?? 10);
  const ticks = [];
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high + 1e-9 * step; k++) ticks.push(k * step);
  return ticks;
}

/** @param {number} value @param {number} step @returns {string} */
function tickLabel(value, step) {
  const digits = Math.max(0, Math.min(6, -Math.floor(Math.log10(Math.abs(step) || 1) + 1e-9)));
  const needed = Number.isInteger(Number((step * 10 ** digits).toFixed(6))) ? digits : digits + 1;
  const text = Math.abs(value) >= 1e4 ? Math.round(value).toLocaleString("en-US") : value.toFixed(needed);
  return text.replace(/^-(0(\.0*)?)$/, "$1").replace("-", "−");
}

/** @param {number} power of ten @returns {string} */
function powerLabel(power) {
  if (power >= -2 && power <= 4) return (10 ** power).toLocaleString("en-US");
  return `10${power < 0 ? "⁻" : ""}${[...String(Math.abs(power))].map((digit) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[Number(digit)]).join("")}`;
}

/** @param {Axis} axis @param {number} from @param {number} to @returns {(value: number) => number} */
function scaleOf(axis, from, to) {
  const warp = axis.log ? Math.log10 : (/** @type {number} */ v) => v;
  const [low, high] = [warp(axis.low), warp(axis.high)];
  return (value) => from + ((warp(value) - low) / (high - low)) * (to - from);
}

/** @param {Axis} axis @param {number} room pixels @param {number} each pixels a label needs */
function ticksOf(axis, room, each) {
  if (axis.ticks) {
    const ticks = axis.ticks;
    const smallest = ticks.length > 1 ? Math.min(...ticks.slice(1).map((t, i) => Math.abs(t - ticks[i]))) : 1;
    return ticks.map((value, i) => ({ value, text: axis.names?.[i] ?? (axis.log ? String(value) : tickLabel(value, smallest)) }));
  }
  if (axis.log) {
    const powers = [];
    const [first, last] = [Math.ceil(Math.log10(axis.low) - 1e-9), Math.floor(Math.log10(axis.high) + 1e-9)];
    const stride = Math.ceil((last - first + 1) / Math.max(2, Math.floor(room / each)));
    for (let p = first; p <= last; p += stride) powers.push(p);
    return powers.map((p) => ({ value: 10 ** p, text: powerLabel(p) }));
  }
  const values = niceTicks(axis.low, axis.high, Math.max(2, Math.floor(room / each)));
  const step = values.length > 1 ? values[1] - values[0] : 1;
  return values.map((value) => ({ value, text: tickLabel(value, step) }));
}

/** @param {number} share 0 to 1 @param {"sequential"|"diverging"} scale @returns {string} */
function tileColour(share, scale) {
  const stops = SCALES[scale];
  const place = Math.min(Math.max(share, 0), 1) * (stops.length - 1);
  const first = Math.min(Math.floor(place), stops.length - 2);
  const mixed = stops[first].map((c, i) => Math.round(c + (place - first) * (stops[first + 1][i] - c)));
  return `rgb(${mixed.join(",")})`;
}

/** @type {WeakMap<number[][], string>} what was painted already: the same rows come again with each move of a slider */
const pictures = new WeakMap();

/**
 * One pixel a tile: thousands of elements would not be drawn within a frame.
 * @param {number[][]} rows from the bottom
 * @param {number} low
 * @param {number} high
 * @param {"sequential"|"diverging"} scale
 * @returns {string} address of the picture
 */
function tilePicture(rows, low, high, scale) {
  const before = pictures.get(rows);
  if (before) return before;
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [rows[0].length, rows.length];
  const pen = canvas.getContext("2d");
  if (!pen) throw new Error("this browser draws no pictures");
  rows.forEach((row, i) => row.forEach((value, j) => {
    pen.fillStyle = tileColour((value - low) / (high - low), scale);
    pen.fillRect(j, rows.length - 1 - i, 1, 1);
  }));
  const picture = canvas.toDataURL();
  pictures.set(rows, picture);
  return picture;
}

/**
 * Room around the plot: none without axes, on the left enough for the names of its levels.
 * @param {Panel} panel
 * @param {number} width pixels
 */
function marginOf(panel, width) {
  if (panel.bare) return { left: 2, right: 2, top: 2, bottom: 2 };
  const longest = Math.max(0, ...(panel.y.names ?? []).map((name) => name.length));
  const names = longest * LETTER + (panel.y.label ? 34 : 16);
  const bottom = panel.x.label ? MARGIN.bottom : 24;
  return { ...MARGIN, bottom, left: Math.min(Math.max(MARGIN.left, names), 0.5 * width) };
}

/**
 * Draw one panel.
 * @param {Panel} panel
 * @param {number} width pixels
 * @param {string} id of the panel, unique in the page
 * @returns {SVGElement}
 */
function drawPanel(panel, width, id) {
  const margin = marginOf(panel, width);
  const inner = width - margin.left - margin.right;
  const ratio = (panel.y.high - panel.y.low) / (panel.x.high - panel.x.low);
  const plotHeight = panel.aspect === "equal" ? Math.min(inner * ratio, 420) : (panel.height ?? 230);
  const plotWidth = panel.aspect === "equal" ? Math.min(inner, plotHeight / ratio) : inner;
  const height = plotHeight + margin.top + margin.bottom;
  const x = scaleOf(panel.x, margin.left, margin.left + plotWidth);
  const y = scaleOf(panel.y, margin.top + plotHeight, margin.top);
  const root = svg("svg", { width, height, viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true" });
  root.style.display = "block";
  const clip = svg("clipPath", { id });
  clip.append(svg("rect", { x: margin.left - 1, y: margin.top - 1, width: plotWidth + 2, height: plotHeight + 2 }));
  root.append(clip);

  const marks = svg("g", { "clip-path": `url(#${id})` });
  const above = svg("g", {});
  for (const mark of panel.marks) {
    if (mark.kind === "text") above.append(drawText(mark, x, y));
    else marks.append(...drawMark(mark, x, y, panel));
  }
  if (panel.bare) {
    root.append(marks, above);
    return root;
  }

  const grid = svg("g", { stroke: "var(--pg-line, #8884)", "stroke-width": 1 });
  const words = svg("g", { fill: "var(--pg-muted, currentColor)", "font-size": 12 });
  for (const tick of ticksOf(panel.x, plotWidth, 70)) {
    const at = x(tick.value);
    if (!panel.x.names) grid.append(svg("line", { x1: at, x2: at, y1: margin.top, y2: margin.top + plotHeight }));
    words.append(svg("text", { x: at, y: margin.top + plotHeight + 17, "text-anchor": "middle" }, tick.text));
  }
  for (const tick of ticksOf(panel.y, plotHeight, 36)) {
    const at = y(tick.value);
    if (!panel.y.names) grid.append(svg("line", { x1: margin.left, x2: margin.left + plotWidth, y1: at, y2: at }));
    words.append(svg("text", { x: margin.left - 7, y: at + 4, "text-anchor": "end" }, tick.text));
  }
  const foot = margin.top + plotHeight;
  words.append(svg("text", { x: margin.left + plotWidth / 2, y: foot + 37, "text-anchor": "middle" }, panel.x.label));
  const [lx, ly] = [14, margin.top + plotHeight / 2];
  words.append(svg("text", { x: lx, y: ly, "text-anchor": "middle", transform: `rotate(-90 ${lx} ${ly})` }, panel.y.label));
  root.append(grid, words, marks, above);
  root.append(svg("path", {
    d: `M${margin.left} ${margin.top}V${foot}H${margin.left + plotWidth}`, fill: "none", stroke: "var(--pg-muted, currentColor)",
  }));
  return root;
}

/** @param {string} text @param {number} letters of a line, at most @returns {string[]} */
function wrapped(text, letters) {
  /** @type {string[]} */
  const lines = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + word.length < letters) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}

/** @param {Mark} mark @returns {Record<string, string>} */
function dashOf(mark) {
  return mark.dash ? { "stroke-dasharray": mark.dash } : {};
}

/** @param {Mark} mark @param {(v: number) => number} x @param {(v: number) => number} y */
function drawText(mark, x, y) {
  const place = { x: x(mark.x?.[0] ?? 0), y: y(mark.y?.[0] ?? 0) };
  return svg("text", {
    ...place, "text-anchor": mark.anchor ?? "start", "font-size": 12, fill: colourOf(mark.colour), "paint-order": "stroke",
    stroke: PAPER, "stroke-width": 3, "dominant-baseline": "middle",
  }, mark.text);
}

/**
 * @param {Mark} mark
 * @param {(v: number) => number} x
 * @param {(v: number) => number} y
 * @param {Panel} panel
 * @returns {SVGElement[]}
 */
function drawMark(mark, x, y, panel) {
  const colour = colourOf(mark.colour);
  const [xs, ys] = [mark.x ?? [], mark.y ?? []];
  /** @param {number[]} heights */
  const path = (heights) => {
    let d = "";
    let pen = "M";
    heights.forEach((value, i) => {
      if (Number.isFinite(value) && Number.isFinite(xs[i])) {
        d += `${pen}${x(xs[i]).toFixed(1)} ${y(value).toFixed(1)}`;
        pen = "L";
      } else pen = "M"; // a gap
    });
    return d;
  };
  switch (mark.kind) {
    case "line":
      return [svg("path", {
        d: path(ys), fill: "none", stroke: colour, "stroke-width": mark.width ?? 2, "stroke-linejoin": "round",
        ...dashOf(mark),
      })];
    case "area": {
      const back = (mark.low ?? []).map((value, i) => `L${x(xs[i]).toFixed(1)} ${y(value).toFixed(1)}`).reverse().join("");
      return [svg("path", { d: `${path(mark.high ?? [])}${back}Z`, fill: colour, "fill-opacity": 0.22 })];
    }
    case "points": {
      const r = mark.size ?? 4;
      const there = ys.map((value, i) => [x(xs[i]), y(value)]).filter(([px, py]) => Number.isFinite(px) && Number.isFinite(py));
      if (mark.shape === "cross") {
        const d = there.map(([px, py]) => `M${px - r} ${py - r}l${2 * r} ${2 * r}M${px + r} ${py - r}l${-2 * r} ${2 * r}`).join("");
        return [svg("path", { d, stroke: colour, "stroke-width": 2 })];
      }
      // All in one element, as dots of a pen: hundreds of elements would not be drawn within a frame.
      const d = there.map(([px, py]) => `M${px.toFixed(1)} ${py.toFixed(1)}h.01`).join("");
      const end = mark.shape === "square" ? "square" : "round";
      /** @param {string} stroke @param {number} width */
      const dots = (stroke, width) => svg("path", { d, stroke, "stroke-width": width, "stroke-linecap": end });
      return mark.hollow ? [dots(colour, 2 * r + 2), dots(PAPER, 2 * r - 2)] : [dots(colour, 2 * r)];
    }
    case "bars":
      return ys.map((value, i) => {
        const half = (mark.width ?? 0.8) / 2;
        const [left, right, top, foot] = [x(xs[i] - half), x(xs[i] + half), y(value), y(mark.base ?? 0)];
        return svg("rect", {
          x: left, width: Math.max(right - left, 0.5), y: Math.min(top, foot), height: Math.abs(foot - top), fill: colour,
        });
      });
    case "rule": {
      const look = { stroke: colour, "stroke-width": mark.width ?? 1.5, ...dashOf(mark) };
      const at = mark.at ?? 0;
      return mark.axis === "x"
        ? [svg("line", { x1: x(at), x2: x(at), y1: y(panel.y.low), y2: y(panel.y.high), ...look })]
        : [svg("line", { x1: x(panel.x.low), x2: x(panel.x.high), y1: y(at), y2: y(at), ...look })];
    }
    case "arrow": {
      const [x1, y1, x2, y2] = [x(xs[0]), y(ys[0]), x(xs[1]), y(ys[1])];
      const turn = Math.atan2(y2 - y1, x2 - x1);
      const head = [2.6, -2.6].map((side) => `M${x2} ${y2}L${x2 + 9 * Math.cos(turn + side)} ${y2 + 9 * Math.sin(turn + side)}`);
      return [svg("path", { d: `M${x1} ${y1}L${x2} ${y2}${head.join("")}`, stroke: colour, "stroke-width": mark.width ?? 2, fill: "none" })];
    }
    case "tiles": {
      const rows = mark.values ?? [];
      const [low, high] = mark.range ?? [0, 1];
      const [left, right, foot, top] = [x(xs[0]), x(xs[1]), y(ys[0]), y(ys[1])];
      return [svg("image", {
        x: left, y: top, width: right - left, height: foot - top, preserveAspectRatio: "none", style: "image-rendering: pixelated",
        href: tilePicture(rows, low, high, mark.scale ?? "sequential"),
      })];
    }
    case "box": {
      const [left, right, foot, top] = [x(xs[0]), x(xs[1]), y(ys[0]), y(ys[1])];
      const lines = wrapped(mark.text ?? "", Math.floor((right - left - 8) / (mark.strong ? 1.08 * LETTER : LETTER)));
      const words = svg("text", {
        "text-anchor": "middle", "font-size": 12, fill: mark.strong ? "var(--pg-ink, currentColor)" : "var(--pg-muted, currentColor)",
        "font-weight": mark.strong ? 600 : 400,
      });
      const middle = { x: (left + right) / 2, first: (foot + top) / 2 - (lines.length - 1) * 7.5 + 4 };
      words.append(...lines.map((line, i) => svg("tspan", { x: middle.x, y: middle.first + 15 * i }, line)));
      return [svg("rect", {
        x: left, y: top, width: right - left, height: foot - top, rx: 6, fill: colour, "fill-opacity": mark.strong ? 0.16 : 0,
        stroke: colour, "stroke-width": mark.strong ? 2.5 : 1,
      }), words];
    }
    default:
      throw new Error(`no mark is called ${mark.kind}`);
  }
}

/** @param {Panel} panel @returns {HTMLElement | null} */
function legendOf(panel) {
  const labelled = panel.marks.filter((mark) => mark.label);
  if (!labelled.length) return null;
  const legend = document.createElement("div");
  legend.className = "pg-legend";
  for (const mark of labelled) {
    const entry = document.createElement("span");
    const key = svg("svg", { width: 26, height: 12, "aria-hidden": "true" });
    const colour = colourOf(mark.colour);
    if (mark.kind === "points" && mark.shape === "square") key.append(svg("rect", { x: 8, y: 1, width: 10, height: 10, fill: colour }));
    else if (mark.kind === "points") key.append(svg("circle", { cx: 13, cy: 6, r: Math.min(mark.size ?? 4, 5), fill: colour }));
    else if (mark.kind === "bars" || mark.kind === "area") {
      key.append(svg("rect", { x: 5, y: 1, width: 16, height: 10, fill: colour, "fill-opacity": mark.kind === "area" ? 0.3 : 1 }));
    } else {
      key.append(svg("line", { x1: 1, x2: 25, y1: 6, y2: 6, stroke: colour, "stroke-width": mark.width ?? 2, ...dashOf(mark) }));
    }
    entry.append(key, ` ${mark.label}`);
    legend.append(entry);
  }
  return legend;
}

// Every figure of a page has a copy of this module: its clip paths must have names of their own.
const COPY = Math.random().toString(36).slice(2, 8);
let drawn = 0;

/**
 * Put the chart into an element, as wide as there is room; panels stack where it is narrow.
 * @param {HTMLElement} element
 * @param {Chart} chart
 * @param {number} room pixels
 */
export function drawChart(element, chart, room) {
  const width = Math.min(room, WIDEST);
  const columns = width < STACKED_BELOW ? 1 : (chart.columns ?? chart.panels.length);
  element.style.display = "grid";
  element.style.alignItems = "end"; // where only one of two has a legend
  element.style.gridTemplateColumns = `repeat(${columns}, ${Math.floor(width / columns)}px)`;
  element.replaceChildren(...chart.panels.map((panel) => {
    const box = document.createElement("div");
    if (panel.title) {
      const title = document.createElement("div");
      title.className = "pg-panel-title";
      title.textContent = panel.title;
      box.append(title);
    }
    const legend = legendOf(panel);
    if (legend) box.append(legend);
    box.append(drawPanel(panel, Math.floor(width / columns), `pg-clip-${COPY}-${drawn++}`));
    return box;
  }));
}
