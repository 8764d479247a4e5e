// @ts-check

// Everything that the page does beyond being read. The text is complete without it.

/**
 * An axis of a panel. `page` holds the axis's two ends in the picture's coordinates, `units` the
 * same ends in units of the scale. `linear` describes a symmetric logarithm: where the linear part
 * ends, and how far it is stretched. `names` labels whole numbers. `epochs` marks an epoch axis.
 * @typedef {object} Axis
 * @property {string} name
 * @property {[number, number]} page
 * @property {[number, number]} units
 * @property {"linear" | "log" | "symlog"} scale
 * @property {[number, number]} [linear]
 * @property {Record<string, string>} [names]
 * @property {true} [epochs]
 */
/** @typedef {{title: string, x: Axis, y: Axis}} Panel */
/**
 * Curves of every run at every epoch, see `normreport/figures/interactivity.py`.
 * @typedef {object} Frames
 * @property {number} epoch
 * @property {string} title
 * @property {Record<string, number[]>} grids
 * @property {Record<string, {panel: number, of: string, change: boolean}>} values
 * @property {[of: string, arm: string, seed: string, epochs: number][]} runs
 * @property {Record<string, [number, number]>} units
 * @property {string} curves
 */
/** @typedef {{name: string, grids: Record<string, (number | null)[][]>, chance: number[]}} Cells */
/** @typedef {{panels?: Panel[], frames?: Frames, last?: number, cells?: Cells}} Metadata */
/**
 * A point that the pointer or the arrow keys can reach; `tell` describes it.
 * @typedef {object} Point
 * @property {number} x
 * @property {number} y
 * @property {Panel} panel
 * @property {() => string} tell
 * @property {string} [name]
 * @property {string} [arm]
 * @property {string} [seed]
 * @property {string} [epoch]
 */
/** @typedef {{total: number[], change: number[]}} Curve */
/** @typedef {{of: string, arm: string, seed: string, rows: Curve[]}} Run */
/** @typedef {Record<string, string | number | boolean>} Attributes */

