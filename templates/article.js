"use strict";
// What the page can do beyond being read. Without it nothing is missing from the text.
(() => {
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];

  // What the page says of itself, in its language.
  const words = JSON.parse(document.getElementById("words")?.textContent || "{}");
  const _ = (message, values = {}) =>
    (words[message] || message).replace(/%(?:\((\w+)\)s|%)/g, (sign, name) => (name ? values[name] : "%"));

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

  function remember(key, value) {
    try {
      localStorage.setItem(key, value);
    } catch { /* a browser may forbid to remember */ }
  }
  function remembered(key) {
    try {
      return JSON.parse(localStorage.getItem(key));
    } catch {
      return null;
    }
  }

  // Light, dark, or as the system has it: the style sheet has both values of every colour.
  const schemes = { light: _("light"), dark: _("dark"), "": _("auto") };
  const themes = Object.entries(schemes).map(([scheme, name]) => button(name, () => {
    document.documentElement.style.colorScheme = scheme;
    remember("normreport-theme", scheme);
    tell();
  }));
  function tell() {
    const { colorScheme } = document.documentElement.style;
    for (const element of themes) element.setAttribute("aria-pressed", element.textContent === schemes[colorScheme]);
  }
  document.querySelector(".links").append(make("span", { role: "group", "aria-label": _("Theme") }, ...themes));
  tell();

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
      const label = _("Link to %(title)s", { title: head.textContent.trim() });
      head.append(make("a", { class: "anchor", href: `#${part.id}`, "aria-label": label }, "#"));
    }
  }

  // Terms are explained where they stand; Escape puts the explanation away.
  // The same box tells what a figure shows at a point.
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
  function explain(element, text) {
    explained = element;
    tip.textContent = text;
    tip.classList.toggle("reading", element.matches("svg *"));
    tip.hidden = false;
    place();
  }
  const hide = () => { tip.hidden = true; };
  for (const link of all(".term")) {
    const show = () => {
      explain(link, document.querySelector(link.hash).textContent);
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
        status.textContent = _("The table was copied.");
      } catch {
        status.textContent = _("The browser did not allow copying.");
      }
    };
    table.closest(".scroll").after(make("div", { class: "tools" }, button(_("Copy table"), copy)));
  }

  // Arms and seeds can be hidden, in all figures at once; the choice is remembered.
  const KEY = "normreport-hidden";
  const hidden = new Set(remembered(KEY) || []);
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
    remember(KEY, JSON.stringify([...hidden]));
    apply();
  }
  function attribute(mark, name) {
    const holder = mark.hasAttribute(name) ? mark : mark.querySelector(`[${name}]:not([${name}=none])`);
    return holder && holder.getAttribute(name);
  }
  const SVG = "http://www.w3.org/2000/svg";
  function swatch(mark) {
    const color = attribute(mark, "stroke") || attribute(mark, "fill");
    const picture = document.createElementNS(SVG, "svg");
    const line = document.createElementNS(SVG, "path");
    const stroke = `var(--c-${color.slice(1)}, ${color})`;
    const dashes = attribute(mark, "stroke-dasharray") || "none";
    const look = { d: "M0 4h24", stroke, "stroke-width": 2.4, "stroke-dasharray": dashes };
    for (const [name, value] of Object.entries(look)) line.setAttribute(name, value);
    for (const [name, value] of Object.entries({ viewBox: "0 0 24 8", "aria-hidden": true })) {
      picture.setAttribute(name, value);
    }
    picture.append(line);
    return picture;
  }
  const seedName = (seed) => (seed === "mean" ? _("mean") : _("seed %(seed)s", { seed }));
  function toggles(svg) {
    const own = all("[data-arm], [data-seed]", svg);
    const group = make("div", { role: "group", "aria-label": _("Shown") });
    for (const name of ["arm", "seed"]) {
      for (const value of new Set(own.map((mark) => mark.dataset[name]).filter(Boolean))) {
        const like = own.filter((mark) => mark.dataset[name] === value);
        const text = name === "arm" ? value : seedName(value);
        const element = button(text, () => toggle(`${name} ${value}`), { class: "toggle" });
        if (name === "arm") {
          const bodies = like.filter((mark) => !mark.dataset.neutral);
          const sample = like.find((mark) => mark.dataset.seed === "mean") || bodies[bodies.length - 1];
          // Where an arm has lines of several colors, none of them stands for it.
          const colors = new Set(bodies.map((mark) => attribute(mark, "stroke")));
          if (sample.dataset.seed || colors.size === 1) element.prepend(swatch(sample));
        }
        switches.push([element, `${name} ${value}`]);
        group.append(element);
      }
    }
    return group.children.length ? [group] : [];
  }

  // What stands where in a figure: its panels tell how their axes' points become numbers.
  function value(axis, at) {
    const [[from, to], [low, high]] = [axis.page, axis.units];
    const level = low + (at - from) / (to - from) * (high - low);
    if (axis.scale === "linear") return level;
    if (axis.scale === "log") return 10 ** level;
    const [end, stretch] = axis.linear;
    const beyond = Math.abs(level) / end - stretch;
    return beyond < 0 ? level / stretch : Math.sign(level) * end * 10 ** beyond;
  }
  function position(axis, number) {
    const [[from, to], [low, high]] = [axis.page, axis.units];
    return from + (number - low) / (high - low) * (to - from);
  }
  // A picture's coordinates are hundredths: no more digits than these know, and four at most.
  function digits(axis, at) {
    const number = value(axis, at);
    const known = -Math.log10(Math.abs(value(axis, at + 0.01) - number));
    return minus(Number(number.toFixed(Math.min(Math.max(Math.floor(known), 0), 20))));
  }
  const minus = (number) => String(Number(number.toPrecision(4))).replaceAll("-", "−");
  function told(axis, at) {
    const named = axis.names && (axis.names[Math.round(value(axis, at))] ?? "");
    return [axis.name, named ?? digits(axis, at)].filter(Boolean).join(" ");
  }
  const within = (axis, at) => (at - axis.page[0]) * (at - axis.page[1]) <= 1;
  const panelAt = (panels, x, y) => panels.find((panel) => within(panel.x, x) && within(panel.y, y));
  function corners(mark) {
    const found = all("use", mark).map((use) => ["x", "y"].map((name) => Number(use.getAttribute(name))));
    for (const path of all("path:not(defs *)", mark)) {
      for (const [, command, text] of path.getAttribute("d").matchAll(/([A-Za-z])([^A-Za-z]*)/g)) {
        const numbers = (text.match(/-?\d*\.?\d+/g) || []).map(Number);
        for (let i = 0; i + 1 < numbers.length; i += 2) {
          const [x, y] = command === "l" ? found[found.length - 1] : [0, 0];
          found.push([x + numbers[i], y + numbers[i + 1]]);
        }
      }
    }
    return found;
  }
  const MARKS = "[data-arm], [data-seed], [data-line]";
  // Rows of points, from left to right: of each run that is shown in a panel, of each layer of a heat map.
  function curves(svg, panels) {
    const rows = new Map();
    for (const mark of all(MARKS, svg)) {
      const { arm, seed, line, epoch, per_epoch: scale } = mark.dataset;
      const name = [arm, seed && seedName(seed), line].filter(Boolean).join(", ");
      for (const [x, y] of mark.matches(".off") ? [] : corners(mark)) {
        const panel = panelAt(panels, x, y);
        if (!panel) continue;
        const tell = () => [
          name, epoch ? _("epoch %(epoch)s", { epoch }) : told(panel.x, x), told(panel.y, y),
          // Half a violin's width.
          scale && _("density %(value)s", { value: minus(Math.abs(value(panel.x, x) - epoch) * scale) }),
        ].filter(Boolean).join("\n");
        const key = `${panels.indexOf(panel)} ${name}`;
        if (!rows.has(key)) rows.set(key, []);
        rows.get(key).push({ x, y, panel, name, arm, seed, epoch, tell });
      }
    }
    return [...rows.values()].map((row) => row.sort((a, b) => a.x - b.x));
  }
  function grid(panels, cells) {
    return Object.entries(cells ? cells.grids : {}).flatMap(([index, layers]) => layers.map((layer, i) => {
      const panel = panels[index];
      const y = position(panel.y, i + 1);
      return layer.map((number, epoch) => {
        const shown = number === null
          ? _("not all runs have it")
          : _("%(value)s (normal samples: ±%(chance)s)", { value: minus(number), chance: cells.chance[i] });
        const tell = () => [told(panel.y, y), _("epoch %(epoch)s", { epoch }), `${cells.name} ${shown}`].join("\n");
        return { x: position(panel.x, epoch), y, panel, tell };
      });
    }));
  }

  // The nearest point to the pointer is read; arrow keys go along a curve and to the next one.
  const dot = document.createElementNS(SVG, "circle");
  dot.setAttribute("class", "dot");
  dot.setAttribute("r", 3);
  function read(svg, rows) {
    let here = null;
    const show = (point) => {
      here = point;
      dot.setAttribute("cx", point.x);
      dot.setAttribute("cy", point.y);
      svg.append(dot);
      explain(dot, point.tell());
    };
    const leave = () => { dot.remove(); hide(); };
    const nearest = (points, { x, y }) => points.reduce((best, point) =>
      (Math.hypot(point.x - x, point.y - y) <= Math.hypot(best.x - x, best.y - y) ? point : best));
    svg.addEventListener("pointermove", (event) => {
      const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
      const points = rows().flat().filter(({ panel }) => within(panel.x, at.x) && within(panel.y, at.y));
      if (points.length) show(nearest(points, at));
      else leave();
    });
    svg.addEventListener("pointerleave", leave);
    svg.setAttribute("tabindex", 0);
    svg.addEventListener("blur", leave);
    svg.addEventListener("keydown", (event) => {
      const [along, across] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key] || [];
      const all = rows();
      if (along === undefined || !all.length) return;
      event.preventDefault();
      const same = (point) => here && point.x === here.x && point.y === here.y && point.name === here.name;
      const row = Math.max(0, all.findIndex((points) => points.some(same)));
      const next = all[Math.min(Math.max(row + across, 0), all.length - 1)];
      const step = all[row].findIndex(same) + along;
      show(!here ? next[0] : across ? nearest(next, here) : next[Math.min(Math.max(step, 0), next.length - 1)]);
      status.textContent = here.tell();
    });
  }

  // All figures are at one epoch, which is remembered; those out of sight follow when they are seen.
  const EPOCH = "normreport-epoch";
  let chosen = remembered(EPOCH);
  const movers = new Map();
  const sight = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) movers.get(target)(isIntersecting);
  });
  function slider(svg, own, last, move) {
    const range = make("input", { type: "range", min: 0, max: last, value: own });
    const shown = make("output", { "aria-live": "off" });
    let [seen, at] = [false, own];
    movers.set(svg, (visible = seen) => {
      seen = visible;
      const epoch = Math.min(chosen ?? own, last);
      range.value = epoch;
      shown.textContent = epoch;
      if (!seen || at === epoch) return;
      at = epoch;
      move(epoch);
    });
    range.addEventListener("input", () => {
      chosen = Number(range.value);
      remember(EPOCH, chosen);
      for (const update of movers.values()) update();
    });
    movers.get(svg)();
    sight.observe(svg);
    return make("label", { class: "epoch" }, _("Epoch"), " ", range, shown);
  }

  // Densities, histograms and quantiles are drawn anew from every run's curves.
  async function inflated(text) {
    const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
    return new Int16Array(await new Response(stream).arrayBuffer());
  }
  function runsOf(frames, steps) {
    let start = 0;
    return frames.runs.map(([of, arm, seed, epochs]) => {
      const width = frames.grids[of].length;
      const [first, later] = frames.units[of];
      const rows = [];
      for (let epoch = 0; epoch < epochs; epoch += 1, start += width) {
        let level = 0;
        const row = Array.from(steps.subarray(start, start + width), (step) => { level += step; return level; });
        const change = row.map((value) => (epoch ? value * later : 0));
        const total = epoch ? change.map((value, i) => rows[0].total[i] + value) : row.map((value) => value * first);
        rows.push({ total, change });
      }
      return { of, arm, seed, rows };
    });
  }
  function mean(several) {
    return several[0].map((_, i) => several.reduce((sum, one) => sum + one[i], 0) / several.length);
  }
  function moving(svg, panels, frames) {
    const last = Math.max(...frames.runs.map(([, , , epochs]) => epochs)) - 1;
    const title = svg.querySelector("[data-text=title] text");
    const drawn = make("p", { class: "at" });
    let runs = null;
    const move = async (epoch) => {
      runs ||= inflated(frames.curves).then((steps) => runsOf(frames, steps));
      const known = await runs;
      for (const mark of all("[data-value]", svg)) {
        const { arm, seed, value } = mark.dataset;
        const { panel, of, change } = frames.values[value];
        // A mark without a seed is of all runs of its arm, and so is its one curve.
        const own = known.filter((run) => run.of === of && run.arm === arm && [run.seed, "mean", undefined].includes(seed));
        const there = own.length > 0 && own.every((run) => epoch < run.rows.length);
        const curve = there ? mean(own.map((run) => run.rows[epoch][change ? "change" : "total"])) : [];
        const { x, y } = panels[panel];
        const points = curve.map((level, i) => `${position(x, frames.grids[of][i]).toFixed(2)} ${position(y, level).toFixed(2)}`);
        mark.querySelector("path").setAttribute("d", there ? `M${points.join("L")}` : "");
      }
      title.textContent = frames.title.replace("{epoch}", epoch);
      drawn.textContent = epoch === frames.epoch ? ""
        : _("The caption and the table are of epoch %(epoch)s.", { epoch: frames.epoch });
    };
    return [slider(svg, frames.epoch, last, move), drawn];
  }

  // Where epochs stand side by side a line goes to the chosen one, and its numbers are written out.
  function marked(svg, panels, last, rows) {
    const over = panels.filter(({ x }) => x.epochs);
    const line = document.createElementNS(SVG, "path");
    line.setAttribute("stroke", "#1f1f1f");
    const text = make("p", { class: "at" });
    const move = (epoch) => {
      const stretches = over.map(({ x, y }) => `M${position(x, epoch).toFixed(2)} ${y.page[0]}V${y.page[1]}`);
      line.setAttribute("d", stretches.join(""));
      svg.append(line);
      const known = rows();
      text.textContent = over.map((panel) => {
        const shown = known.flatMap((row) => {
          const there = row.filter(({ x, seed, epoch: fixed }) => (seed || "mean") === "mean" && !fixed && Math.abs(x - position(panel.x, epoch)) < 0.1);
          const numbers = there.filter((point) => point.name && point.panel === panel).map(({ y }) => digits(panel.y, y));
          if (!numbers.length) return [];
          const { name, arm } = there[0];
          const own = panel.title.startsWith(`${arm} (`) ? name.slice(arm.length + 2) : name;
          return [[own, [...new Set(numbers)].join(" " + _("to") + " ")].join(" ")];
        });
        return shown.length ? `${[panel.title, panel.y.name].filter(Boolean).join(", ")}: ${shown.join("; ")}` : "";
      }).filter(Boolean).join("\n");
    };
    return [slider(svg, last, last, move), text];
  }

  // Each figure is saved as it is shown, with the light page's colours.
  function picture(svg) {
    const copy = svg.cloneNode(true);
    for (const part of all("metadata, .off, .dot", copy)) part.remove();
    copy.removeAttribute("tabindex");
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
    const { panels = [], frames, last, cells } = JSON.parse(svg.querySelector("metadata")?.textContent || "{}");
    const rows = () => [...curves(svg, panels), ...grid(panels, cells)];
    if (cells || svg.querySelector(MARKS)) read(svg, rows);
    figure.querySelector("figcaption").before(make(
      "div", { class: "tools" }, ...(frames ? moving(svg, panels, frames) : last ? marked(svg, panels, last, rows) : []), ...toggles(svg),
      make("div", { role: "group", "aria-label": _("Save") },
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
