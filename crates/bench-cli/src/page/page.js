// The images of a page with a threshold that can be moved. Goes with `maps.js` and `viewer.js`.

// Three places, with ties to even as bench-cli rounds them. Of binary fractions odd sixteenths alone are ties.
function places(value) {
  const below = Math.floor(value * 1000);
  const isTie = Number.isInteger(value * 16) && value * 1000 - below === 0.5;
  return (isTie && below % 2 === 0 ? below / 1000 : value).toFixed(3);
}

// ---- An image ----

class Exhibit {
  constructor(figure, number) {
    Object.assign(this, { figure, number, name: figure.dataset.name, kind: figure.dataset.kind });
    this.score = Number(figure.dataset.score);
    this.isGood = this.kind === "good";
    this.isUnmasked = figure.dataset.unmasked !== undefined; // known to be defective, but not where
  }

  async read() {
    const mask = one("img.mask", this.figure);
    [this.map, this.truth] = await Promise.all([numbers(one("img.map", this.figure)), numbers(mask)]);
    this.defects = regions(this.truth, (number) => number === FOUND || number === MISSED);
    this.canvas = document.createElement("canvas");
    [this.canvas.width, this.canvas.height, this.canvas.className] = [this.map.width, this.map.height, "mask"];
    mask.replaceWith(this.canvas);
  }

  // Decides by levels from `level` on, in regions of at least `area` pixels.
  judge(level, area) {
    const { labels, areas } = regions(this.map, (score) => score >= level);
    const touches = new Uint8Array(areas.length), found = new Int32Array(this.defects.areas.length);
    const counts = { right: 0, wrong: 0, missed: 0, good: 0 };
    this.flagged = labels;
    for (let pixel = 0; pixel < labels.length; pixel++) {
      const defect = this.defects.labels[pixel];
      if (areas[labels[pixel]] < area) labels[pixel] = 0;
      const isFlagged = labels[pixel] !== 0;
      if (isFlagged && defect !== 0) {
        touches[labels[pixel]] = 1;
        found[defect]++;
      }
      if (this.isUnmasked || this.truth.data[pixel] === OUTSIDE) continue;
      counts[isFlagged ? (defect ? "right" : "wrong") : defect ? "missed" : "good"]++;
    }
    const kept = areas.map((size, label) => label > 0 && size >= area);
    this.counts = counts;
    this.overlaps = Array.from(found).slice(1).map((pixels, defect) => pixels / this.defects.areas[defect + 1]);
    this.found = this.overlaps.filter((share) => share > 0).length;
    this.regions = kept.filter(Boolean).length;
    this.alarms = this.isUnmasked ? 0 : kept.filter((isKept, label) => isKept && touches[label] === 0).length;
    this.hit = this.isUnmasked ? this.regions : this.found;
    this.stale = true;
  }

  get outcomes() {
    const missed = this.isUnmasked ? this.hit === 0 : this.found < this.overlaps.length, alarm = this.alarms > 0;
    const isDefective = this.isUnmasked || this.overlaps.length > 0, flagged = this.regions > 0;
    return { missed, alarm, success: isDefective && !missed && !alarm, quiet: !isDefective && !flagged, flagged };
  }

  text() {
    const parts = [`score ${places(Math.fround(this.score))}`];
    if (this.isUnmasked) parts.push("defective, without a mask", this.hit > 0 ? "flagged" : "not flagged");
    else if (this.kind === undefined) parts.push(this.regions === 1 ? "1 region" : `${this.regions} regions`);
    else {
      if (this.overlaps.length > 0) parts.push(`${this.found} of ${this.overlaps.length} defects found`);
      parts.push(this.alarms === 1 ? "1 false alarm" : `${this.alarms} false alarms`);
    }
    return parts.join(", ");
  }

  // Draws the mask and says what it shows, if it has changed.
  draw() {
    if (!this.stale) return;
    this.stale = false;
    const pixels = new ImageData(this.map.width, this.map.height);
    for (let pixel = 0; pixel < this.flagged.length; pixel++) {
      const isFlagged = this.flagged[pixel] !== 0, isDefect = this.defects.labels[pixel] !== 0;
      const wrong = this.kind === undefined || this.isUnmasked ? FLAGGED : FALSE_ALARM;
      const isOutside = this.truth.data[pixel] === OUTSIDE;
      const number = isOutside ? OUTSIDE : isFlagged ? (isDefect ? FOUND : wrong) : isDefect ? MISSED : GROUND;
      pixels.data.set(COLOURS[number], 4 * pixel);
      pixels.data[4 * pixel + 3] = 255;
    }
    this.canvas.getContext("2d").putImageData(pixels, 0, 0);
    one(".verdict", this.figure).textContent = this.text();
  }
}

