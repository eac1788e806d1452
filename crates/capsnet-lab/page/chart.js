// A line chart with a reader that follows pointer and arrow keys, and a table behind it.

import { h, scrolled, speak, svg } from "./parts.js";

/** The size of a chart in a place of so many pixels: its texts stay as large as they are. @param {number} room */
const sizeIn = (room) => {
  const width = Math.max(260, Math.min(1400, room));
  return [width, Math.max(190, Math.min(380, 0.46 * width))];
};
const EDGE = { left: 52, right: 14, top: 12, bottom: 40 };

/**
 * @typedef {object} Series
 * @property {string} name
 * @property {number} colour
 * @property {[number, number][]} points
 * @property {[number, number, number][]} [band] an interval around the line: x, low, high
 * @property {boolean} [dashed]
 * @property {boolean} [faded] drawn thin, without a place in legend and table
 */

/** @typedef {{label: string, low?: number, high?: number, log?: boolean, digits?: number, ticks?: number[]}} Axis */

/** Round values from low to high. @param {number} low @param {number} high @param {number} count */
function ticks(low, high, count) {
  const rough = (high - low) / count;
  const unit = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((by) => by * unit).find((step) => step >= rough) ?? rough;
  const found = [];
  for (let at = Math.ceil(low / step - 1e-9) * step; at <= high + step * 1e-6; at += step) found.push(at);
  return found;
}

/** @param {number} low @param {number} high */
function powers(low, high) {
  const found = [];
  for (let power = Math.ceil(Math.log10(low) - 1e-9); 10 ** power <= high * 1.0001; power++) found.push(10 ** power);
  return found.length > 1 ? found : [low, high];
}

/** @param {number} value */
const short = (value) => {
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-3 || size >= 1e5)) return value.toExponential(1).replace("e+", "e");
  return String(Number(value.toPrecision(3)));
};

/**
 * A scale from values to places.
 * @param {Axis} axis @param {number[]} values @param {number} from @param {number} to
 */
function scale(axis, values, from, to) {
  const usable = values.filter((value) => Number.isFinite(value) && (!axis.log || value > 0));
  // Not Math.min(...usable): a long run has more points than a call takes arguments.
  let low = axis.low ?? usable.reduce((least, value) => Math.min(least, value), usable[0] ?? 0);
  let high = axis.high ?? usable.reduce((most, value) => Math.max(most, value), usable[0] ?? 1);
  if (axis.log) [low, high] = [Math.max(low, 1e-12), Math.max(high, 1e-11)];
  if (high <= low) [low, high] = axis.log ? [low / 2, low * 2] : [low - 0.5, low + 0.5];
  const bend = axis.log ? Math.log : (/** @type {number} */ x) => x;
  return {
    /** @param {number} value */
    place: (value) => from + ((bend(value) - bend(low)) / (bend(high) - bend(low))) * (to - from),
    ticks: axis.ticks ?? (axis.log ? powers(low, high) : ticks(low, high, 5)),
    low,
    high,
  };
}

/**
 * The exponential moving average, unbiased at its beginning.
 * @param {[number, number][]} points @param {number} share
 */
export function smooth(points, share) {
  if (share <= 0) return points;
  let [mean, weight] = [0, 0];
  return points.map(([x, y]) => {
    mean = share * mean + (1 - share) * y;
    weight = share * weight + 1 - share;
    return /** @type {[number, number]} */ ([x, mean / weight]);
  });
}

/** At most so many of the points, evenly. @param {[number, number][]} points @param {number} most */
function thinned(points, most) {
  if (points.length <= most) return points;
  const step = (points.length - 1) / (most - 1);
  return Array.from({ length: most }, (_, at) => points[Math.round(at * step)]);
}

