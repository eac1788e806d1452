// What the page shows, kept in the address: #tab=draw&digit=8&rotate=35. A copied address shows the same digit.

/** @typedef {Record<string, string | number | null | undefined>} Patch */

const listeners = new Set();
let values = new URLSearchParams(location.hash.slice(1));

/** @param {string} key @param {string} [usual] */
export function get(key, usual = "") {
  return values.get(key) ?? usual;
}

/** @param {string} key @param {number} usual */
export function number(key, usual) {
  const value = Number(values.get(key) ?? usual);
  return Number.isFinite(value) ? value : usual;
}

/** Changes what is shown; empty values leave the address. @param {Patch} patch */
export function set(patch) {
  // An address that was changed a moment ago is told of later, and must not be lost until then.
  read();
  const changed = [];
  for (const [key, value] of Object.entries(patch)) {
    const text = value === null || value === undefined ? "" : String(value);
    if ((values.get(key) ?? "") === text) continue;
    if (text === "") values.delete(key);
    else values.set(key, text);
    changed.push(key);
  }
  if (changed.length === 0) return;
  const text = values.toString().replaceAll("%2C", ",");
  history.replaceState(null, "", text ? `#${text}` : location.pathname);
  tell(changed);
}

/** Calls back with the keys that changed, until the returned function is called.
 * @param {(changed: Set<string>) => void} listener */
export function listen(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** @param {string[]} changed */
function tell(changed) {
  for (const listener of [...listeners]) listener(new Set(changed));
}

/** Takes over what stands in the address. */
function read() {
  const before = values;
  values = new URLSearchParams(location.hash.slice(1));
  const keys = new Set([...before.keys(), ...values.keys()]);
  const changed = [...keys].filter((key) => before.get(key) !== values.get(key));
  if (changed.length > 0) tell(changed);
}

addEventListener("hashchange", read);
