/**
 * Decisions on their way: each can be undone for ten seconds and is sent then, or at once by `send` or by leaving the
 * page. The history on the server can't be edited, so what may still be undone hasn't got there.
 *
 * Nothing is lost: until the server has answered, a decision stands in the browser's storage, under its auditor's name.
 * A browser that crashed, or had no network or an ended login, sends it when that person opens a page again; sent twice,
 * it is the same decision. What the server refuses stays in sight until the auditor retries or drops it.
 */
import { call, half, made, Refused, tell, word } from "./service.js";

const UNDO_MS = 10_000;
const RETRY_MS = 5_000;
const NAME = `online-guard outbox ${document.body.dataset.person}`;
let sending = null;
const sleeping = new Map();

function read() {
  try { return JSON.parse(localStorage.getItem(NAME)) ?? []; } catch { return []; }
}

function write(waiting) {
  localStorage.setItem(NAME, JSON.stringify(waiting));
  show();
  document.dispatchEvent(new CustomEvent("outbox"));
}

/** Returns what waits, by finding: its kind. */
export const waiting = () => new Map(read().flatMap((one) => one.decisions.map((each) => [each.finding_id, one])));

/** Keeps a decision on findings of some cases: `what` says it in words, `address` is where it was made. */
export function put({ decisions, cases, what, address, label }) {
  const own = { id: crypto.randomUUID(), decisions, cases, what, address, label, due: Date.now() + UNDO_MS };
  write([...read(), own]);
  sleep(own);
}

function sleep(one) {
  clearTimeout(sleeping.get(one.id));
  sleeping.set(one.id, setTimeout(() => flush(false), Math.max(0, one.due - Date.now()) + 20));
}

/** Takes the newest decision back that can still be undone; returns it, or nothing. */
export function undo(id) {
  const all = read();
  const one = all.findLast((each) => !each.problem && !each.sent && (id === undefined || each.id === id));
  if (!one) return undefined;
  write(all.filter((each) => each.id !== one.id));
  tell(word("undone"));
  return one;
}

/** Sends what is due, or everything; resolves when nothing is under way. */
export async function flush(everything) {
  while (sending) await sending;
  const now = Date.now();
  const all = read();
  const ready = all.filter((one) => !one.problem && (everything || one.due <= now));
  if (!ready.length) return;
  write(all.map((one) => (ready.some((each) => each.id === one.id) ? { ...one, sent: true } : one)));
  sending = send(ready);
  try { await sending; } finally { sending = null; }
}

async function send(ready) {
  const decisions = ready.flatMap((one) => one.decisions);
  try {
    for (let first = 0; first < decisions.length; first += 200) {
      const { results } = await call("POST", "/v1/decisions", { decisions: decisions.slice(first, first + 200) });
      keep(ready, results);
    }
  } catch (error) {
    const ended = error instanceof Refused && error.status < 500 && error.status !== 401 && error.status !== 429;
    const all = read().map((one) => {
      if (!ready.some((each) => each.id === one.id)) return one;
      return ended ? { ...one, sent: false, problem: error.message } : { ...one, sent: false, due: Date.now() + RETRY_MS };
    });
    write(all);
    all.filter((one) => !one.problem).forEach(sleep);
    if (!ended) tell(word("offline"));
  }
}

/** What this auditor's own decision added to a case doesn't outdate the others that they made upon the same sight. */
function seenSince(one, became) {
  return { ...one, decisions: one.decisions.map((each) => ({ ...each, seen: became.get(each.seen) ?? each.seen })) };
}

/** Forgets what was decided, and keeps what was refused with the reason. */
function keep(ready, results) {
  const answered = new Map(results.map((one) => [one.finding_id, one]));
  const became = new Map();
  for (const each of ready.flatMap((one) => one.decisions)) {
    const decided = answered.get(each.finding_id)?.decided;
    if (decided) became.set(each.seen, decided.case.version);
  }
  const left = [];
  for (const one of read().map((each) => seenSince(each, became))) {
    if (!ready.some((each) => each.id === one.id)) { left.push(one); continue; }
    const rest = one.decisions.filter((each) => !answered.get(each.finding_id)?.decided);
    const problem = rest.map((each) => answered.get(each.finding_id)?.problem?.detail).find(Boolean);
    if (rest.length) left.push({ ...one, decisions: rest, problem, sent: false });
  }
  const decided = results.filter((one) => one.decided);
  write(left);
  if (decided.length) document.dispatchEvent(new CustomEvent("decided", { detail: decided }));
}

/** Leaving the page sends everything; whether that arrived shows when a page is opened again. */
function leave() {
  const ready = read().filter((one) => !one.problem && !one.sent);
  if (!ready.length) return;
  const decisions = ready.flatMap((one) => one.decisions).slice(0, 200);
  call("POST", "/v1/decisions", { decisions }, { keepalive: true }).then(({ results }) => keep(ready, results), () => {});
}

function show() {
  const box = document.getElementById("outbox");
  box.querySelectorAll("[data-id]").forEach((toast) => toast.remove());
  for (const one of read()) {
    if (one.sent) continue;
    const toast = made(one.problem ? "refused" : "pending", { what: one.what });
    toast.dataset.id = one.id;
    if (one.problem) {
      toast.querySelector('[data-slot="why"]').textContent = half(one.problem);
      toast.querySelector('[data-slot="link"]').href = one.address;
    }
    box.append(toast);
  }
  count();
}

function count() {
  for (const one of read()) {
    const left = document.querySelector(`[data-id="${one.id}"] [data-slot="left"]`);
    if (left) left.textContent = `${Math.max(0, Math.ceil((one.due - Date.now()) / 1000))} s`;
  }
}

const acts = {
  undo: (id) => document.dispatchEvent(new CustomEvent("undone", { detail: undo(id) })),
  send: (id) => { write(read().map((one) => (one.id === id ? { ...one, due: 0 } : one))); flush(false); },
  retry: (id) => {
    const forget = (one) => ({ ...one, problem: undefined, due: 0, decisions: one.decisions.map((each) => ({ ...each, seen: null })) });
    write(read().map((one) => (one.id === id ? forget(one) : one)));
    flush(false);
  },
  drop: (id) => write(read().filter((one) => one.id !== id)),
};

export function start() {
  // what was under way when a page was left is sent again: the server knows a decision that comes twice
  write(read().map((one) => ({ ...one, sent: false })));
  read().filter((one) => !one.problem).forEach(sleep);
  setInterval(count, 250);
  addEventListener("pagehide", leave);
  document.getElementById("outbox").addEventListener("click", (event) => {
    const act = event.target.closest("[data-act]")?.dataset.act;
    if (act in acts) acts[act](event.target.closest("[data-id]").dataset.id);
  });
}
