// The models, away from the page's own thread: a question comes in, its answer goes out, one after the other.

import init, { Web } from "./capsnet_web.js";

const here = /** @type {any} */ (globalThis);

/** A file in this folder, with its progress told. @param {string} path @param {string} words */
async function fetched(path, words) {
  const response = await fetch(path);
  if (!response.ok || !response.body) throw new Error(`${path} can't be had: ${response.status}`);
  const whole = Number(response.headers.get("content-length"));
  const parts = [];
  let length = 0;
  const reader = response.body.getReader();
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    parts.push(part.value);
    length += part.value.length;
    const percent = Math.min(100, Math.round((100 * length) / whole));
    const share = whole > 0 ? `${percent} %` : `${(length / 1e6).toFixed(1)} MB`;
    here.postMessage({ loading: `${words}: ${share}` });
  }
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}

/** Makes the lab; again after a fault of the library, which leaves it unusable. @type {() => Web} */
let make = () => {
  throw new Error("the lab isn't open");
};

/** @param {boolean} capsnet */
async function open(capsnet) {
  const [module, weights, note] = await Promise.all([
    fetched("capsnet_web_bg.wasm", "the models"),
    capsnet ? fetched("weights/capsnet.safetensors", "CapsNet's weights") : undefined,
    capsnet ? fetch("weights/capsnet.json").then((note) => (note.ok ? note.text() : undefined)) : undefined,
  ]);
  await init({ module_or_path: module });
  make = () => new Web(weights, note);
  return make();
}

/** @type {Promise<Web>} */
let lab;
here.onmessage = async (/** @type {MessageEvent} */ { data }) => {
  if (data.question === undefined) {
    lab = open(data.capsnet);
    // Told with the first question.
    lab.catch(() => {});
    return;
  }
  try {
    here.postMessage({ answer: (await lab).answer(data.question, data.body) });
  } catch (error) {
    if (error instanceof WebAssembly.RuntimeError) lab = Promise.resolve().then(make);
    const words = error instanceof WebAssembly.RuntimeError ? "the question could not be answered" : error;
    here.postMessage({ error: words instanceof Error ? words.message : String(words) });
  }
};
