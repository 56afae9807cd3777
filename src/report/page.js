// Puts charts that can be read, zoomed and taken apart in place of a report's pictures, which stay in
// the page for printing and for browsers without scripts. Everything comes from the JSON in the page;
// nothing is fetched. uPlot draws; what is particular to us (stacks, marks, the strip of waiting
// pods, direct labels) is drawn here on its canvas.
"use strict";
(() => {
  const { words, in_days: inDays, start, horizon_s: horizon, charts } =
    JSON.parse(document.getElementById("data").textContent);
  const DAY = 86400;
  const FONT = '12px system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif';
  const LINE = 17; // Height of a line of labels above a chart.
  const STRIP = 12; // Height of the strip of waiting pods.
  const WIDE = 640; // From this width on, layers have their names beside them.
  const MOST_MARKS = 6;
  const PEAKS = "#5B636E";
  const MOST_LINES = 4;
  // The colours that turn over in the dark, as in the style sheet.
  const THEME = { "#1F2329": "--ink", "#5B636E": "--muted" };

  // ---- Words and numbers, as the rest of the report writes them.

  const whole = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });
  const tenths = new Intl.NumberFormat("en-US", { maximumFractionDigits: 1 });
  const count = (n) => (n >= 9.95 ? whole : tenths).format(n);
  const write = (chart, n) => (chart.unit === "share" ? `${tenths.format(n * 100)} %` : count(n));
  const two = (n) => String(n).padStart(2, "0");

  function date(secs) {
    return start && new Date(Date.parse(`${start}T00:00:00Z`) + secs * 1000).toISOString().slice(0, 10);
  }

  /** `day 41, 2027-01-10 06:00`, or `06:00:00` since the start if the horizon is short. */
  function moment(secs) {
    const time = `${two(Math.floor((secs % DAY) / 3600))}:${two(Math.floor((secs % 3600) / 60))}`;
    if (!inDays) return `${two(Math.floor(secs / 3600))}:${two(Math.floor((secs % 3600) / 60))}:${two(Math.floor(secs % 60))}`;
    const day = words.day.replace("#", Math.floor(secs / DAY) + 1);
    return start ? `${day}, ${date(secs)} ${time}` : `${day}, ${time}`;
  }

  /** Labels of the axis of time; the first date of each year has the year. */
  function ticks(_, splits, __, ___, step) {
    const year = (secs) => date(secs).slice(0, 4);
    const short = (secs, i) => date(secs).slice(i === 0 || year(secs) !== year(splits[i - 1]) ? 0 : 5);
    return splits.map((secs, i) => {
      if (inDays && step >= DAY) return start ? `${secs / DAY}\n${short(secs, i)}` : `${secs / DAY}`;
      const time = `${two(Math.floor((inDays ? secs % DAY : secs) / 3600))}:${two(Math.floor((secs % 3600) / 60))}`;
      if (inDays) return `${time}\n${start ? short(secs, i) : words.day.replace("#", Math.floor(secs / DAY) + 1)}`;
      return step < 60 ? `${time}:${two(Math.floor(secs % 60))}` : time;
    });
  }

  const STEPS = [1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 10800, 14400, 21600, 28800, 43200]
    .concat([1, 2, 5, 7, 10, 14, 15, 30, 60, 90, 180, 365, 730].map((days) => days * DAY));

  // Half a node is none.
  const COUNTS = Array.from({ length: 10 }, (_, power) => [1, 2, 5].map((n) => n * 10 ** power)).flat();

  // ---- The page.

  const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const paint = (hex) => (THEME[hex] ? css(THEME[hex]) : hex);

  function faded(hex, opacity) {
    const color = paint(hex);
    const digits = Math.round(opacity * 255).toString(16).padStart(2, "0");
    return color + digits;
  }

  /** An element with a class, attributes and children, which are elements or text. */
  function element(tag, className, attributes = {}, ...children) {
    const made = document.createElement(tag);
    if (className) made.className = className;
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    made.append(...children);
    return made;
  }

  function button(text, label, act) {
    const made = element("button", "", { type: "button", "aria-label": label, title: label }, text);
    made.addEventListener("click", act);
    return made;
  }

  function download(name, type, text) {
    const address = URL.createObjectURL(new Blob([text], { type }));
    element("a", "", { href: address, download: name }).click();
    setTimeout(() => URL.revokeObjectURL(address), 1000);
  }

  const quoted = (cell) => (/[",\n]/.test(cell) ? `"${String(cell).replaceAll('"', '""')}"` : cell);
  const csv = (rows) => rows.map((row) => row.map(quoted).join(",") + "\n").join("");

  /** Every row that a chart has. */
  function rowsOf(chart) {
    const columns = [["time_s", chart.at]].concat(chart.series.map(({ name, values }) => [name, values]));
    for (const { name, low, high } of chart.bands) columns.push([`${name}: low`, low], [`${name}: high`, high]);
    if (chart.peaks.length) columns.push([words.peaks, chart.peaks]);
    if (chart.strip) columns.push([chart.strip.name, chart.strip.now], [`${chart.strip.name}, ${words.most}`, chart.strip.most]);
    return [columns.map(([name]) => name)].concat(chart.at.map((_, row) => columns.map(([, values]) => values[row])));
  }

  /** The rows of the table behind a picture that is no chart. */
  function rowsOfTable(figure) {
    const rows = figure.querySelectorAll(".behind tr");
    return Array.from(rows, (row) => Array.from(row.cells, (cell) => cell.textContent));
  }

  function downloads(figure, rows) {
    const { name } = figure.dataset;
    const picture = () => new XMLSerializer().serializeToString(figure.querySelector(".static svg"));
    return [
      button("CSV", `${words.csv_of} ${name}.csv`, () => download(`${name}.csv`, "text/csv", csv(rows()))),
      button("SVG", `${words.svg_of} ${name}.svg`, () => download(`${name}.svg`, "image/svg+xml", picture())),
    ];
  }

  // ---- What a chart consists of.

  /** The columns for uPlot and what each is, for the layers that are shown. */
  function columnsOf(chart, hidden) {
    const shown = chart.series.filter(({ name }) => !hidden.has(name));
    const isWhole = shown.length === chart.series.length;
    const columns = [chart.at];
    const series = [{}];
    const bands = [];
    const line = { width: 1, points: { show: false }, ...(chart.is_stepped ? { paths: uPlot.paths.stepped({ align: 1 }) } : {}) };
    const add = (values, options) => {
      columns.push(values);
      series.push({ ...line, ...options });
      return columns.length - 1;
    };
    let below = chart.at.map(() => 0);
    for (const { color, values } of shown) {
      if (!chart.is_stacked) {
        add(values, { stroke: paint(color), width: 2 });
        continue;
      }
      below = below.map((sum, row) => sum + values[row]);
      const at = add(below, { stroke: "transparent", ...(columns.length === 1 ? { fill: faded(color, 0.88) } : {}) });
      if (at > 1) bands.push({ series: [at, at - 1], fill: faded(color, 0.88) });
    }
    if (chart.is_stacked) series.at(-1).stroke = css("--ink");
    for (const { name, color, opacity, low, high } of chart.bands) {
      // The band is around the total of all layers, or around the line of its name.
      const isOf = chart.is_stacked ? isWhole : !Array.from(hidden).some((other) => name.startsWith(other));
      if (!isOf) continue;
      const top = add(high, { stroke: "transparent" });
      bands.push({ series: [top, add(low, { stroke: "transparent" })], fill: faded(color, opacity) });
    }
    const hasPeaks = isWhole && chart.peaks.length > 0 && addPeaks(chart, below, add, bands);
    return { columns, series, bands, shown, isWhole, hasPeaks, total: below };
  }

  /** Where the total rises visibly between two rows and falls again; whether it does. */
  function addPeaks(chart, total, add, bands) {
    const visible = 0.01 * Math.max(chart.capacity ?? 0, ...total);
    const peaks = chart.peaks.map((peak, row) => (peak - Math.max(total[row], total[row - 1] ?? total[row]) > visible ? peak : total[row]));
    if (peaks.every((peak, row) => peak === total[row])) return false;
    const top = add(peaks, { stroke: "transparent" });
    bands.push({ series: [top, add(total, { stroke: "transparent" })], fill: faded(PEAKS, 0.45) });
    return true;
  }

  /** Marks with a label: what runs out, then actions, then others, as long as there is room. */
  function layout(chart, place, width, context) {
    const rank = ({ color }) => ["#C82A2A", "#337AB7"].indexOf(color) + 1 || 3;
    const chosen = [...chart.marks].sort((a, b) => rank(a) - rank(b)).slice(0, MOST_MARKS).sort((a, b) => a.at[1] - b.at[1]);
    const free = Array(MOST_LINES).fill(0);
    const labels = [];
    for (const mark of chosen) {
      const wide = context.measureText(mark.label).width;
      const from = Math.min(Math.max(place(mark.at[1]) - wide / 2, 0), Math.max(width - wide, 0));
      const line = free.findIndex((edge) => from >= edge);
      if (line < 0 || wide > width) continue;
      free[line] = from + wide + 12;
      labels.push({ mark, from, line });
    }
    return labels;
  }

  /** Places apart by at least `gap`, as near to where they want to be as that allows. */
  function apart(places, gap, bottom) {
    places.sort((a, b) => a.y - b.y);
    for (let i = 1; i < places.length; i++) places[i].y = Math.max(places[i].y, places[i - 1].y + gap);
    let limit = bottom;
    for (let i = places.length - 1; i >= 0; i--) {
      places[i].y = Math.min(places[i].y, limit);
      limit = places[i].y - gap;
    }
    return places;
  }

  // ---- Drawing on uPlot's canvas, in pixels of the page.

  function onCanvas(u, draw) {
    const { ctx: context, bbox } = u;
    const ratio = uPlot.pxRatio;
    context.save();
    context.scale(ratio, ratio);
    context.font = FONT;
    context.textBaseline = "middle";
    context.textAlign = "left";
    const box = { left: bbox.left / ratio, top: bbox.top / ratio, width: bbox.width / ratio, height: bbox.height / ratio };
    box.right = box.left + box.width;
    box.bottom = box.top + box.height;
    draw(context, box, (secs) => box.left + u.valToPos(secs, "x"), (value) => box.top + u.valToPos(value, "y"));
    context.restore();
  }

  function drawMarks(u, chart) {
    onCanvas(u, (context, box, x) => {
      const inside = ({ at }) => at[1] >= u.scales.x.min && at[1] <= u.scales.x.max;
      const seen = { ...chart, marks: chart.marks.filter(inside) };
      for (const { mark, from, line } of layout(seen, (secs) => x(secs) - box.left, box.width, context)) {
        const [low, middle, high] = mark.at.map((secs) => Math.min(Math.max(x(secs), box.left), box.right));
        context.fillStyle = faded(mark.color, 0.1);
        context.fillRect(low, box.top, high - low, box.height);
        context.strokeStyle = context.fillStyle = mark.color === "#C82A2A" ? css("--red") : paint(mark.color);
        context.setLineDash([5, 4]);
        context.beginPath();
        context.moveTo(middle, box.top - 3);
        context.lineTo(middle, box.bottom);
        context.stroke();
        context.setLineDash([]);
        context.fillText(mark.label, box.left + from, box.top - 11 - LINE * line);
      }
      drawTicks(context, box, x, seen);
    });
  }

  /** A tick for each time that something comes again. */
  function drawTicks(context, box, x, chart) {
    for (const { color, times } of chart.marks) {
      context.fillStyle = paint(color);
      for (const place of times.map(x).filter((place) => place >= box.left && place <= box.right)) {
        context.fillRect(place - 0.75, box.bottom - 7, 1.5, 7);
      }
    }
  }

  function drawCapacity(u, { capacity, at }) {
    onCanvas(u, (context, box, x, y) => {
      const from = Math.max(box.left, x(at[0]));
      context.strokeStyle = context.fillStyle = css("--ink");
      context.lineWidth = 1.5;
      context.beginPath();
      context.moveTo(from, y(capacity));
      context.lineTo(box.right, y(capacity));
      context.stroke();
      const name = [`${count(capacity)} ${words.usable}`, from + 6, y(capacity) - 9];
      // A mark may stand behind it.
      context.strokeStyle = css("--paper");
      context.lineWidth = 4;
      context.strokeText(...name);
      context.fillText(...name);
    });
  }

  /** The redder, the larger the share of pods that wait; what is over before the next row stays pale. */
  function drawStrip(u, { at, strip }) {
    onCanvas(u, (context, box, x) => {
      const top = box.bottom + 4;
      context.fillStyle = css("--grid");
      context.fillRect(box.left, top, box.width, STRIP);
      for (let row = 0; row + 1 < at.length; row++) {
        const share = (waiting) => Math.sqrt(waiting / Math.max(waiting + strip.others[row + 1], 1));
        const opacity = Math.max(share(Math.min(strip.now[row], strip.now[row + 1])), Math.min(share(strip.most[row + 1]), 0.12));
        const [from, to] = [Math.max(x(at[row]), box.left), Math.min(x(at[row + 1]), box.right)];
        if (opacity <= 0.04 || from >= to) continue;
        context.fillStyle = faded("#C82A2A", Math.min(opacity, 1));
        context.fillRect(from, top, to - from, STRIP);
      }
      const isWide = u.width >= WIDE;
      context.fillStyle = css(isWide ? "--red" : "--ink");
      context.fillText(strip.name, isWide ? box.right + 10 : box.left + 4, top + STRIP / 2);
    });
  }

  /** Names beside the layers, or beside the ends of lines. */
  function drawNames(u, chart, { shown, columns }) {
    onCanvas(u, (context, box, _, y) => {
      const row = u.data[0].findLastIndex((secs) => secs <= u.scales.x.max);
      const middle = (i) => (chart.is_stacked ? (columns[i + 1][row] + (i ? columns[i][row] : 0)) / 2 : columns[i + 1][row]);
      const places = shown.map(({ name, color, values }, i) => ({ name, color, value: values[row], y: y(middle(i)) }));
      for (const place of apart(places, 30, box.bottom - 16)) {
        context.fillStyle = paint(place.color);
        context.fillRect(box.right + 10, place.y - 12, 9, 9);
        context.fillStyle = css("--ink");
        context.fillText(place.name, box.right + 24, place.y - 7);
        context.fillStyle = css("--muted");
        context.fillText(write(chart, place.value), box.right + 24, place.y + 8);
      }
    });
  }

  // ---- A chart that lives.

  /** Space on the right for names, as wide as the widest. */
  function roomForNames(chart, width) {
    if (width < WIDE) return 20;
    const context = document.createElement("canvas").getContext("2d");
    context.font = FONT;
    const names = chart.series.map(({ name }) => name).concat(chart.strip ? [chart.strip.name] : []);
    return Math.min(34 + Math.max(...names.map((name) => context.measureText(name).width)), 200);
  }

  function options(chart, parts, { width, height }, hooks) {
    const axis = { stroke: css("--muted"), font: FONT, grid: { stroke: css("--grid"), width: 1 }, ticks: { show: false } };
    const most = (u, low, high) => {
      const top = Math.max(high ?? 0, parts.isWhole && chart.capacity ? chart.capacity : 0, chart.unit === "share" ? 1 : 0);
      return [0, top * 1.06 || 1];
    };
    const lines = Math.min(chart.marks.length, MOST_LINES);
    return {
      width,
      height,
      padding: [14 + LINE * lines, roomForNames(chart, width), 0, 0],
      legend: { show: false },
      cursor: { y: false, points: { show: false }, drag: { x: true, y: false } },
      // The whole time begins at the start, also of a vSwitch that is added later.
      scales: { x: { time: false, range: (u, low, high) => [low === chart.at[0] ? 0 : low, high] }, y: { range: most } },
      axes: [
        { ...axis, grid: { show: false }, gap: chart.strip ? STRIP + 8 : 5, size: chart.strip ? 62 : 48, incrs: STEPS, values: ticks, space: 68, label: inDays ? words.days : words.time, labelFont: FONT, labelSize: 20 },
        { ...axis, size: 58, ...(chart.unit === "share" ? {} : { incrs: COUNTS }), values: (u, splits) => splits.map((n) => write(chart, n)) },
      ],
      series: parts.series,
      bands: parts.bands,
      hooks,
    };
  }

  /** What is known of a row: `name`, `value` and perhaps a colour each. */
  function reading(chart, parts, row) {
    const lines = parts.shown.map(({ name, color, values }) => ({ name, color, value: write(chart, values[row]) }));
    if (chart.is_stacked) lines.reverse();
    if (chart.is_stacked && lines.length > 1) lines.push({ name: words.total, value: write(chart, parts.total[row]) });
    const range = ({ name, low, high }) => ({ name, value: `${write(chart, low[row])} – ${write(chart, high[row])}` });
    lines.push(...chart.bands.filter(() => parts.isWhole).map(range));
    if (parts.isWhole && chart.peaks[row] > parts.total[row]) lines.push({ name: words.peaks, value: count(chart.peaks[row]) });
    if (chart.strip) lines.push({ name: chart.strip.name, value: count(chart.strip.now[row]), color: "#C82A2A" });
    return lines;
  }

  /** Marks that fall between the middles to the neighbouring rows. */
  function marksAt({ at, marks }, row) {
    const from = row > 0 ? (at[row] + at[row - 1]) / 2 : -Infinity;
    const to = row + 1 < at.length ? (at[row] + at[row + 1]) / 2 : Infinity;
    const times = (mark) => (mark.times.length ? mark.times : [mark.at[1]]);
    return marks.filter((mark) => times(mark).some((secs) => secs >= from && secs < to)).map(({ text }) => text);
  }

  function showTip(tip, u, chart, lines, row) {
    tip.replaceChildren(element("b", "", {}, moment(chart.at[row])));
    for (const { name, value, color } of lines) {
      const swatch = color ? [element("i", "", { style: `--swatch: ${paint(color)}` })] : [];
      tip.append(element("div", "", {}, element("span", "", {}, ...swatch, name), element("span", "", {}, value)));
    }
    tip.append(...marksAt(chart, row).map((text) => element("p", "", {}, text)));
    tip.hidden = false;
    const place = u.over.offsetLeft + u.valToPos(chart.at[row], "x");
    const isRight = place + 16 + tip.offsetWidth > u.width;
    tip.style.left = `${isRight ? Math.max(place - 16 - tip.offsetWidth, 0) : place + 16}px`;
    tip.style.top = `${u.over.offsetTop + 8}px`;
  }

  function live(figure, chart) {
    const hidden = new Set();
    const plot = element("div", "plot", { tabindex: "0", role: "slider", "aria-label": `${chart.title}. ${words.help}` });
    const tip = element("div", "tip", { "aria-hidden": "true" });
    const reset = button(words.reset, words.reset, () => zoom(null));
    let u, parts, range = null, row = chart.at.length - 1;

    function hover(shown) {
      tip.hidden = shown == null;
      if (shown == null) return;
      row = shown;
      const lines = reading(chart, parts, row);
      showTip(tip, u, chart, lines, row);
      plot.setAttribute("aria-valuenow", row);
      const text = lines.map(({ name, value }) => `${name} ${value}`).concat(marksAt(chart, row));
      plot.setAttribute("aria-valuetext", `${moment(chart.at[row])}: ${text.join(", ")}`);
    }

    function zoom(to) {
      range = to;
      const [min, max] = to ?? [chart.at[0], chart.at.at(-1)];
      u.setScale("x", { min, max });
    }

    function scaled() {
      const { min, max } = u.scales.x;
      const isWhole = min <= chart.at[0] && max >= chart.at.at(-1);
      range = isWhole ? null : [min, max];
      reset.disabled = isWhole;
    }

    function build() {
      u?.destroy();
      parts = columnsOf(chart, hidden);
      const width = plot.clientWidth;
      const height = width < WIDE ? 310 : figure.closest(".lead") ? 460 : 380;
      const draw = [() => drawMarks(u, chart)];
      if (parts.isWhole && chart.capacity) draw.push(() => drawCapacity(u, chart));
      if (chart.strip) draw.push(() => drawStrip(u, chart));
      if (width >= WIDE) draw.push(() => drawNames(u, chart, parts));
      const setScale = [(_, key) => key === "x" && scaled()];
      const hooks = { init: [(made) => (u = made)], draw, setScale, setCursor: [(made) => hover(made.cursor.idx)] };
      new uPlot(options(chart, parts, { width, height }, hooks), parts.columns, plot);
      if (range) zoom(range);
    }

    function step(to) {
      const seen = chart.at.map((_, i) => i).filter((i) => chart.at[i] >= u.scales.x.min && chart.at[i] <= u.scales.x.max);
      row = Math.min(Math.max(to, seen[0] ?? 0), seen.at(-1) ?? 0);
      u.setCursor({ left: u.valToPos(chart.at[row], "x"), top: 0 });
      hover(row);
    }

    /** Half or twice as much time around the row that is read. */
    function zoomBy(factor) {
      const { min, max } = u.scales.x;
      const half = Math.max(((max - min) * factor) / 2, horizon / 1e4);
      const [from, to] = [Math.max(chart.at[row] - half, chart.at[0]), Math.min(chart.at[row] + half, chart.at.at(-1))];
      zoom([from, to]);
    }

    const keys = {
      ArrowLeft: () => step(row - 1),
      ArrowRight: () => step(row + 1),
      PageDown: () => step(row - 20),
      PageUp: () => step(row + 20),
      Home: () => step(0),
      End: () => step(chart.at.length - 1),
      "+": () => zoomBy(0.5),
      "-": () => zoomBy(2),
      Escape: () => zoom(null),
    };
    plot.addEventListener("keydown", (event) => {
      if (!keys[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      keys[event.key]();
    });
    plot.addEventListener("blur", () => (tip.hidden = true));

    function toggle(name) {
      return (event) => {
        // One layer at least is left.
        if (!hidden.delete(name) && hidden.size + 1 < chart.series.length) hidden.add(name);
        event.currentTarget.setAttribute("aria-pressed", String(!hidden.has(name)));
        build();
      };
    }

    const legend = element("div", "legend", { role: "group", "aria-label": words.legend });
    for (const { name, color } of chart.series) {
      const one = button(name, `${words.legend}: ${name}`, toggle(name));
      one.setAttribute("aria-pressed", "true");
      one.style.setProperty("--swatch", paint(color));
      legend.append(one);
    }
    if (columnsOf(chart, hidden).hasPeaks) {
      const peaks = element("span", "", {}, words.peaks);
      peaks.style.setProperty("--swatch", faded(PEAKS, 0.45));
      legend.append(peaks);
    }
    const tools = element("div", "tools", {}, reset, ...downloads(figure, () => rowsOf(chart)));
    const title = element("div", "", {}, element("strong", "", {}, chart.title), element("div", "chart-how", {}, chart.how));
    const head = element("div", "chart-head", {}, title, tools);
    const whole = element("div", "chart", {}, head, ...(chart.series.length > 1 ? [legend] : []), plot);
    plot.append(tip);
    plot.setAttribute("aria-valuemin", "0");
    plot.setAttribute("aria-valuemax", String(chart.at.length - 1));
    plot.setAttribute("aria-valuenow", String(row));
    figure.prepend(whole);
    figure.classList.add("live");
    build();
    hover(null);
    return build;
  }

  // ---- The page comes to life; charts only when they are about to be seen.

  const rebuilds = new Map();

  function enliven(figure) {
    const chart = charts[figure.dataset.name];
    if (chart && chart.series.length) {
      rebuilds.set(figure, live(figure, chart));
      return;
    }
    figure.prepend(element("div", "chart-head", {}, element("div", "tools", {}, ...downloads(figure, () => rowsOfTable(figure)))));
  }

  const near = new IntersectionObserver((entries) => {
    for (const { target } of entries.filter((entry) => entry.isIntersecting)) {
      near.unobserve(target);
      enliven(target);
    }
  }, { rootMargin: "800px" });
  document.querySelectorAll("figure[data-name]").forEach((figure) => near.observe(figure));

  const rebuildAll = () => rebuilds.forEach((build) => build());
  let resized;
  let width = window.innerWidth;
  window.addEventListener("resize", () => {
    if (window.innerWidth === width) return;
    width = window.innerWidth;
    clearTimeout(resized);
    resized = setTimeout(rebuildAll, 150);
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", rebuildAll);

  // The contents say where one is.
  const links = new Map(Array.from(document.querySelectorAll("nav a"), (link) => [link.hash.slice(1), link]));
  const seen = new IntersectionObserver((entries) => {
    for (const { target } of entries.filter((entry) => entry.isIntersecting)) {
      links.forEach((link, id) => (id === target.id ? link.setAttribute("aria-current", "true") : link.removeAttribute("aria-current")));
    }
  }, { rootMargin: "-15% 0px -80% 0px" });
  document.querySelectorAll("main > section[id]").forEach((section) => seen.observe(section));
})();
