/** Lets the headings of a table sort its rows; rows that say nothing in a column go last. */
function makeSortable(table) {
  const headings = [...table.tHead.rows[0].cells];
  headings.forEach((heading, column) => {
    const button = heading.querySelector("button");
    button.disabled = false;
    button.addEventListener("click", () => {
      const direction = heading.getAttribute("aria-sort") === "ascending" ? -1 : 1;
      headings.forEach((other) => other.removeAttribute("aria-sort"));
      heading.setAttribute("aria-sort", direction === 1 ? "ascending" : "descending");
      const compare = (a, b) => {
        const [left, right] = [a.cells[column], b.cells[column]];
        const [blankLeft, blankRight] = [left.textContent === "", right.textContent === ""];
        if (blankLeft || blankRight) {
          return blankLeft - blankRight;
        }
        const order =
          "key" in left.dataset && "key" in right.dataset
            ? left.dataset.key - right.dataset.key
            : left.textContent.localeCompare(right.textContent, undefined, { numeric: true });
        return direction * order;
      };
      table.tBodies[0].append(...[...table.tBodies[0].rows].sort(compare));
    });
  });
}

document.documentElement.classList.add("js");
document.querySelectorAll("section table").forEach(makeSortable);
const figures = [...document.querySelectorAll("figure.curves")].map((figure) => new Curves(figure));
addEventListener("hashchange", () => figures.forEach((figure) => figure.update()));
// On paper everything is shown.
addEventListener("beforeprint", () => document.querySelectorAll("details").forEach((details) => (details.open = true)));
