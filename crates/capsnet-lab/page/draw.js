// Draw and turn: what all models answer to one image, and to it at every angle.

import { chart } from "./chart.js";
import { measuredByAngle } from "./dataset.js";
import { KEYS, image, rest, transform } from "./shown.js";
import { bars, card, command, digest, h, heading, latest, quoted, select, shortNames, speak } from "./parts.js";
import * as state from "./state.js";

const ANGLES = Array.from({ length: 73 }, (_, at) => -180 + 5 * at);

/** @param {import("./panel.js").Context} context @returns {import("./panel.js").Panel} */
export function draw({ backend, about, input }) {
  const names = shortNames(about.data.classes);
  const cards = about.models.map((model, series) => {
    const figure = h("span", { className: "figure" }, "…");
    const words = h("b", {}, "");
    const detail = h("small", {}, "");
    const scores = bars(names);
    const root = h(
      "section",
      { className: "card answer", "data-series": series % 6 },
      h("header", {}, h("h2", {}, model.label), h("small", {}, `${model.parameters.toLocaleString("en")} parameters`)),
      h("div", { className: "said" }, figure, h("p", {}, words, h("br"), detail)),
      scores.root,
      h("small", {}, `${model.unit} · ${digest(model)}`),
    );
    return { model, root, figure, words, detail, scores };
  });
  const curve = chart("Score of one class against the angle, each model a line");
  const chooser = select(
    "Whose score",
    [
      ["", "the label, or the first answer"],
      ...about.data.classes.map((name, k) => /** @type {[string, string]} */ ([String(k), name])),
    ],
    state.get("class"),
    (value) => state.set({ class: value }),
  );
  const curveNote = h("p", { className: "hint" });
  const commands = h("div", {});
  const curveCard = card("This digit at every angle", "", chooser, curve.root, curveNote, commands);
  const all = chart("Accuracy on the data set against the angle, each model a line with its interval");
  const allNote = h("p", { className: "hint" });
  const allCommand = h("div", {});
  const allCard = card("All digits at every angle", "", all.root, allNote, allCommand);
  /** @type {import("./chart.js").Series[]} */
  let allLines = [];
  const problem = h("p", { className: "problem", hidden: true });
  const root = h(
    "div",
    { className: "stack" },
    heading(
      "Draw and turn",
      "Draw a digit, open a picture or take a test digit; turn it, and watch the models answer side by side.",
    ),
    problem,
    h("div", { className: "cards", id: "answers" }, ...cards.map((card) => card.root)),
    h("div", { className: "two" }, curveCard, allCard),
  );

  async function measured() {
    const folder = await backend.folder();
    const found = await measuredByAngle(backend, about);
    allLines = found?.lines ?? [];
    all.root.hidden = !found;
    allNote.textContent = found
      ? found.words
      : "There is no sweep over angles of these models among the reports; this command makes one.";
    const models = about.models.map((model) => model.model).join(",");
    const out = quoted(`${folder}/sweep`);
    allCommand.replaceChildren(command(`capsnet sweep --models ${models} --rotate=-180..180:5 --out ${out}`));
    redraw();
  }

  /** @type {import("./chart.js").Series[]} */
  let lines = [];
  /** What the lines are of, and what is wanted now. */
  let linesOf = "";
  let wanted = "";
  const axes = {
    x: { label: "angle in degrees", low: -180, high: 180, ticks: [-180, -135, -90, -45, 0, 45, 90, 135, 180] },
    y: { label: "score", low: 0, digits: 3 },
  };
  const percent = { x: axes.x, y: { label: "%", low: 0, high: 100, digits: 2 } };
  function redraw() {
    curve.show(lines, axes, state.number("rotate", 0));
    if (allLines.length > 0) all.show(allLines, percent, state.number("rotate", 0));
  }

  /** @param {number[]} pixels @param {number} of */
  const curves = latest(async (pixels, of) => {
    const key = wanted;
    if (key === linesOf) return redraw();
    /** @type {import("./chart.js").Series[]} */
    const found = [];
    for (const [number, model] of about.models.entries()) {
      /** @type {[number, number][]} */
      const points = [];
      for (let from = 0; from < ANGLES.length; from += backend.atATime) {
        const angles = ANGLES.slice(from, from + backend.atATime);
        const asked = { model: number, class: of, angles, pixels, transform: rest(), seed: 1 };
        const { scores } = await backend.ask("curve", asked);
        if (key !== wanted) return;
        angles.forEach((angle, at) => points.push([angle, scores[at]]));
      }
      found.push({ name: model.label, colour: number, points });
      lines = [...found, ...lines.slice(found.length)];
      redraw();
    }
    linesOf = key;
  });

  const ask = latest(async () => {
    try {
      const { pixels, label } = await image(backend, about);
      const spoken = [];
      let first = 0;
      for (const [number, { model, root, figure, words, detail, scores }] of cards.entries()) {
        const answer = await backend.ask("predict", { model: number, pixels, transform: transform(), seed: 1 });
        if (number === 0) {
          input.saw(answer.seen);
          first = answer.class;
        }
        const name = about.data.classes[answer.class];
        root.classList.toggle("nothing", !answer.recognised);
        figure.textContent = answer.recognised ? names[answer.class] : "–";
        words.textContent = answer.recognised ? name : "nothing recognised";
        detail.textContent = answer.recognised
          ? `${model.unit} ${answer.scores[answer.class].toFixed(3)} · ${answer.milliseconds.toFixed(1)} ms`
          : `nearest: ${name}, ${answer.scores[answer.class].toFixed(3)}, below ${answer.threshold}`;
        root.dataset.answer = name;
        scores.show(answer.scores, answer.class);
        spoken.push(`${model.label}: ${words.textContent}`);
      }
      speak(spoken.join("; "));
      const chosen = state.get("class");
      const of = chosen === "" ? (label ?? first) : Number(chosen);
      curveNote.textContent = `Score of “${about.data.classes[of]}”. The dashed line is the angle of the slider.`;
      const line = transform();
      commands.replaceChildren(
        command(
          state.get("ink")
            ? `capsnet predict ${about.models.map((model) => model.model).join(",")} digit.png`
            : `capsnet draw angles --index ${state.number("digit", 0)}`,
        ),
        h("p", { className: "hint" }, line ? `transform: ${line}` : "no transform"),
      );
      problem.hidden = true;
      wanted = JSON.stringify([pixels, rest(), of]);
      void curves(pixels, of).catch(fail);
    } catch (error) {
      fail(error);
    }
  });
  /** @param {any} error */
  function fail(error) {
    problem.hidden = false;
    problem.textContent = error.message;
  }

  return {
    root,
    usesInput: true,
    start() {
      measured().catch(fail);
      return ask();
    },
    /** @param {Set<string>} changed */
    changed(changed) {
      if (changed.has("rotate")) redraw();
      if (KEYS.some((key) => changed.has(key))) void ask();
    },
  };
}
