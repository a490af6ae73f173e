// ---- A closer look ----

const VIEWS = [["image", "image"], ["reconstruction", "reconstruction"], ["wipe", "wipe"], ["map", "anomaly map"], ["mask", "mask"]];

const viewer = {
  zoom: 1,

  make() {
    const dialog = document.createElement("dialog");
    dialog.className = "viewer";
    const radios = VIEWS.map(([key, name]) => `<label><input type="radio" name="view" value="${key}"> ${name}</label>`).join("");
    dialog.innerHTML = `<div class="bar"><strong></strong> <span class="verdict"></span>
      <span class="views">${radios}</span>
      <label><input type="checkbox" class="outlined" checked> outlines</label>
      <label class="wipe">wipe <input type="range" min="0" max="100" value="50"></label>
      <span><button type="button" data-do="out" aria-label="smaller">−</button> <output class="zoom"></output>
      <button type="button" data-do="in" aria-label="larger">+</button></span>
      <span><button type="button" data-do="back">Previous</button> <button type="button" data-do="on">Next</button>
      <button type="button" data-do="close">Close</button></span> <output class="pixel"></output></div>
      <div class="stage"><div class="sheet"></div></div>`;
    document.body.append(dialog);
    this.dialog = dialog;
    const actions = {
      in: () => this.scale(this.zoom * 1.5), out: () => this.scale(this.zoom / 1.5),
      back: () => this.step(-1), on: () => this.step(1), close: () => dialog.close(),
    };
    for (const button of all("[data-do]", dialog)) button.addEventListener("click", actions[button.dataset.do]);
    all("input", dialog).forEach((input) => input.addEventListener("input", () => this.layers()));
    one(".sheet", dialog).addEventListener("mousemove", (event) => this.read(event));
    one(".stage", dialog).addEventListener("wheel", (event) => {
      if (!event.ctrlKey) return;
      event.preventDefault();
      this.scale(this.zoom * (event.deltaY < 0 ? 1.2 : 1 / 1.2));
    }, { passive: false });
    dialog.addEventListener("keydown", (event) => {
      if (event.target.tagName === "INPUT") return;
      const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (step) this.step(step);
    });
  },

  show(workplace, exhibit) {
    if (!this.dialog) this.make();
    Object.assign(this, { workplace, exhibit });
    one("strong", this.dialog).textContent = exhibit.name;
    const sheet = one(".sheet", this.dialog);
    const copies = ["image", "reconstruction", "map"].map((key) => one(`img.${key}`, exhibit.figure).cloneNode());
    this.outline = document.createElement("canvas");
    this.outline.className = "outline";
    sheet.replaceChildren(...copies, this.copyOfMask(), this.outline);
    if (!one("input[name=view]:checked", this.dialog)) one("input[value=map]", this.dialog).checked = true;
    if (!this.dialog.open) this.dialog.showModal();
    const { clientWidth, clientHeight } = one(".stage", this.dialog), { width, height } = exhibit.map;
    this.fit = Math.min(clientWidth / width, clientHeight / height);
    this.scale(1);
    this.refresh(workplace);
  },

  copyOfMask() {
    this.mask = document.createElement("canvas");
    this.mask.className = "mask";
    return this.mask;
  },

  scale(zoom) {
    this.zoom = Math.min(40, Math.max(0.25, zoom));
    const stage = one(".stage", this.dialog), sheet = one(".sheet", this.dialog), { width, height } = this.exhibit.map;
    const middle = ["Left", "Top"].map((side, axis) => {
      const [view, whole] = axis ? ["clientHeight", "scrollHeight"] : ["clientWidth", "scrollWidth"];
      return (stage[`scroll${side}`] + stage[view] / 2) / stage[whole];
    });
    const factor = this.fit * this.zoom;
    sheet.style.width = `${width * factor}px`;
    sheet.style.height = `${height * factor}px`;
    sheet.classList.toggle("pixels", factor > 2);
    stage.scrollLeft = middle[0] * stage.scrollWidth - stage.clientWidth / 2;
    stage.scrollTop = middle[1] * stage.scrollHeight - stage.clientHeight / 2;
    one("output.zoom", this.dialog).textContent = `${Math.round(100 * factor)} %`;
  },

  step(by) {
    const listed = this.workplace.listed.filter((exhibit) => !exhibit.figure.hidden);
    const next = listed[listed.indexOf(this.exhibit) + by];
    if (next) this.show(this.workplace, next);
  },

  // Draws mask and outlines of the present decision.
  refresh(workplace) {
    if (!this.dialog?.open || workplace !== this.workplace) return;
    const { exhibit } = this, { width, height } = exhibit.map;
    exhibit.draw();
    one(".bar .verdict", this.dialog).textContent = exhibit.text();
    for (const canvas of [this.mask, this.outline]) [canvas.width, canvas.height] = [width, height];
    this.mask.getContext("2d").drawImage(exhibit.canvas, 0, 0);
    const pixels = new ImageData(width, height);
    const is = (x, y) => x >= 0 && y >= 0 && x < width && y < height && exhibit.flagged[y * width + x] !== 0;
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        if (is(x, y) && !(is(x - 1, y) && is(x + 1, y) && is(x, y - 1) && is(x, y + 1))) {
          pixels.data.set([0, 255, 255, 255], 4 * (y * width + x));
        }
      }
    }
    this.outline.getContext("2d").putImageData(pixels, 0, 0);
    this.layers();
  },

  layers() {
    const view = one("input[name=view]:checked", this.dialog).value, isWipe = view === "wipe";
    const percent = one(".wipe input", this.dialog).value;
    one(".wipe", this.dialog).hidden = !isWipe;
    for (const layer of one(".sheet", this.dialog).children) {
      const key = layer.className;
      layer.hidden = key !== view && !(isWipe && (key === "image" || key === "reconstruction"));
      layer.style.clipPath = isWipe && key === "reconstruction" ? `inset(0 0 0 ${percent}%)` : "";
    }
    this.outline.hidden = !one("input.outlined", this.dialog).checked;
  },

  read(event) {
    const { map } = this.exhibit, box = one(".sheet", this.dialog).getBoundingClientRect();
    const x = Math.floor(((event.clientX - box.left) / box.width) * map.width);
    const y = Math.floor(((event.clientY - box.top) / box.height) * map.height);
    if (x < 0 || y < 0 || x >= map.width || y >= map.height) return;
    const level = map.data[y * map.width + x];
    const score = level === 0 ? "below " + this.workplace.digits(this.workplace.edges[0]) : this.workplace.digits(this.workplace.edges[level - 1]);
    one("output.pixel", this.dialog).textContent = `column ${x}, row ${y}: ${score}`;
  },
};
