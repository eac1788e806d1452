// Who answers the page's questions. The panels know this interface alone, so that models may also run elsewhere.

/**
 * @typedef {object} Model
 * @property {string} label
 * @property {string} title
 * @property {string} weights
 * @property {string} sha256
 * @property {number} parameters
 * @property {string} unit
 * @property {string | null} trained_with
 * @property {boolean} capsules
 * @property {boolean} decoder
 * @property {boolean} routing
 */

/**
 * @typedef {object} About
 * @property {string} version
 * @property {Model[]} models
 * @property {string[]} trainable
 * @property {{name: string, count: number, height: number, width: number, classes: string[]}} data
 */

/**
 * @typedef {object} Backend
 * @property {(question: string, body?: object) => Promise<any>} ask
 * @property {Runs | null} runs trainings, where there is a server
 */

/**
 * @typedef {object} Runs
 * @property {() => Promise<any[]>} list
 * @property {(wanted: object) => Promise<any>} start
 * @property {(run: string) => Promise<any>} stop
 * @property {(run: string) => Promise<any>} resume
 * @property {(run: string, heard: (name: string, data: any) => void) => (() => void)} follow
 * @property {(run: string, file: string) => string} image
 * @property {() => Promise<any[]>} results
 */

/** @param {string} path @param {RequestInit} [init] */
async function fetched(path, init) {
  let response;
  try {
    response = await fetch(path, init);
  } catch {
    throw new Error("the lab doesn't answer; is the program still running?");
  }
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new Error(answer.error ?? `the lab answers ${response.status}`);
  return answer;
}

/** @param {string} path @param {object} body */
const posted = (path, body) =>
  fetched(path, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });

/** The server that this page came from. @type {Backend} */
export const server = {
  ask: (question, body = {}) => posted(`api/ask/${question}`, body),
  runs: {
    list: () => fetched("api/runs"),
    start: (wanted) => posted("api/runs", wanted),
    stop: (run) => posted("api/runs/stop", { run }),
    resume: (run) => posted("api/runs/resume", { run }),
    follow(run, heard) {
      const source = new EventSource(`api/runs/follow?run=${encodeURIComponent(run)}`);
      // A new connection tells all from the beginning.
      source.addEventListener("open", () => heard("reset", "all"));
      for (const name of ["steps", "metrics", "epochs", "reset", "state"]) {
        source.addEventListener(name, (event) => heard(name, JSON.parse(event.data)));
      }
      return () => source.close();
    },
    image: (run, file) => `api/runs/image?run=${encodeURIComponent(run)}&file=${encodeURIComponent(file)}`,
    results: () => fetched("api/results"),
  },
};
