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

/** Shows a picture as large as it was drawn, or as the window, when it is clicked. */
function makeLarge(figure) {
  const [sheet, button] = [figure.querySelector(".sheet"), figure.querySelector("button.full")];
  const open = () => {
    const dialog = element("dialog");
    const close = element("button", "Close", "full");
    const copy = sheet.cloneNode(true);
    copy.style.setProperty("--width", figure.style.getPropertyValue("--width"));
    dialog.setAttribute("aria-label", sheet.querySelector("title").textContent);
    close.addEventListener("click", () => dialog.close());
    dialog.append(copy, close);
    // A click beside it, and Escape, close it too.
    dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
    dialog.addEventListener("close", () => {
      dialog.remove();
      button.focus();
    });
    document.body.append(dialog);
    dialog.showModal();
    close.focus();
  };
  button.hidden = false;
  button.addEventListener("click", open);
  sheet.querySelector("svg").addEventListener("click", open);
}

/** A link to a section leaves in the address what is hidden and chosen. */
function keepView(link) {
  link.addEventListener("click", (event) => {
    if (location.hash.includes("=")) {
      event.preventDefault();
      document.querySelector(link.getAttribute("href")).scrollIntoView();
    }
  });
}

document.documentElement.classList.add("js");
document.querySelectorAll("figure.picture").forEach(makeLarge);
document.querySelectorAll(".contents a").forEach(keepView);
document.querySelectorAll("section table").forEach(makeSortable);
const figures = [...document.querySelectorAll("figure.curves")].map((figure) => new Curves(figure));
addEventListener("hashchange", () => figures.forEach((figure) => figure.update()));
// On paper everything is shown.
addEventListener("beforeprint", () => document.querySelectorAll("details").forEach((details) => (details.open = true)));
