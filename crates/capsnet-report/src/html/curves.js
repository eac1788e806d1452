/** A figure with curves: its legend, and for a sweep the switch of quantities and the values under the pointer. */
class Curves {
  constructor(figure) {
    this.figure = figure;
    this.id = figure.closest("section").id;
    this.plots = figure.querySelector(".plots");
    this.entries = [...figure.querySelectorAll(".legend button")];
    this.measures = [...figure.querySelectorAll(".measures button")];
    for (const entry of this.entries) {
      entry.disabled = false;
      entry.addEventListener("click", () => this.toggle(Number(entry.dataset.series)));
    }
    for (const button of this.measures) {
      button.parentElement.hidden = false;
      button.addEventListener("click", () => {
        const isDefault = button === this.measures[0];
        view.set(this.id + ".measure", isDefault ? null : button.dataset.measure);
        this.update();
      });
    }
    const data = figure.parentElement.querySelector("script.data");
    if (data) {
      this.read(JSON.parse(data.textContent));
    }
    this.update();
  }

  /** Takes the data of a sweep and lets pointer and keys read it. */
  read(sweep) {
    this.sweep = sweep;
    const values = sweep.curves.flatMap((curve) => curve.points.map((point) => point.value));
    this.values = [...new Set(values)].sort((a, b) => a - b);
    this.readout = element("div", "", "readout");
    this.spoken = element("div", "", "spoken");
    this.spoken.setAttribute("role", "status");
    this.plots.append(this.readout, this.spoken);
    this.plots.tabIndex = 0;
    this.plots.setAttribute("role", "group");
    this.plots.setAttribute("aria-label", "Curves. The left and right arrow keys read the values.");
    this.plots.addEventListener("pointermove", (event) => this.point(event));
    this.plots.addEventListener("pointerdown", (event) => this.point(event));
    this.plots.addEventListener("pointerleave", (event) => event.pointerType === "mouse" && this.show(null));
    this.plots.addEventListener("keydown", (event) => this.key(event));
  }

  hidden() {
    const listed = view.get(this.id + ".hide") || "";
    return new Set(
      listed
        .split(",")
        .filter((index) => index !== "")
        .map(Number),
    );
  }

  toggle(index) {
    const hidden = this.hidden();
    if (!hidden.delete(index)) {
      hidden.add(index);
    }
    view.set(this.id + ".hide", [...hidden].sort((a, b) => a - b).join(","));
    this.update();
  }

  /** Makes the figure look as the URL says. */
  update() {
    const hidden = this.hidden();
    for (const entry of this.entries) {
      entry.setAttribute("aria-pressed", String(!hidden.has(Number(entry.dataset.series))));
    }
    for (const series of this.figure.querySelectorAll(".series")) {
      series.classList.toggle("off", hidden.has(Number(series.dataset.series)));
    }
    const plots = [...this.plots.querySelectorAll(".plot")];
    const wanted = view.get(this.id + ".measure");
    this.plot = plots.find((plot) => plot.dataset.measure === wanted) || plots[0];
    plots.forEach((plot) => plot.classList.toggle("chosen", plot === this.plot));
    for (const button of this.measures) {
      button.setAttribute("aria-pressed", String(button.dataset.measure === this.plot.dataset.measure));
    }
    if (this.sweep) {
      const at = view.get(this.id + ".at");
      this.draw(at !== null && this.values.includes(Number(at)) ? Number(at) : null);
    }
  }

  /** Shows the values nearest to the pointer. */
  point(event) {
    const shown = [...this.plot.children].find((svg) => svg.getBoundingClientRect().width > 0);
    const box = shown.getBoundingClientRect();
    if (event.clientY > box.bottom) {
      return;
    }
    const [left, , width] = numbers(shown, "data-plot");
    const [low, high] = numbers(shown, "data-x");
    const x = ((event.clientX - box.left) / box.width) * shown.viewBox.baseVal.width;
    const value = low + ((x - left) / width) * (high - low);
    const nearer = (a, b) => (Math.abs(b - value) < Math.abs(a - value) ? b : a);
    this.show(this.values.reduce(nearer));
  }

