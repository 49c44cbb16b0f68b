/** Zoom and pan of the timelines: what stretches lies in an inner svg, what keeps its size moves along. */

const NAME = "online-guard zoom";
const MOST = 60;
let seen = { zoom: 1, from: 0 };
try { seen = { ...seen, ...JSON.parse(sessionStorage.getItem(NAME)) }; } catch { /* begins anew */ }

/** Shows the chosen part, a share of each timeline: it stays from case to case. */
export function apply() {
  seen.zoom = Math.min(MOST, Math.max(1, seen.zoom));
  seen.from = Math.min(1 - 1 / seen.zoom, Math.max(0, seen.from));
  sessionStorage.setItem(NAME, JSON.stringify(seen));
  for (const outer of document.querySelectorAll("[data-figure] > svg")) {
    const inner = outer.querySelector("svg.zoomed");
    const width = Number(outer.dataset.width);
    const [x, w] = [seen.from * width, width / seen.zoom];
    inner.setAttribute("viewBox", `${x} 0 ${w} ${inner.dataset.height}`);
    for (const one of outer.querySelectorAll("[data-x]")) {
      const at = ((Number(one.dataset.x) - x) * width) / w;
      one.setAttribute("transform", `translate(${Number(outer.dataset.left) + at} ${one.dataset.y})`);
      one.classList.toggle("out", at < 0 || at > width);
    }
  }
}

/** Zooms about a place, a share of what is seen. */
export function zoom(factor, about = 0.5) {
  const place = seen.from + about / seen.zoom;
  seen.zoom = Math.min(MOST, Math.max(1, seen.zoom * factor));
  seen.from = place - about / seen.zoom;
  apply();
}

export function pan(share) { seen.from += share / seen.zoom; apply(); }

export function reset() { seen = { zoom: 1, from: 0 }; apply(); }

/** Marks where a finding holds; `bring` brings it into sight when the timeline is zoomed. */
export function show(id, bring) {
  document.querySelectorAll("[data-figure] [data-finding]").forEach((each) => each.classList.toggle("current", each.dataset.finding === id));
  const mark = document.querySelector(`[data-figure] [data-finding="${CSS.escape(id)}"][data-x1]`);
  if (!mark || !bring || seen.zoom === 1) return;
  const width = Number(mark.closest("[data-figure] > svg").dataset.width);
  const [start, end] = [Number(mark.dataset.x1) / width, Number(mark.dataset.x2) / width];
  if (start < seen.from || end > seen.from + 1 / seen.zoom) { seen.from = (start + end) / 2 - 0.5 / seen.zoom; apply(); }
}

export function start() {
  let held = null;
  addEventListener("wheel", (event) => {
    const box = event.target.closest?.("[data-figure]");
    if (!box || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    const place = box.getBoundingClientRect();
    zoom(event.deltaY < 0 ? 1.25 : 0.8, (event.clientX - place.left) / place.width);
  }, { passive: false });
  addEventListener("pointerdown", (event) => { if (event.target.closest?.("[data-figure]")) held = event.clientX; });
  addEventListener("pointermove", (event) => {
    const box = event.target.closest?.("[data-figure]");
    if (held === null || !box) return;
    pan((held - event.clientX) / box.clientWidth);
    held = event.clientX;
  });
  addEventListener("pointerup", () => { held = null; });
}
