/** Begins every page: what its buttons do, and the keys that stand for them. */
import * as kase from "./case.js";
import * as figure from "./figure.js";
import * as outbox from "./outbox.js";
import * as queue from "./queue.js";
import { proveHead } from "./log_proof.js";
import { call, half, tell } from "./service.js";

const SHORTCUTS = "online-guard shortcuts";
const article = (event) => event?.target.closest("article") ?? document.querySelector("article[aria-current]");

function theme() {
  const root = document.documentElement;
  const isDark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = isDark ? "light" : "dark";
  document.cookie = `online_guard_theme=${root.dataset.theme}; path=/; max-age=31536000; samesite=lax`;
}

async function signOut() {
  await outbox.flush(true);
  await call("POST", "/v1/logout");
  location.assign("/console/sign-in");
}

async function signIn(form) {
  const typed = Object.fromEntries(new FormData(form));
  const error = form.querySelector('[data-slot="error"]');
  error.textContent = "";
  try {
    await call("POST", "/v1/login", { ...typed, code: typed.code || null });
    location.assign(form.dataset.next);
  } catch (refused) { error.textContent = half(refused.message); }
}

async function replay(button) {
  button.disabled = true;
  try {
    await call("POST", `/v1/dead-letters/${button.dataset.letter}/replay`);
    location.reload();
  } catch (error) { button.disabled = false; tell(half(error.message)); }
}

function back() { location.assign(document.querySelector('[data-act="back"]')?.href ?? "/console/cases"); }

const acts = {
  theme, "sign-out": signOut, next: kase.next, take: kase.take, prove: kase.proveLog, cancel: kase.cancel,
  help: () => document.getElementById("help").showModal(),
  uphold: () => kase.ask("uphold"), dismiss: () => kase.ask("dismiss"),
  reason: (event) => kase.decide(event.target.closest("button")),
  "what-if": (event) => kase.whatIf(article(event)),
  "zoom-in": () => figure.zoom(1.6), "zoom-out": () => figure.zoom(1 / 1.6), "zoom-reset": figure.reset,
  "prove-head": (event) => proveHead(event.target.closest("[data-head]")), replay: (event) => replay(event.target.closest("button")),
  "forget-view": (event) => queue.forgetView(event.target),
};

const keys = {
  n: () => kase.step(1), p: () => kase.step(-1), u: () => kase.ask("uphold"), d: () => kase.ask("dismiss"), m: kase.note,
  z: () => kase.undone(outbox.undo()), w: () => kase.whatIf(article()), c: () => kase.details(article()), t: kase.take, q: back,
  j: () => queue.step(1), k: () => queue.step(-1), x: queue.toggle, b: queue.together, "?": () => document.getElementById("help")?.showModal(),
  "+": () => figure.zoom(1.6), "=": () => figure.zoom(1.6), "-": () => figure.zoom(1 / 1.6), 0: figure.reset,
  ArrowLeft: () => figure.pan(-0.2), ArrowRight: () => figure.pan(0.2), Escape: kase.cancel,
};

function typed(event) {
  const field = event.target.closest?.("input:not([type=checkbox]), textarea, select");
  if (field && event.key === "Escape") { field.blur(); return; }
  if (field || event.ctrlKey || event.metaKey || event.altKey || event.isComposing || document.querySelector("dialog[open]")) return;
  if (localStorage.getItem(SHORTCUTS) === "off" && event.key !== "Enter") return;
  if (event.key === "Enter") {
    // a button or link that has the focus does what it says; a finding or row is what `Enter` goes on from
    if (event.target.closest("button, a:not(.open), summary, input")) return;
    if (document.querySelector("[data-row]")) { if (event.target.closest(".open")) return; if (queue.open()) return; }
    if (document.querySelector('[data-act="next"]')) { event.preventDefault(); kase.next(); }
    return;
  }
  if (/^[1-9]$/.test(event.key)) { kase.reason(Number(event.key)); return; }
  if (event.key in keys) { event.preventDefault(); keys[event.key](); }
}

document.addEventListener("click", (event) => {
  const act = event.target.closest("[data-act]")?.dataset.act;
  if (act in acts) acts[act](event);
});
document.addEventListener("keydown", typed);
document.addEventListener("submit", (event) => {
  if (event.target.dataset.form === "sign-in") { event.preventDefault(); signIn(event.target); }
});
document.addEventListener("change", (event) => {
  if (event.target.matches('[data-act="shortcuts"]')) localStorage.setItem(SHORTCUTS, event.target.checked ? "on" : "off");
});
const go = document.querySelector("[data-go]");
if (go) location.replace(go.dataset.go);
const shortcuts = document.querySelector('[data-act="shortcuts"]');
if (shortcuts) shortcuts.checked = localStorage.getItem(SHORTCUTS) !== "off";
if (document.body.dataset.person) { outbox.start(); figure.start(); kase.start(); queue.start(); }
