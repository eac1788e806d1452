// What panels get, and what they give.

/**
 * @typedef {object} Context
 * @property {import("./backend.js").Backend} backend
 * @property {import("./backend.js").About} about
 * @property {ReturnType<typeof import("./input.js").input>} input
 */

/**
 * @typedef {object} Panel
 * @property {HTMLElement} root
 * @property {boolean} usesInput whether the shared input stands beside it
 * @property {() => void | Promise<void>} start called when it is shown
 * @property {(changed: Set<string>) => void} changed called when the address changes while it is shown
 * @property {() => void} [stop] called when another is shown
 */

export {};
