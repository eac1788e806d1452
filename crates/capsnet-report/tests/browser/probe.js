"use strict";

// Uses the page as a reader would, and leaves what it finds in an element that the test reads from the DOM.
// All of it happens while the page's load event is handled, which the browser awaits before it gives the DOM.
const found = { errors: [], title: document.title };
addEventListener("error", (event) => found.errors.push(event.message));
addEventListener("load", () => {
  try {
    const pictures = [...document.querySelectorAll("figure.picture")];
    found.pictures = pictures.length;
    found.images = document.images.length;
    found.drawn = pictures.filter((picture) => picture.querySelector("svg").getBoundingClientRect().height > 50).length;
    if (pictures.length > 0) {
      const button = pictures[0].querySelector("button.full");
      pictures[0].querySelector("svg").dispatchEvent(new MouseEvent("click", { bubbles: true }));
      const dialog = document.querySelector("dialog[open]");
      const wide = (root) => root.querySelector("svg").getBoundingClientRect().width;
      found.full = { larger: wide(dialog) > wide(pictures[0]), named: dialog.getAttribute("aria-label") };
      dialog.querySelector("button").click();
      found.full.offered = !button.hidden;
    }
    const loaded = performance.getEntriesByType("resource").map((entry) => entry.name);
    found.requests = loaded.filter((name) => !name.startsWith("data:"));
    found.overflow = document.documentElement.scrollWidth - document.documentElement.clientWidth;

    const lines = (root) => [...root.querySelectorAll(".series .line")];
    const visible = (root) => lines(root).filter((line) => line.getClientRects().length > 0);
    found.curves = visible(document).filter((line) => line.getTotalLength() > 100).length;

    const figure = document.querySelector("figure.curves");
    const entries = [...figure.querySelectorAll(".legend button")];
    entries[0].click();
    found.legend = {
      visible: visible(figure).length,
      pressed: entries.map((entry) => entry.getAttribute("aria-pressed")),
      hash: location.hash.split("&").find((part) => part.includes("hide")) || "",
    };
    entries[0].click();
    found.legend.again = visible(figure).length;

    const buttons = [...figure.querySelectorAll(".measures button")];
    buttons[1].click();
    const plots = [...figure.querySelectorAll(".plot")];
    const shown = plots.filter((plot) => plot.getBoundingClientRect().height > 0);
    found.measure = { shown: shown.map((plot) => plot.dataset.measure), hash: location.hash };
    buttons[0].click();

    // The pointer a little beside 35.
    const svg = figure.querySelector(".plot .wide");
    const [left, top, width] = svg.dataset.plot.split(" ").map(Number);
    const [low, high] = svg.dataset.x.split(" ").map(Number);
    const box = svg.getBoundingClientRect();
    const scale = box.width / svg.viewBox.baseVal.width;
    const clientX = box.left + scale * (left + ((35.8 - low) / (high - low)) * width);
    const surface = figure.querySelector(".plots");
    surface.dispatchEvent(
      new PointerEvent("pointermove", { clientX, clientY: box.top + scale * (top + 5), bubbles: true }),
    );
    const readout = figure.querySelector(".readout");
    const texts = (selector) => [...readout.querySelectorAll(selector)].map((cell) => cell.textContent);
    const dots = [...svg.querySelectorAll(".cursor circle")];
    // How far each dot is from the nearest point of its curve, in units of the drawing.
    const distance = (dot) => {
      const line = svg.querySelector(`.series[data-series="${dot.dataset.series}"] .line`);
      const [x, y] = [dot.cx.baseVal.value, dot.cy.baseVal.value];
      const places = line
        ? [...Array(4001).keys()].map((i) => line.getPointAtLength((line.getTotalLength() * i) / 4000))
        : [];
      return Math.min(...places.map((place) => Math.hypot(place.x - x, place.y - y)));
    };
    found.hover = {
      caption: texts("caption")[0],
      models: texts("tbody .name"),
      accuracies: texts("tbody .name + .number"),
      dots: dots.length,
      farthest_dot: Math.max(...dots.map(distance)),
    };

    const press = (key) =>
      surface.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
    press("Home");
    press("ArrowRight");
    found.keys = { caption: texts("caption")[0], spoken: figure.querySelector(".spoken").textContent };
    press("Escape");
    found.keys.gone = readout.hidden && figure.querySelector(".cursor") === null;

    const table = document.querySelector("details table");
    const heading = table.tHead.rows[0].cells[2];
    const keys = () => [...table.tBodies[0].rows].map((row) => Number(row.cells[2].dataset.key));
    heading.querySelector("button").click();
    found.sorted = { ascending: keys() };
    heading.querySelector("button").click();
    found.sorted.descending = keys();
    found.sorted.aria = heading.getAttribute("aria-sort");
  } catch (error) {
    found.errors.push(String(error));
  }
  const report = document.createElement("script");
  report.type = "application/json";
  report.id = "found";
  report.textContent = JSON.stringify(found).replaceAll("<", "\\u003c");
  document.body.append(report);
});
