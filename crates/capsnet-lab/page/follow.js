// What is known of the runs that are looked at: each followed by the lines that it writes.

/**
 * @typedef {object} Followed
 * @property {string} name
 * @property {any[]} steps
 * @property {any[]} metrics
 * @property {any[]} epochs
 * @property {any} state
 * @property {() => void} close
 */

/**
 * @param {import("./backend.js").Runs} runs
 * @param {() => void} changed called when there is something new, at most once a frame
 */
export function following(runs, changed) {
  /** @type {Map<string, Followed>} */
  const open = new Map();
  let due = false;
  const soon = () => {
    if (due) return;
    due = true;
    setTimeout(() => {
      due = false;
      changed();
    }, 60);
  };

  /** @param {string} name */
  function follow(name) {
    /** @type {Followed} */
    const run = { name, steps: [], metrics: [], epochs: [], state: null, close: () => {} };
    run.close = runs.follow(name, (kind, data) => {
      if (kind === "reset") {
        for (const of of data === "all" ? ["steps", "metrics", "epochs"] : [data]) /** @type {any} */ (run)[of] = [];
      } else if (kind === "state") run.state = data;
      else /** @type {any} */ (run)[kind].push(...data);
      soon();
    });
    return run;
  }

  return {
    /** Follows these and no others. @param {string[]} names */
    only(names) {
      for (const [name, run] of open) {
        if (names.includes(name)) continue;
        run.close();
        open.delete(name);
      }
      for (const name of names) if (!open.has(name)) open.set(name, follow(name));
      soon();
    },
    /** @returns {Followed[]} */
    all: () => [...open.values()],
    close() {
      for (const run of open.values()) run.close();
      open.clear();
    },
  };
}
