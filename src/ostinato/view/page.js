// Makes the figures answer: values under the pointer or the arrow keys, curves that go away, zoom, numbers as CSV.
"use strict";

const SVG = document.querySelector("svg")?.namespaceURI;

function scaleOf(words) {
  const [kind, ...numbers] = words.split(" ");
  const [low, high, start, stop] = numbers.map(Number);
  const log = kind === "log";
  const [from, to] = log ? [Math.log10(low), Math.log10(high)] : [low, high];
  const value = (point) => {
    const at = from + ((point - start) / (stop - start)) * (to - from);
    return log ? 10 ** at : at;
  };
  const point = (at) => start + (((log ? Math.log10(at) : at) - from) / (to - from)) * (stop - start);
  return { kind, low, high, start, stop, value, point };
}

function shown(value) {
  return Math.abs(value) >= 1e4 || value === 0 ? value.toFixed(0) : value.toPrecision(4);
}

// Points are tenths of a point of the drawing: over months, minutes would be made up.
function date(seconds, span) {
  const step = span > 60 * 86400 ? 86400 : span > 2 * 86400 ? 3600 : 1;
  const words = new Date(Math.round(seconds / step) * step * 1000).toISOString();
  return words.slice(11, 16) === "00:00" ? words.slice(0, 10) : words.slice(0, 16).replace("T", " ");
}

function said(x, value) {
  if (x.kind === "time") return date(value, x.high - x.low);
  return x.kind === "whole" ? String(Math.round(value)) : shown(value);
}

function nearest(points, at) {
  return points.reduce((best, p) => (!best || Math.abs(p[0] - at) < Math.abs(best[0] - at) ? p : best), null);
}

function made(name, attributes, words) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (words !== undefined) element.textContent = words;
  return element;
}

// A screen reader takes a picture as a whole: one that answers is a group of what can be reached.
function reachable(svg) {
  svg.setAttribute("tabindex", "0");
  svg.setAttribute("role", "group");
}

function roundStep(span, count) {
  const power = 10 ** Math.floor(Math.log10(span / count));
  return [1, 2, 5, 10].map((m) => m * power).find((step) => span / step <= count) || span;
}

function marksOf(x, low, high) {
  const count = Math.max(2, Math.floor((x.stop - x.start) / 110));
  if (x.kind === "time") return Array.from({ length: count }, (_, i) => low + ((i + 0.5) / count) * (high - low));
  const step = Math.max(roundStep(high - low, count), x.kind === "whole" ? 1 : 0);
  const first = Math.ceil(low / step);
  return Array.from({ length: Math.floor(high / step) - first + 1 }, (_, i) => (first + i) * step);
}

// The part of the axis from low to high fills it: what is inside moves, the marks are made anew.
function zoomed(svg, x, low, high) {
  const [from, to] = [x.point(low), x.point(high)];
  const moved = (at) => x.start + ((at - from) / (to - from)) * (x.stop - x.start);
  for (const element of svg.querySelector(".inside").querySelectorAll("*")) {
    for (const name of ["d", "cx", "x1", "x2", "x"]) {
      const old = element.dataset[`old${name}`] ?? element.getAttribute(name);
      if (old === null) continue;
      element.dataset[`old${name}`] = old;
      const pair = (_, letter, px, py) => `${letter}${moved(+px).toFixed(1)} ${py}`;
      element.setAttribute(name, name === "d" ? old.replace(/([ML])([-\d.]+) ([-\d.]+)/g, pair) : moved(+old));
    }
  }
  const [left, right] = [x.start - 6, x.stop + 6].map((at) => `${at}px`);
  svg.querySelector(".inside").style.clipPath = `polygon(${left} 0, ${right} 0, ${right} 100%, ${left} 100%) view-box`;
  const marks = svg.querySelector(".marks");
  marks.kept ??= [...marks.children];
  const whole = low <= x.low && high >= x.high;
  const bottom = scaleOf(svg.dataset.y).start;
  const fresh = () => marksOf(x, low, high).flatMap((value) => [
    made("line", { x1: moved(x.point(value)), x2: moved(x.point(value)), y1: bottom, y2: bottom + 5, class: "axis" }),
    made("text", { x: moved(x.point(value)), y: bottom + 19, "text-anchor": "middle" }, said(x, value)),
  ]);
  marks.replaceChildren(...(whole ? marks.kept : fresh()));
}

