// The tour: the same steps as on the page of help, one after the other, each beside what it tells of. Shown by itself once,
// on a case's page; that it was seen is remembered in this browser alone.

const KEY = "fimforensics-tour";
const seen = () => { try { return localStorage.getItem(KEY); } catch { return "no store"; } };
const remember = () => { try { localStorage.setItem(KEY, "seen"); } catch { /* then it is offered again */ } };
const steps = JSON.parse(document.querySelector("[data-tour]").dataset.tour).filter(([where]) => document.querySelector(where));

const make = (name, more = {}, ...inside) => {
  const made = Object.assign(document.createElement(name), more);
  made.append(...inside);
  return made;
};

const tour = () => {
  const before = document.activeElement;
  const title = make("h2", { id: "tour-title", tabIndex: -1 });
  const text = make("p");
  const [back, next, end] = ["Back", "Next", "End the tour"].map((words) => make("button", { type: "button", textContent: words }));
  const box = make("section", { className: "tour" }, title, text, make("p", { className: "tour-acts" }, back, next, end));
  box.setAttribute("aria-labelledby", "tour-title");
  let at = 0;
  let marked = null;
  const show = (to) => {
    marked?.classList.remove("toured");
    at = to;
    const [where, head, words] = steps[at];
    marked = document.querySelector(where);
    marked.classList.add("toured");
    title.textContent = `${at + 1} of ${steps.length}: ${head}`;
    text.textContent = words;
    back.disabled = at === 0;
    next.hidden = at === steps.length - 1;
    marked.scrollIntoView({ block: "center" });
    title.focus({ preventScroll: true });
  };
  const close = () => {
    marked?.classList.remove("toured");
    box.remove();
    remember();
    before?.focus?.({ preventScroll: true });
  };
  back.addEventListener("click", () => show(at - 1));
  next.addEventListener("click", () => show(at + 1));
  end.addEventListener("click", close);
  box.addEventListener("keydown", (event) => {
    if (event.key === "Escape") close();
    if (event.key === "ArrowRight" && at < steps.length - 1) show(at + 1);
    if (event.key === "ArrowLeft" && at) show(at - 1);
  });
  document.body.append(box);
  show(0);
};

export const offer = () => {
  if (location.hash === "#tour") { tour(); return; }
  if (seen() || !steps.length) return;
  const yes = make("button", { type: "button", textContent: "Show me around" });
  const no = make("button", { type: "button", className: "calm", textContent: "Not now" });
  const bar = make("p", { className: "notice tour-offer" }, `New here? ${steps.length} short steps. `, yes, " ", no);
  yes.addEventListener("click", () => { bar.remove(); tour(); });
  no.addEventListener("click", () => { bar.remove(); remember(); });
  document.querySelector("main").prepend(bar);
};
