// What makes pages easier to work with, on every page: copying hashes, choosing a span of time, this machine's zone as an offer,
// and the tour. Every fact and every way is there without it.

const make = (name, more = {}, ...inside) => {
  const made = Object.assign(document.createElement(name), more);
  made.append(...inside);
  return made;
};
const voice = make("p", { className: "unseen" });
voice.setAttribute("aria-live", "polite");
document.body.append(voice);

// ---- copy a hash, whole
const MOST = 300;
const copy = async (text) => {
  try { await navigator.clipboard.writeText(text); return true; } catch { /* no secure context: the old way */ }
  const field = make("textarea", { value: text, className: "unseen" });
  document.body.append(field);
  field.select();
  const done = document.execCommand("copy");
  field.remove();
  return done;
};
const copies = () => {
  const hashes = [...document.querySelectorAll("code.hash, .hashes code, code.key")].filter((one) => !one.dataset.copied);
  for (const code of hashes.slice(0, MOST)) {
    code.dataset.copied = "";
    const text = code.textContent.trim();
    const button = make("button", { type: "button", className: "copy", title: "Copy" });
    button.setAttribute("aria-label", `Copy ${text.slice(0, 8)}`);
    button.addEventListener("click", async () => {
      const done = await copy(text);
      voice.textContent = done ? `Copied ${text.slice(0, 8)}` : "Could not copy";
      button.classList.toggle("done", done);
      setTimeout(() => button.classList.remove("done"), 1500);
    });
    (code.closest("a") ?? code).after(button);
  }
};

// ---- a span of time, chosen on the bars
const brush = (figure) => {
  const svg = figure.querySelector("svg");
  const bars = [...svg.querySelectorAll("g[data-from]")];
  const form = figure.querySelector("form.brush");
  const [since, until] = ["time__gte", "time__lt"].map((name) => form.elements[name]);
  const told = form.querySelector("output");
  const box = document.createElementNS("http://www.w3.org/2000/svg", "rect");
  for (const [name, value] of [["class", "brushed"], ["y", 0], ["height", 100]]) box.setAttribute(name, value);
  svg.append(box);
  const inside = bars.map((bar, at) => (bar.classList.contains("in") ? at : -1)).filter((at) => at >= 0);
  let [first, last] = inside.length ? [inside[0], inside.at(-1)] : [0, bars.length - 1];
  const ends = ["First", "Last"].map((word, at) => {
    const range = make("input", { type: "range", min: 0, max: bars.length - 1, value: at ? last : first, className: "brush-end" });
    range.setAttribute("aria-label", `${word} bar of the chosen time`);
    range.addEventListener("input", () => {
      const value = Number(range.value);
      if (at) choose(Math.min(first, value), value); else choose(value, Math.max(last, value));
    });
    return range;
  });
  const show = () => {
    const whole = first === 0 && last === bars.length - 1;
    box.setAttribute("x", first * 10);
    box.setAttribute("width", whole ? 0 : (last - first + 1) * 10);
    ends.forEach((range, at) => {
      range.value = at ? last : first;
      range.setAttribute("aria-valuetext", bars[range.value].dataset[at ? "until" : "from"].replace("T", " "));
    });
    const events = bars.slice(first, last + 1).reduce((sum, bar) => sum + Number(bar.dataset.events), 0);
    told.textContent = `${events.toLocaleString("en")} event${events === 1 ? "" : "s"}`;
  };
  const choose = (one, other) => {
    [first, last] = [Math.min(one, other), Math.max(one, other)];
    since.value = bars[first].dataset.from;
    until.value = bars[last].dataset.until;
    show();
  };
  const at = (event) => {
    const place = svg.getBoundingClientRect();
    return Math.max(0, Math.min(bars.length - 1, Math.floor(((event.clientX - place.left) / place.width) * bars.length)));
  };
  let from = null;
  svg.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    from = at(event);
    svg.setPointerCapture(event.pointerId);
    choose(from, from);
  });
  svg.addEventListener("pointermove", (event) => { if (from !== null) choose(from, at(event)); });
  svg.addEventListener("pointerup", () => { from = null; });
  svg.addEventListener("dblclick", () => choose(0, bars.length - 1));
  svg.classList.add("brushable");
  form.before(make("div", { className: "brush-ends" }, ...ends));
  show();
};

// ---- this machine's zone is offered, never taken
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
const zones = document.getElementById("zones");
if (zones && zone && ![...zones.options].some((one) => one.value === zone)) zones.prepend(make("option", { value: zone, label: `${zone}, as this machine` }));

copies();
document.querySelectorAll("figure[data-chart]").forEach(brush);
new MutationObserver(copies).observe(document.querySelector("main"), { childList: true });
if (document.querySelector("[data-tour]")) import("./tour.js").then(({ offer }) => offer());