function curvesOf(svg) {
  return [...svg.querySelectorAll("path[data-name]:not(.off)")].map((path) => ({
    name: path.dataset.name,
    points: [...path.getAttribute("d").matchAll(/[ML]([-\d.]+) ([-\d.]+)/g)].map((m) => [+m[1], +m[2]]),
  }));
}

function answerAsCurves(svg, figure) {
  const [x, y] = [scaleOf(svg.dataset.x), scaleOf(svg.dataset.y)];
  const reading = figure.querySelector(".reading");
  const cross = made("line", { class: "axis" });
  const drag = made("rect", { class: "band", y: y.stop, height: y.start - y.stop });
  let [low, high, at, begun] = [x.low, x.high, null, null];
  const reset = button(figure, "whole", () => zoom(x.low, x.high), "Show the whole axis");
  reset.hidden = true;
  const value = (point) => low + ((point - x.start) / (x.stop - x.start)) * (high - low);

  function zoom(from, to) {
    [low, high] = [Math.max(from, x.low), Math.min(to, x.high)];
    zoomed(svg, x, low, high);
    reset.hidden = low <= x.low && high >= x.high;
    cross.remove();
  }

  function show(point) {
    const found = curvesOf(svg).map((c) => ({ name: c.name, point: nearest(c.points, point) })).filter((f) => f.point);
    const best = nearest(found.map((f) => f.point), point);
    if (!best || best[0] < x.start - 1 || best[0] > x.stop + 1) return;
    at = best[0];
    for (const [name, end] of Object.entries({ x1: at, x2: at, y1: y.start, y2: y.stop })) cross.setAttribute(name, end);
    svg.append(cross);
    const values = found.map((f) => `${f.name} ${shown(y.value(f.point[1]))}`);
    reading.textContent = [said(x, value(at)), ...values].join(" \u00b7 ");
  }

  function step(way) {
    const all = curvesOf(svg).flatMap((c) => c.points.map((p) => p[0]));
    const inside = all.filter((px) => px >= x.start - 1 && px <= x.stop + 1);
    const ahead = at === null ? inside : inside.filter((px) => way * (px - at) > 0.05);
    if (ahead.length) show(way > 0 ? Math.min(...ahead) : Math.max(...ahead));
  }

  const place = (event) => {
    const box = svg.getBoundingClientRect();
    return ((event.clientX - box.left) * svg.viewBox.baseVal.width) / box.width;
  };
  svg.addEventListener("pointermove", (event) => {
    const point = place(event);
    if (begun !== null) {
      const ends = [begun, point].sort((a, b) => a - b);
      drag.setAttribute("x", ends[0]);
      drag.setAttribute("width", ends[1] - ends[0]);
      svg.append(drag);
    }
    if (point >= x.start && point <= x.stop) show(point);
  });
  svg.addEventListener("pointerdown", (event) => {
    if (event.pointerType === "mouse" && !event.target.closest(".entry")) begun = place(event);
  });
  svg.addEventListener("pointerup", (event) => {
    const ends = [begun, place(event)].sort((a, b) => a - b);
    if (begun !== null && ends[1] - ends[0] > 8) zoom(value(ends[0]), value(ends[1]));
    begun = null;
    drag.remove();
  });
  svg.addEventListener("pointerleave", () => {
    begun = null;
    drag.remove();
    cross.remove();
  });
  svg.addEventListener("dblclick", () => zoom(x.low, x.high));
  svg.addEventListener("keydown", (event) => {
    const middle = at === null ? (low + high) / 2 : value(at);
    const scaled = (part) => zoom(middle - part * (middle - low), middle + part * (high - middle));
    const keys = {
      ArrowRight: () => step(1),
      ArrowLeft: () => step(-1),
      "+": () => scaled(0.5),
      "-": () => scaled(2),
      Escape: () => zoom(x.low, x.high),
    };
    if (!keys[event.key] || event.ctrlKey || event.metaKey) return;
    keys[event.key]();
    event.preventDefault();
  });
}

