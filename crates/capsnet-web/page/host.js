// Who answers on this page where there is no server: a worker that runs the models.

import * as state from "./state.js";

const CAPSNET = "capsnet";
const worker = new Worker(new URL("worker.js", import.meta.url), { type: "module" });

/** Questions that a reader doesn't look at an empty place for: others go first. */
const PATIENT = ["poses", "curve"];

/** @typedef {{question: string, body: object, done: (answer: any) => void, failed: (error: Error) => void}} Asked */

/** @type {Asked[]} */
const waiting = [];
/** @type {Asked | null} */
let asked = null;
/** @type {(words: string) => void} */
let progress = () => {};

function next() {
  if (asked || waiting.length === 0) return;
  const urgent = waiting.findIndex(({ question }) => !PATIENT.includes(question));
  asked = waiting.splice(Math.max(0, urgent), 1)[0];
  worker.postMessage({ question: asked.question, body: JSON.stringify(asked.body) });
}

worker.onmessage = (/** @type {MessageEvent} */ { data }) => {
  if (data.loading !== undefined) return progress(data.loading);
  const { done, failed } = /** @type {Asked} */ (asked);
  asked = null;
  if (data.error === undefined) done(JSON.parse(data.answer));
  else failed(new Error(data.error));
  next();
};
worker.onerror = (/** @type {ErrorEvent} */ event) => {
  const error = new Error(`the models can't be run in this browser: ${event.message ?? "no module workers"}`);
  for (const { failed } of asked ? [asked, ...waiting] : waiting) failed(error);
  waiting.length = 0;
};
// Whether CapsNet, sixteen megabytes, is wanted: it is loaded with the page then, and the address says so.
const wanted = state.get("with") === CAPSNET;
worker.postMessage({ capsnet: wanted });

/** @type {import("./backend.js").Backend} */
export const backend = {
  ask: (question, body = {}) =>
    new Promise((done, failed) => {
      waiting.push({ question, body, done, failed });
      next();
    }),
  atATime: 10,
  runs: null,
  results: async () => {
    const response = await fetch("results.json");
    return response.ok ? response.json() : [];
  },
  folder: async () => "runs",
  opening: (heard) => (progress = heard),
  more: wanted
    ? null
    : {
        words: "Load CapsNet too (16.4 MB)",
        load() {
          state.set({ with: CAPSNET, model: null });
          location.reload();
        },
      },
};
