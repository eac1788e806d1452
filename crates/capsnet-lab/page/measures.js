// Measures: the reports that sweeps, equivariance measurements and studies left in the folder.

import { card, command, h, heading, quoted } from "./parts.js";

/** @param {import("./panel.js").Context} context @returns {import("./panel.js").Panel} */
export function measures({ backend }) {
  const list = h("ul", { className: "reports" });
  const commands = h("div", {});
  const make = (/** @type {string} */ folder) => [
    `capsnet sweep --models lenet5,capsnet,equivariant-capsnet --rotate=-180..180:5 --out ${quoted(`${folder}/sweep`)}`,
    `capsnet equivariance --models capsnet,equivariant-capsnet --out ${quoted(`${folder}/equivariance`)}`,
    `capsnet study studies/quick.toml --out ${quoted(`${folder}/study`)}`,
    `capsnet draw all --out ${quoted(`${folder}/draw`)}`,
  ];
  const root = h(
    "div",
    { className: "stack" },
    heading(
      "Measures",
      "Sweeps along angles and noise, equivariance layer by layer, and studies: the pages that the program wrote " +
        "into the folder.",
    ),
    card("Reports", "each opens in a tab of its own", list),
    card("Make one", "", commands),
  );
  return {
    root,
    usesInput: false,
    async start() {
      try {
        commands.replaceChildren(...make(await backend.folder()).map(command));
        const found = await backend.results();
        const rows = found.map((report) => {
          const path = report.path.split("/").map(encodeURIComponent).join("/");
          const link = h("a", { href: `results/${path}`, target: "_blank", rel: "noopener" }, report.title);
          return h("li", {}, link, " ", h("small", {}, `${report.path}, ${(report.bytes / 1024).toFixed(0)} KiB`));
        });
        list.replaceChildren(...(rows.length ? rows : [h("li", { className: "hint" }, "There are none yet.")]));
      } catch (error) {
        list.replaceChildren(h("li", { className: "problem" }, /** @type {Error} */ (error).message));
      }
    },
    changed() {},
  };
}
