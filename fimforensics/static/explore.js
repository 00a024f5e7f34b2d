// The explorer made smooth: every act is the link that works without this script, fetched and put in place. What is drawn comes
// from the server, so that the address alone decides it; here things only move, grow, and grow pale.

import { button, dragging, keepPng, opening, replaying, zooming } from "./picture.js";

const calm = matchMedia("(prefers-reduced-motion: reduce)");
const voice = document.querySelector("p.unseen") ?? document.body.appendChild(document.createElement("p")); // site.js made it
let leave = () => {};
let scale = 1;

const $ = (selector, of = document) => of.querySelector(selector);
const node = (key) => (key ? $(`g.node[data-key="${CSS.escape(key)}"]`) : null);
const place = (drawn) => {
  const box = $("rect.box", drawn);
  return { x: Number(box.getAttribute("x")), y: Number(box.getAttribute("y")) };
};
const keyAt = (element) => element?.closest("[data-key]")?.dataset.key;
const asked = () => new URLSearchParams(location.search);
const address = (search) => `${location.pathname}?${search}`;

// ---- from one state to the next
const go = async (target, { push = true, about = null } = {}) => {
  const view = $(".graph-view");
  const before = new Map([...document.querySelectorAll("g.node")].map((one) => [one.dataset.key, place(one)]));
  const anchor = about ?? $("g.node.start")?.dataset.key;
  const stood = node(anchor) && view ? [before.get(anchor).x * scale - view.scrollLeft, before.get(anchor).y * scale - view.scrollTop] : null;
  const active = document.activeElement;
  const kept = active && active !== document.body ? { key: keyAt(active), go: active.dataset?.go, words: active.textContent, id: active.id } : null;
  let answer;
  try { answer = await fetch(target); } catch { location.assign(target); return; }
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const main = $("main", page);
  if (!main) { location.assign(target); return; }
  leave();
  $("main").replaceChildren(...main.childNodes);
  document.title = page.title;
  if (push) history.pushState(null, "", target);
  begin();
  const now = $(".graph-view");
  if (stood && now && node(anchor)) {
    const { x, y } = place(node(anchor));
    now.scrollTo(x * scale - stood[0], y * scale - stood[1]);
  }
  move(before);
  focusAgain(kept);
  voice.textContent = $("#said")?.textContent.trim().replace(/\s+/g, " ") ?? $(".notice")?.textContent ?? "";
};

const move = (before) => {
  const drawn = [...document.querySelectorAll("g.node")];
  if (calm.matches || drawn.length > 200 || !before.size) return;
  for (const one of drawn) {
    const [old, now] = [before.get(one.dataset.key), place(one)];
    if (!old) one.animate([{ opacity: 0 }, { opacity: 1 }], { duration: 300 });
    else if (old.x !== now.x || old.y !== now.y) {
      one.animate([{ transform: `translate(${old.x - now.x}px, ${old.y - now.y}px)` }, { transform: "none" }], { duration: 250, easing: "ease-out" });
    }
  }
};

const focusAgain = (kept) => {
  if (!kept) return;
  const row = kept.key && $(`tr[data-key="${CSS.escape(kept.key)}"]`);
  const links = [...(row?.querySelectorAll("a[data-go]") ?? []), ...document.querySelectorAll("aside.chosen a[data-go]")];
  const found = kept.go === "list" ? links.find((one) => one.textContent === kept.words) ?? links[0]
    : kept.key ? $("a", node(kept.key) ?? document.createElement("g")) : kept.id ? document.getElementById(kept.id) : null;
  (found ?? $(".graph-view"))?.focus({ preventScroll: true });
  if (found?.closest("svg")) only(found.closest("g.node"));
};

// ---- the address with one thing changed
const changed = (edit) => { const search = asked(); edit(search); return address(search); };
const without = (search, name, fits) => {
  const rest = search.getAll(name).filter((value) => !fits(value));
  search.delete(name);
  for (const value of rest) search.append(name, value);
};
const bare = (value) => value.split(/[@*]/)[0];
const toggle = (name, key, most) => changed((search) => {
  const there = search.getAll(name).map(bare);
  if (there.includes(key)) without(search, name, (value) => bare(value) === key);
  else {
    if (most && there.length >= most) without(search, name, (value) => bare(value) === there.at(-1));
    search.append(name, key);
  }
});
const withAt = (query, at) => {
  const rest = query.replace(/([?&])at=[^&]*&?/, "$1").replace(/[?&]$/, "");
  if (!at) return rest || location.pathname;
  const told = `at=${encodeURIComponent(at)}`;
  return /[?&](on|_zone)=/.test(rest) ? rest.replace(/([?&])(on|_zone)=/, `$1${told}&$2=`) : `${rest}${rest ? "&" : "?"}${told}`;
};
const put = (key, x, y) => changed((search) => {
  without(search, "pin", (value) => bare(value) === key);
  search.append("pin", `${key}@${x},${y}`);
});
const leaveOut = (key) => changed((search) => {
  for (const name of ["of", "open", "pin", "pick", "on"]) without(search, name, (value) => bare(value) === key);
  search.append("leave", key);
});

