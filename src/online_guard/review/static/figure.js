/** Zoom and pan of the timelines; both stay from case to case, as a share of each picture. */

const NAME = "online-guard zoom";
const MOST = 40;
let seen = { zoom: 1, from: 0 };
try { seen = { ...seen, ...JSON.parse(sessionStorage.getItem(NAME)) }; } catch { /* begins anew */ }

function whole(svg) {
  svg.dataset.whole ??= svg.getAttribute("viewBox");
  return svg.dataset.whole.split(/[\s,]+/).map(Number);
}

/** Shows the chosen part of every timeline on the page. */
export function apply() {
  seen.zoom = Math.min(MOST, Math.max(1, seen.zoom));
  seen.from = Math.min(1 - 1 / seen.zoom, Math.max(0, seen.from));
  sessionStorage.setItem(NAME, JSON.stringify(seen));
  for (const svg of document.querySelectorAll("[data-figure] svg[viewBox]")) {
    const [x, y, width, height] = whole(svg);
    svg.setAttribute("viewBox", `${x + seen.from * width} ${y} ${width / seen.zoom} ${height}`);
    svg.setAttribute("preserveAspectRatio", seen.zoom === 1 ? "xMidYMid meet" : "none");
    svg.style.aspectRatio = `${width} / ${height}`;
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
  apply();
}
