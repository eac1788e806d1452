// Small parts that every panel is made of.

/**
 * An element. Texts are never read as markup.
 * @param {string} name
 * @param {Record<string, any>} [props] properties, listeners as `onclick`, and attributes with a dash in their name
 * @param {...(Node | string | null)} children
 * @returns {any}
 */
export function h(name, props = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(props)) {
    if (value === undefined || value === null) continue;
    if (key.includes("-") || key === "role") made.setAttribute(key, String(value));
    else /** @type {any} */ (made)[key] = value;
  }
  for (const child of children) if (child !== null) made.append(child);
  return made;
}

/** An element of SVG. @param {string} name @param {Record<string, any>} [attributes] @param {...Node} children */
export function svg(name, attributes = {}, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
  made.append(...children);
  return made;
}

/** A card with a title. @param {string} title @param {string} [beside] @param {...(Node | string | null)} children */
export function card(title, beside = "", ...children) {
  return h("section", { className: "card" }, h("header", {}, h("h2", {}, title), h("small", {}, beside)), ...children);
}

/** What stands over a panel. @param {string} title @param {string} lead @param {...(Node | string | null)} children */
export function heading(title, lead, ...children) {
  return h("div", {}, h("h1", {}, title), h("p", { className: "lead" }, lead), ...children);
}

/** A box for what may be wider than itself; keys scroll it too. @param {string} name */
export function scrolled(name) {
  return h("div", { className: "scroll", role: "region", tabIndex: 0, "aria-label": name });
}

/** A word as a shell takes it. @param {string} word */
export const quoted = (word) => (/^[\w./,:=@%+-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`);

/** The command that does the same, to be copied. @param {string} text */
export function command(text) {
  const button = h("button", { type: "button", title: "Copy the command that does the same" }, "Copy");
  button.setAttribute("aria-label", `Copy the command ${text}`);
  button.onclick = async () => {
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = "Copied";
    } catch {
      // Without leave to write the clipboard the text is marked, for the reader's own keys.
      getSelection()?.selectAllChildren(code);
      button.textContent = "Marked";
    }
    setTimeout(() => (button.textContent = "Copy"), 1500);
  };
  const code = h("code", {}, text);
  return h("p", { className: "command" }, code, button);
}

/** @param {import("./backend.js").Model} model */
export const digest = (model) => `${model.weights}, SHA-256 ${model.sha256.slice(0, 12)}`;

/**
 * A slider with its name and value.
 * @param {{label: string, min: number, max: number, step: number, value: number, unit?: string,
 *   digits?: number, moved: (value: number) => void}} of
 */
export function slider(of) {
  const output = h("output", {});
  const input = h("input", { type: "range", min: of.min, max: of.max, step: of.step, "aria-label": of.label });
  const say = () => {
    const text = `${Number(input.value).toFixed(of.digits ?? 0)}${of.unit ?? ""}`;
    output.textContent = text;
    input.setAttribute("aria-valuetext", text);
  };
  input.value = String(of.value);
  input.oninput = () => {
    say();
    of.moved(Number(input.value));
  };
  say();
  const root = h("label", { className: "slider" }, h("span", {}, of.label), input, output);
  return {
    root,
    input,
    /** @param {number} value */
    set(value) {
      if (Number(input.value) !== value) input.value = String(value);
      say();
    },
  };
}

/** A choice. @param {string} label @param {[string, string][]} choices value and words @param {string} value
 * @param {(value: string) => void} chosen */
export function select(label, choices, value, chosen) {
  const input = h("select", {}, ...choices.map(([key, words]) => h("option", { value: key }, words)));
  input.value = value;
  input.onchange = () => chosen(input.value);
  return h("label", { className: "field" }, label, input);
}

/** Paints grey levels. @param {HTMLCanvasElement} canvas @param {ArrayLike<number>} pixels
 * @param {number} width @param {number} height */
export function paint(canvas, pixels, width, height) {
  canvas.width = width;
  canvas.height = height;
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  const image = context.createImageData(width, height);
  for (let at = 0; at < width * height; at++) image.data.set([pixels[at], pixels[at], pixels[at], 255], 4 * at);
  context.putImageData(image, 0, 0);
}

/** Paints differences -255 to 255: blue where there is less, orange where there is more, black for none.
 * @param {HTMLCanvasElement} canvas @param {number[]} levels @param {number} width @param {number} height */
export function paintSigned(canvas, levels, width, height) {
  canvas.width = width;
  canvas.height = height;
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  const image = context.createImageData(width, height);
  levels.forEach((level, at) => {
    const size = Math.min(1, Math.abs(level) / 160);
    const [r, g, b] = level > 0 ? [255, 140, 40] : [70, 150, 255];
    image.data.set([r * size, g * size, b * size, 255], 4 * at);
  });
  context.putImageData(image, 0, 0);
}

/**
 * Bars of scores, one a class; buttons if they can be chosen.
 * @param {string[]} names
 * @param {((index: number) => void) | null} [chosen]
 */
export function bars(names, chosen = null) {
  const rows = names.map((name, index) => {
    const fill = h("div", { className: "fill" });
    const value = h("span", {});
    const parts = [h("span", {}, name), h("div", { className: "track" }, fill), value];
    const row = chosen
      ? h("button", { className: "bar", type: "button", onclick: () => chosen(index) }, ...parts)
      : h("div", { className: "bar" }, ...parts);
    return { row, fill, value };
  });
  const root = h("div", { className: "bars" }, ...rows.map((row) => row.row));
  return {
    root,
    /** @param {number[]} scores @param {number} best @param {number} [pressed] */
    show(scores, best, pressed) {
      const full = Math.max(1, ...scores);
      rows.forEach(({ row, fill, value }, index) => {
        fill.style.width = `${(100 * Math.max(0, scores[index])) / full}%`;
        value.textContent = scores[index].toFixed(3);
        row.classList.toggle("best", index === best);
        if (chosen) {
          row.setAttribute("aria-pressed", String(index === pressed));
        }
      });
    },
  };
}

/** Runs one after the other; of those that wait only the last. @param {(...args: any[]) => Promise<void>} work */
export function latest(work) {
  let running = false;
  /** @type {any[] | null} */
  let waiting = null;
  return async (/** @type {any[]} */ ...args) => {
    waiting = args;
    if (running) return;
    running = true;
    try {
      while (waiting) {
        const next = waiting;
        waiting = null;
        await work(...next);
      }
    } finally {
      running = false;
    }
  };
}

/** Says something to those who hear the page. @param {string} text */
export function speak(text) {
  const spoken = document.getElementById("spoken");
  if (spoken && spoken.textContent !== text) spoken.textContent = text;
}

/** Digits as figures where the classes are digits in words. @param {string[]} classes */
export function shortNames(classes) {
  const words = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"];
  return classes.map((name, index) => (name.toLowerCase() === words[index] ? String(index) : name));
}

/** The colours of ten classes, told apart on both papers. */
export const CLASS_COLOURS = [
  "#4c8ef5",
  "#f28e2b",
  "#3bb273",
  "#e15759",
  "#a77bd6",
  "#9c755f",
  "#e86fae",
  "#8a93a0",
  "#b5a51f",
  "#25b5c4",
];