  key(event) {
    if (event.target !== this.plots || event.ctrlKey || event.altKey || event.metaKey) {
      return;
    }
    const last = this.values.length - 1;
    const now = this.values.indexOf(this.value);
    const next = {
      ArrowRight: now < 0 ? 0 : Math.min(now + 1, last),
      ArrowLeft: now < 0 ? last : Math.max(now - 1, 0),
      Home: 0,
      End: last,
    }[event.key];
    if (event.key === "Escape") {
      this.show(null);
    } else if (next !== undefined) {
      event.preventDefault();
      this.show(this.values[next]);
      this.spoken.textContent = this.sentence();
    }
  }

  show(value) {
    if (value !== this.value) {
      view.set(this.id + ".at", value === null ? null : String(value));
      this.draw(value);
    }
  }

  /** The visible curves with their points at the chosen value. */
  chosen() {
    const hidden = this.hidden();
    const curves = this.sweep.curves.map((curve, index) => ({
      index,
      curve,
      point: curve.points.find((point) => point.value === this.value),
    }));
    return curves.filter(({ index }) => !hidden.has(index));
  }

  /** Draws the line and the dots at a value, and its table. */
  draw(value) {
    this.value = value;
    this.figure.querySelectorAll(".cursor").forEach((cursor) => cursor.remove());
    this.readout.hidden = value === null;
    if (value === null) {
      return;
    }
    const chosen = this.chosen();
    const { measure, scale } = this.plot.dataset;
    for (const svg of this.plot.children) {
      const [left, top, width, height] = numbers(svg, "data-plot");
      const [lowX, highX] = numbers(svg, "data-x");
      const [lowY, highY] = numbers(svg, "data-y");
      const x = left + ((value - lowX) / (highX - lowX)) * width;
      const cursor = svgElement("g", { class: "cursor" });
      cursor.append(svgElement("line", { x1: x, x2: x, y1: top, y2: top + height }));
      for (const { index, point } of chosen) {
        const share = point && (measure === "accuracy" ? point.accuracy : point.mean_true_class);
        if (share !== undefined && share !== null) {
          const y = top + (1 - (scale * share - lowY) / (highY - lowY)) * height;
          cursor.append(svgElement("circle", { cx: x, cy: y, r: 5, "data-series": index }));
        }
      }
      svg.append(cursor);
      if (svg.classList.contains("wide")) {
        // The table stands on the side of the line that has more room.
        const place = (x / svg.viewBox.baseVal.width) * 100;
        this.readout.style.left = place < 50 ? `calc(${place}% + 0.9rem)` : "auto";
        this.readout.style.right = place < 50 ? "auto" : `calc(${100 - place}% + 0.9rem)`;
      }
    }
    this.readout.replaceChildren(this.table(chosen));
  }

  table(chosen) {
    const table = document.createElement("table");
    table.append(element("caption", this.words(this.value)));
    const hasMeans = chosen.some(({ point }) => point && point.mean_true_class !== null);
    const head = table.createTHead().insertRow();
    for (const name of ["", "model", "accuracy", "95 % interval", ...(hasMeans ? ["true class"] : []), "n"]) {
      head.append(element("th", name));
    }
    const body = table.createTBody();
    for (const { index, curve, point } of chosen) {
      const row = body.insertRow();
      row.insertCell().append(this.entries[index].querySelector(".swatch").cloneNode(true));
      row.dataset.series = index;
      row.append(element("td", curve.model, "name"));
      const range = (point) => `${(100 * point.accuracy_low).toFixed(2)} to ${(100 * point.accuracy_high).toFixed(2)}`;
      // A length with its pose may leave 0 to 1, and is no percentage.
      const said = curve.true_class === "length_and_pose" ? (mean) => mean.toFixed(4) : percent;
      const mean = (point) => (point.mean_true_class === null ? "" : said(point.mean_true_class));
      const cells = point
        ? [percent(point.accuracy), range(point), mean(point), String(point.images)]
        : ["", "", "", ""];
      cells
        .filter((_, column) => column !== 2 || hasMeans)
        .forEach((text) => row.append(element("td", text, "number")));
    }
    return table;
  }

  /** A value of the transform with the family's name and unit. */
  words(value) {
    const { name, unit } = this.sweep.family;
    const sign = unit === "°" && value > 0 ? "+" : "";
    return `${name} ${sign}${value}${unit === "°" || unit === "" ? unit : " " + unit}`;
  }

  sentence() {
    const said = this.chosen().map(
      ({ curve, point }) => `${curve.model} ${point ? percent(point.accuracy) : "not measured"}`,
    );
    return `${this.words(this.value)}: ${said.join(", ")}`;
  }
}
