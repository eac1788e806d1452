// Capsules: how long they are, where their poses lie among a thousand digits, and what moving one dimension draws.

import { KEYS, image, transform } from "./shown.js";
import {
  CLASS_COLOURS,
  bars,
  card,
  command,
  digest,
  h,
  heading,
  latest,
  paint,
  paintSigned,
  select,
  shortNames,
  slider,
} from "./parts.js";
import { principal } from "./principal.js";
import * as state from "./state.js";

const DIGITS = 1000;

/** @param {import("./panel.js").Context} context @returns {import("./panel.js").Panel} */
export function capsules({ backend, about, input }) {
  const able = about.models.map((model, number) => ({ model, number })).filter(({ model }) => model.capsules);
  const names = shortNames(about.data.classes);
  const { width, height } = about.data;
  const usual = able.find(({ model }) => model.decoder) ?? able[0];
  const number = () => {
    const wanted = state.number("model", usual?.number ?? 0);
    return able.some((one) => one.number === wanted) ? wanted : (usual?.number ?? 0);
  };
  const problem = h("p", { className: "problem", hidden: true });
  const lengths = bars(names, (index) => choose(index));
  const about_ = h("small", {});
  const [now, moved, change] = [0, 1, 2].map(() => h("canvas", { className: "pixels", width, height }));
  moved.id = "moved";
  const pictures = h(
    "div",
    { className: "pictures" },
    h("figure", {}, now, h("figcaption", {}, "decoded as it is")),
    h("figure", {}, moved, h("figcaption", {}, "with the sliders")),
    h("figure", {}, change, h("figcaption", {}, "difference: blue less, orange more")),
  );
  const sliderBox = h("div", { className: "poses" });
  const decoderNote = h("p", { className: "hint" });
  const reset = h("button", { type: "button", onclick: () => void settle() }, "Reset");
  const scatter = h("canvas", { className: "scatter", width: 900, height: 675, role: "img" });
  scatter.setAttribute("aria-label", "Poses of a thousand digits along their two principal directions");
  const scatterNote = h("p", { className: "hint" });
  const key = h(
    "div",
    { className: "key" },
    ...names.map((name, at) => {
      const dot = h("i", {});
      dot.style.background = CLASS_COLOURS[at % 10];
      return h("span", {}, dot, name);
    }),
  );
  const commands = h("div", {});
  const root = h(
    "div",
    { className: "stack" },
    heading(
      "Capsules",
      "A capsule's length says whether its class is there, its pose says how it is drawn. Choose a capsule and " +
        "move its pose.",
    ),
    able.length > 1
      ? select(
          "Model",
          able.map(({ model, number }) => [String(number), model.label]),
          String(number()),
          (value) => state.set({ model: value }),
        )
      : null,
    problem,
    h(
      "div",
      { className: "two" },
      card("Lengths", "choose a capsule", lengths.root, about_),
      card("Poses of a thousand digits", "principal components", scatter, key, scatterNote),
    ),
    card(
      "One pose",
      "each slider over the middle 90 % of its class",
      pictures,
      decoderNote,
      sliderBox,
      h("div", { className: "row" }, reset),
      commands,
    ),
  );

  /** @type {{class: number, scores: number[], capsules: number[][]} | null} */
  let found = null;
  /** @type {number[]} */
  let pose = [];
  /** @type {{labels: number[], poses: number[][], components: ReturnType<typeof principal>} | null} */
  let cloud = null;
  let cloudOf = -1;
  const cls = () => {
    const chosen = state.get("capsule");
    return chosen === "" ? (found?.class ?? 0) : Math.min(names.length - 1, Number(chosen));
  };

  /** @param {number} index */
  function choose(index) {
    state.set({ capsule: index === found?.class ? null : index });
  }

  const decode = latest(async () => {
    const model = about.models[number()];
    if (!found || !model.decoder) return;
    const ask = (/** @type {number[]} */ capsule) => backend.ask("decode", { model: number(), class: cls(), capsule });
    const [as, to] = [await ask(found.capsules[cls()]), await ask(pose)];
    paint(now, as.pixels, width, height);
    paint(moved, to.pixels, width, height);
    paintSigned(
      change,
      to.pixels.map((/** @type {number} */ level, /** @type {number} */ at) => level - as.pixels[at]),
      width,
      height,
    );
  });

  /** The range of each dimension: 5 to 95 % of the class's digits, as far as they are known. */
  function ranges() {
    const of = cls();
    const mine = cloud ? cloud.poses.filter((_, at) => cloud?.labels[at] === of) : [];
    return (found?.capsules[of] ?? []).map((value, dimension) => {
      const values = mine.map((one) => one[dimension]).sort((a, b) => a - b);
      const [low, high] =
        values.length > 20
          ? [0.05, 0.95].map((q) => values[Math.floor(q * (values.length - 1))])
          : [value - 0.25, value + 0.25];
      return [Math.min(low, value), Math.max(high, value)];
    });
  }

  /** The sliders anew; what they were moved to stays if so wanted. @param {boolean} [keep] */
  async function settle(keep = false) {
    if (!found) return;
    const model = about.models[number()];
    if (!keep) pose = [...found.capsules[cls()]];
    pictures.hidden = !model.decoder;
    decoderNote.textContent = model.decoder
      ? ""
      : `${model.label} has no decoder, so its poses can be seen among the digits' but draw no picture.`;
    const limits = ranges();
    sliderBox.replaceChildren(
      ...pose.map((value, dimension) => {
        const [min, max] = limits[dimension];
        const made = slider({
          label: `${dimension + 1}`,
          min,
          max,
          step: (max - min) / 100 || 0.01,
          value,
          digits: 3,
          moved: (to) => {
            pose[dimension] = to;
            void decode();
            scatterNow();
          },
        });
        made.input.setAttribute("aria-label", `Dimension ${dimension + 1} of the pose`);
        made.input.id = `pose-${dimension + 1}`;
        return made.root;
      }),
    );
    scatterNow();
    await decode();
  }

  const gather = latest(async () => {
    const of = number();
    if (cloudOf === of && cloud) return;
    cloudOf = of;
    cloud = null;
    const [labels, poses] = [/** @type {number[]} */ ([]), /** @type {number[][]} */ ([])];
    const most = Math.min(DIGITS, about.data.count);
    for (let from = 0; from < most; from += backend.atATime) {
      const count = Math.min(backend.atATime, most - from);
      const part = await backend.ask("poses", { model: of, from, count });
      if (cloudOf !== of) return;
      labels.push(...part.labels);
      poses.push(...part.poses);
      cloud = { labels, poses, components: principal(poses) };
      scatterNow();
    }
    await settle(true);
  });

  function scatterNow() {
    const context = /** @type {CanvasRenderingContext2D} */ (scatter.getContext("2d"));
    context.clearRect(0, 0, scatter.width, scatter.height);
    if (!cloud) return;
    const { components } = cloud;
    const places = cloud.poses.map(components.project);
    const all = [...places, ...(pose.length ? [components.project(pose)] : [])];
    const spread = [0, 1].map((axis) => Math.max(...all.map((place) => Math.abs(place[axis])), 1e-6));
    const at = (/** @type {number[]} */ place) => [
      scatter.width / 2 + (place[0] / spread[0]) * 0.46 * scatter.width,
      scatter.height / 2 - (place[1] / spread[1]) * 0.46 * scatter.height,
    ];
    const style = getComputedStyle(document.documentElement);
    places.forEach((place, index) => {
      const [x, y] = at(place);
      const label = /** @type {number[]} */ (cloud?.labels)[index];
      context.globalAlpha = label === cls() ? 0.95 : 0.4;
      context.fillStyle = CLASS_COLOURS[label % 10];
      context.beginPath();
      context.arc(x, y, label === cls() ? 5 : 3.5, 0, 7);
      context.fill();
    });
    context.globalAlpha = 1;
    if (pose.length) {
      const [x, y] = at(components.project(pose));
      context.lineWidth = 3;
      context.strokeStyle = style.getPropertyValue("--ink");
      context.beginPath();
      context.arc(x, y, 11, 0, 7);
      context.moveTo(x - 17, y);
      context.lineTo(x + 17, y);
      context.moveTo(x, y - 17);
      context.lineTo(x, y + 17);
      context.stroke();
    }
    const share = components.shares.map((part) => (100 * part).toFixed(0)).join(" % and ");
    scatterNote.textContent =
      `${cloud.poses.length} test digits, each at its true class's pose; the axes hold ${share} % of the variance. ` +
      "The cross is the pose of the sliders.";
  }

  const ask = latest(async () => {
    if (able.length === 0) return;
    try {
      const { pixels } = await image(backend, about);
      const answer = await backend.ask("capsules", { model: number(), pixels, transform: transform(), seed: 1 });
      found = answer;
      input.saw(answer.seen);
      lengths.root.dataset.series = String(number() % 6);
      lengths.show(answer.scores, answer.class, cls());
      const model = about.models[number()];
      about_.textContent = `${model.unit} · ${digest(model)}`;
      commands.replaceChildren(command("capsnet draw perturbations"));
      problem.hidden = true;
      await settle();
      void gather();
    } catch (error) {
      problem.hidden = false;
      problem.textContent = /** @type {Error} */ (error).message;
    }
  });
  if (able.length === 0) {
    problem.hidden = false;
    problem.textContent = "None of the models has capsules. Open the lab with --models capsnet,equivariant-capsnet.";
  }

  return {
    root,
    usesInput: true,
    start: ask,
    changed(changed) {
      if ([...KEYS, "model", "capsule"].some((name) => changed.has(name))) void ask();
    },
  };
}
