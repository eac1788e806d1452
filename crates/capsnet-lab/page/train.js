// Train: the panes of a training as it runs, of finished ones, and of several laid over each other.

import { chart, smooth } from "./chart.js";
import { following } from "./follow.js";
import { cellOf, grid, matrix } from "./panes.js";
import { card, command, h, heading, quoted, shortNames, slider } from "./parts.js";
import { starter } from "./start.js";
import * as state from "./state.js";

/** Whether a run's model answers with classes, as far as is known by now.
 * @param {import("./follow.js").Followed} run */
const namesClasses = (run) => run.state?.names_classes !== false;

const KEYS = ["run", "smooth", "log", "cell"];

/** @param {import("./panel.js").Context} context @returns {import("./panel.js").Panel} */
export function train({ backend, about }) {
  const runs = /** @type {import("./backend.js").Runs} */ (backend.runs);
  const followed = following(runs, draw);
  const names = shortNames(about.data.classes);
  const list = h("div", { className: "runs", role: "group", "aria-label": "Runs to show" });
  const problem = h("p", { className: "problem", hidden: true, role: "alert" });
  const tally = h("div", { className: "tally" });
  const buttons = h("div", { className: "row" });
  const charts = {
    loss: chart("Training and validation loss"),
    accuracy: chart("Training and validation accuracy"),
    rate: chart("Learning rate"),
    norm: chart("Gradient norm"),
    lengths: chart("Mean length of the true and of the other classes' capsules"),
    speed: chart("Images a second"),
  };
  const confusion = h("div", {});
  const confusionNote = h("small", {});
  const cellBox = h("div", {});
  /** Truth and answer of the chosen cell. */
  const cell = () => {
    const found = state.get("cell").split(",").map(Number);
    return found.length === 2 && found.every((at) => at >= 0 && at < names.length) ? found : null;
  };
  const truth = h("div", { className: "tiles", id: "truth" });
  const made = h("div", { className: "tiles", id: "reconstruction" });
  const madeNote = h("p", { className: "hint" });
  const again = h("div", {});
  const settings = h(
    "div",
    { className: "row" },
    slider({
      label: "Smoothing",
      min: 0,
      max: 0.98,
      step: 0.02,
      digits: 2,
      value: state.number("smooth", 0.6),
      moved: (value) => state.set({ smooth: value }),
    }).root,
    logButton(),
  );
  /** What there is of models that name classes alone. */
  const ofClasses = {
    accuracy: card("Accuracy, %", "steps thin, epochs bold, validation dashed", charts.accuracy.root),
    confusion: card("Confusion", "choose a cell to see its digits", confusionNote, confusion, cellBox),
    reconstruction: card("Reconstruction", "what the decoder makes of the true class's capsule", made, madeNote),
    lengths: card("Capsule lengths", "true class and others", charts.lengths.root),
  };
  const panes = h(
    "div",
    { className: "panes" },
    card("Loss", "steps thin, epochs bold, validation dashed", charts.loss.root),
    ofClasses.accuracy,
    ofClasses.confusion,
    card("Truth", "the same images after every epoch; label, then the model's answer", truth),
    ofClasses.reconstruction,
    ofClasses.lengths,
    card("Gradient norm", "", charts.norm.root),
    card("Learning rate", "", charts.rate.root),
    card("Images a second", "", charts.speed.root),
  );
  const root = heading(
    "Train",
    "Trainings by this page, by other processes, and finished ones, live from the files of their folders. Tick " +
      "several to lay them over each other.",
    problem,
    h(
      "div",
      { className: "bench" },
      h("div", { className: "side" }, card("Runs", "", list), starter(runs, about.trainable, attempt, begun)),
      h("div", { className: "stack" }, card("Now", "", tally, buttons, settings, again), panes),
    ),
  );
  let timer = 0;
  // Until the server has said it.
  let folder = "runs";

  /** @param {{run: string, command: string}} started */
  async function begun(started) {
    state.set({ run: started.run });
    again.replaceChildren(command(started.command));
    await relist();
  }

  function logButton() {
    const button = h("button", { type: "button" }, "Log axes");
    const say = () => button.setAttribute("aria-pressed", String(state.get("log") === "1"));
    button.onclick = () => {
      state.set({ log: state.get("log") === "1" ? null : "1" });
      say();
    };
    say();
    return button;
  }

  /** @param {() => Promise<void>} work */
  async function attempt(work) {
    try {
      await work();
      problem.hidden = true;
    } catch (error) {
      problem.hidden = false;
      problem.textContent = /** @type {Error} */ (error).message;
    }
  }

  const chosen = () => state.get("run").split(",").filter(Boolean);

  async function relist() {
    await attempt(async () => {
      const found = await runs.list();
      folder = await backend.folder();
      if (chosen().length === 0 && found.length > 0) state.set({ run: found[0].name });
      const focused = /** @type {any} */ (document.activeElement)?.dataset?.run;
      const rows = found.map((run) => {
        const at = chosen().indexOf(run.name);
        const tick = h("input", { type: "checkbox", checked: at >= 0 });
        tick.dataset.run = run.name;
        tick.onchange = () => {
          const others = chosen().filter((name) => name !== run.name);
          state.set({ run: (tick.checked ? [...others, run.name] : others).join(",") || null });
        };
        const badge = h("span", { className: `badge ${run.state}` }, run.state);
        const row = h("label", { className: "run" }, tick, h("span", {}, run.name), badge);
        if (at >= 0) row.dataset.series = String(at % 6);
        return row;
      });
      list.replaceChildren(
        ...(rows.length
          ? rows
          : [h("p", { className: "hint" }, "There are no runs yet. Start one below, or with capsnet train.")]),
      );
      if (focused) list.querySelector(`input[data-run="${CSS.escape(focused)}"]`)?.focus();
      followed.only(chosen().filter((name) => found.some((run) => run.name === name)));
    });
  }

  function draw() {
    const open = followed.all();
    const share = state.number("smooth", 0.6);
    const log = state.get("log") === "1";
    const label = (/** @type {string} */ name, /** @type {string} */ what) =>
      open.length > 1 ? `${name} ${what}` : what;
    /** @param {(run: import("./follow.js").Followed, colour: number) => import("./chart.js").Series[]} of */
    const every = (of, which = (/** @type {any} */ _run) => true) =>
      open.filter(which).flatMap((run) => of(run, chosen().indexOf(run.name)));
    /** @param {any[]} lines @param {string} key @param {number} [by] @returns {[number, number][]} */
    const points = (lines, key, by = 1) =>
      lines.filter((line) => typeof line[key] === "number").map((line) => [line.step, by * line[key]]);
    /** @param {string} of @param {number} by @param {(run: any) => boolean} [which] */
    const both = (of, by, which) =>
      every(
        (run, colour) => [
          { name: "", colour, points: smooth(points(run.steps, of, by), share), faded: true },
          { name: label(run.name, "training"), colour, points: points(run.metrics, `train_${of}`, by) },
          {
            name: label(run.name, "validation"),
            colour: colour + (open.length > 1 ? 0 : 1),
            dashed: true,
            points: points(run.metrics, `validation_${of}`, by),
          },
        ],
        which,
      );
    /** @param {string} of */
    const single = (of) =>
      every((run, colour) => [{ name: label(run.name, ""), colour, points: smooth(points(run.steps, of), share) }]);
    const x = { label: "step", low: 0 };
    charts.loss.show(both("loss", 1), { x, y: { label: "loss", log, low: log ? undefined : 0 } });
    charts.accuracy.show(both("accuracy", 100, namesClasses), { x, y: { label: "%", digits: 2, high: 100 } });
    charts.rate.show(single("learning_rate"), { x, y: { label: "", log, digits: 6, low: log ? undefined : 0 } });
    charts.norm.show(single("gradient_norm"), { x, y: { label: "", log, low: log ? undefined : 0 } });
    charts.speed.show(single("images_per_second"), { x, y: { label: "", digits: 0, low: 0 } });
    const lengths = every(
      (run, colour) => [
        { name: label(run.name, "true class"), colour, points: smooth(points(run.steps, "true_length"), share) },
        {
          name: label(run.name, "others"),
          colour: colour + (open.length > 1 ? 0 : 1),
          dashed: true,
          points: smooth(points(run.steps, "other_length"), share),
        },
      ],
      namesClasses,
    ).filter((series) => series.points.length > 0);
    charts.lengths.show(lengths, { x, y: { label: "", low: 0, digits: 3 } });
    const last = open.at(-1);
    ofClasses.accuracy.hidden = open.length > 0 && !open.some(namesClasses);
    // Models without capsules have none to come.
    const none = lengths.length === 0 && open.length > 0 && open.every((run) => run.steps.length > 0);
    ofClasses.lengths.hidden = ofClasses.accuracy.hidden || none;
    ofClasses.confusion.hidden = ofClasses.reconstruction.hidden = last !== undefined && !namesClasses(last);
    now(last);
  }

  /** What is shown of one run alone: the one that was ticked last. @param {import("./follow.js").Followed} [run] */
  function now(run) {
    const fact = (/** @type {string} */ name, /** @type {string} */ value) =>
      h("div", {}, h("small", {}, name), h("b", {}, value));
    if (!run) {
      tally.replaceChildren(h("p", { className: "hint" }, "No run is chosen."));
      buttons.replaceChildren();
      return;
    }
    const [step, metrics, epoch] = [run.steps.at(-1), run.metrics.at(-1), run.epochs.at(-1)];
    const percent = (/** @type {any} */ share) => (typeof share === "number" ? `${(100 * share).toFixed(2)} %` : "–");
    const at = run.state?.state ?? "…";
    tally.replaceChildren(
      fact("run", run.name),
      fact("model", run.state?.model ?? "…"),
      fact("state", at),
      fact("epoch", `${run.metrics.length} of ${run.state?.epochs ?? "…"}`),
      fact("step", String(step?.step ?? metrics?.step ?? 0)),
      fact("loss", (step?.loss ?? metrics?.train_loss)?.toFixed(4) ?? "–"),
      namesClasses(run)
        ? fact("validation accuracy", percent(metrics?.validation_accuracy))
        : fact("validation loss", metrics?.validation_loss?.toFixed(4) ?? "–"),
      fact("images/s", step ? step.images_per_second.toFixed(0) : "–"),
    );
    tally.dataset.state = at;
    const does = (/** @type {string} */ words, /** @type {() => Promise<any>} */ work) =>
      h(
        "button",
        {
          type: "button",
          onclick: () =>
            attempt(async () => {
              await work();
              await relist();
            }),
        },
        words,
      );
    const offered = [];
    if (run.state?.ours && at === "running") offered.push(does("Stop with a checkpoint", () => runs.stop(run.name)));
    if (at === "stopped") offered.push(does("Resume", () => runs.resume(run.name)));
    buttons.replaceChildren(...offered);
    if (run.state?.failure) {
      problem.hidden = false;
      problem.textContent = run.state.failure;
    }
    again.replaceChildren(
      command(
        at === "stopped"
          ? `capsnet train --resume ${quoted(`${folder}/${run.name}`)}`
          : `capsnet test ${run.state?.model} --weights ${quoted(`${folder}/${run.name}/best.safetensors`)}`,
      ),
    );
    const chooses = (/** @type {number} */ truth, /** @type {number} */ said) => {
      const same = cell()?.join() === `${truth},${said}`;
      state.set({ cell: same ? null : `${truth},${said}` });
    };
    matrix(confusion, names, epoch?.confusion, chooses, cell());
    confusionNote.textContent = epoch ? `epoch ${epoch.epoch}, validation images; rows are true classes` : "";
    cellOf({ root: cellBox, names, source: (file) => runs.image(run.name, file) }, epoch, cell());
    const source = (/** @type {string} */ file) => runs.image(run.name, `${file}.png`);
    // Answers to the same images differ from epoch to epoch.
    grid({ tiles: truth, note: null, source: `${source("truth")}&epoch=${epoch?.epoch}`, names }, epoch);
    const drawn = source(`reconstruction-${String(epoch?.epoch ?? 0).padStart(4, "0")}`);
    const isDrawn = epoch?.grid.reconstructed !== false;
    grid({ tiles: made, note: madeNote, source: isDrawn ? drawn : null, names }, epoch);
  }

  return {
    root,
    usesInput: false,
    start() {
      void relist();
      timer = window.setInterval(() => void relist(), 3000);
      draw();
    },
    stop() {
      clearInterval(timer);
      followed.close();
    },
    changed(changed) {
      if (changed.has("run")) void relist();
      if (KEYS.some((key) => changed.has(key))) draw();
    },
  };
}
