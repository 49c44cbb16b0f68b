/** A case: which finding is selected, what is decided of it, and the way to the next case without leaving the page. */
import * as figure from "./figure.js";
import * as outbox from "./outbox.js";
import { prove } from "./log_proof.js";
import { call, half, tell, word } from "./service.js";

const shown = () => document.querySelector(".case");
const findings = () => [...document.querySelectorAll("[data-finding]:is(article)")];
const selected = () => document.querySelector("article[aria-current]");
const panel = () => document.querySelector("[data-decide]");
const address = (id) => { const query = shown()?.dataset.query ?? location.search.slice(1); return `/console/cases/${id}${query ? `?${query}` : ""}`; };
const open = (each) => "mine" in each.dataset && !outbox.waiting().has(each.dataset.finding);
let fetched = null;

export function select(article, focus = true) {
  findings().forEach((each) => each.removeAttribute("aria-current"));
  if (!article) return;
  article.setAttribute("aria-current", "true");
  const name = document.querySelector('[data-slot="selected"]');
  if (name) name.textContent = article.dataset.rule;
  document.querySelectorAll(".verbs button").forEach((button) => { button.disabled = shown() !== null && !open(article); });
  cancel();
  figure.show(article.dataset.finding, focus);
  if (!focus) return;
  article.focus({ preventScroll: true });
  article.scrollIntoView({ block: "nearest" });
}

export function step(by) {
  const all = findings();
  select(all[Math.min(all.length - 1, Math.max(0, all.indexOf(selected()) + by))]);
}

export function cancel() {
  panel()?.querySelectorAll("[data-reasons]").forEach((each) => { each.hidden = true; });
  panel()?.querySelectorAll(".verbs button").forEach((button) => button.setAttribute("aria-pressed", "false"));
}

/** Asks for the reason of a kind of decision. */
export function ask(kind) {
  if (!panel() || panel().querySelector(`.verbs .${kind}`).disabled) return;
  cancel();
  panel().querySelector(`[data-reasons="${kind}"]`).hidden = false;
  panel().querySelector(`.verbs .${kind}`).setAttribute("aria-pressed", "true");
}

const asked = () => panel()?.querySelector("[data-reasons]:not([hidden])");

export function reason(number) { asked()?.querySelectorAll("[data-reason]")[number - 1]?.click(); }

export function note() { asked()?.querySelector("textarea").focus(); }

/** Keeps the decision in the outbox and goes on to what is left in the case. */
export function decide(button) {
  const written = asked().querySelector("textarea");
  const reasonKept = button.dataset.reason + (written.value.trim() ? ` — ${written.value.trim()}` : "");
  const together = panel().dataset.decide === "together";
  const meant = together ? [...document.querySelectorAll("input[data-finding]:checked")] : [selected()].filter(open);
  if (!meant.length) return;
  const { kind } = button.dataset;
  const decisions = meant.map((one) => ({
    finding_id: one.dataset.finding, decision: kind, reason: reasonKept, seen: one.dataset.seen ?? shown().dataset.seen,
  }));
  const many = together ? `${meant.length} ${word("findings")}` : selected().dataset.rule;
  const cases = together ? meant.map((one) => one.dataset.case) : [shown().dataset.case];
  outbox.put({ decisions, cases, what: `${many}: ${word(kind)} · ${half(button.dataset.reason)}`, label: word(kind), address: location.pathname + location.search });
  written.value = "";
  cancel();
  if (together) { meant.forEach((one) => { one.checked = false; one.closest("tr").remove(); }); return; }
  select(findings().find(open) ?? selected());
}

/** Marks the findings whose decision waits to be sent. */
export function mark() {
  const waiting = outbox.waiting();
  for (const each of findings()) {
    const slot = each.querySelector('[data-slot="pending"]');
    if (!slot) continue;
    const one = waiting.get(each.dataset.finding);
    slot.hidden = !one;
    slot.textContent = one ? `→ ${one.label}` : "";
  }
}

async function page(url) {
  const answer = await fetch(url, { headers: { Accept: "text/html" } });
  if (!answer.ok || answer.redirected) { location.assign(url); return null; }
  return new DOMParser().parseFromString(await answer.text(), "text/html");
}

/** Which cases are sought: what the filters say, but for those that were seen since nothing was left. */
function sought(take) {
  const query = new URLSearchParams(shown()?.dataset.query ?? location.search);
  const body = { take, but: [...new Set(seen())].slice(-400), state: query.getAll("state").filter(Boolean) };
  for (const name of ["platform_id", "class_id", "rule", "verdict", "subject"]) if (query.get(name)) body[name] = query.get(name);
  return call("POST", "/v1/cases/next", body);
}

