// The graph of a trace, made easier to read: drag to move, zoom, replay by time, keep as PNG. Every fact is there without it.

const view = document.querySelector(".graph-view");
const svg = view?.querySelector("svg.trace");

if (svg) {
  const natural = { width: Number(svg.getAttribute("width")), height: Number(svg.getAttribute("height")) };
  let scale = 1;
  const tools = document.createElement("p");
  tools.className = "graph-tools";
  view.before(tools);

  const button = (text, told, act) => {
    const made = document.createElement("button");
    made.type = "button";
    made.textContent = text;
    if (told) made.setAttribute("aria-label", told);
    made.addEventListener("click", act);
    tools.append(made);
    return made;
  };

  // ---- zoom: the drawing grows, the point in the middle (or under the mouse) stays where it is
  const zoom = (wanted, x = view.clientWidth / 2, y = view.clientHeight / 2) => {
    const next = Math.min(4, Math.max(0.1, wanted));
    const [left, top] = [(view.scrollLeft + x) / scale, (view.scrollTop + y) / scale];
    scale = next;
    svg.setAttribute("width", natural.width * scale);
    svg.setAttribute("height", natural.height * scale);
    view.scrollTo(left * scale - x, top * scale - y);
  };
  const whole = () => zoom(Math.min(view.clientWidth / natural.width, (window.innerHeight * 0.7) / natural.height, 1));
  const toStart = () => {
    const box = svg.querySelector(".node.start rect");
    const middle = (Number(box.getAttribute("x")) + Number(box.getAttribute("width")) / 2) * scale;
    view.scrollTo(middle - view.clientWidth / 2, 0);
  };
  button("−", "Smaller", () => zoom(scale / 1.25));
  button("+", "Larger", () => zoom(scale * 1.25));
  button("Whole", "", whole);
  button("Start", "Show the start in full size", () => { zoom(1); toStart(); });
  view.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && !event.metaKey) return; // plain scrolling stays the page's
    event.preventDefault();
    const at = view.getBoundingClientRect();
    zoom(scale * Math.exp(-event.deltaY / 400), event.clientX - at.left, event.clientY - at.top);
  }, { passive: false });
  view.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const act = { "+": () => zoom(scale * 1.25), "=": () => zoom(scale * 1.25), "-": () => zoom(scale / 1.25), 0: whole,
      s: () => { zoom(1); toStart(); } }[event.key];
    if (act) { event.preventDefault(); act(); }
  });

  // ---- drag to move; a click that did not move follows its link
  let held = null;
  let moved = false;
  view.addEventListener("click", (event) => { if (moved) event.preventDefault(); }, { capture: true });
  view.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || event.pointerType === "touch") return;
    held = { x: event.clientX, y: event.clientY, left: view.scrollLeft, top: view.scrollTop, moved: false };
  });
  window.addEventListener("pointermove", (event) => {
    if (!held) return;
    const [x, y] = [event.clientX - held.x, event.clientY - held.y];
    held.moved ||= Math.hypot(x, y) > 4;
    if (held.moved) { view.classList.add("held"); view.scrollTo(held.left - x, held.top - y); }
  });
  window.addEventListener("pointerup", () => {
    if (held?.moved) { moved = true; setTimeout(() => { moved = false; }); } // its click comes before
    held = null;
    view.classList.remove("held");
  });
  view.addEventListener("dragstart", (event) => event.preventDefault());

  // ---- time: what comes later than the slider says is pale, in the graph and in the tables
  const timed = [...svg.querySelectorAll("[data-time]")].filter((part) => part.dataset.time);
  const times = [...new Set(timed.map((part) => part.dataset.time))].sort();
  if (times.length > 1) {
    const rows = [...document.querySelectorAll("table.steps tr[data-step]")];
    const timeOf = new Map(timed.map((part) => [part.dataset.step, part.dataset.time]));
    const label = document.createElement("label");
    const slider = Object.assign(document.createElement("input"), { type: "range", min: 0, max: times.length - 1, value: times.length - 1 });
    const told = document.createElement("output");
    label.append("Up to ", slider);
    const show = () => {
      const now = times[slider.value];
      for (const part of timed) part.classList.toggle("later", part.dataset.time > now);
      for (const row of rows) row.classList.toggle("later", (timeOf.get(row.dataset.step) ?? "") > now);
      told.textContent = `${now.slice(0, 19).replace("T", " ")} UTC`;
      slider.setAttribute("aria-valuetext", told.textContent);
    };
    let playing = null;
    const stop = () => { clearInterval(playing); playing = null; play.textContent = "Replay"; };
    const play = button("Replay", "", () => {
      if (playing) { stop(); return; }
      if (Number(slider.value) === times.length - 1) slider.value = 0;
      show();
      play.textContent = "Stop";
      playing = setInterval(() => {
        slider.value = Number(slider.value) + 1;
        show();
        if (Number(slider.value) === times.length - 1) stop();
      }, 700);
    });
    slider.addEventListener("input", () => { if (playing) stop(); show(); });
    tools.append(label, told);
    show();
  }

  // ---- PNG: the drawing as it is kept in a file, light and without links, at twice its size where that is not too large
  button("PNG", "Keep as PNG", () => {
    const copy = svg.cloneNode(true);
    copy.setAttribute("width", natural.width);
    copy.setAttribute("height", natural.height);
    const source = new Blob([new XMLSerializer().serializeToString(copy)], { type: "image/svg+xml" });
    const address = URL.createObjectURL(source);
    const image = new Image();
    image.addEventListener("load", () => {
      const twice = Math.min(2, 8000 / natural.width, 8000 / natural.height);
      const canvas = Object.assign(document.createElement("canvas"), {
        width: Math.round(natural.width * twice), height: Math.round(natural.height * twice) });
      canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
      URL.revokeObjectURL(address);
      canvas.toBlob((made) => {
        const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(made), download: "trace.png" });
        link.click();
        setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
      }, "image/png");
    });
    image.src = address;
  });

  toStart();
}
