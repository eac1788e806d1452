// The page: tabs, and the panel that the address names.

import { capsules } from "./capsules.js";
import { draw } from "./draw.js";
import { backend as host } from "./host.js";
import { input } from "./input.js";
import { measures } from "./measures.js";
import { h } from "./parts.js";
import { routing } from "./routing.js";
import * as state from "./state.js";
import { train } from "./train.js";

/** @type {[string, string, (context: import("./panel.js").Context) => import("./panel.js").Panel][]} */
const TABS = [
  ["draw", "Draw and turn", draw],
  ["capsules", "Capsules", capsules],
  ["routing", "Routing", routing],
  ["train", "Train", train],
  ["measures", "Measures", measures],
];

const main = /** @type {HTMLElement} */ (document.getElementById("main"));
const tabs = /** @type {HTMLElement} */ (document.getElementById("tabs"));
const foot = /** @type {HTMLElement} */ (document.getElementById("foot"));

/** @param {import("./backend.js").Backend} backend */
async function open(backend) {
  backend.opening((words) => main.replaceChildren(h("p", { className: "hint", role: "status" }, words)));
  const about = await backend.ask("lab");
  backend.opening(() => {});
  const shared = input(backend, about);
  const context = { backend, about, input: shared };
  const offered = TABS.filter(([name]) => backend.runs !== null || name !== "train");
  const { more: offer } = backend;
  const more = offer && h("button", { type: "button", id: "more", onclick: offer.load }, offer.words);
  /** @type {Map<string, import("./panel.js").Panel>} */
  const made = new Map();
  /** @type {import("./panel.js").Panel | null} */
  let shown = null;

  const links = offered.map(([name, words]) => {
    const link = h("a", { href: `#tab=${name}` }, words);
    link.onclick = (/** @type {MouseEvent} */ event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      state.set({ tab: name });
      main.focus({ preventScroll: true });
    };
    return { name, link };
  });
  tabs.replaceChildren(...links.map(({ link }) => link));

  function show() {
    const wanted = offered.find(([name]) => name === state.get("tab", "draw")) ?? offered[0];
    const [name, words, make] = wanted;
    const panel = made.get(name) ?? make(context);
    made.set(name, panel);
    if (panel === shown) return;
    shown?.stop?.();
    shown = panel;
    document.title = `${words} · capsnet lab`;
    for (const { name: of, link } of links) {
      if (of === name) {
        link.setAttribute("aria-current", "page");
        // Where the page is narrow, tabs lie beyond its edge.
        link.scrollIntoView({ block: "nearest", inline: "nearest" });
      } else link.removeAttribute("aria-current");
    }
    main.replaceChildren(
      panel.usesInput
        ? h("div", { className: "bench" }, h("div", { className: "side" }, shared.root, more), panel.root)
        : panel.root,
    );
    if (panel.usesInput) void shared.start();
    void panel.start();
  }

  state.listen((changed) => {
    if (changed.has("tab")) show();
    if (shown?.usesInput) void shared.changed(changed);
    shown?.changed(changed);
  });
  const images = `${about.data.name}, ${about.data.count.toLocaleString("en")} images`;
  foot.textContent = `capsnet ${about.version} · ${images} · nothing on this page comes from another host`;
  show();
}

open(host).catch((error) => {
  main.replaceChildren(h("p", { className: "problem" }, error.message));
});
