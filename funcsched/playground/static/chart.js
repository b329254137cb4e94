// The plot: draws the points it is given, and shows the one nearest to the pointer.

import { count, rate, svg, swatch, element, tokens } from "./elements.js";

const MARGIN = { left: 58, right: 18, top: 14, bottom: 42 };
const box = document.getElementById("chart");
const tooltip = document.getElementById("tooltip");
let shown = null; // { x, y, curves: [{ index, points, boundaries }], selected, tokensPerStep }
let scales = null;
let step = null; // the inspected step

export function draw(plot) {
  shown = plot;
  render();
}

function scale({ low, high, log }, first, last) {
  const position = log ? (value) => Math.log10(Math.max(value, low)) : (value) => value;
  const [from, to] = [position(low), position(high)];
  const toPixel = (value) => first + ((position(value) - from) / (to - from)) * (last - first);
  const toValue = (pixel) => {
    const value = from + ((pixel - first) / (last - first)) * (to - from);
    return log ? 10 ** value : value;
  };
  return { toPixel, toValue };
}

function render() {
  if (!shown || !box.clientWidth) return;
  const [width, height] = [box.clientWidth, box.clientHeight];
  const [right, bottom] = [width - MARGIN.right, height - MARGIN.bottom];
  const x = scale(shown.x, MARGIN.left, right);
  const y = scale(shown.y, bottom, MARGIN.top);
  scales = { x, y, bottom };
  const fixed = (number) => number.toFixed(2);

  const grid = svg("g", { class: "grid" });
  const labels = svg("g", { class: "labels" });
  const every = Math.ceil((shown.x.ticks.length * 58) / (right - MARGIN.left)); // labels that would overlap are left out
  shown.x.ticks.forEach(([value, label], i) => {
    const at = fixed(x.toPixel(value));
    grid.append(svg("path", { d: `M${at} ${MARGIN.top}V${bottom}` }));
    if (i % every === 0) labels.append(svg("text", { x: at, y: bottom + 17, "text-anchor": "middle" }, label));
  });
  for (const [value, label] of shown.y.ticks) {
    const at = fixed(y.toPixel(value));
    grid.append(svg("path", { d: `M${MARGIN.left} ${at}H${right}` }));
    labels.append(svg("text", { x: MARGIN.left - 7, y: at, dy: "0.32em", "text-anchor": "end" }, label));
  }
  const middle = (MARGIN.left + right) / 2;
  labels.append(svg("text", { x: middle, y: height - 6, "text-anchor": "middle", class: "title" }, shown.x.label));
  const clip = svg("clipPath", { id: "inside" }, svg("rect", {
    x: MARGIN.left - 2, y: MARGIN.top - 4, width: right - MARGIN.left + 4, height: bottom - MARGIN.top + 6,
  }));
  const lines = svg("g", { "clip-path": "url(#inside)" });
  const ordered = [...shown.curves].sort((a, b) => (a.index === shown.selected) - (b.index === shown.selected));
  for (const curve of ordered) {
    const isSelected = curve.index === shown.selected;
    const path = curve.points.map(([s, value]) => `${fixed(x.toPixel(s))} ${fixed(y.toPixel(value))}`).join("L");
    lines.append(svg("path", { class: `curve color-${curve.index}${isSelected ? " selected" : ""}`, d: `M${path}` }));
    if (isSelected) {
      for (const [s, value] of curve.boundaries) {
        lines.append(svg("path", { class: "boundary", d: `M${fixed(x.toPixel(s))} ${MARGIN.top}V${bottom}` }));
        lines.append(svg("circle", {
          class: `dot color-${curve.index}`, cx: fixed(x.toPixel(s)), cy: fixed(y.toPixel(value)), r: 4,
        }));
      }
    }
  }
  const axis = svg("path", { class: "axis", d: `M${MARGIN.left} ${bottom}H${right}` });
  const plot = svg("svg", { width, height, "aria-hidden": "true" },
    svg("defs", {}, clip), grid, axis, lines, labels, svg("g", { id: "cursor" }));
  box.replaceChildren(plot);
  box.setAttribute("aria-valuemin", shown.x.low);
  box.setAttribute("aria-valuemax", shown.x.high);
  inspect(step === null ? null : Math.min(step, shown.x.high), !tooltip.hidden);
}

