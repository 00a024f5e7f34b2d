/* Keys for notes. Everything they do can be done without: they focus a field, or press a button that is on the page. */
(() => {
  "use strict";
  const panel = document.querySelector("[data-notes]");
  const list = document.querySelector('a[href$="/-/notes"]');
  const box = panel && panel.querySelector("[data-keys-on]");
  const stored = () => { try { return localStorage.getItem("fimforensics-keys"); } catch { return null; } };
  if (box) {
    box.checked = stored() !== "off";
    box.addEventListener("change", () => { try { localStorage.setItem("fimforensics-keys", box.checked ? "on" : "off"); } catch { /* kept for this page */ } });
  }
  const on = () => (box ? box.checked : stored() !== "off");
  const typing = (element) => element.isContentEditable || ["INPUT", "TEXTAREA", "SELECT"].includes(element.tagName);
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey && event.key === "Enter" && event.target.tagName === "TEXTAREA" && event.target.form) {
      event.preventDefault();
      event.target.form.requestSubmit();
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || event.repeat || typing(event.target) || !on()) return;
    if (event.key === "n" && list) { event.preventDefault(); list.click(); return; }
    const target = panel && ["c", "t", "d", "s"].includes(event.key) && panel.querySelector(`[data-key="${event.key}"]`);
    if (!target) return;
    event.preventDefault();
    if (event.key === "s") target.click(); else { target.scrollIntoView({ block: "center" }); target.focus(); }
  });
})();
