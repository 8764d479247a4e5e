"use strict";
// What the page can do beyond being read. Without it nothing is missing from the text.
(() => {
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];

  function make(tag, attributes, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.append(...children);
    return element;
  }

  function button(text, action, attributes = {}) {
    const element = make("button", { type: "button", ...attributes }, text);
    element.addEventListener("click", action);
    return element;
  }

  const status = make("p", { class: "hidden", role: "status" });
  document.body.append(status);

  // The contents follow the reader.
  const entries = all(".contents a").map((link) => [link, document.querySelector(link.hash)]);
  function follow() {
    const passed = entries.filter(([, section]) => section.getBoundingClientRect().top < innerHeight / 3);
    const here = passed.length ? passed[passed.length - 1][0] : null;
    for (const [link] of entries) {
      if (link === here) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    }
  }
  const watch = new IntersectionObserver(follow, { rootMargin: "0px 0px -66% 0px" });
  for (const [, section] of entries) watch.observe(section);

  // A link to each section and claim; a figure's number is its own.
  for (const part of all("main section[id], .claim[id]")) {
    const head = part.querySelector(":scope > h2, :scope > h3");
    if (head) {
      const label = `Link to ${head.textContent.trim()}`;
      head.append(make("a", { class: "anchor", href: `#${part.id}`, "aria-label": label }, "#"));
    }
  }

  // Terms are explained where they stand; Escape puts the explanation away.
  const tip = make("div", { class: "tip", role: "tooltip", hidden: "" });
  document.body.append(tip);
  let explained = null;
  function place() {
    if (tip.hidden) return;
    const at = explained.getBoundingClientRect();
    const left = Math.min(at.left, document.documentElement.clientWidth - tip.offsetWidth - 12);
    const below = at.bottom + tip.offsetHeight < innerHeight;
    tip.style.left = `${Math.max(12, left)}px`;
    tip.style.top = `${below ? at.bottom : at.top - tip.offsetHeight}px`;
  }
  const hide = () => { tip.hidden = true; };
  for (const link of all(".term")) {
    const show = () => {
      explained = link;
      tip.textContent = document.querySelector(link.hash).textContent;
      tip.hidden = false;
      place();
    };
    link.addEventListener("mouseenter", show);
    link.addEventListener("focus", show);
    link.addEventListener("blur", hide);
    link.addEventListener("mouseleave", (event) => { if (event.relatedTarget !== tip) hide(); });
  }
  tip.addEventListener("mouseleave", hide);
  addEventListener("scroll", place, { passive: true });
  addEventListener("keydown", (event) => { if (event.key === "Escape") hide(); });

  // Tables are sorted by a click on a head, and copied for a spreadsheet.
  const SIGNS = { "⁻": "-", "⁰": 0, "¹": 1, "²": 2, "³": 3, "⁴": 4, "⁵": 5, "⁶": 6, "⁷": 7, "⁸": 8, "⁹": 9 };
  function number(text) {
    const found = text.replace(/−/g, "-").replace(/,/g, "").match(/^-?[\d.]+(?: × 10([⁻⁰¹²³⁴-⁹]+))?/);
    if (!found) return null;
    const power = [...(found[1] || "")].map((sign) => SIGNS[sign]).join("");
    return parseFloat(found[0]) * 10 ** Number(power);
  }
  function compare(a, b) {
    const [x, y] = [number(a), number(b)];
    return x !== null && y !== null ? x - y : a.localeCompare(b);
  }
  for (const table of all("main table")) {
    const body = table.tBodies[0];
    all("thead th", table).forEach((head, column) => {
      const sort = () => {
        const up = head.getAttribute("aria-sort") !== "ascending";
        for (const other of all("th[aria-sort]", table)) other.removeAttribute("aria-sort");
        head.setAttribute("aria-sort", up ? "ascending" : "descending");
        const text = (row) => row.cells[column].innerText.trim();
        const rows = [...body.rows].sort((a, b) => compare(text(a), text(b)));
        body.append(...(up ? rows : rows.reverse()));
      };
      head.replaceChildren(button(head.textContent, sort, { class: "sort" }));
    });
    const copy = async () => {
      const cell = (one) => one.innerText.trim().replace(/\s+/g, " ");
      const rows = [...table.rows].map((row) => [...row.cells].map(cell).join("\t"));
      try {
        await navigator.clipboard.writeText(rows.join("\n"));
        status.textContent = "The table was copied.";
      } catch {
        status.textContent = "The browser did not allow copying.";
      }
    };
    table.closest(".scroll").after(make("div", { class: "tools" }, button("Copy table", copy)));
  }

  // Arms and seeds can be hidden, in all figures at once; the choice is remembered.
  const KEY = "normreport-hidden";
  const hidden = new Set();
  try {
    for (const name of JSON.parse(localStorage.getItem(KEY) || "[]")) hidden.add(name);
  } catch { /* a browser may forbid to remember */ }
  const marks = all("figure [data-arm], figure [data-seed]");
  const switches = [];
  function apply() {
    for (const mark of marks) {
      const { arm, seed } = mark.dataset;
      mark.classList.toggle("off", hidden.has(`arm ${arm}`) || hidden.has(`seed ${seed}`));
    }
    for (const [element, name] of switches) element.setAttribute("aria-pressed", !hidden.has(name));
  }
  function toggle(name) {
    if (!hidden.delete(name)) hidden.add(name);
    try {
      localStorage.setItem(KEY, JSON.stringify([...hidden]));
    } catch { /* as above */ }
    apply();
  }
  function attribute(mark, name) {
    const holder = mark.hasAttribute(name) ? mark : mark.querySelector(`[${name}]:not([${name}=none])`);
    return holder && holder.getAttribute(name);
  }
  const SVG = "http://www.w3.org/2000/svg";
  function swatch(mark) {
    const picture = document.createElementNS(SVG, "svg");
    const line = document.createElementNS(SVG, "path");
    const stroke = attribute(mark, "stroke") || attribute(mark, "fill");
    const dashes = attribute(mark, "stroke-dasharray") || "none";
    const look = { d: "M0 4h24", stroke, "stroke-width": 2.4, "stroke-dasharray": dashes };
    for (const [name, value] of Object.entries(look)) line.setAttribute(name, value);
    for (const [name, value] of Object.entries({ viewBox: "0 0 24 8", "aria-hidden": true })) {
      picture.setAttribute(name, value);
    }
    picture.append(line);
    return picture;
  }
  function toggles(svg) {
    const own = all("[data-arm], [data-seed]", svg);
    const group = make("div", { role: "group", "aria-label": "Shown" });
    for (const name of ["arm", "seed"]) {
      for (const value of new Set(own.map((mark) => mark.dataset[name]).filter(Boolean))) {
        const like = own.filter((mark) => mark.dataset[name] === value);
        const text = name === "arm" ? value : value === "mean" ? "mean" : `seed ${value}`;
        const element = button(text, () => toggle(`${name} ${value}`), { class: "toggle" });
        if (name === "arm") {
          element.prepend(swatch(like.find((mark) => mark.dataset.seed === "mean") || like[0]));
        }
        switches.push([element, `${name} ${value}`]);
        group.append(element);
      }
    }
    return group.children.length ? [group] : [];
  }

  // The densities' figures move through the epochs.
  async function inflated(text) {
    const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
    return new Int16Array(await new Response(stream).arrayBuffer());
  }
  // For each run, each epoch: the curves of both panels.
  function curves(frames, steps) {
    const width = frames.x.length;
    let start = 0;
    return frames.runs.map(([arm, seed, epochs]) => {
      const rows = [];
      for (let epoch = 0; epoch < epochs; epoch += 1, start += width) {
        let level = 0;
        const row = Array.from(steps.subarray(start, start + width), (step) => { level += step; return level; });
        if (epoch === 0) {
          rows.push({ density: row.map((value) => value * frames.units[0]), change: row.map(() => 0) });
        } else {
          const change = row.map((value) => value * frames.units[1]);
          rows.push({ density: change.map((value, i) => rows[0].density[i] + value), change });
        }
      }
      return { arm, seed, rows };
    });
  }
  function mean(several) {
    return several[0].map((_, i) => several.reduce((sum, one) => sum + one[i], 0) / several.length);
  }
  function slider(svg) {
    const data = svg.querySelector("metadata");
    if (!data) return [];
    const frames = JSON.parse(data.textContent);
    const last = Math.max(...frames.runs.map(([, , epochs]) => epochs)) - 1;
    const title = all("text", svg).find((text) => text.textContent.endsWith(`epoch ${frames.epoch}`));
    let runs = null;
    const range = make("input", { type: "range", min: 0, max: last, value: frames.epoch });
    const shown = make("output", { "aria-live": "off" }, String(frames.epoch));
    const move = async () => {
      runs ||= inflated(frames.curves).then((steps) => curves(frames, steps));
      const known = await runs;
      const epoch = Number(range.value);
      for (const mark of all("[data-value]", svg)) {
        const { arm, seed, value } = mark.dataset;
        const own = known.filter((run) => run.arm === arm && (seed === "mean" || run.seed === seed));
        const there = own.length > 0 && own.every((run) => epoch < run.rows.length);
        const curve = there ? mean(own.map((run) => run.rows[epoch][value])) : [];
        const [zero, scale] = frames.axes[value];
        const points = curve.map((y, i) => `${frames.x[i] / 100} ${(zero - scale * y).toFixed(0) / 100}`);
        mark.querySelector("path").setAttribute("d", there ? `M${points.join("L")}` : "");
      }
      title.textContent = title.textContent.replace(/\d+$/, epoch);
      shown.textContent = epoch;
    };
    range.addEventListener("input", move);
    return [make("label", { class: "epoch" }, "Epoch ", range, shown)];
  }

  // Each figure is saved as it is shown, with the light page's colours.
  function picture(svg) {
    const copy = svg.cloneNode(true);
    for (const part of all("metadata, .off", copy)) part.remove();
    const { width, height } = svg.viewBox.baseVal;
    copy.setAttribute("width", width);
    copy.setAttribute("height", height);
    return new XMLSerializer().serializeToString(copy);
  }
  function save(content, type, name) {
    const href = URL.createObjectURL(new Blob([content], { type }));
    make("a", { href, download: name }).click();
    setTimeout(() => URL.revokeObjectURL(href), 1000);
  }
  async function savePixels(svg, name) {
    const image = new Image();
    image.src = `data:image/svg+xml,${encodeURIComponent(picture(svg))}`;
    await image.decode();
    const canvas = make("canvas", { width: 3 * image.width, height: 3 * image.height });
    canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
    canvas.toBlob((blob) => save(blob, "image/png", name), "image/png");
  }

  for (const figure of all("figure")) {
    const svg = figure.querySelector("svg");
    const name = figure.id;
    for (const mark of all("[data-arm]", svg)) {
      const { arm, seed } = mark.dataset;
      const words = seed === undefined ? arm : seed === "mean" ? `${arm}, mean` : `${arm}, seed ${seed}`;
      mark.append(document.createElementNS(SVG, "title"));
      mark.lastChild.textContent = words;
    }
    figure.querySelector("figcaption").before(make(
      "div", { class: "tools" }, ...slider(svg), ...toggles(svg),
      make("div", { role: "group", "aria-label": "Save" },
        button("SVG", () => save(picture(svg), "image/svg+xml", `${name}.svg`)),
        button("PNG", () => savePixels(svg, `${name}.png`)),
        make("a", { href: `data/${name}.csv`, download: "" }, "CSV")),
    ));
  }
  apply();

  // What is wider than the screen is scrolled by keys as well.
  function reach() {
    for (const box of all(".scroll, .drawing")) {
      if (box.scrollWidth > box.clientWidth) box.setAttribute("tabindex", "0");
      else box.removeAttribute("tabindex");
    }
  }
  addEventListener("resize", reach);
  reach();
})();
