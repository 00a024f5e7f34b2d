// The graph of a trace, made easier to read: drag to move, zoom, replay by time, keep as PNG. Every fact is there without it.

import { button, dragging, keepPng, opening, replaying, zooming } from "./picture.js";

const view = document.querySelector(".graph-view");
const svg = view?.querySelector("svg.trace");

if (svg) {
  const tools = document.createElement("p");
  tools.className = "graph-tools";
  view.before(tools);
  const zoom = zooming(view, svg, opening(view, svg));
  const toStart = () => {
    const box = svg.querySelector(".node.start rect");
    const middle = (Number(box.getAttribute("x")) + Number(box.getAttribute("width")) / 2) * zoom.scale;
    view.scrollTo(middle - view.clientWidth / 2, 0);
  };
  const inFull = () => { zoom.to(1); toStart(); };
  button(tools, "−", "Smaller", () => zoom.to(zoom.scale / 1.25));
  button(tools, "+", "Larger", () => zoom.to(zoom.scale * 1.25));
  button(tools, "Whole", "", zoom.whole);
  button(tools, "Start", "Show the start in full size", inFull);
  view.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const act = { "+": () => zoom.to(zoom.scale * 1.25), "=": () => zoom.to(zoom.scale * 1.25), "-": () => zoom.to(zoom.scale / 1.25),
      0: zoom.whole, s: inFull }[event.key];
    if (act) { event.preventDefault(); act(); }
  });
  dragging(view);

  const timed = [...svg.querySelectorAll("[data-time]")].filter((part) => part.dataset.time);
  const times = [...new Set(timed.map((part) => part.dataset.time))].sort();
  if (times.length > 1) {
    const rows = [...document.querySelectorAll("table.steps tr[data-step]")];
    const timeOf = new Map(timed.map((part) => [part.dataset.step, part.dataset.time]));
    replaying(tools, times, times.at(-1), (now) => {
      for (const part of timed) part.classList.toggle("later", part.dataset.time > now);
      for (const row of rows) row.classList.toggle("later", (timeOf.get(row.dataset.step) ?? "") > now);
    });
  }

  // The drawing as it is kept in a file: light and without links.
  button(tools, "PNG", "Keep as PNG", () => {
    const copy = svg.cloneNode(true);
    copy.setAttribute("width", zoom.natural.width);
    copy.setAttribute("height", zoom.natural.height);
    keepPng(new XMLSerializer().serializeToString(copy), zoom.natural, "trace.png");
  });

  toStart();
}
