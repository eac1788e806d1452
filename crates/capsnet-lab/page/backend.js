// Who answers the page's questions. The panels know this interface alone, so that models may also run elsewhere.

/**
 * @typedef {object} Model
 * @property {string} label
 * @property {string} model its name in commands
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
 * @property {number} atATime images of a long question that it answers in good time
 * @property {Runs | null} runs trainings, where there is a server
 * @property {() => Promise<Report[]>} results
 * @property {() => Promise<string>} folder where runs and results are, for commands
 * @property {(heard: (words: string) => void) => void} opening tells how far the models have come, before they answer
 * @property {{words: string, load: () => void} | null} more a model that is there when somebody wants it
 */

/**
 * @typedef {object} Report
 * @property {string} path
 * @property {string} title
 * @property {number} bytes
 * @property {boolean} sweep whether a sweep's figures are beside it, in sweep.json
 */

/**
 * @typedef {object} Runs
 * @property {() => Promise<any[]>} list
 * @property {(wanted: object) => Promise<any>} start
 * @property {(run: string) => Promise<any>} stop
 * @property {(run: string) => Promise<any>} resume
 * @property {(run: string, heard: (name: string, data: any) => void) => (() => void)} follow
 * @property {(run: string, file: string) => string} image
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
  atATime: 100,
  opening() {},
  more: null,
  results: () => fetched("api/results"),
  folder: async () => (await fetched("api/runs")).folder,
  runs: {
    list: async () => (await fetched("api/runs")).runs,
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
  },
};
