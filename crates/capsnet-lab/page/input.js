// The input that all panels about one image share: a drawn digit, a file or a test digit, and what is done to it.

import { card, h, latest, paint, slider, speak } from "./parts.js";
import { CHANGES, image, packed } from "./shown.js";
import * as state from "./state.js";

const SIDE = 280;
const PEN = 20;

/**
 * @param {import("./backend.js").Backend} backend
 * @param {import("./backend.js").About} about
 */
export function input(backend, about) {
  const { height, width, count } = about.data;
  const canvas = /** @type {HTMLCanvasElement} */ (
    h("canvas", { className: "canvas", id: "drawing", width: SIDE, height: SIDE, tabIndex: 0, role: "application" })
  );
  canvas.setAttribute(
    "aria-label",
    "Drawing: pen by mouse or touch; arrow keys move the pen, space draws, Delete clears",
  );
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d", { willReadFrequently: true }));
  const seen = h("canvas", { className: "pixels", width, height, id: "seen" });
  const seenNote = h("small", {}, "what the models see");
  const note = h("p", { className: "hint" });
  const pen = { x: SIDE / 2, y: SIDE / 2, down: false };
  /** @type {ImageData[]} */
  const undo = [];
  let clean = true;

  function blank() {
    context.fillStyle = "#000";
    context.fillRect(0, 0, SIDE, SIDE);
    clean = true;
  }

  /** @param {number[]} pixels */
  function fill(pixels) {
    const small = /** @type {HTMLCanvasElement} */ (h("canvas", {}));
    paint(small, pixels, width, height);
    context.imageSmoothingEnabled = false;
    context.drawImage(small, 0, 0, SIDE, SIDE);
    clean = false;
  }

  const read = latest(async () => {
    const grey = context.getImageData(0, 0, SIDE, SIDE).data;
    const half = SIDE / 2;
    const levels = [];
    for (let y = 0; y < half; y++) {
      for (let x = 0; x < half; x++) {
        const at = 4 * (2 * y * SIDE + 2 * x);
        levels.push((grey[at] + grey[at + 4] + grey[at + 4 * SIDE] + grey[at + 4 * SIDE + 4]) >> 2);
      }
    }
    await prepared(half, half, levels);
  });

  /** @param {number} w @param {number} hgt @param {number[]} levels */
  async function prepared(w, hgt, levels) {
    try {
      const found = await backend.ask("prepare", { width: w, height: hgt, levels });
      note.textContent = found.empty
        ? "There is no ink to see yet."
        : found.inverted
          ? "Dark ink on a bright ground: turned into bright on dark, centred and scaled as MNIST's digits are."
          : "Centred and scaled as MNIST's digits are.";
      state.set({ ink: packed(found.pixels), digit: null, class: null });
    } catch (error) {
      note.textContent = /** @type {Error} */ (error).message;
    }
  }

  /** @param {number} x @param {number} y */
  function stroke(x, y) {
    context.strokeStyle = "#fff";
    context.lineWidth = PEN;
    context.lineCap = "round";
    context.lineJoin = "round";
    context.beginPath();
    context.moveTo(pen.x, pen.y);
    context.lineTo(x, y);
    context.stroke();
    [pen.x, pen.y] = [x, y];
  }

  function begin() {
    undo.push(context.getImageData(0, 0, SIDE, SIDE));
    if (undo.length > 30) undo.shift();
    // A test digit isn't drawn upon: a stroke begins a new picture.
    if (!drawing) blank();
    drawing = true;
    clean = false;
  }

  // Whether the canvas holds what the reader draws; else it shows what the address names.
  let drawing = false;
  /** @param {PointerEvent} event */
  const place = (event) => {
    const box = canvas.getBoundingClientRect();
    return [((event.clientX - box.left) / box.width) * SIDE, ((event.clientY - box.top) / box.height) * SIDE];
  };
  canvas.onpointerdown = (event) => {
    if (event.button !== 0) return;
    canvas.setPointerCapture(event.pointerId);
    begin();
    [pen.x, pen.y] = place(event);
    pen.down = true;
    stroke(pen.x + 0.1, pen.y);
    void read();
  };
  canvas.onpointermove = (event) => {
    if (!pen.down) return;
    const [x, y] = place(event);
    stroke(x, y);
    void read();
  };
  const lift = () => {
    if (!pen.down) return;
    pen.down = false;
    void read();
  };
  canvas.onpointerup = lift;
  canvas.onpointercancel = lift;
  canvas.onkeydown = (event) => {
    const step = event.shiftKey ? 28 : 10;
    const by = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] }[event.key];
    if (by) {
      event.preventDefault();
      const [x, y] = [pen.x + by[0], pen.y + by[1]].map((at) => Math.max(0, Math.min(SIDE, at)));
      if (pen.down) {
        stroke(x, y);
        void read();
      }
      [pen.x, pen.y] = [x, y];
      speak(`pen ${pen.down ? "down" : "up"} at ${Math.round(x)}, ${Math.round(y)}`);
    } else if (event.key === " ") {
      event.preventDefault();
      pen.down = !pen.down;
      if (pen.down) {
        begin();
        stroke(pen.x + 0.1, pen.y);
        void read();
      }
      speak(pen.down ? "pen down" : "pen up");
    } else if (event.key === "Delete" || event.key === "Backspace") {
      event.preventDefault();
      clear();
    }
  };
  canvas.onblur = () => (pen.down = false);

  function clear() {
    undo.push(context.getImageData(0, 0, SIDE, SIDE));
    blank();
    drawing = true;
    pen.down = false;
    void read();
  }

  function back() {
    const before = undo.pop();
    if (!before) return;
    context.putImageData(before, 0, 0);
    drawing = true;
    void read();
  }

  /** @param {File | undefined} file */
  async function open(file) {
    if (!file) return;
    try {
      const bitmap = await createImageBitmap(file);
      const scale = Math.min(1, 512 / Math.max(bitmap.width, bitmap.height));
      const [w, hgt] = [bitmap.width, bitmap.height].map((side) => Math.max(1, Math.round(side * scale)));
      const sheet = /** @type {HTMLCanvasElement} */ (h("canvas", { width: w, height: hgt }));
      const on = /** @type {CanvasRenderingContext2D} */ (sheet.getContext("2d"));
      on.fillStyle = "#fff";
      on.fillRect(0, 0, w, hgt);
      on.drawImage(bitmap, 0, 0, w, hgt);
      const data = on.getImageData(0, 0, w, hgt).data;
      const levels = Array.from({ length: w * hgt }, (_, at) =>
        Math.round(0.299 * data[4 * at] + 0.587 * data[4 * at + 1] + 0.114 * data[4 * at + 2]),
      );
      drawing = false;
      await prepared(w, hgt, levels);
      await show();
    } catch {
      note.textContent = `${file.name} is no picture that this browser reads.`;
    }
  }

  const number = h("input", { type: "number", min: 0, max: count - 1, id: "digit", value: state.get("digit", "0") });
  number.setAttribute("aria-label", `Number of the test digit, 0 to ${count - 1}`);
  /** @param {number} index */
  const digit = (index) => state.set({ digit: Math.max(0, Math.min(count - 1, index)), ink: null, class: null });
  number.onchange = () => digit(Math.trunc(Number(number.value) || 0));
  const file = h("input", { type: "file", accept: "image/*", hidden: true });
  file.onchange = () => open(file.files?.[0]);

  const sliders = CHANGES.map((change) => {
    const made = slider({
      ...change,
      value: state.number(change.name, change.usual),
      moved: (value) => state.set({ [change.name]: value === change.usual ? null : value }),
    });
    made.input.id = `slide-${change.name}`;
    return { change, made };
  });
  const straight = () => state.set(Object.fromEntries(CHANGES.map((change) => [change.name, null])));
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  let turning = 0;
  const turn = h("button", { type: "button", "aria-pressed": "false" }, "Play one turn");
  const stopTurn = () => {
    clearInterval(turning);
    turning = 0;
    turn.setAttribute("aria-pressed", "false");
  };
  turn.onclick = () => {
    if (turning) return stopTurn();
    let done = 0;
    turn.setAttribute("aria-pressed", "true");
    const step = still.matches ? 45 : 5;
    turning = window.setInterval(
      () => {
        const angle = state.number("rotate", 0) + step;
        state.set({ rotate: angle > 180 ? angle - 360 : angle });
        done += step;
        if (done >= 360) stopTurn();
      },
      still.matches ? 1000 : 90,
    );
  };

  async function show() {
    const { pixels, label } = await image(backend, about);
    if (!(drawing && state.get("ink"))) fill(pixels);
    if (label !== null) {
      number.value = String(Math.trunc(state.number("digit", 0)));
      drawing = false;
      note.textContent =
        `Test digit ${number.value}, labelled “${about.data.classes[label]}”. ` + "Draw over it to begin your own.";
    }
  }
  blank();

  const root = card(
    "Input",
    "",
    h("div", { className: "views" }, canvas, h("div", { className: "seen" }, seen, seenNote)),
    note,
    h(
      "div",
      { className: "stack" },
      h(
        "div",
        { className: "row" },
        h("button", { type: "button", id: "clear", onclick: clear }, "Clear"),
        h("button", { type: "button", onclick: back }, "Undo"),
        h("button", { type: "button", onclick: () => file.click() }, "Open a picture"),
        file,
      ),
      h(
        "div",
        { className: "digitpick" },
        h("span", { className: "hint" }, "Test digit"),
        number,
        h("button", { type: "button", "aria-label": "Previous digit", onclick: () => digit(+number.value - 1) }, "‹"),
        h("button", { type: "button", "aria-label": "Next digit", onclick: () => digit(+number.value + 1) }, "›"),
      ),
      h("div", { className: "sliders" }, ...sliders.map(({ made }) => made.root)),
      h("div", { className: "row" }, turn, h("button", { type: "button", onclick: straight }, "Set straight")),
    ),
  );
  root.id = "input";
  root.ondragover = (/** @type {DragEvent} */ event) => event.preventDefault();
  root.ondrop = (/** @type {DragEvent} */ event) => {
    event.preventDefault();
    void open(event.dataTransfer?.files[0]);
  };

  return {
    root,
    start: show,
    /** @param {Set<string>} changed */
    async changed(changed) {
      for (const { change, made } of sliders) {
        if (changed.has(change.name)) made.set(state.number(change.name, change.usual));
      }
      if (changed.has("digit") || (changed.has("ink") && !drawing)) await show();
    },
    /** What a model was shown. @param {number[]} pixels */
    saw(pixels) {
      paint(seen, pixels, width, height);
    },
    isClean: () => clean,
  };
}
