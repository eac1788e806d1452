// Routing: where the votes of the primary capsules go, iteration by iteration, by several algorithms side by side.

import { crowd } from "./crowd.js";
import { doorway } from "./doorway.js";
import { KEYS, image, transform } from "./shown.js";
import {
  bars,
  card,
  command,
  digest,
  h,
  heading,
  latest,
  paint,
  select,
  shortNames,
  slider,
  speak,
  svg,
} from "./parts.js";
import * as state from "./state.js";
import { votes } from "./votes.js";

/** @type {[string, string, string][]} text form, words, what it does */
const ALGORITHMS = [
  ["", "agreement", "as in training"],
  ["uniform", "uniform", "equal couplings, no routing"],
  ["random:1", "random", "fixed couplings, drawn once"],
  ["em:3", "EM", "classes as Gaussians of votes; never trained so"],
];

/** @param {import("./panel.js").Context} context @returns {import("./panel.js").Panel} */
export function routing({ backend, about, input }) {
  const able = about.models.map((model, number) => ({ model, number })).filter(({ model }) => model.routing);
  const names = shortNames(about.data.classes);
  const { width, height } = about.data;
  const number = () => {
    const wanted = state.number("model", -1);
    return able.some((one) => one.number === wanted) ? wanted : (able[0]?.number ?? 0);
  };
  const problem = h("p", { className: "problem", hidden: true });
  const scrubber = slider({
    label: "Iteration",
    min: 1,
    max: 3,
    step: 1,
    value: state.number("iteration", 3),
    moved: (value) => state.set({ iteration: value }),
  });
  scrubber.input.id = "iteration";
  const stretched = h("button", { type: "button", id: "stretched" }, "Stretched scale");
  stretched.onclick = () => state.set({ stretched: state.get("stretched") === "1" ? null : "1" });
  const towards = select(
    "Couplings to",
    [["", "the answer"], ...about.data.classes.map((name, k) => /** @type {[string, string]} */ ([String(k), name]))],
    state.get("towards"),
    (value) => state.set({ towards: value }),
  );
  const views = ALGORITHMS.map(([form, words, does]) => {
    const canvas = h("canvas", { width, height, className: "pixels" });
    const over = svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": `${words}: couplings` });
    const scores = bars(names);
    const said = h("figcaption", {});
    const figure = h(
      "figure",
      { "data-routing": form || "trained" },
      h("div", { className: "overlay" }, canvas, over),
      said,
    );
    const points = votes(words);
    const title = h("h3", {}, `${words} `, h("small", {}, does));
    const root = h("div", { className: "stack" }, title, figure, points.root, scores.root);
    return { form, words, canvas, over, points, scores, said, root };
  });
  const note = h("p", { className: "hint" });
  const commands = h("div", {});
  const scene = doorway(backend);
  const pair = crowd(backend, about);
  const root = h(
    "div",
    { className: "stack" },
    heading(
      "Routing",
      "Every primary capsule splits its vote among the classes. Scrub through the iterations and see where the " +
        "votes go; the areas of the dots are couplings.",
    ),
    problem,
    card(
      "Couplings over the image",
      "",
      h(
        "div",
        { className: "row" },
        scrubber.root,
        towards,
        stretched,
        able.length > 1
          ? select(
              "Model",
              able.map(({ model, number }) => [String(number), model.label]),
              String(number()),
              (value) => state.set({ model: value }),
            )
          : null,
      ),
      note,
      h("div", { className: "routes" }, ...views.map((view) => view.root)),
      commands,
    ),
    able.length > 0 ? pair.root : null,
    scene.root,
  );

  /** @type {Map<string, any>} */
  const found = new Map();

  function show() {
    stretched.setAttribute("aria-pressed", String(state.get("stretched") === "1"));
    const trained = found.get("");
    const last = trained?.iterations.length ?? 3;
    scrubber.input.max = String(last);
    scrubber.set(Math.min(last, Math.max(1, state.number("iteration", last))));
    for (const [index, { form, canvas, over, points, scores, said, root, words }] of views.entries()) {
      const answer = found.get(form);
      root.dataset.series = String(index);
      if (!answer) continue;
      const at = Math.min(answer.iterations.length, Math.max(1, state.number("iteration", last))) - 1;
      const iteration = answer.iterations[at];
      const of = state.get("towards") === "" ? answer.class : Number(state.get("towards"));
      paint(canvas, answer.seen, width, height);
      const [rows, columns, stride, side] = answer.maps;
      // One dot a place: the mean over its capsules, weighted by their lengths, of those that are told one by one.
      const sums = Array.from({ length: rows * columns }, () => [0, 0]);
      for (const strong of answer.strongest) {
        const cell = sums[strong.row * columns + strong.column];
        cell[0] += strong.length * strong.couplings[at][of];
        cell[1] += strong.length;
      }
      const means =
        of === answer.class ? answer.towards_answer[at] : sums.map(([sum, weight]) => (weight > 0 ? sum / weight : 0));
      const most = Math.max(...means, 1e-9);
      const least = Math.min(...means.filter((/** @type {number} */ mean) => mean > 0), most);
      const size = (/** @type {number} */ mean) =>
        state.get("stretched") === "1" ? (most > least ? (mean - least) / (most - least) : 1) : Math.min(1, mean);
      over.replaceChildren(
        ...means.map((/** @type {number} */ mean, /** @type {number} */ place) => {
          const [x, y] = [(place % columns) * stride + side / 2, Math.floor(place / columns) * stride + side / 2];
          const dot = svg("circle", {
            cx: x,
            cy: y,
            r: 0.95 * Math.sqrt(Math.max(0, size(mean))) + 0.02,
            fill: "#ffb347",
            "fill-opacity": 0.9,
          });
          dot.dataset.coupling = mean.toFixed(6);
          const title = svg("title");
          const [row, column] = [Math.floor(place / columns) + 1, (place % columns) + 1];
          title.textContent = `row ${row}, column ${column}: mean coupling ${mean.toFixed(3)}`;
          dot.append(title);
          return dot;
        }),
      );
      over.setAttribute("aria-label", `${words}: couplings with ${names[of]} over the image, iteration ${at + 1}`);
      points.show(answer, at, names[answer.towards]);
      scores.show(iteration.class_lengths, iteration.class_lengths.indexOf(Math.max(...iteration.class_lengths)));
      said.textContent =
        `iteration ${at + 1} of ${answer.iterations.length}: ` +
        `entropy ${iteration.entropy.toFixed(3)} bits of ${iteration.entropy_of_equal.toFixed(3)}` +
        (iteration.moved === null ? "" : `, ${(100 * iteration.moved).toFixed(1)} % moved`);
    }
    if (trained) {
      const model = about.models[number()];
      note.textContent =
        `${model.label}, ${digest(model)}. ${trained.primary_capsules} primary capsules, ${trained.starved} of them ` +
        `starved (${trained.unit} below 0.1); answer: ${about.data.classes[trained.class]}.`;
      commands.replaceChildren(
        command(`capsnet draw couplings${state.get("ink") ? "" : ` --index ${state.number("digit", 0)}`}`),
      );
      speak(views[0].said.textContent ?? "");
    }
  }

  const ask = latest(async () => {
    if (able.length === 0) return;
    try {
      const { pixels } = await image(backend, about);
      for (const { form } of views) {
        const wanted = state.get("towards");
        const answer = await backend.ask("routing", {
          model: number(),
          routing: form,
          towards: wanted === "" ? null : Number(wanted),
          pixels,
          transform: transform(),
          seed: 1,
        });
        if (form === "") input.saw(answer.seen);
        found.set(form, answer);
        show();
      }
      problem.hidden = true;
    } catch (error) {
      problem.hidden = false;
      problem.textContent = /** @type {Error} */ (error).message;
    }
  });
  if (able.length === 0) {
    problem.hidden = false;
    problem.textContent =
      "None of the models routes votes that have a place in the image. Open the lab with --models capsnet " +
      "(capsnet fetch weights gets its weights).";
  }

  return {
    root,
    usesInput: true,
    start() {
      void scene.start();
      if (able.length > 0) void pair.start();
      return ask();
    },
    changed(changed) {
      if (able.length > 0) pair.changed(changed);
      if ([...KEYS, "model", "towards"].some((name) => changed.has(name))) void ask();
      else if (["iteration", "stretched"].some((name) => changed.has(name))) show();
    },
  };
}
