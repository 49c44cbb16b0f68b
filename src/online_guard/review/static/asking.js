/** Forms and buttons that ask the service for something, and pages that follow work until it is done. */
import { call, half } from "./service.js";

const EVERY_MS = 1000;

function asked(text) { const [method, ...path] = text.split(" "); return { method, path: path.join(" ") }; }

/** Sends what `data-ask` says; goes to `data-then` with the answer's `data-named`, or shows this page again. */
async function ask(element, body) {
  if (element.dataset.sure && !confirm(element.dataset.sure)) return;
  const error = element.querySelector('[data-slot="error"]') ?? document.querySelector('[data-slot="error"]');
  const buttons = element.matches("button") ? [element] : [...element.querySelectorAll("button")];
  const { method, path } = asked(element.dataset.ask);
  if (error) error.textContent = "";
  buttons.forEach((one) => { one.disabled = true; });
  try {
    const told = await call(method, path, body);
    if (element.dataset.then) location.assign(element.dataset.then + encodeURIComponent(told[element.dataset.named]));
    else location.reload();
  } catch (refused) {
    if (error) error.textContent = half(refused.message);
    buttons.forEach((one) => { one.disabled = false; });
  }
}

/** Asks how far some work is, and shows the page again when it is in another state. */
async function follow(element) {
  const { path } = asked(element.dataset.follow);
  try {
    const told = await call("GET", path);
    if (told.state !== element.dataset.state) { location.reload(); return; }
    const bar = element.querySelector("progress");
    if (bar && told.classes) { bar.max = told.classes; bar.value = told.judged; }
    const text = element.querySelector('[data-slot="judged"]');
    if (text) text.textContent = `${told.judged} / ${told.classes ?? "–"}`;
  } catch { /* asked again */ }
  setTimeout(() => follow(element), EVERY_MS);
}

document.addEventListener("submit", (event) => {
  if (!event.target.dataset.ask) return;
  event.preventDefault();
  ask(event.target, Object.fromEntries(new FormData(event.target)));
});
document.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-ask]");
  if (button) ask(button);
});
document.querySelectorAll("[data-follow]").forEach(follow);