function answerAsMatrix(svg, figure) {
  const [left, top, side, rows, columns] = svg.dataset.grid.split(" ").map(Number);
  const table = parsed(figure.dataset.csv);
  const reading = figure.querySelector(".reading");
  const frame = made("rect", { width: side, height: side, style: "fill:none;stroke:var(--ink)" });
  let place = [0, -1];

  function show(i, j) {
    if (i < 0 || j < 0 || i >= rows || j >= columns) return;
    place = [i, j];
    frame.setAttribute("x", left + side * j);
    frame.setAttribute("y", top + side * i);
    svg.append(frame);
    reading.textContent = `${table[i + 1][0]}, ${table[0][j + 1]}: ${table[i + 1][j + 1] || "too few"}`;
  }

  svg.addEventListener("pointermove", (event) => {
    const box = svg.getBoundingClientRect();
    const scale = svg.viewBox.baseVal.width / box.width;
    const at = [(event.clientY - box.top) * scale - top, (event.clientX - box.left) * scale - left];
    show(...at.map((point) => Math.floor(point / side)));
  });
  svg.addEventListener("pointerleave", () => frame.remove());
  svg.addEventListener("keydown", (event) => {
    const way = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0] }[event.key];
    if (!way) return;
    show(place[0] + way[0], place[1] + way[1]);
    event.preventDefault();
  });
}

// The rows of CSV as this page has it: quotes around a cell where a comma, a quote or a new line stands in it.
function parsed(csv) {
  const cells = csv.matchAll(/("(?:[^"]|"")*"|[^,\n]*)(,|\n)/g);
  const rows = [[]];
  for (const [, cell, end] of cells) {
    rows.at(-1).push(cell.startsWith('"') ? cell.slice(1, -1).replaceAll('""', '"') : cell);
    if (end === "\n") rows.push([]);
  }
  return rows;
}

function button(figure, words, act, label) {
  let tools = figure.querySelector(":scope > .tools");
  if (!tools) {
    tools = document.createElement("div");
    tools.className = "tools";
    figure.append(tools);
  }
  const one = document.createElement("button");
  one.type = "button";
  one.textContent = words;
  one.title = label;
  one.setAttribute("aria-label", `${words}: ${label}`);
  one.addEventListener("click", act);
  tools.prepend(one);
  return one;
}

function download(figure) {
  const title = figure.parentElement.querySelector("h2,h3")?.textContent || "figure";
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([figure.dataset.csv], { type: "text/csv" }));
  link.download = `${title.replace(/[^\p{L}\p{N}]+/gu, "-").toLowerCase()}.csv`;
  link.click();
  URL.revokeObjectURL(link.href);
}

function toggle(figure, name) {
  const alike = (selector, key) => [...figure.querySelectorAll(selector)].filter((e) => e.dataset[key] === name);
  const drawn = [...alike("path[data-name]", "name"), ...alike("circle[data-of]", "of")];
  const off = !drawn[0]?.classList.contains("off");
  for (const element of drawn) element.classList.toggle("off", off);
  for (const entry of alike(".entry", "of")) entry.setAttribute("aria-pressed", String(!off));
}

for (const figure of document.querySelectorAll("figure[data-csv]")) {
  button(figure, "CSV", () => download(figure), "the numbers of this part as a file");
}
for (const svg of document.querySelectorAll("svg[data-x]")) {
  reachable(svg);
  answerAsCurves(svg, svg.closest("figure"));
}
for (const svg of document.querySelectorAll("svg[data-grid]")) {
  reachable(svg);
  answerAsMatrix(svg, svg.closest("figure"));
}
for (const entry of document.querySelectorAll(".entry")) {
  const svg = entry.closest("svg");
  if (svg.querySelectorAll(".entry").length < 2) continue;
  svg.setAttribute("role", "group");
  for (const [name, value] of Object.entries({ role: "button", tabindex: "0", "aria-pressed": "true" })) {
    entry.setAttribute(name, value);
  }
  entry.setAttribute("aria-label", `${entry.dataset.of}: shown or not`);
  const act = () => toggle(svg.closest("figure"), entry.dataset.of);
  entry.addEventListener("click", act);
  entry.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" && event.key !== " ") return;
    act();
    event.preventDefault();
    event.stopPropagation();
  });
}
window.addEventListener("beforeprint", () => {
  for (const part of document.querySelectorAll("details")) part.open = true;
});