// ---- Images with a threshold ----

// The least areas of the slider: all up to 13, then steps of about an eighth.
const AREAS = [];
for (let area = 1; AREAS.length < 61; area = Math.max(area + 1, Math.round(area * 1.12))) AREAS.push(area);

const ratio = (part, whole) => (whole > 0 ? places(part / whole) : "–");
const sum = (values) => values.reduce((a, b) => a + b, 0);

class Workplace {
  constructor(element) {
    this.element = element;
    Object.assign(this, JSON.parse(one("script.data", element).textContent));
    this.calibrated = { level: this.level, area: this.area };
    this.areas = [...new Set([...AREAS, this.area])].sort((a, b) => a - b);
    this.exhibits = all("figure.exhibit", element).map((figure, number) => new Exhibit(figure, number));
    this.sliders = { level: one("input.threshold", element), area: one("input.area", element) };
    this.hasTruth = this.exhibits.some((exhibit) => exhibit.kind !== undefined);
  }

  async start() {
    await Promise.all(this.exhibits.map((exhibit) => exhibit.read()));
    this.sliders.area.max = this.areas.length - 1;
    this.watch = new IntersectionObserver((entries) => {
      for (const entry of entries) {
        entry.target.exhibit.isVisible = entry.isIntersecting;
        if (entry.isIntersecting) entry.target.exhibit.draw();
      }
    }, { rootMargin: "200px" });
    for (const exhibit of this.exhibits) {
      exhibit.figure.exhibit = exhibit;
      this.watch.observe(exhibit.figure);
      one(".strip", exhibit.figure).addEventListener("click", () => viewer.show(this, exhibit));
    }
    for (const slider of Object.values(this.sliders)) slider.addEventListener("input", () => this.soon());
    one("button.reset", this.element).addEventListener("click", () => this.reset());
    one("button.copy", this.element).addEventListener("click", (event) => this.copy(event.target));
    for (const choice of all(".choices select", this.element)) choice.addEventListener("change", () => this.choose());
    all("[data-script]", this.element).forEach((element) => element.removeAttribute("data-script"));
    addEventListener("beforeprint", () => this.exhibits.forEach((exhibit) => exhibit.draw()));
    this.reset();
    this.exhibits.forEach((exhibit) => exhibit.draw());
    this.element.dataset.ready = "";
  }

  reset() {
    this.sliders.level.value = this.calibrated.level;
    this.sliders.area.value = this.areas.indexOf(this.calibrated.area);
    this.update();
  }

  // Once before the next frame, however often a slider moves.
  soon() {
    if (this.isDue) return;
    this.isDue = true;
    requestAnimationFrame(() => this.update());
  }

  update() {
    this.isDue = false;
    this.level = Number(this.sliders.level.value);
    this.area = this.areas[Number(this.sliders.area.value)];
    this.exhibits.forEach((exhibit) => exhibit.judge(this.level, this.area));
    this.say();
    this.mark();
    this.choose();
  }

  // The score at which the present level begins; above the last one nothing is flagged.
  get threshold() {
    return this.level <= this.edges.length ? this.edges[this.level - 1] : Infinity;
  }

  say() {
    const { threshold, area, exhibits, element } = this;
    const isAbove = threshold === Infinity;
    one("output.threshold", element).textContent = isAbove ? "above all" : String(Number(threshold.toPrecision(4)));
    one("output.area", element).textContent = `${area} ${area === 1 ? "pixel" : "pixels"}`;
    const command = `${this.call} --rule manual:${this.digits(threshold / this.unit)} --set calibration.min_area=${area}${this.settings}`;
    one(".command code", element).textContent = isAbove ? "" : command;
    const values = this.hasTruth ? this.counts() : { flagged: `${this.number("regions")} of ${exhibits.length}` };
    for (const [key, value] of Object.entries(values)) one(`[data-count=${key}]`, element).textContent = value;
  }

  // The shortest number that is this one in single precision.
  digits(value) {
    const single = Math.fround(value);
    for (let places = 1; places < 10; places++) {
      const text = String(Number(single.toPrecision(places)));
      if (Math.fround(Number(text)) === single) return text;
    }
    return String(single);
  }

  // Images of which a count is not zero.
  number(key, exhibits = this.exhibits) {
    return exhibits.filter((exhibit) => exhibit[key] > 0).length;
  }

  pixels() {
    const total = { right: 0, wrong: 0, missed: 0, good: 0 };
    for (const { counts } of this.exhibits) Object.keys(total).forEach((key) => (total[key] += counts[key]));
    return total;
  }

