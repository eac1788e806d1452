// Starting a training from the page.

import { card, h, select } from "./parts.js";

/**
 * The form that starts a training.
 * @param {import("./backend.js").Runs} runs
 * @param {string[]} trainable the names of models
 * @param {(work: () => Promise<void>) => Promise<void>} attempt says what went wrong, if it did
 * @param {(started: any) => Promise<void>} begun
 */
export function starter(runs, trainable, attempt, begun) {
  const field = (/** @type {string} */ label, /** @type {any} */ props) => {
    const input = h("input", { type: "number", ...props });
    return { input, root: h("label", { className: "field" }, label, input) };
  };
  let model = "capsnet";
  const pick = select(
    "Model",
    trainable.map((name) => [name, name]),
    model,
    (value) => (model = value),
  );
  const epochs = field("Epochs", { min: 1, value: 3 });
  const limit = field("Images", { min: 1, placeholder: "all", value: 2000 });
  const batch = field("Batch", { min: 1, placeholder: "usual" });
  const rate = field("Learning rate", { min: 0, step: "any", placeholder: "usual" });
  const seed = field("Seed", { min: 0, placeholder: "1" });
  const begin = h("button", { className: "main", type: "submit" }, "Start training");
  const form = h(
    "form",
    { className: "stack" },
    h("div", { className: "formgrid" }, pick, epochs.root, limit.root, batch.root, rate.root, seed.root),
    begin,
  );
  form.onsubmit = async (/** @type {Event} */ event) => {
    event.preventDefault();
    const of = (/** @type {HTMLInputElement} */ input) => (input.value === "" ? undefined : Number(input.value));
    begin.disabled = true;
    await attempt(async () => {
      const started = await runs.start({
        model,
        epochs: of(epochs.input),
        limit: of(limit.input),
        batch_size: of(batch.input),
        learning_rate: of(rate.input),
        seed: of(seed.input),
      });
      await begun(started);
    });
    begin.disabled = false;
  };
  return card("New training", "", form);
}
