// The last hour: bars of mails a minute, lines of latency. Plain SVG, as wide as there is room.

import { byId, element, number, seconds, shape, shortTime } from "./dom.js";

const HEIGHT = 130;
const LEFT = 46; // for the words at the axis
const BOTTOM = 18;
const TOP = 8;
const LATENCIES = ["p50", "p95", "p99"];

let shown = null;

export function show(minutes) {
  shown = minutes;
  const known = minutes.filter((minute) => minute !== null);
  const sent = sum(known, "sent");
  const failed = sum(known, "failed");
  const said = `${number(sent)} sent, ${number(failed)} failed${known.length < minutes.length ? "; some minutes are still being counted" : ""}`;
  byId("hour-summary").textContent = said;
  bars(byId("chart-mails"), minutes, said);
  lines(byId("chart-latency"), minutes, known);
  byId("hour-rows").replaceChildren(...known.toReversed().map(row));
}

new ResizeObserver(() => shown && show(shown)).observe(byId("chart-mails"));

const sum = (minutes, name) => minutes.reduce((total, minute) => total + minute[name], 0);

function bars(svg, minutes, said) {
  const most = round(Math.max(1, ...minutes.map((minute) => (minute ? minute.sent + minute.failed : 0))));
  const right = begin(svg, `Mails a minute over the last hour: ${said}`, minutes, [0, most / 2, most].map((value) => [value / most, number(value)]));
  const width = (right - LEFT) / minutes.length;
  minutes.forEach((minute, index) => {
    if (!minute) return;
    const x = LEFT + index * width + 1;
    const box = (from, value, name) => {
      const height = (value / most) * (HEIGHT - TOP - BOTTOM);
      if (value > 0) svg.append(shape("rect", { class: name, x, width: Math.max(width - 2, 1), y: HEIGHT - BOTTOM - from - Math.max(height, 1), height: Math.max(height, 1) }));
      return from + height;
    };
    box(box(0, minute.sent, "sent"), minute.failed, "failed");
  });
}

// Latencies differ by powers of ten: the axis is logarithmic.
function lines(svg, minutes, known) {
  const values = known.flatMap((minute) => LATENCIES.map((name) => minute[name])).filter((value) => value > 0);
  const low = Math.floor(Math.log10(Math.min(0.1, ...values)));
  const high = Math.ceil(Math.log10(Math.max(1, ...values)));
  const newest = known.findLast((minute) => minute.p50 !== null);
  const said = newest ? `in the newest minute half within ${seconds(newest.p50)}, 99 % within ${seconds(newest.p99)}` : "nothing was sent";
  const at = (value) => (Math.log10(Math.max(value, 10 ** low)) - low) / (high - low);
  const marks = Array.from({ length: high - low + 1 }, (_, step) => 10 ** (low + step));
  const right = begin(svg, `Time from the watcher to the outcome over the last hour: ${said}`, minutes, marks.map((value) => [at(value), seconds(value)]));
  const step = (right - LEFT) / minutes.length;
  for (const name of LATENCIES) {
    let path = "";
    minutes.forEach((minute, index) => {
      const value = minute?.[name] ?? null;
      if (value === null) return;
      const joined = minutes[index - 1]?.[name] != null;
      const x = (LEFT + (index + 0.5) * step).toFixed(1);
      const y = (HEIGHT - BOTTOM - at(value) * (HEIGHT - TOP - BOTTOM)).toFixed(1);
      path += `${joined ? "L" : "M"}${x} ${y}${joined ? "" : "h0.01"}`; // a point alone is a dot
    });
    if (path) svg.append(shape("path", { class: name, d: path }));
  }
}

function begin(svg, label, minutes, marks) {
  const right = Math.max(svg.clientWidth, 200);
  svg.setAttribute("viewBox", `0 0 ${right} ${HEIGHT}`);
  svg.setAttribute("aria-label", label);
  svg.replaceChildren();
  for (const [share, text] of marks) {
    const y = HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM);
    svg.append(shape("line", { class: "grid", x1: LEFT, x2: right, y1: y, y2: y }));
    svg.append(shape("text", { x: LEFT - 6, y: y + 3.5, "text-anchor": "end" }, text));
  }
  const first = minutes.find((minute) => minute !== null);
  const last = minutes.findLast((minute) => minute !== null);
  if (!first) return right;
  svg.append(shape("text", { x: LEFT, y: HEIGHT - 4 }, clock(first.start)));
  svg.append(shape("text", { x: right, y: HEIGHT - 4, "text-anchor": "end" }, clock(last.start)));
  return right;
}

const CLOCK = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const clock = (iso) => CLOCK.format(new Date(iso));

function round(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  const top = [1, 2, 4, 10].find((step) => step * power >= value) * power;
  return Math.max(top, 2);
}

function row(minute) {
  const cells = [shortTime(minute.start), number(minute.sent), number(minute.failed), ...LATENCIES.map((name) => seconds(minute[name]))];
  return element("tr", {}, ...cells.map((text) => element("td", {}, text)));
}
