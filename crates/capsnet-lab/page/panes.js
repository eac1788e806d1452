// Panes of a training that are no curves: the confusion matrix, and grids of images.

import { h } from "./parts.js";

/** A confusion matrix: shares of the right ones in one colour, of the largest mistake in the other. Its cells are
 * buttons.
 * @param {HTMLElement} confusion @param {string[]} names @param {number[][] | undefined} counts
 * @param {(truth: number, said: number) => void} chosen @param {number[] | null} pressed */
export function matrix(confusion, names, counts, chosen, pressed) {
  if (!counts) {
    confusion.replaceChildren(
      h("p", { className: "hint" }, "Comes with the first epoch, if images are kept out of training."),
    );
    return;
  }
  const focused = /** @type {any} */ (document.activeElement)?.dataset?.cell;
  const most = Math.max(...counts.flatMap((row, truth) => row.filter((_, said) => said !== truth)), 1);
  const head = h("tr", {}, h("td", {}, "true"), ...names.map((name) => h("th", { scope: "col" }, name)));
  const rows = counts.map((row, truth) => {
    const all = row.reduce((sum, count) => sum + count, 0);
    const cells = row.map((count, said) => {
      const words = `${names[truth]} taken for ${names[said]}: ${count}`;
      const share = said === truth ? count / Math.max(all, 1) : count / most;
      const colour = said === truth ? "--right" : "--wrong";
      const cell = h("td", { title: words });
      cell.style.background = `color-mix(in srgb, var(${colour}) ${Math.round(40 * share)}%, transparent)`;
      if (count === 0) return cell;
      const choose = () => chosen(truth, said);
      const button = h("button", { type: "button", onclick: choose, "aria-label": words }, String(count));
      button.dataset.cell = `${truth},${said}`;
      button.setAttribute("aria-pressed", String(pressed?.[0] === truth && pressed[1] === said));
      cell.append(button);
      return cell;
    });
    return h("tr", {}, h("th", { scope: "row" }, names[truth]), ...cells);
  });
  confusion.replaceChildren(h("table", { className: "confusion" }, h("thead", {}, head), h("tbody", {}, ...rows)));
  if (focused) /** @type {any} */ (confusion.querySelector(`[data-cell="${focused}"]`))?.focus({ preventScroll: true });
}

/** The digits of one cell of a confusion matrix, as far as their images were kept: mistakes of validation images, and
 * of right answers those of the grid that is looked at each epoch.
 * @param {{root: HTMLElement, names: string[], source: (file: string) => string}} of
 * @param {any} epoch @param {number[] | null} cell truth and answer */
export function cellOf({ root, names, source }, epoch, cell) {
  const key = epoch && cell ? `${epoch.epoch},${cell},${source("")}` : "";
  if (root.dataset.of === key) return;
  root.dataset.of = key;
  if (!epoch || !cell) return root.replaceChildren();
  const [truth, said] = cell;
  const kept = truth === said ? epoch.grid : epoch.mistakes;
  const sheetName = truth === said ? "truth" : `mistakes-${String(epoch.epoch).padStart(4, "0")}`;
  const at = (kept?.labels ?? []).flatMap((/** @type {number} */ label, /** @type {number} */ number) =>
    label === truth && kept.predictions[number] === said ? [number] : [],
  );
  const count = epoch.confusion?.[truth]?.[said] ?? 0;
  const [is, was] = [names[truth], names[said]];
  const what = truth === said ? `${is}: ${count} right` : `${is} taken for ${was}: ${count}`;
  const words = `${what} after epoch ${epoch.epoch}${at.length < count ? `; ${at.length} of them were kept` : ""}`;
  const tiles = h("div", { className: "tiles", id: "cell" });
  root.replaceChildren(h("p", { className: "hint", role: "status" }, words), tiles);
  if (at.length === 0) return;
  cut(source(`${sheetName}.png`), kept.shape, at, (canvases) => {
    tiles.replaceChildren(...canvases.map((canvas) => h("figure", {}, canvas, h("figcaption", {}, names[truth]))));
  });
}

/** Cuts images out of a sheet of eight in a row. @param {string} source @param {number[]} shape
 * @param {number[]} numbers @param {(canvases: any[]) => void} done @param {() => void} [failed] */
function cut(source, [, height, width], numbers, done, failed) {
  const sheet = new Image();
  sheet.onload = () =>
    done(
      numbers.map((at) => {
        const canvas = h("canvas", { className: "pixels", width, height });
        const [x, y] = [(at % 8) * width, Math.floor(at / 8) * height];
        canvas.getContext("2d").drawImage(sheet, x, y, width, height, 0, 0, width, height);
        return canvas;
      }),
    );
  if (failed) sheet.onerror = failed;
  sheet.src = source;
}

/** Images of a sheet, eight in a row, each with its label and, if it differs, the answer.
 * @param {{tiles: any, note: HTMLElement | null, source: string | null, names: string[]}} of where they are; nowhere if
 * the model draws none
 * @param {any} epoch what was seen, if there is something to see */
export function grid({ tiles, note, source, names }, epoch) {
  const key = epoch ? (source ?? "none") : "";
  if (tiles.dataset.of === key) return;
  tiles.dataset.of = key;
  if (!epoch) return tiles.replaceChildren();
  const none = () => {
    tiles.replaceChildren();
    if (note) note.textContent = "This model has no decoder.";
  };
  if (!source) return none();
  const { labels, predictions, shape } = epoch.grid;
  cut(
    source,
    shape,
    labels.map((/** @type {number} */ _, /** @type {number} */ at) => at),
    (canvases) => {
      const figures = canvases.map((canvas, at) => {
        const [label, said] = [labels[at], predictions[at]];
        // A model that names no classes has none.
        const isRight = said === undefined || said === label;
        const words = isRight ? names[label] : `${names[label]} → ${names[said]}`;
        return h("figure", { className: isRight ? "" : "wrong" }, canvas, h("figcaption", {}, words));
      });
      tiles.replaceChildren(...figures);
      if (note) note.textContent = `after epoch ${epoch.epoch}`;
    },
    none,
  );
}