// ---- keys: arrows go to the nearest thing in their direction
const only = (drawn) => {
  for (const link of document.querySelectorAll("svg.explore a")) link.setAttribute("tabindex", link.parentNode === drawn ? "0" : "-1");
};
const toward = (from, key) => {
  const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[key];
  const here = place(from);
  let [best, found] = [Infinity, null];
  for (const other of document.querySelectorAll("g.node")) {
    const [x, y] = [place(other).x - here.x, place(other).y - here.y];
    const [along, aside] = [x * way[0] + y * way[1], Math.abs(x * way[1]) + Math.abs(y * way[0])];
    if (along > 1 && along + 3 * aside < best) [best, found] = [along + 3 * aside, other];
  }
  return found;
};

const keys = (view, zoom) => (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const drawn = event.target.closest("g.node");
  const key = drawn?.dataset.key;
  if (event.key.startsWith("Arrow")) {
    const next = drawn ? toward(drawn, event.key) : $("g.node.chosen") ?? $("g.node");
    event.preventDefault();
    if (!next) return;
    only(next);
    $("a", next).focus();
    next.scrollIntoView({ block: "nearest", inline: "nearest" });
    return;
  }
  const act = { "+": () => zoom.to(zoom.scale * 1.25), "=": () => zoom.to(zoom.scale * 1.25), "-": () => zoom.to(zoom.scale / 1.25),
    0: zoom.whole, ...(key && { e: () => $("a.knob", drawn)?.dispatchEvent(new MouseEvent("click", { bubbles: true, cancelable: true })),
      p: () => go(toggle("pin", key), { about: key }), w: () => go(toggle("pick", key, 2), { about: key }), x: () => go(leaveOut(key)) }) }[event.key];
  if (act) { event.preventDefault(); act(); }
};

// ---- the picture at hand
const begin = () => {
  const view = $(".graph-view");
  const svg = view && $("svg.explore", view);
  if (!svg) { leave = () => {}; return; }
  const here = $("a.same").getAttribute("href");
  if (here !== location.search) history.replaceState(null, "", here); // as the server writes it
  const tools = document.createElement("p");
  tools.className = "graph-tools";
  view.before(tools);
  const zoom = zooming(view, svg, scale);
  const sized = (act) => () => { act(); scale = zoom.scale; };
  button(tools, "−", "Smaller", sized(() => zoom.to(zoom.scale / 1.25)));
  button(tools, "+", "Larger", sized(() => zoom.to(zoom.scale * 1.25)));
  button(tools, "Whole", "", sized(zoom.whole));
  button(tools, "PNG", "Keep as PNG", async () => keepPng(await (await fetch(`explore.svg${location.search}`)).text(), zoom.natural, "graph.png"));
  const pressed = keys(view, zoom);
  view.addEventListener("keydown", (event) => { pressed(event); scale = zoom.scale; });
  view.addEventListener("wheel", () => { scale = zoom.scale; });
  const drop = dragging(view, (target) => {
    const drawn = target.closest("g.node");
    return drawn && {
      move: (x, y) => drawn.setAttribute("transform", `translate(${x / zoom.scale} ${y / zoom.scale})`),
      drop: (x, y) => {
        const at = place(drawn);
        go(put(drawn.dataset.key, ...[at.x + x / zoom.scale, at.y + y / zoom.scale].map((one) => Math.max(0, 2 * Math.round(one / 2)))),
          { about: drawn.dataset.key });
      },
    };
  });
  const halt = slide(tools);
  $(".keys")?.removeAttribute("hidden");
  only($("g.node.chosen") ?? $("g.node"));
  leave = () => { drop(); halt(); };
};

// The links of the picture lead on from the time at which the slider stands, as those that the server writes.
const carry = () => {
  for (const link of document.querySelectorAll("main a[data-go]")) {
    link.setAttribute("href", withAt(link.getAttribute("href"), asked().get("at")));
  }
};
let late = 0;

const slide = (tools) => {
  const form = $("form.times");
  if (!form) return () => {};
  const times = form.dataset.times.split(" ");
  form.remove();
  const parts = [...document.querySelectorAll("svg.explore [data-time], table.graph-things [data-time], table.graph-relations [data-time]")]
    .filter((part) => part.dataset.time);
  return replaying(tools, times, asked().get("at") ?? times.at(-1), (now, last, moved) => {
    if (!moved) return; // the server drew it so, and the address stays as it was asked
    for (const part of parts) part.classList.toggle("later", part.dataset.time > now);
    const search = withAt(location.search, last ? null : now);
    if (search !== location.search) history.replaceState(null, "", search);
    clearTimeout(late);
    late = setTimeout(carry, 120);
  });
};

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-go]");
  if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  go(withAt(link.getAttribute("href"), asked().get("at")), { about: keyAt(link) });
});
document.addEventListener("submit", (event) => {
  if (!event.target.matches("main form.filters")) return;
  event.preventDefault();
  const search = new URLSearchParams([...new FormData(event.target)].filter(([, value]) => value.trim()));
  go(address(search));
});
window.addEventListener("popstate", () => go(location.pathname + location.search, { push: false }));
const drawn = $(".graph-view svg.explore");
if (drawn) scale = opening($(".graph-view"), drawn);
begin();
const first = $("g.node.chosen") ?? $("g.node.start");
if (first) {
  const { x, y } = place(first);
  $(".graph-view").scrollTo((x + 102) * scale - $(".graph-view").clientWidth / 2, (y - 120) * scale);
}