(() => {
  /** @type {<E extends Element = HTMLElement>(selector: string, root?: ParentNode) => E[]} */
  const all = (selector, root = document) => Array.from(root.querySelectorAll(selector));

  /**
   * Return the first match. Where the template may lack one, callers check for null.
   * @template {Element} [E=HTMLElement]
   * @param {string} selector
   * @param {ParentNode} root
   */
  const first = (selector, root = document) => /** @type {E} */ (root.querySelector(selector));

  // The script's own messages, in the page's language.
  /** @type {Record<string, string>} */
  const words = JSON.parse(first("#words")?.textContent || "{}");
  /** @type {(message: string, values?: Record<string, string | number>) => string} */
  const _ = (message, values = {}) =>
    (words[message] || message).replace(/%(?:\((\w+)\)s|%)/g, (_sign, name) => (name ? `${values[name]}` : "%"));

  /**
   * @template {keyof HTMLElementTagNameMap} K
   * @param {K} tag
   * @param {Attributes} attributes
   * @param {...(string | Node)} children
   */
  function make(tag, attributes, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, `${value}`);
    element.append(...children);
    return element;
  }

  /** @type {(text: string, action: () => unknown, attributes?: Attributes) => HTMLButtonElement} */
  function button(text, action, attributes) {
    const element = make("button", { type: "button", ...attributes }, text);
    element.addEventListener("click", action);
    return element;
  }

  const status = make("p", { class: "hidden", role: "status" });
  document.body.append(status);

  /** @type {(key: string, value: string | number) => void} */
  function remember(key, value) {
    try {
      localStorage.setItem(key, `${value}`);
    } catch {
      // A browser may forbid storage.
    }
  }
  /** @type {(key: string) => any} */
  function remembered(key) {
    try {
      return JSON.parse(localStorage[key]);
    } catch {
      return null;
    }
  }

  // Light, dark or the system's theme. The style sheet has both values of every colour.
  /** @type {Record<string, string>} */
  const schemes = { light: _("light"), dark: _("dark"), "": _("auto") };
  const themes = Object.entries(schemes).map(([scheme, name]) =>
    button(name, () => {
      document.documentElement.style.colorScheme = scheme;
      remember("normreport-theme", scheme);
      tell();
    }),
  );
  function tell() {
    const { colorScheme } = document.documentElement.style;
    for (const element of themes)
      element.setAttribute("aria-pressed", `${element.textContent === schemes[colorScheme]}`);
  }
  first(".links").append(make("span", { role: "group", "aria-label": _("Theme") }, ...themes));
  tell();

  // Mark the section that is being read in the table of contents.
  /** @type {HTMLAnchorElement[]} */
  const links = all(".contents a[href^='#']");
  const entries = links.map((link) => /** @type {const} */ ([link, first(link.hash)]));
  function follow() {
    const here = entries.filter(([, section]) => section.getBoundingClientRect().top < innerHeight / 3).at(-1)?.[0];
    for (const [link] of entries) {
      if (link === here) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    }
  }
  const watch = new IntersectionObserver(follow, { rootMargin: "0px 0px -66% 0px" });
  for (const [, section] of entries) watch.observe(section);

  // Link every section and claim from its heading or first words. A figure's number is already a link.
  for (const part of all("main section[id], .claim div[id]")) {
    const head = first(":scope > h2", part) || first(":scope > p", part);
    if (head) {
      const label = _("Link to %(title)s", {
        title: part.localName === "section" ? head.textContent.trim() : part.id.replace("claim-", ""),
      });
      head.append(make("a", { class: "anchor", href: `#${part.id}`, "aria-label": label }, "#"));
    }
  }

  // One tooltip explains terms and reads points of figures. Escape closes it.
  const tip = make("div", { class: "tip", role: "tooltip", hidden: "" });
  document.body.append(tip);
  /** @type {Element} */
  let explained;
  function place() {
    if (tip.hidden) return;
    const at = explained.getBoundingClientRect();
    const left = Math.min(at.left, document.documentElement.clientWidth - tip.offsetWidth - 12);
    const below = at.bottom + tip.offsetHeight < innerHeight;
    tip.style.left = `${Math.max(12, left)}px`;
    tip.style.top = `${below ? at.bottom : at.top - tip.offsetHeight}px`;
  }
  /** @type {(element: Element, text: string) => void} */
  function explain(element, text) {
    explained = element;
    tip.textContent = text;
    tip.classList.toggle("reading", element.matches("svg *"));
    tip.hidden = false;
    place();
  }
  const hide = () => {
    tip.hidden = true;
  };
  /** @type {HTMLAnchorElement[]} */
  const terms = all(".term");
  for (const link of terms) {
    const show = () => explain(link, first(link.hash).textContent);
    link.addEventListener("mouseenter", show);
    link.addEventListener("focus", show);
    link.addEventListener("blur", hide);
    link.addEventListener("mouseleave", (event) => {
      if (event.relatedTarget !== tip) hide();
    });
  }
  tip.addEventListener("mouseleave", hide);
  addEventListener("scroll", place, { passive: true });
  addEventListener("keydown", (event) => {
    if (event.key === "Escape") hide();
  });

  // A click on a column's head sorts the table, unless its rows belong together in groups. A button
  // copies it as tab-separated text.
  const SIGNS = "⁰¹²³⁴⁵⁶⁷⁸⁹";
  /** @type {(text: string) => number | null} */
  function number(text) {
    const match = text
      .replace(/−/g, "-")
      .replace(/,/g, "")
      .match(/^[-+]?[\d.]+(?: × 10([⁻⁰¹²³⁴-⁹]+))?/);
    if (!match) return null;
    const power = (match[1] || "").replace(/./g, (sign) => (sign === "⁻" ? "-" : `${SIGNS.indexOf(sign)}`));
    return parseFloat(match[0]) * 10 ** Number(power);
  }
  /** @type {(a: string, b: string) => number} */
  function compare(a, b) {
    const [x, y] = [number(a), number(b)];
    return x !== null && y !== null ? x - y : a.localeCompare(b);
  }
  /** @type {HTMLTableElement[]} */
  const tables = all("main table");
  for (const table of tables) {
    const body = table.tBodies[0];
    all("thead th", table).forEach((head, column) => {
      if (table.matches(".strips")) return;
      const sort = () => {
        const up = head.getAttribute("aria-sort") !== "ascending";
        for (const other of all("th[aria-sort]", table)) other.removeAttribute("aria-sort");
        head.setAttribute("aria-sort", up ? "ascending" : "descending");
        /** @type {(row: HTMLTableRowElement) => string} */
        const text = (row) => row.cells[column].innerText.trim();
        const rows = [...body.rows].sort((a, b) => compare(text(a), text(b)));
        body.append(...(up ? rows : rows.reverse()));
      };
      head.replaceChildren(button(head.textContent, sort, { class: "sort" }));
    });
    const copy = async () => {
      // A picture's words stand beside it.
      /** @type {(cell: HTMLElement) => string} */
      const text = (cell) =>
        [...cell.childNodes]
          .filter((node) => !(node instanceof SVGElement))
          .map((node) => (node instanceof HTMLElement ? node.innerText : node.nodeValue))
          .join(" ")
          .trim()
          .replace(/\s+/g, " ");
      const rows = all("tr:not(tfoot *)", table).map((row) => all("th, td", row).map(text).join("\t"));
      try {
        await navigator.clipboard.writeText(rows.join("\n"));
        status.textContent = _("The table was copied.");
      } catch {
        status.textContent = _("The browser did not allow copying.");
      }
    };
    table.closest(".scroll")?.after(make("div", { class: "tools" }, button(_("Copy table"), copy)));
  }

  // Toggles hide arms and seeds in all figures at once. The browser remembers the choice.
  const KEY = "normreport-hidden";
  /** @type {Set<string>} */
  const hidden = new Set(remembered(KEY) || []);
  /** @type {[HTMLButtonElement, string][]} */
  const switches = [];
  function apply() {
    /** @type {SVGElement[]} */
    const marks = all("figure [data-arm], figure [data-seed]");
    for (const mark of marks) {
      const { arm, seed } = mark.dataset;
      mark.classList.toggle("off", hidden.has(`arm ${arm}`) || hidden.has(`seed ${seed}`));
    }
    for (const [element, name] of switches) element.setAttribute("aria-pressed", `${!hidden.has(name)}`);
  }
  /** @type {(name: string) => void} */
  function toggle(name) {
    if (!hidden.delete(name)) hidden.add(name);
    remember(KEY, JSON.stringify([...hidden]));
    apply();
  }
  /** @type {(mark: Element, name: string) => string | null | undefined} */
  function attribute(mark, name) {
    const holder = mark.hasAttribute(name) ? mark : mark.querySelector(`[${name}]:not([${name}=none])`);
    return holder?.getAttribute(name);
  }
  /**
   * @template {keyof SVGElementTagNameMap} K
   * @param {K} tag
   * @param {Attributes} attributes
   */
  function draw(tag, attributes) {
    const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, `${value}`);
    return element;
  }
  /** @type {(mark: Element) => SVGElement} */
  function swatch(mark) {
    const color = attribute(mark, "stroke") || attribute(mark, "fill") || "";
    const stroke = `var(--c-${color.slice(1)}, ${color})`;
    const dashes = attribute(mark, "stroke-dasharray") || "none";
    const picture = draw("svg", { viewBox: "0 0 24 8", "aria-hidden": true });
    picture.append(draw("path", { d: "M0 4h24", stroke, "stroke-width": 2.4, "stroke-dasharray": dashes }));
    return picture;
  }
  /** @type {(seed: string) => string} */
  const seedName = (seed) => (seed === "mean" ? _("mean") : _("seed %(seed)s", { seed }));
  /** @type {(svg: SVGSVGElement) => HTMLElement[]} */
  function toggles(svg) {
    /** @type {SVGElement[]} */
    const own = all("[data-arm], [data-seed]", svg);
    const group = make("div", { role: "group", "aria-label": _("Shown") });
    for (const name of ["arm", "seed"]) {
      for (const value of new Set(own.map((mark) => mark.dataset[name]))) {
        if (!value) continue;
        const like = own.filter((mark) => mark.dataset[name] === value);
        const text = name === "arm" ? value : seedName(value);
        const element = button(text, () => toggle(`${name} ${value}`), { class: "toggle" });
        if (name === "arm") {
          const bodies = like.filter((mark) => !mark.dataset.neutral);
          const sample = like.find((mark) => mark.dataset.seed === "mean") || bodies[bodies.length - 1];
          // If an arm has lines of several colours, none of them represents it.
          const colors = new Set(bodies.map((mark) => attribute(mark, "stroke")));
          if (sample.dataset.seed || colors.size === 1) element.prepend(swatch(sample));
        }
        switches.push([element, `${name} ${value}`]);
        group.append(element);
      }
    }
    return group.children.length ? [group] : [];
  }

  // Convert between a picture's coordinates and the values on its axes.
  /** @type {(axis: Axis, at: number) => number} */
  function value(axis, at) {
    const { page, units, scale, linear } = axis;
    const level = units[0] + ((at - page[0]) / (page[1] - page[0])) * (units[1] - units[0]);
    if (scale === "log") return 10 ** level;
    if (!linear) return level;
    const [end, stretch] = linear;
    const beyond = Math.abs(level) / end - stretch;
    return beyond < 0 ? level / stretch : Math.sign(level) * end * 10 ** beyond;
  }
  /** @type {(axis: Axis, number: number) => number} */
  function position({ page, units }, number) {
    return page[0] + ((number - units[0]) / (units[1] - units[0])) * (page[1] - page[0]);
  }
  // Coordinates are rounded to hundredths: print only the digits that this leaves, at most four.
  /** @type {(axis: Axis, at: number) => string} */
  function digits(axis, at) {
    const number = value(axis, at);
    const known = -Math.log10(Math.abs(value(axis, at + 0.01) - number));
    return minus(Number(number.toFixed(Math.min(Math.max(Math.floor(known), 0), 20))));
  }
  /** @type {(number: number) => string} */
  const minus = (number) => `${Number(number.toPrecision(4))}`.replace(/-/g, "−");
  /** @type {(axis: Axis, at: number) => string} */
  function reading(axis, at) {
    const named = axis.names && (axis.names[Math.round(value(axis, at))] ?? "");
    return [axis.name, named ?? digits(axis, at)].filter(Boolean).join(" ");
  }
  /** @type {(axis: Axis, at: number) => boolean} */
  const within = (axis, at) => (at - axis.page[0]) * (at - axis.page[1]) <= 1;
  /** @type {(mark: Element) => [number, number][]} */
  function corners(mark) {
    /** @type {[number, number][]} */
    const points = all("use", mark).map((use) => [Number(use.getAttribute("x")), Number(use.getAttribute("y"))]);
    for (const path of all("path:not(defs *)", mark)) {
      for (const [, command, text] of (path.getAttribute("d") || "").matchAll(/([A-Za-z])([^A-Za-z]*)/g)) {
        const numbers = (text.match(/-?\d*\.?\d+/g) || []).map(Number);
        for (let i = 0; i + 1 < numbers.length; i += 2) {
          const [x, y] = command === "l" ? points[points.length - 1] : [0, 0];
          points.push([x + numbers[i], y + numbers[i + 1]]);
        }
      }
    }
    return points;
  }
  const MARKS = "[data-arm], [data-seed], [data-line]";
  // Rows of points from left to right: a row for each visible run in each panel.
  /** @type {(svg: SVGSVGElement, panels: Panel[]) => Point[][]} */
  function curves(svg, panels) {
    /** @type {Record<string, Point[]>} */
    const rows = {};
    /** @type {SVGElement[]} */
    const own = all(MARKS, svg);
    for (const mark of own) {
      const { arm, seed, line, epoch, per_epoch: scale } = mark.dataset;
      const name = [arm, seed && seedName(seed), line].filter(Boolean).join(", ");
      for (const [x, y] of mark.matches(".off") ? [] : corners(mark)) {
        const panel = panels.find((panel) => within(panel.x, x) && within(panel.y, y));
        if (!panel) continue;
        const tell = () =>
          [
            name,
            epoch ? _("epoch %(epoch)s", { epoch }) : reading(panel.x, x),
            reading(panel.y, y),
            // The density is half of the violin's width.
            scale &&
              _("density %(value)s", { value: minus(Math.abs(value(panel.x, x) - Number(epoch)) * Number(scale)) }),
          ]
            .filter(Boolean)
            .join("\n");
        const key = `${panels.indexOf(panel)} ${name}`;
        rows[key] ||= [];
        rows[key].push({ x, y, panel, name, arm, seed, epoch, tell });
      }
    }
    return Object.values(rows).map((row) => row.sort((a, b) => a.x - b.x));
  }
  // Rows of points: a row for each layer of a heat map.
  /** @type {(panels: Panel[], cells: Cells) => Point[][]} */
  function grid(panels, { grids, name, chance }) {
    return Object.entries(grids).flatMap(([index, layers]) =>
      layers.map((layer, i) => {
        const panel = panels[Number(index)];
        const y = position(panel.y, i + 1);
        return layer.map((number, epoch) => {
          const shown =
            number === null
              ? _("not all runs have it")
              : _("%(value)s (normal samples: ±%(chance)s)", { value: minus(number), chance: chance[i] });
          const tell = () => [reading(panel.y, y), _("epoch %(epoch)s", { epoch }), `${name} ${shown}`].join("\n");
          return { x: position(panel.x, epoch), y, panel, tell };
        });
      }),
    );
  }

  // The pointer reads the nearest point. Arrow keys move along a curve and between curves.
  const dot = draw("circle", { class: "dot", r: 3 });
  /** @type {Record<string, [number, number]>} */
  const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  /** @type {(svg: SVGSVGElement, rows: () => Point[][]) => void} */
  function read(svg, rows) {
    /** @type {Point | undefined} */
    let here;
    /** @type {(point: Point) => void} */
    const show = (point) => {
      here = point;
      dot.setAttribute("cx", `${point.x}`);
      dot.setAttribute("cy", `${point.y}`);
      svg.append(dot);
      explain(dot, point.tell());
    };
    const leave = () => {
      dot.remove();
      hide();
    };
    /** @type {(points: Point[], at: {x: number, y: number}) => Point} */
    const nearest = (points, { x, y }) =>
      points.reduce((best, point) =>
        Math.hypot(point.x - x, point.y - y) <= Math.hypot(best.x - x, best.y - y) ? point : best,
      );
    svg.addEventListener("pointermove", (event) => {
      const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM()?.inverse());
      const points = rows()
        .flat()
        .filter(({ panel }) => within(panel.x, at.x) && within(panel.y, at.y));
      if (points.length) show(nearest(points, at));
      else leave();
    });
    svg.addEventListener("pointerleave", leave);
    svg.setAttribute("tabindex", "0");
    svg.addEventListener("blur", leave);
    svg.addEventListener("keydown", (event) => {
      const [along, across] = ARROWS[event.key] || [];
      const all = rows();
      if (along === undefined || !all.length) return;
      event.preventDefault();
      /** @type {(point: Point) => boolean | undefined} */
      const same = (point) => here && point.x === here.x && point.y === here.y && point.name === here.name;
      const row = Math.max(
        0,
        all.findIndex((points) => points.some(same)),
      );
      const next = all[Math.min(Math.max(row + across, 0), all.length - 1)];
      const step = all[row].findIndex(same) + along;
      show(!here ? next[0] : across ? nearest(next, here) : next[Math.min(Math.max(step, 0), next.length - 1)]);
      status.textContent = tip.textContent;
    });
  }

  // All figures show one epoch, which the browser remembers. A figure off screen is updated when it
  // comes into view.
  const EPOCH = "normreport-epoch";
  /** @type {number | null} */
  let chosen = remembered(EPOCH);
  /** @type {Map<Element, (visible?: boolean) => void>} */
  const movers = new Map();
  const sight = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) movers.get(target)?.(isIntersecting);
  });
  /** @type {(svg: SVGSVGElement, own: number, last: number, move: (epoch: number) => void) => HTMLElement} */
  function slider(svg, own, last, move) {
    const range = make("input", { type: "range", min: 0, max: last, value: own });
    const shown = make("output", { "aria-live": "off" });
    let seen = false;
    // A copy shows the epoch of its original, whichever that is.
    let at = svg.closest("[data-name]") ? NaN : own;
    const update = (visible = seen) => {
      seen = visible;
      const epoch = Math.min(chosen ?? own, last);
      range.value = shown.textContent = `${epoch}`;
      if (!seen || at === epoch) return;
      at = epoch;
      move(epoch);
    };
    movers.set(svg, update);
    range.addEventListener("input", () => {
      chosen = Number(range.value);
      remember(EPOCH, chosen);
      for (const update of movers.values()) update();
    });
    update();
    sight.observe(svg);
    return make("label", { class: "epoch" }, _("Epoch"), " ", range, shown);
  }

  // Densities, histograms and quantiles are redrawn from the curves of every run.
  /** @type {(text: string) => Promise<Int16Array>} */
  async function inflated(text) {
    const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
    return new Int16Array(await new Response(stream).arrayBuffer());
  }
  /** @type {(frames: Frames, steps: Int16Array) => Run[]} */
  function runsOf(frames, steps) {
    let start = 0;
    return frames.runs.map(([of, arm, seed, epochs]) => {
      const width = frames.grids[of].length;
      const [first, later] = frames.units[of];
      /** @type {Curve[]} */
      const rows = [];
      for (let epoch = 0; epoch < epochs; epoch += 1, start += width) {
        let level = 0;
        const row = Array.from(steps.subarray(start, start + width), (step) => {
          level += step;
          return level;
        });
        const change = row.map((value) => (epoch ? value * later : 0));
        const total = epoch ? change.map((value, i) => rows[0].total[i] + value) : row.map((value) => value * first);
        rows.push({ total, change });
      }
      return { of, arm, seed, rows };
    });
  }
  /** @type {(several: number[][]) => number[]} */
  const mean = (several) => several[0].map((_, i) => several.reduce((sum, one) => sum + one[i], 0) / several.length);
  /** @type {(svg: SVGSVGElement, panels: Panel[], frames: Frames) => HTMLElement[]} */
  function moving(svg, panels, frames) {
    const last = Math.max(...frames.runs.map((run) => run[3])) - 1;
    const title = first("[data-text=title] text", svg);
    const drawn = make("p", { class: "at" });
    /** @type {Promise<Run[]> | undefined} */
    let runs;
    /** @type {(epoch: number) => Promise<void>} */
    const move = async (epoch) => {
      runs ||= inflated(frames.curves).then((steps) => runsOf(frames, steps));
      const known = await runs;
      /** @type {SVGElement[]} */
      const own = all("[data-value]", svg);
      for (const mark of own) {
        const { arm, seed, value = "" } = mark.dataset;
        const { panel, of, change } = frames.values[value];
        // A mark without a seed shows all runs of its arm, which have one curve.
        const runs = known.filter(
          (run) => run.of === of && run.arm === arm && [run.seed, "mean", undefined].includes(seed),
        );
        const there = runs.length > 0 && runs.every((run) => epoch < run.rows.length);
        const curve = there ? mean(runs.map((run) => run.rows[epoch][change ? "change" : "total"])) : [];
        const { x, y } = panels[panel];
        const points = curve.map(
          (level, i) => `${position(x, frames.grids[of][i]).toFixed(2)} ${position(y, level).toFixed(2)}`,
        );
        first("path", mark).setAttribute("d", there ? `M${points.join("L")}` : "");
      }
      title.textContent = frames.title.replace("{epoch}", `${epoch}`);
      drawn.textContent =
        epoch === frames.epoch ? "" : _("The caption and the table are of epoch %(epoch)s.", { epoch: frames.epoch });
    };
    return [slider(svg, frames.epoch, last, move), drawn];
  }

  // In a figure over all epochs a line marks the chosen one, and a paragraph lists its numbers.
  /** @type {(svg: SVGSVGElement, panels: Panel[], last: number, rows: () => Point[][]) => HTMLElement[]} */
  function marked(svg, panels, last, rows) {
    const over = panels.filter(({ x }) => x.epochs);
    const line = draw("path", { stroke: "#1f1f1f" });
    const text = make("p", { class: "at" });
    /** @type {(epoch: number) => void} */
    const move = (epoch) => {
      const stretches = over.map(({ x, y }) => `M${position(x, epoch).toFixed(2)} ${y.page[0]}V${y.page[1]}`);
      line.setAttribute("d", stretches.join(""));
      svg.append(line);
      const known = rows();
      text.textContent = over
        .map((panel) => {
          const shown = known.flatMap((row) => {
            const there = row.filter(
              ({ x, seed, epoch: fixed }) =>
                (seed || "mean") === "mean" && !fixed && Math.abs(x - position(panel.x, epoch)) < 0.1,
            );
            const own = there.filter((point) => point.panel === panel && point.name);
            if (!own.length) return [];
            const { name = "", arm = "" } = there[0];
            const label = panel.title.startsWith(`${arm} (`) ? name.slice(arm.length + 2) : name;
            const numbers = [...new Set(own.map(({ y }) => digits(panel.y, y)))];
            const to = _("to"); // not within a template literal, where it would not be collected
            return [[label, numbers.join(` ${to} `)].join(" ")];
          });
          return shown.length ? `${[panel.title, panel.y.name].filter(Boolean).join(", ")}: ${shown.join("; ")}` : "";
        })
        .filter(Boolean)
        .join("\n");
    };
    return [slider(svg, last, last, move), text];
  }

  // A figure is saved as the page shows it, in the colours of the light theme.
  /** @type {(svg: SVGSVGElement) => string} */
  function picture(svg) {
    const copy = /** @type {SVGSVGElement} */ (svg.cloneNode(true));
    for (const part of all("metadata, .off, .dot", copy)) part.remove();
    copy.removeAttribute("tabindex");
    const { width, height } = svg.viewBox.baseVal;
    copy.setAttribute("width", `${width}`);
    copy.setAttribute("height", `${height}`);
    return new XMLSerializer().serializeToString(copy);
  }
  /** @type {(content: BlobPart, type: string, name: string) => void} */
  function save(content, type, name) {
    const href = URL.createObjectURL(new Blob([content], { type }));
    make("a", { href, download: name }).click();
    setTimeout(() => URL.revokeObjectURL(href), 1000);
  }
  /** @type {(svg: SVGSVGElement, name: string) => Promise<void>} */
  async function savePixels(svg, name) {
    const image = new Image();
    image.src = `data:image/svg+xml,${encodeURIComponent(picture(svg))}`;
    await image.decode();
    const canvas = make("canvas", { width: 3 * image.width, height: 3 * image.height });
    canvas.getContext("2d")?.drawImage(image, 0, 0, canvas.width, canvas.height);
    canvas.toBlob((blob) => blob && save(blob, "image/png", name), "image/png");
  }

  /** @type {(figure: HTMLElement) => void} */
  function equip(figure) {
    /** @type {SVGSVGElement} */
    const svg = first("svg", figure);
    const name = figure.id || figure.dataset.name || "";
    /** @type {Metadata} */
    const { panels = [], frames, last, cells } = JSON.parse(first("metadata", svg)?.textContent || "{}");
    const rows = () => [...curves(svg, panels), ...(cells ? grid(panels, cells) : [])];
    if (cells || first(MARKS, svg)) read(svg, rows);
    const controls = [
      ...(frames ? moving(svg, panels, frames) : last ? marked(svg, panels, last, rows) : []),
      ...toggles(svg),
    ];
    if (controls.length) first("figcaption", figure).before(make("div", { class: "tools" }, ...controls));
    first("figcaption details summary", figure).after(
      make(
        "div",
        { class: "tools", role: "group", "aria-label": _("Save") },
        button("SVG", () => save(picture(svg), "image/svg+xml", `${name}.svg`)),
        button("PNG", () => savePixels(svg, `${name}.png`)),
        make("a", { href: first("figcaption a[download]", figure).getAttribute("href") || "", download: "" }, "CSV"),
      ),
    );
  }
  /** @type {HTMLElement[]} */
  const figures = all("main figure");
  figures.forEach(equip);
  apply();

  // Elements wider than the screen can be scrolled by keys.
  function reach() {
    for (const box of all(".scroll, .drawing")) {
      if (box.scrollWidth > box.clientWidth) box.setAttribute("tabindex", "0");
      else box.removeAttribute("tabindex");
    }
  }
  addEventListener("resize", reach);
  reach();

  // The explorer shows copies of figures. Ids within a copy get a prefix.
  /** @type {(figure: HTMLElement) => HTMLElement} */
  function copy(figure) {
    const drawing = make("div", { class: "drawing" });
    const { innerHTML } = first(".drawing", figure);
    drawing.innerHTML = innerHTML.replace(/( id="|href="#|url\(#|labelledby=")/g, "$1copy-");
    const caption = /** @type {HTMLElement} */ (first("figcaption", figure).cloneNode(true));
    first(".tools", caption)?.remove();
    const twin = make("figure", { class: figure.className, "data-name": figure.id }, drawing, caption);
    equip(twin);
    return twin;
  }
  const shown = first("#explorer .shown");
  if (shown && figures.length) {
    const names = { kind: _("Figure"), model: _("Network"), layer: _("Layer") };
    /** @type {[string, HTMLSelectElement][]} */
    const choices = Object.entries(names).map(([key, name]) => {
      const select = make("select", {});
      first("#explorer .choices").append(make("label", {}, name, " ", select));
      return [key, select];
    });
    /** @type {(wanted: string[]) => void} */
    const explore = (wanted) => {
      let left = figures;
      choices.forEach(([key, select], i) => {
        /** @type {Map<string, string>} */
        const options = new Map(
          left.map(({ dataset: own }) => [own[key] || "", (key === "kind" && own.label) || own[key] || _("all")]),
        );
        select.replaceChildren(...[...options].map(([value, text]) => make("option", { value }, text)));
        if (options.has(wanted[i])) select.value = wanted[i];
        select.disabled = options.size < 2;
        left = left.filter((figure) => figure.dataset[key] === select.value);
      });
      for (const svg of all("svg", shown)) movers.delete(svg);
      shown.replaceChildren(...left.map(copy));
      apply();
      reach();
    };
    const chosenOnes = () => choices.map(([, select]) => select.value);
    for (const [, select] of choices) {
      select.addEventListener("change", () => {
        explore(chosenOnes());
        history.replaceState(null, "", `#explore=${encodeURIComponent(chosenOnes().join("/"))}`);
      });
    }
    const follow = () => {
      const [, wanted] = location.hash.match(/^#explore=(.*)/) || [];
      if (!wanted) return;
      explore(decodeURIComponent(wanted).split("/"));
      first("#explorer").scrollIntoView();
    };
    explore(["density"]);
    addEventListener("hashchange", follow);
    follow();
  }

  // What a link leads to is unfolded, and so is everything that is printed.
  function unfold() {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    let box = target?.closest("details");
    if (!box) return;
    for (; box; box = box.parentElement?.closest("details")) box.open = true;
    target?.scrollIntoView();
  }
  addEventListener("hashchange", unfold);
  unfold();
  addEventListener("beforeprint", () => {
    for (const box of all("details.fold")) box.setAttribute("open", "");
  });
})();
