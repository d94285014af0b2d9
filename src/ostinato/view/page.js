// Reads values back from the drawn curves under the pointer, so that the page holds each number once.
"use strict";

function scaleOf(words) {
  const [kind, ...numbers] = words.split(" ");
  const [low, high, start, stop] = numbers.map(Number);
  const between = (a, b, part) => a + part * (b - a);
  const value = (point) => {
    const part = (point - start) / (stop - start);
    if (kind === "log") return 10 ** between(Math.log10(low), Math.log10(high), part);
    return between(low, high, part);
  };
  return { kind, start, stop, value };
}

function shown(value) {
  return Math.abs(value) >= 1e4 || value === 0 ? value.toFixed(0) : value.toPrecision(4);
}

function date(seconds) {
  const words = new Date(Math.round(seconds) * 1000).toISOString();
  return words.slice(11, 16) === "00:00" ? words.slice(0, 10) : words.slice(0, 16).replace("T", " ");
}

function nearest(points, at) {
  return points.reduce((best, p) => (!best || Math.abs(p[0] - at) < Math.abs(best[0] - at) ? p : best), null);
}

for (const svg of document.querySelectorAll("svg[data-x]")) {
  const x = scaleOf(svg.dataset.x);
  const y = scaleOf(svg.dataset.y);
  const reading = svg.closest("figure").querySelector(".reading");
  const curves = [...svg.querySelectorAll("path[data-name]")].map((path) => ({
    name: path.dataset.name,
    points: [...path.getAttribute("d").matchAll(/[ML]([-\d.]+) ([-\d.]+)/g)].map((m) => [+m[1], +m[2]]),
  }));
  const cross = svg.querySelector(".axis").cloneNode();
  svg.addEventListener("pointermove", (event) => {
    const box = svg.getBoundingClientRect();
    const at = ((event.clientX - box.left) * svg.viewBox.baseVal.width) / box.width;
    const found = curves.map((curve) => ({ name: curve.name, point: nearest(curve.points, at) })).filter((f) => f.point);
    const best = nearest(found.map((f) => f.point), at);
    if (!best || at < x.start || at > x.stop) return;
    const ends = { x1: best[0], x2: best[0], y1: y.start, y2: y.stop };
    for (const [name, value] of Object.entries(ends)) cross.setAttribute(name, value);
    svg.append(cross);
    const where = x.value(best[0]);
    const values = found.map((f) => `${f.name} ${shown(y.value(f.point[1]))}`);
    const said = { time: date, whole: Math.round }[x.kind] || shown;
    reading.textContent = [said(where), ...values].join(" \u00b7 ");
  });
  svg.addEventListener("pointerleave", () => cross.remove());
}
