// What every drawn graph can do: grow and shrink, be dragged, be kept as PNG. The picture itself is made by the server.

export const button = (tools, text, told, act) => {
  const made = document.createElement("button");
  made.type = "button";
  made.textContent = text;
  if (told) made.setAttribute("aria-label", told);
  made.addEventListener("click", act);
  tools.append(made);
  return made;
};

// The scale in which a drawing opens: a little smaller than it is, where all of its width then is in sight.
export const opening = (view, svg) => {
  const fits = view.clientWidth / Number(svg.getAttribute("width"));
  return fits < 1 && fits >= 0.75 ? fits : 1;
};

// The drawing grows; the point in the middle (or under the mouse) stays where it is.
export const zooming = (view, svg, scale = 1) => {
  const natural = { width: Number(svg.getAttribute("width")), height: Number(svg.getAttribute("height")) };
  const size = () => {
    svg.setAttribute("width", natural.width * zoom.scale);
    svg.setAttribute("height", natural.height * zoom.scale);
  };
  const to = (wanted, x = view.clientWidth / 2, y = view.clientHeight / 2) => {
    const [left, top] = [(view.scrollLeft + x) / zoom.scale, (view.scrollTop + y) / zoom.scale];
    zoom.scale = Math.min(4, Math.max(0.1, wanted));
    size();
    view.scrollTo(left * zoom.scale - x, top * zoom.scale - y);
  };
  const whole = () => to(Math.min(view.clientWidth / natural.width, (window.innerHeight * 0.7) / natural.height, 1));
  view.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && !event.metaKey) return; // plain scrolling stays the page's
    event.preventDefault();
    const at = view.getBoundingClientRect();
    to(zoom.scale * Math.exp(-event.deltaY / 400), event.clientX - at.left, event.clientY - at.top);
  }, { passive: false });
  const zoom = { scale, natural, to, whole };
  if (scale !== 1) size();
  return zoom;
};

// Drag to move the view, or what `grab` gives for a place; a click that did not move follows its link.
export const dragging = (view, grab = () => null) => {
  let held = null;
  let moved = false;
  view.addEventListener("click", (event) => { if (moved) { event.preventDefault(); event.stopPropagation(); } }, { capture: true });
  view.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || event.pointerType === "touch") return;
    held = { x: event.clientX, y: event.clientY, left: view.scrollLeft, top: view.scrollTop, moved: false, what: grab(event.target) };
  });
  const move = (event) => {
    if (!held) return;
    const [x, y] = [event.clientX - held.x, event.clientY - held.y];
    held.moved ||= Math.hypot(x, y) > 4;
    if (!held.moved) return;
    view.classList.add("held");
    if (held.what) held.what.move(x, y);
    else view.scrollTo(held.left - x, held.top - y);
  };
  const up = (event) => {
    if (held?.moved) {
      moved = true;
      setTimeout(() => { moved = false; }); // its click comes before
      held.what?.drop(event.clientX - held.x, event.clientY - held.y);
    }
    held = null;
    view.classList.remove("held");
  };
  view.addEventListener("dragstart", (event) => event.preventDefault());
  window.addEventListener("pointermove", move);
  window.addEventListener("pointerup", up);
  return () => { window.removeEventListener("pointermove", move); window.removeEventListener("pointerup", up); };
};

// An SVG's text as a PNG that is downloaded, at twice its size where that is not too large.
export const keepPng = (text, natural, name) => {
  const address = URL.createObjectURL(new Blob([text], { type: "image/svg+xml" }));
  const image = new Image();
  image.addEventListener("load", () => {
    const twice = Math.min(2, 8000 / natural.width, 8000 / natural.height);
    const canvas = Object.assign(document.createElement("canvas"), {
      width: Math.round(natural.width * twice), height: Math.round(natural.height * twice) });
    canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
    URL.revokeObjectURL(address);
    canvas.toBlob((made) => {
      const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(made), download: name });
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
    }, "image/png");
  });
  image.src = address;
};

// What comes later than the slider says is pale. `told` is called with the time on every step.
export const replaying = (tools, times, at, told) => {
  const label = document.createElement("label");
  const slider = Object.assign(document.createElement("input"), { type: "range", min: 0, max: times.length - 1 });
  slider.value = Math.max(0, times.findLastIndex((time) => time <= at));
  const output = document.createElement("output");
  label.append("Up to ", slider);
  const show = (moved = true) => {
    const now = times[slider.value];
    output.textContent = `${now.slice(0, 19).replace("T", " ")} UTC`;
    slider.setAttribute("aria-valuetext", output.textContent);
    told(now, Number(slider.value) === times.length - 1, moved);
  };
  let playing = null;
  const stop = () => { clearInterval(playing); playing = null; play.textContent = "Replay"; };
  const play = button(tools, "Replay", "", () => {
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
  tools.append(label, output);
  show(false);
  return () => { if (playing) stop(); };
};
