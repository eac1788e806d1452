// The doorway toy: a square and a quarter disc vote for the whole that they belong to. Drag them until they agree.

import { card, command, h, latest, scrolled, slider, speak, svg } from "./parts.js";

const SIDE = 64;

/** @typedef {{shape: string, pose: {x: number, y: number, angle: number}}} Part */

/** @returns {Part[]} */
const fitting = () => [
  { shape: "square", pose: { x: 30, y: 42, angle: 0 } },
  { shape: "quarter-disc", pose: { x: 22, y: 34, angle: 0 } },
];

/** @param {import("./backend.js").Backend} backend */
export function doorway(backend) {
  let parts = fitting();
  let chosen = 0;
  let iterations = 3;
  /** @type {any} */
  let routed = null;
  const scene = svg("svg", { viewBox: `0 0 ${SIDE} ${SIDE}`, class: "scene", role: "application", tabindex: 0 });
  scene.setAttribute(
    "aria-label",
    "Two parts; arrow keys move the chosen one, square brackets turn it, Enter chooses the other",
  );
  const scrub = slider({
    label: "Iterations",
    min: 1,
    max: 8,
    step: 1,
    value: iterations,
    moved: (value) => {
      iterations = value;
      void route();
    },
  });
  const table = scrolled("Table of the doorway's votes");
  const verdict = h("p", {});
  const reset = h(
    "button",
    {
      type: "button",
      onclick: () => {
        parts = fitting();
        void route();
      },
    },
    "Fit together",
  );
  const apart = h(
    "button",
    {
      type: "button",
      onclick: () => {
        parts = [
          { shape: "square", pose: { x: 18, y: 46, angle: 20 } },
          { shape: "quarter-disc", pose: { x: 42, y: 24, angle: 130 } },
        ];
        void route();
      },
    },
    "Pull apart",
  );
  const root = card(
    "The doorway: agreement by hand",
    "drag a part, turn it with [ and ]",
    h(
      "div",
      { className: "two" },
      scene,
      h(
        "div",
        { className: "stack" },
        verdict,
        scrub.root,
        h("div", { className: "row" }, reset, apart),
        table,
        command("capsnet draw doorway"),
      ),
    ),
  );

  /** @param {[number, number][]} outline @param {{x: number, y: number, angle: number}} pose */
  function placed(outline, { x, y, angle }) {
    // Angles are counter-clockwise, as seen; rows count downwards.
    const [c, s] = [Math.cos((angle * Math.PI) / 180), Math.sin((angle * Math.PI) / 180)];
    return outline.map(([u, v]) => `${(x + c * u + s * v).toFixed(2)},${(y - s * u + c * v).toFixed(2)}`).join(" ");
  }

  function draw() {
    if (!routed) return;
    const shapes = parts.map((part, at) => {
      const outline = routed.outlines[part.shape === "square" ? 0 : 1];
      const made = svg("polygon", { class: "part", points: placed(outline, part.pose), "data-series": at });
      if (at === chosen) made.style.strokeWidth = "1.1";
      made.addEventListener("pointerdown", (event) => grab(at, /** @type {PointerEvent} */ (event)));
      return made;
    });
    const marks = routed.votes.flatMap((/** @type {any[]} */ both, /** @type {number} */ part) =>
      both.map((vote, whole) =>
        arrow(vote, whole === 0 ? 3.2 : 1.8, {
          class: "vote",
          "data-series": part,
          "stroke-dasharray": whole === 0 ? "none" : "1 1",
        }),
      ),
    );
    const last = routed.steps.at(-1);
    const wholes = last.poses.map((/** @type {any} */ pose, /** @type {number} */ whole) =>
      arrow(pose, 5 * last.lengths[whole], { class: "whole", "stroke-dasharray": whole === 0 ? "none" : "1 1" }),
    );
    scene.replaceChildren(...shapes, ...marks, ...wholes);
    const best = last.lengths[0] >= last.lengths[1] ? 0 : 1;
    verdict.textContent =
      last.lengths[best] > 0.8
        ? `The votes agree on a ${routed.wholes[best]} (length ${last.lengths[best].toFixed(3)}).`
        : "The votes agree on nothing much: " +
          `${routed.wholes[0]} ${last.lengths[0].toFixed(3)}, ${routed.wholes[1]} ${last.lengths[1].toFixed(3)}.`;
    const head = h(
      "tr",
      {},
      ...["iteration", `${routed.wholes[0]}`, `${routed.wholes[1]}`, "square gives", "disc gives"].map((words) =>
        h("th", {}, words),
      ),
    );
    const rows = routed.steps.map((/** @type {any} */ step, /** @type {number} */ at) =>
      h(
        "tr",
        {},
        h("td", {}, String(at + 1)),
        ...step.lengths.map((/** @type {number} */ length) => h("td", {}, length.toFixed(3))),
        ...step.couplings.map((/** @type {number[]} */ [to]) =>
          h("td", {}, `${(100 * to).toFixed(0)} % / ${(100 - 100 * to).toFixed(0)} %`),
        ),
      ),
    );
    table.replaceChildren(h("table", {}, h("thead", {}, head), h("tbody", {}, ...rows)));
  }

  /**
   * A circle with a hand at a pose.
   * @param {any} pose @param {number} radius @param {Record<string, any>} attributes
   */
  function arrow({ x, y, angle }, radius, attributes) {
    const turn = ((angle + 90) * Math.PI) / 180;
    const [dx, dy] = [Math.cos(turn) * radius, -Math.sin(turn) * radius];
    return svg("path", {
      ...attributes,
      d:
        `M${x - radius} ${y}a${radius} ${radius} 0 1 0 ${2 * radius} 0a${radius} ${radius} 0 1 0 ${-2 * radius} 0` +
        `M${x} ${y}l${dx} ${dy}`,
    });
  }

  const route = latest(async () => {
    routed = await backend.ask("doorway", { parts, iterations });
    draw();
  });

  /** @param {number} at @param {PointerEvent} event */
  function grab(at, event) {
    chosen = at;
    scene.focus();
    const start = place(event);
    const from = { ...parts[at].pose };
    const move = (/** @type {Event} */ moved) => {
      const now = place(/** @type {PointerEvent} */ (moved));
      parts[at].pose = { ...from, x: clamp(from.x + now[0] - start[0]), y: clamp(from.y + now[1] - start[1]) };
      void route();
    };
    const end = () => {
      scene.removeEventListener("pointermove", move);
      scene.removeEventListener("pointerup", end);
    };
    scene.setPointerCapture(event.pointerId);
    scene.addEventListener("pointermove", move);
    scene.addEventListener("pointerup", end);
  }

  /** @param {PointerEvent} event */
  const place = (event) => {
    const box = scene.getBoundingClientRect();
    return [((event.clientX - box.left) / box.width) * SIDE, ((event.clientY - box.top) / box.height) * SIDE];
  };
  const clamp = (/** @type {number} */ at) => Math.max(0, Math.min(SIDE, at));

  scene.addEventListener("keydown", (event) => {
    const key = /** @type {KeyboardEvent} */ (event).key;
    const pose = parts[chosen].pose;
    const by = {
      ArrowLeft: [-1, 0, 0],
      ArrowRight: [1, 0, 0],
      ArrowUp: [0, -1, 0],
      ArrowDown: [0, 1, 0],
      "[": [0, 0, 5],
      "]": [0, 0, -5],
    }[key];
    if (key === "Enter") {
      chosen = (chosen + 1) % parts.length;
      speak(`${parts[chosen].shape} chosen`);
      draw();
    }
    if (!by) return;
    event.preventDefault();
    parts[chosen].pose = { x: clamp(pose.x + by[0]), y: clamp(pose.y + by[1]), angle: pose.angle + by[2] };
    void route();
  });

  return { root, start: route };
}
