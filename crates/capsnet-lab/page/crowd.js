// Two digits in one image: a class has one capsule, which two of its digits have to share.

import { card, command, h, latest, paint, shortNames, slider } from "./parts.js";
import * as state from "./state.js";

/** @param {import("./backend.js").Backend} backend @param {import("./backend.js").About} about */
export function crowd(backend, about) {
  const { count, width, height, classes } = about.data;
  const names = shortNames(classes);
  const problem = h("p", { className: "problem", hidden: true });
  const distance = slider({
    label: "Distance",
    min: 0,
    max: 14,
    step: 1,
    unit: " px",
    value: state.number("apart", 8),
    moved: (value) => state.set({ apart: value }),
  });
  distance.input.id = "apart";
  const first = () => Math.max(0, Math.min(count - 1, Math.trunc(state.number("digit", 0))));
  const second = () => Math.max(0, Math.min(count - 1, Math.trunc(state.number("second", 1))));
  const other = h("input", { type: "number", min: 0, max: count - 1, value: second(), id: "second" });
  other.onchange = () => state.set({ second: Number(other.value) || 0 });
  const cells = [0, 1].map(() => {
    const [canvas, answers, redrawn, title] = [
      h("canvas", { className: "pixels", width, height }),
      h("ul", { className: "reports" }),
      h("div", { className: "pictures" }),
      h("h3", {}),
    ];
    return { title, canvas, answers, redrawn, root: h("div", { className: "stack" }, title, canvas, answers, redrawn) };
  });
  const commands = h("div", {});
  const root = card(
    "Two digits in one image",
    "two of one class have one capsule",
    h("div", { className: "row" }, h("label", { className: "field" }, "Second test digit", other), distance.root),
    problem,
    h("div", { className: "two", id: "crowd" }, ...cells.map((cell) => cell.root)),
    commands,
  );

  const ask = latest(async () => {
    try {
      const found = await backend.ask("crowd", { indices: [first(), second()], distance: state.number("apart", 8) });
      const pairs = [found.labels, [found.labels[0], found.labels[0]]];
      found.pairs.forEach((/** @type {any} */ pair, /** @type {number} */ at) => {
        const cell = cells[at];
        const [one, two] = pairs[at].map((/** @type {number} */ label) => names[label]);
        cell.title.textContent = one === two ? `${one} and another ${two}: one capsule for both` : `${one} and ${two}`;
        paint(cell.canvas, pair.pixels, width, height);
        cell.answers.replaceChildren(
          ...pair.answers.map((/** @type {any} */ answer, /** @type {number} */ number) => {
            const best = answer.best.map(
              (/** @type {[number, number]} */ [label, score]) => `${names[label]} ${score.toFixed(2)}`,
            );
            return h("li", {}, `${about.models[number].label}: ${best.join(", ")}${answer.right ? "" : " (wrong)"}`);
          }),
        );
        cell.redrawn.replaceChildren(
          ...pair.redrawn.map((/** @type {any} */ one) => {
            const canvas = h("canvas", { className: "pixels", width, height });
            paint(canvas, one.pixels, width, height);
            const words = `capsule ${names[one.class]}, ${one.score.toFixed(2)}, decoded`;
            return h("figure", {}, canvas, h("figcaption", {}, words));
          }),
        );
      });
      commands.replaceChildren(command(`capsnet draw crowding --index ${first()},${second()}`));
      problem.hidden = true;
    } catch (error) {
      problem.hidden = false;
      problem.textContent = /** @type {Error} */ (error).message;
    }
  });

  return {
    root,
    start: ask,
    /** @param {Set<string>} changed */
    changed(changed) {
      if (["digit", "second", "apart"].some((key) => changed.has(key))) void ask();
    },
  };
}
