// Panes of a training that are no curves: the confusion matrix, and grids of images.

import { h } from "./parts.js";

/** A confusion matrix: shares of the right ones in one colour, of the largest mistake in the other.
 * @param {HTMLElement} confusion @param {string[]} names @param {number[][] | undefined} counts */
export function matrix(confusion, names, counts) {
  if (!counts) {
    confusion.replaceChildren(
      h("p", { className: "hint" }, "Comes with the first epoch, if images are kept out of training."),
    );
    return;
  }
  const most = Math.max(...counts.flatMap((row, truth) => row.filter((_, said) => said !== truth)), 1);
  const head = h("tr", {}, h("td", {}, "true"), ...names.map((name) => h("th", { scope: "col" }, name)));
  const rows = counts.map((row, truth) => {
    const all = row.reduce((sum, count) => sum + count, 0);
    const cells = row.map((count, said) => {
      const cell = h("td", { title: `${names[truth]} taken for ${names[said]}: ${count}` }, count ? String(count) : "");
      const share = said === truth ? count / Math.max(all, 1) : count / most;
      const colour = said === truth ? "--right" : "--wrong";
      cell.style.background = `color-mix(in srgb, var(${colour}) ${Math.round(40 * share)}%, transparent)`;
      return cell;
    });
    return h("tr", {}, h("th", { scope: "row" }, names[truth]), ...cells);
  });
  confusion.replaceChildren(h("table", { className: "confusion" }, h("thead", {}, head), h("tbody", {}, ...rows)));
}

/** Images of a sheet, eight in a row, each with its label and, if it differs, the answer.
 * @param {{tiles: any, note: HTMLElement | null, source: string, names: string[]}} of
 * @param {any} epoch what was seen, if there is something to see */
export function grid({ tiles, note, source, names }, epoch) {
  const key = epoch ? source : "";
  if (tiles.dataset.of === key) return;
  tiles.dataset.of = key;
  if (!epoch) return tiles.replaceChildren();
  const [, height, width] = epoch.grid.shape;
  const sheet = new Image();
  sheet.onload = () => {
    tiles.replaceChildren(
      ...epoch.grid.labels.map((/** @type {number} */ label, /** @type {number} */ at) => {
        const canvas = h("canvas", { className: "pixels", width, height });
        const [x, y] = [(at % 8) * width, Math.floor(at / 8) * height];
        canvas.getContext("2d").drawImage(sheet, x, y, width, height, 0, 0, width, height);
        const said = epoch.grid.predictions[at];
        const words = said === label ? names[label] : `${names[label]} → ${names[said]}`;
        return h("figure", { className: said === label ? "" : "wrong" }, canvas, h("figcaption", {}, words));
      }),
    );
    if (note) note.textContent = `after epoch ${epoch.epoch}`;
  };
  sheet.onerror = () => {
    tiles.replaceChildren();
    if (note) note.textContent = "This model has no decoder.";
  };
  sheet.src = source;
}
