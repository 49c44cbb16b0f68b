/** The queue: rows by keyboard, several cases together, views that are kept. */
import { call, half, tell } from "./service.js";

const rows = () => [...document.querySelectorAll("[data-row]")];
const row = () => document.querySelector('[data-row][aria-selected="true"]');

function select(one) {
  rows().forEach((each) => each.removeAttribute("aria-selected"));
  if (!one) return;
  one.setAttribute("aria-selected", "true");
  one.querySelector(".open").focus({ preventScroll: true });
  one.scrollIntoView({ block: "nearest" });
}

export function step(by) {
  const all = rows();
  const at = all.indexOf(row());
  select(all[at < 0 ? 0 : Math.min(all.length - 1, Math.max(0, at + by))]);
}

export function open() { const link = row()?.querySelector(".open"); link?.click(); return Boolean(link); }

export function toggle() { row()?.querySelector('input[name="case"]')?.click(); }

export function together() {
  const button = document.querySelector('[data-act="bulk"]');
  if (button && !button.disabled) button.click();
}

function count() {
  const button = document.querySelector('[data-act="bulk"]');
  if (button) button.disabled = !document.querySelector('input[name="case"]:checked');
}

async function keepView(form) {
  const name = form.elements.namedItem("name").value.trim();
  if (!name) return;
  try {
    await call("PUT", `/v1/views/${encodeURIComponent(name)}`, { query: form.dataset.query });
    location.reload();
  } catch (error) { tell(half(error.message)); }
}

export async function forgetView(button) {
  await call("DELETE", `/v1/views/${encodeURIComponent(button.dataset.name)}`);
  location.reload();
}

export function start() {
  document.addEventListener("change", (event) => {
    if (event.target.matches('[data-act="all"]')) {
      event.target.closest("table").querySelectorAll('tbody input[type="checkbox"]').forEach((box) => { box.checked = event.target.checked; });
    }
    if (event.target.matches('[data-form="filters"] select')) event.target.form.requestSubmit();
    count();
  });
  document.addEventListener("submit", (event) => {
    const { form } = event.target.dataset;
    if (form === "keep-view") { event.preventDefault(); keepView(event.target); }
    // an address without what isn't asked for can be read, kept and compared
    if (form === "filters") event.target.querySelectorAll("input, select").forEach((field) => { if (!field.value) field.disabled = true; });
  });
  count();
}
