/** Calls of this service, with what proves that one of its own pages makes them. */

export class Refused extends Error {
  constructor(status, problem) {
    super(problem.detail ?? String(status));
    this.status = status;
    this.problem = problem;
  }
}

/** Returns the answer as JSON. Throws `Refused` with the problem, or TypeError where nobody answers. */
export async function call(method, path, body, more = {}) {
  const headers = { Accept: "application/json", "Online-Guard-CSRF": document.body.dataset.csrf };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const answer = await fetch(path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body), ...more });
  const told = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Refused(answer.status, told);
  return told;
}

/** Returns a text of the page's language. */
export function word(name) {
  const terms = [...document.querySelectorAll("#words dt")];
  return terms.find((term) => term.textContent === name)?.nextElementSibling.textContent ?? name;
}

/** Returns this language's half of a text that says it twice, `中文 / English`. */
export function half(text) {
  const chinese = document.body.dataset.language.startsWith("zh");
  const sentences = (text ?? "").split(" / ");
  if (sentences.length < 2) return text ?? "";
  const cut = (part) => { const at = part.search(/[\u3400-\u9fff]/); return at < 0 ? part.length : at; };
  const said = chinese ? [sentences[0]] : [];
  for (const part of sentences.slice(1)) said.push(chinese ? part.slice(cut(part)) : part.slice(0, cut(part)));
  return said.map((one) => one.trim()).filter(Boolean).join(" ");
}

/** Returns an element made of one of the page's templates, its slots filled with text. */
export function made(template, texts) {
  const element = document.getElementById(template).content.firstElementChild.cloneNode(true);
  for (const [name, text] of Object.entries(texts)) element.querySelector(`[data-slot="${name}"]`).textContent = text;
  return element;
}

/** Says something for a few seconds. */
export function tell(text) {
  const toast = made("told", { what: text });
  document.getElementById("outbox").append(toast);
  setTimeout(() => toast.remove(), 4000);
}