// The index of the point nearest to a step among those at integer steps.
function nearest(points, at) {
  let [low, high] = [0, points.length - 1];
  while (high - low > 1) {
    const center = (low + high) >> 1;
    if (points[center][0] <= at) low = center;
    else high = center;
  }
  const candidates = [low - 1, low, high, high + 1].filter((i) => points[i] && Number.isInteger(points[i][0]));
  return candidates.sort((a, b) => Math.abs(points[a][0] - at) - Math.abs(points[b][0] - at))[0] ?? 0;
}

const main = () => shown.curves.find((curve) => curve.index === shown.selected) ?? shown.curves[0];

function inspect(at, visible = true) {
  const cursor = document.getElementById("cursor");
  step = at;
  if (!cursor || at === null || !shown.curves.length) return;
  const points = main().points;
  step = points[nearest(points, at)][0];
  const found = shown.curves.map((curve) => [curve.index, curve.points[nearest(curve.points, step)]]);
  const inTokens = shown.tokensPerStep ? ` (${tokens(step * shown.tokensPerStep)})` : "";
  const name = `step ${count(step)}${inTokens}`;
  const text = found.map(([index, [s, value]]) => ({ index, s, value: rate(value) }));
  box.setAttribute("aria-valuenow", step);
  box.setAttribute("aria-valuetext", `${name}: ${text.map(({ value }) => value).join(", ")}`);
  tooltip.hidden = !visible;
  cursor.replaceChildren();
  if (!visible) return;
  const left = scales.x.toPixel(step);
  cursor.append(svg("path", { d: `M${left} ${MARGIN.top}V${scales.bottom}` }));
  for (const [index, [s, value]] of found) {
    const attributes = { class: `dot color-${index}`, cx: scales.x.toPixel(s), cy: scales.y.toPixel(value), r: 4.5 };
    if (scales.y.toPixel(value) <= scales.bottom + 4) cursor.append(svg("circle", attributes));
  }
  tooltip.replaceChildren(
    element("strong", {}, name),
    ...text.map(({ index, s, value }) => element("span", {}, swatch(index), s === step ? value : `${value} (step ${count(s)})`)),
  );
  const space = box.clientWidth - tooltip.offsetWidth - 4;
  tooltip.style.left = `${Math.max(4, Math.min(left + 14 > space ? left - tooltip.offsetWidth - 14 : left + 14, space))}px`;
}

function hide() {
  tooltip.hidden = true;
  document.getElementById("cursor")?.replaceChildren();
}

box.addEventListener("pointermove", (event) => {
  if (scales) inspect(scales.x.toValue(event.clientX - box.getBoundingClientRect().left));
});
box.addEventListener("pointerdown", (event) => {
  if (scales) inspect(scales.x.toValue(event.clientX - box.getBoundingClientRect().left));
});
box.addEventListener("pointerleave", () => document.activeElement !== box && hide());
box.addEventListener("blur", hide);
box.addEventListener("focus", () => shown && inspect(step ?? shown.x.low));
box.addEventListener("keydown", (event) => {
  const moves = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1, PageUp: 50, PageDown: -50, Home: -Infinity, End: Infinity };
  if (!(event.key in moves) || !shown?.curves.length) return;
  event.preventDefault();
  const steps = main().points.map(([s]) => s).filter((s) => Number.isInteger(s) && s >= shown.x.low);
  const current = steps.findIndex((s) => s >= (step ?? shown.x.low));
  inspect(steps[Math.max(0, Math.min(current + moves[event.key], steps.length - 1))]);
});
new ResizeObserver(render).observe(box);
