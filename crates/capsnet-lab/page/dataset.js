// How models do on whole data sets at every angle, as a sweep in the folder found it.

/**
 * @typedef {object} Measured
 * @property {string} path of the report
 * @property {string} words
 * @property {import("./chart.js").Series[]} lines accuracies in percent, with their intervals
 */

/** The first sweep over angles among the reports, for the models that the page has, in their colours.
 * @param {import("./backend.js").Backend} backend @param {import("./backend.js").About} about
 * @returns {Promise<Measured | null>} */
export async function measuredByAngle(backend, about) {
  for (const { path, sweep } of await backend.results()) {
    if (!sweep) continue;
    const beside = path.replace(/[^/]*$/, "sweep.json").split("/").map(encodeURIComponent);
    const response = await fetch(`results/${beside.join("/")}`);
    if (!response.ok) continue;
    const found = read(await response.json(), about);
    if (found) return { path, ...found };
  }
  return null;
}

/** @param {any} sweep @param {import("./backend.js").About} about */
function read(sweep, about) {
  const section = sweep.sweeps?.find((/** @type {any} */ one) => one.flag?.startsWith("rotate="));
  if (!section) return null;
  const lines = section.curves.flatMap((/** @type {any} */ curve, /** @type {number} */ at) => {
    const colour = about.models.findIndex((model) => model.sha256 === sweep.models[at].sha256);
    if (colour < 0) return [];
    const of = (/** @type {any} */ point) => /** @type {[number, number]} */ ([point.value, 100 * point.accuracy]);
    const band = curve.points.map((/** @type {any} */ point) => [
      point.value,
      100 * point.accuracy_low,
      100 * point.accuracy_high,
    ]);
    return [{ name: about.models[colour].label, colour, points: curve.points.map(of), band }];
  });
  const { images, dataset } = sweep.settings;
  const words = `Accuracy on ${images.toLocaleString("en")} images of ${dataset}, with 95 % intervals.`;
  return lines.length > 0 ? { lines, words } : null;
}
