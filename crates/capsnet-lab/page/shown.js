// What the address says of the image that is shown: a test digit or ink, and what is done to it.

import * as state from "./state.js";

/** @typedef {{name: string, label: string, min: number, max: number, step: number, usual: number, unit: string,
 *   digits?: number}} Change */

/** @type {Change[]} */
export const CHANGES = [
  { name: "rotate", label: "Angle", min: -180, max: 180, step: 1, usual: 0, unit: "°" },
  { name: "x", label: "Shift right", min: -10, max: 10, step: 1, usual: 0, unit: " px" },
  { name: "y", label: "Shift down", min: -10, max: 10, step: 1, usual: 0, unit: " px" },
  { name: "scale", label: "Scale", min: 0.5, max: 1.5, step: 0.05, usual: 1, unit: "", digits: 2 },
  { name: "shear", label: "Shear", min: -45, max: 45, step: 1, usual: 0, unit: "°" },
  { name: "noise", label: "Noise", min: 0, max: 120, step: 5, usual: 0, unit: "" },
  { name: "occlude", label: "Occlusion", min: 0, max: 20, step: 1, usual: 0, unit: " px" },
];

/** The keys of the address that change what the models see. */
export const KEYS = ["digit", "ink", "class", ...CHANGES.map((change) => change.name)];

/** The transform but for the rotation, as everywhere in capsnet. */
export function rest() {
  const of = (/** @type {string} */ name) => {
    const change = /** @type {Change} */ (CHANGES.find((change) => change.name === name));
    return state.number(name, change.usual);
  };
  const line = [];
  if (of("shear") !== 0) line.push(`shear=${of("shear")}`);
  if (of("scale") !== 1) line.push(`scale=${of("scale")}`);
  if (of("x") !== 0 || of("y") !== 0) line.push(`translate=${of("x")}:${of("y")}`);
  if (of("noise") !== 0) line.push(`noise=${of("noise")}`);
  if (of("occlude") !== 0) line.push(`occlude=${of("occlude")}:centre`);
  return line.join(",");
}

/** The whole transform. */
export function transform() {
  const angle = state.number("rotate", 0);
  return [angle === 0 ? "" : `rotate=${angle}`, rest()].filter(Boolean).join(",");
}

/** Levels as text for the address: four bits a pixel. @param {ArrayLike<number>} pixels */
export function packed(pixels) {
  const bytes = [];
  for (let at = 0; at < pixels.length; at += 2) bytes.push((pixels[at] & 0xf0) | ((pixels[at + 1] ?? 0) >> 4));
  return btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replace(/=+$/, "");
}

/** @param {string} text @param {number} count */
export function unpacked(text, count) {
  try {
    const bytes = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
    const pixels = Array.from({ length: count }, (_, at) => {
      const byte = bytes.charCodeAt(at >> 1) || 0;
      return 17 * (at % 2 === 0 ? byte >> 4 : byte & 15);
    });
    return bytes.length * 2 >= count ? pixels : null;
  } catch {
    return null;
  }
}

/**
 * The image under the sliders, before any transform.
 * @param {import("./backend.js").Backend} backend @param {import("./backend.js").About} about
 * @returns {Promise<{pixels: number[], label: number | null}>}
 */
export async function image(backend, about) {
  const ink = state.get("ink");
  const drawn = ink ? unpacked(ink, about.data.height * about.data.width) : null;
  if (drawn) return { pixels: drawn, label: null };
  const index = Math.max(0, Math.min(about.data.count - 1, Math.trunc(state.number("digit", 0))));
  return backend.ask("digit", { index });
}