const SEEN = "online-guard seen";
const decidedHere = () => [...outbox.waiting().values()].flatMap((one) => one.cases ?? []);

function seen() {
  const here = shown() ? [shown().dataset.case] : [];
  try { return [...(JSON.parse(sessionStorage.getItem(SEEN)) ?? []), ...decidedHere(), ...here]; } catch { return here; }
}

/** Fetches the case that would be next, with its pictures, so that it is there when it is asked for. */
async function prefetch() {
  fetched = null;
  if (!document.querySelector('.case [data-act="next"]')) return;
  try {
    const { case: following } = await sought(false);
    if (following) fetched = { id: following.case_id, page: page(address(following.case_id)).catch(() => null) };
  } catch { /* the next case is then fetched when it is asked for */ }
}

/** Shows a case in place of this one; the page stays, with its outbox and its zoom. */
async function show(id, push = true) {
  const early = fetched?.id === id ? await fetched.page : null;
  const found = early ?? (await page(address(id)));
  if (!found) return;
  if (push) history.pushState({}, "", address(id));
  document.title = found.title;
  document.getElementById("main").replaceChildren(...found.getElementById("main").childNodes);
  begin();
  scrollTo(0, 0);
}

/** Takes the next case and shows it; after the last one it begins again with those that were left undecided. */
export async function next() {
  sessionStorage.setItem(SEEN, JSON.stringify(seen().slice(-400)));
  try {
    let { case: taken } = await sought(true);
    if (!taken) {
      sessionStorage.removeItem(SEEN);
      ({ case: taken } = await sought(true));
    }
    if (taken) await show(taken.case_id);
    else tell(word("none"));
  } catch (error) { tell(half(error.message) || word("offline")); }
}

export async function take() {
  const button = document.querySelector('[data-act="take"]');
  if (!button) return;
  const id = shown().dataset.case;
  try {
    await call(button.dataset.taken === "yes" ? "DELETE" : "PUT", `/v1/cases/${id}/assignment`);
  } catch (error) { tell(half(error.message)); }
  await show(id, false);
}

export async function whatIf(article) {
  const slot = article?.querySelector('[data-slot="what-if"]');
  if (!slot || slot.childElementCount) return slot?.replaceChildren();
  slot.textContent = word("checking");
  const found = await page(`/console/findings/${encodeURIComponent(article.dataset.finding)}/what-if`);
  if (found) slot.replaceChildren(...found.body.childNodes);
}

export function details(article) {
  const own = article?.querySelector("[data-details]");
  if (own) own.open = !own.open;
}

export const proveLog = () => prove(document.querySelector("[data-log]"));

/** Goes back to where a decision was made that was taken back. */
export function undone(one) {
  if (!one) return;
  mark();
  const article = document.getElementById(one.decisions[0].finding_id);
  if (article) select(article);
  else if (one.address !== location.pathname + location.search) location.assign(one.address);
}

/** What was decided has changed the case: it is shown as it is now, unless something is being written in it. */
async function decided(event) {
  const here = shown();
  if (!here || !event.detail.some((one) => one.decided.case.case_id === here.dataset.case)) return;
  const busy = asked() || [...outbox.waiting().values()].some((one) => one.decisions.some((each) => document.getElementById(each.finding_id)));
  const version = event.detail.at(-1).decided.case.version;
  if (busy) { here.dataset.seen = version; return; }
  const kept = selected()?.id;
  const found = await page(location.pathname + location.search);
  if (!found || shown() !== here) return;
  document.getElementById("main").replaceChildren(...found.getElementById("main").childNodes);
  begin();
  if (kept) select(document.getElementById(kept));
}

function begin() {
  figure.apply();
  mark();
  select(document.getElementById(decodeURIComponent(location.hash.slice(1))) ?? findings().find(open) ?? findings()[0], false);
  prefetch();
}

export function start() {
  document.addEventListener("outbox", mark);
  document.addEventListener("decided", decided);
  document.addEventListener("undone", (event) => undone(event.detail));
  addEventListener("popstate", () => location.reload());
  document.addEventListener("click", (event) => {
    const mark = event.target.closest?.("[data-figure] [data-finding]");
    if (mark) select(document.getElementById(mark.dataset.finding));
  });
  document.addEventListener("focusin", (event) => {
    const article = event.target.closest?.("article[data-finding]");
    if (article && article !== selected()) select(article, false);
  });
  begin();
}