/** @param {string} title */
export function chart(title) {
  let [wide, high] = sizeIn(560);
  const plot = svg("svg", { role: "img", tabindex: 0, "aria-label": title });
  const legend = h("p", { className: "legend" });
  const table = scrolled(`Table of ${title}`);
  const details = h("details", {}, h("summary", {}, "Table"), table);
  const root = h("div", { className: "chart" }, plot, legend, details);
  /** @type {Series[]} */
  let shown = [];
  /** @type {{x: Axis, y: Axis}} */
  let axes = { x: { label: "" }, y: { label: "" } };
  /** @type {number | null} */
  let marker = null;
  /** @type {number | null} */
  let reading = null;
  let x = scale(axes.x, [], 0, 1);
  let y = x;

  const positions = () =>
    [...new Set(main().flatMap((series) => series.points.map(([at]) => at)))].sort((a, b) => a - b);
  const main = () => shown.filter((series) => !series.faded);

  /** @param {Series} series @param {number} at */
  const nearest = (series, at) =>
    series.points.reduce(
      (best, point) => (best === null || Math.abs(point[0] - at) < Math.abs(best[0] - at) ? point : best),
      /** @type {[number, number] | null} */ (null),
    );

  function draw() {
    plot.setAttribute("viewBox", `0 0 ${wide} ${high}`);
    const points = shown.flatMap((series) => series.points);
    const bands = shown.flatMap((series) => series.band ?? []);
    x = scale(
      axes.x,
      points.map(([at]) => at),
      EDGE.left,
      wide - EDGE.right,
    );
    y = scale(
      axes.y,
      [...points, ...bands.flatMap(([, low, high]) => [[0, low], [0, high]])].map(([, value]) => value),
      high - EDGE.bottom,
      EDGE.top,
    );
    const parts = [];
    for (const at of y.ticks) {
      const place = y.place(at);
      parts.push(svg("line", { class: "rule", x1: EDGE.left, x2: wide - EDGE.right, y1: place, y2: place }));
      parts.push(text(EDGE.left - 7, place + 4, short(at), "end"));
    }
    for (const at of x.ticks) parts.push(text(x.place(at), high - EDGE.bottom + 17, short(at), "middle"));
    parts.push(text((EDGE.left + wide - EDGE.right) / 2, high - 5, axes.x.label, "middle"));
    if (marker !== null) parts.push(upright(marker, "marker"));
    for (const series of shown) {
      if (series.band && series.band.length > 1) {
        const edge = [
          ...series.band.map(([at, low]) => [at, low]),
          ...series.band.toReversed().map(([at, , high]) => [at, high]),
        ].map(([at, value]) => `${x.place(at).toFixed(1)} ${y.place(value).toFixed(1)}`);
        parts.push(tinted("path", series, { class: "band", d: `M${edge.join("L")}Z` }));
      }
      const usable = thinned(series.points, 1200).filter(([, value]) => !axes.y.log || value > 0);
      const path = usable.map(([at, value]) => `${x.place(at).toFixed(1)} ${y.place(value).toFixed(1)}`);
      const style = `line${series.faded ? " faded" : ""}${series.dashed ? " dashed" : ""}`;
      if (path.length > 1) parts.push(tinted("path", series, { class: style, d: `M${path.join("L")}` }));
      if (path.length === 1 || (!series.faded && usable.length < 25)) {
        for (const [at, value] of usable) {
          parts.push(tinted("circle", series, { cx: x.place(at), cy: y.place(value), r: 2.6 }));
        }
      }
    }
    if (points.length === 0) parts.push(text(wide / 2, high / 2, "nothing yet", "middle"));
    plot.replaceChildren(...parts);
    read();
  }

  /** @param {string} name @param {Series} series @param {Record<string, any>} attributes */
  const tinted = (name, series, attributes) => svg(name, { "data-series": series.colour % 6, ...attributes });
  /** @param {number} at @param {number} down @param {string} words @param {string} anchor */
  function text(at, down, words, anchor) {
    const made = svg("text", { x: at, y: down, "text-anchor": anchor });
    made.textContent = words;
    return made;
  }
  /** @param {number} at @param {string} kind */
  const upright = (at, kind) =>
    svg("line", { class: kind, x1: x.place(at), x2: x.place(at), y1: EDGE.top, y2: high - EDGE.bottom });

  function read() {
    plot.querySelectorAll(".reader").forEach((old) => old.remove());
    if (reading !== null) plot.append(upright(reading, "reader"));
    const digits = axes.y.digits ?? 4;
    const entries = main().map((series) => {
      const point = reading === null ? series.points.at(-1) : nearest(series, reading);
      const value = point ? h("b", {}, point[1].toFixed(digits)) : "";
      const swatch = h("span", { className: `swatch${series.dashed ? " dashed" : ""}` });
      return h("span", { "data-series": series.colour % 6 }, swatch, `${series.name} `, value);
    });
    const where = reading === null ? null : h("span", {}, `${axes.x.label} ${short(reading)}`);
    legend.replaceChildren(...(where ? [where, ...entries] : entries));
    if (reading !== null) speak(legend.textContent ?? "");
  }

  function fill() {
    if (!details.open) return;
    const rows = thinned(
      positions().map((at) => /** @type {[number, number]} */ ([at, 0])),
      400,
    ).map(([at]) => at);
    const head = h("tr", {}, h("th", {}, axes.x.label), ...main().map((series) => h("th", {}, series.name)));
    const lookup = main().map((series) => new Map(series.points));
    const body = rows.map((at) => {
      const cells = lookup.map((values) => h("td", {}, values.get(at)?.toFixed(axes.y.digits ?? 4) ?? ""));
      return h("tr", {}, h("td", {}, short(at)), ...cells);
    });
    table.replaceChildren(h("table", {}, h("thead", {}, head), h("tbody", {}, ...body)));
  }
  details.ontoggle = fill;

  plot.addEventListener("pointermove", (event) => {
    const box = plot.getBoundingClientRect();
    const { clientX } = /** @type {PointerEvent} */ (event);
    const at = ((clientX - box.left) / box.width) * wide;
    const found = positions();
    reading =
      found.reduce((best, p) => (Math.abs(x.place(p) - at) < Math.abs(x.place(best) - at) ? p : best), found[0]) ??
      null;
    read();
  });
  const leave = () => {
    reading = null;
    read();
  };
  plot.addEventListener("pointerleave", leave);
  plot.addEventListener("blur", leave);
  plot.addEventListener("keydown", (event) => {
    const key = /** @type {KeyboardEvent} */ (event).key;
    const by = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10, Home: -1e9, End: 1e9 }[key];
    if (key === "Escape") return leave();
    if (by === undefined) return;
    event.preventDefault();
    const found = positions();
    const at = reading === null ? (by > 0 ? -1 : found.length) : found.indexOf(reading);
    reading = found[Math.max(0, Math.min(found.length - 1, at + by))] ?? null;
    read();
  });

  new ResizeObserver(([place]) => {
    const size = sizeIn(Math.round(place.contentRect.width));
    if (size[0] === wide) return;
    [wide, high] = size;
    draw();
  }).observe(root);

  return {
    root,
    /** @param {Series[]} series @param {{x: Axis, y: Axis}} on @param {number | null} [mark] */
    show(series, on, mark = null) {
      [shown, axes, marker] = [series, on, mark];
      draw();
      fill();
    },
  };
}
