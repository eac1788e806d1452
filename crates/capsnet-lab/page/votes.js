// The votes of primary capsules for one class as points in a plane: the same votes under every algorithm, and how much
// each of them counts by now.

import { h, svg } from "./parts.js";
import { principal } from "./principal.js";

const SIDE = 220;
const EDGE = 10;

/** @param {string} label */
export function votes(label) {
  const plot = svg("svg", { viewBox: `0 0 ${SIDE} ${SIDE}`, role: "img", class: "votes", "aria-label": label });
  const said = h("figcaption", {});
  const root = h("figure", {}, plot, said);
  return {
    root,
    /** @param {any} answer to "routing" @param {number} at the iteration, from 0 @param {string} name of the class */
    show(answer, at, name) {
      const points = answer.strongest.map((/** @type {any} */ strong) => strong.vote);
      /** @type {number[]} */
      const counts = answer.strongest.map((/** @type {any} */ strong) => strong.couplings[at][answer.towards]);
      const plane = principal(points);
      /** @type {number[][]} */
      const places = points.map(plane.project);
      const reach = Math.max(...places.flat().map(Math.abs), 1e-9);
      const place = (/** @type {number} */ value) => SIDE / 2 + (value / reach) * (SIDE / 2 - EDGE);
      const most = Math.max(...counts, 1e-9);
      const sum = counts.reduce((a, b) => a + b, 0);
      const mean = [0, 1].map(
        (axis) => places.reduce((total, one, index) => total + counts[index] * one[axis], 0) / Math.max(sum, 1e-9),
      );
      const dots = places.map((one, index) => {
        const share = counts[index] / most;
        const dot = svg("circle", {
          cx: place(one[0]).toFixed(2),
          cy: place(-one[1]).toFixed(2),
          r: 1.2 + 3.2 * Math.sqrt(Math.max(0, share)),
          "fill-opacity": (0.15 + 0.7 * share).toFixed(3),
        });
        dot.dataset.count = counts[index].toFixed(6);
        return dot;
      });
      const centre = svg("circle", {
        class: "meet",
        cx: place(mean[0]).toFixed(2),
        cy: place(-mean[1]).toFixed(2),
        r: 7,
      });
      plot.replaceChildren(...dots, centre);
      // How far the votes lie from where they meet, in the plane, by how much each counts.
      const spread = Math.sqrt(
        places.reduce(
          (total, one, index) => total + counts[index] * ((one[0] - mean[0]) ** 2 + (one[1] - mean[1]) ** 2),
          0,
        ) / Math.max(sum, 1e-9),
      );
      said.textContent = `votes for ${name}: ${spread.toFixed(3)} around where they meet (ring)`;
      plot.setAttribute("aria-label", `${label}: ${said.textContent}, iteration ${at + 1}`);
    },
  };
}