  counts() {
    const good = this.exhibits.filter((exhibit) => exhibit.isGood);
    const found = sum(this.exhibits.map((exhibit) => exhibit.found));
    const defects = sum(this.exhibits.map((exhibit) => exhibit.overlaps.length));
    const { right, wrong, missed } = this.pixels();
    return {
      found: `${found} of ${defects}`,
      missed: defects - found,
      alarms: sum(this.exhibits.map((exhibit) => exhibit.alarms)),
      hit: `${this.number("hit")} of ${this.exhibits.length - good.length}`,
      good: `${this.number("regions", good)} of ${good.length}`,
      precision: ratio(right, right + wrong),
      recall: ratio(right, right + missed),
      f1: ratio(2 * right, 2 * right + wrong + missed),
    };
  }

  // Puts the present decision on curves and histograms.
  mark() {
    const bar = one(".scale .mark", this.element);
    const [low, high] = this.range;
    bar.style.left = `${100 * Math.min(1, Math.max(0, (this.threshold - low) / (high - low)))}%`;
    for (const chart of all("[data-axis=score] svg", this.element.closest("section"))) {
      line(chart, this.threshold, this.element.dataset.series);
    }
    if (!this.hasTruth) return;
    const { right, wrong, missed, good } = this.pixels();
    const overlaps = this.exhibits.flatMap((exhibit) => exhibit.overlaps);
    const falsePositives = wrong / (wrong + good), recall = right / (right + missed);
    const points = {
      roc: [falsePositives, recall],
      pr: [recall, right / (right + wrong)],
      pro: [falsePositives, sum(overlaps) / overlaps.length],
    };
    for (const [key, place] of Object.entries(points)) {
      for (const chart of all(`[data-curve=${key}] svg`)) dot(chart, place, this.element.dataset.series);
    }
  }

  choose() {
    const value = (name) => one(`select.${name}`, this.element)?.value ?? "";
    const [kind, outcome, order] = ["kind", "outcome", "order"].map(value);
    let shown = 0;
    for (const exhibit of this.exhibits) {
      const isShown = (!kind || exhibit.kind === kind) && (!outcome || exhibit.outcomes[outcome]);
      exhibit.figure.hidden = !isShown;
      shown += isShown;
      if (exhibit.isVisible) exhibit.draw();
    }
    const by = {
      "": (a, b) => a.number - b.number,
      down: (a, b) => b.score - a.score,
      up: (a, b) => a.score - b.score,
      name: (a, b) => a.name.localeCompare(b.name, undefined, { numeric: true }),
    };
    this.listed = [...this.exhibits].sort(by[order]);
    if (order !== this.order) this.listed.forEach((exhibit) => exhibit.figure.parentNode.append(exhibit.figure));
    this.order = order;
    one("output.shown", this.element).textContent = `${shown} of ${this.exhibits.length} images`;
    viewer.refresh(this);
  }

  async copy(button) {
    const code = one(".command code", this.element);
    try {
      await navigator.clipboard.writeText(code.textContent);
      button.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(code);
      button.textContent = "Selected";
    }
    setTimeout(() => (button.textContent = "Copy"), 1500);
  }
}

// ---- Marks on charts, which say where their axes lie ----

function axes(chart) {
  const [left, top, right, bottom] = chart.dataset.area.split(" ").map(Number);
  const [x, y] = [chart.dataset.x, chart.dataset.y].map((ends) => ends.split(" ").map(Number));
  const along = (value, [first, last]) => Math.min(1, Math.max(0, (value - first) / (last - first)));
  return {
    top, bottom,
    column: (value) => left + along(value, x) * (right - left),
    row: (value) => bottom - along(value, y) * (bottom - top),
  };
}

function marked(chart, name, series) {
  const found = one(`${name}.mark-${series}`, chart);
  if (found) return found;
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  made.setAttribute("class", `moved mark-${series}`);
  made.style.color = `var(--series-${series})`;
  return chart.appendChild(made);
}

function dot(chart, [x, y], series) {
  const mark = marked(chart, "circle", series), { column, row } = axes(chart);
  mark.setAttribute("visibility", Number.isFinite(x) && Number.isFinite(y) ? "visible" : "hidden");
  if (!Number.isFinite(x) || !Number.isFinite(y)) return;
  for (const [key, value] of [["cx", column(x)], ["cy", row(y)], ["r", 28]]) mark.setAttribute(key, value);
}

function line(chart, score, series) {
  const mark = marked(chart, "line", series), { column, top, bottom } = axes(chart);
  const x = column(score);
  for (const [key, value] of [["x1", x], ["x2", x], ["y1", top], ["y2", bottom]]) mark.setAttribute(key, value);
}

for (const element of all(".workplace")) new Workplace(element).start();
