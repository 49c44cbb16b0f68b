/**
 * Verifies the evidence log in the browser: the head's Ed25519 signature, each entry's place in the tree (RFC 9162
 * section 2.1.3.2), and that its content is what the leaf digests. Nothing of the answer is taken on trust but the key.
 */
import { call, word } from "./service.js";

const text = new TextEncoder();
const unhex = (hex) => Uint8Array.from(hex.match(/../g) ?? [], (pair) => parseInt(pair, 16));
const hex = (bytes) => [...bytes].map((one) => one.toString(16).padStart(2, "0")).join("");
const unbase64 = (code) => Uint8Array.from(atob(code), (one) => one.charCodeAt(0));
const joined = (...parts) => Uint8Array.from(parts.flatMap((part) => [...part]));
const sha256 = async (...parts) => new Uint8Array(await crypto.subtle.digest("SHA-256", joined(...parts)));

async function isSigned(head, key) {
  const own = await crypto.subtle.importKey("raw", unbase64(key.public_key), "Ed25519", false, ["verify"]);
  const signed = joined(text.encode("online-guard log head 1\n"), text.encode(head.body));
  return crypto.subtle.verify("Ed25519", own, unhex(head.signature), signed);
}

/** Returns the root that an audit path leads to from a leaf. */
export async function rootOf(leaf, index, size, path) {
  let place = index;
  let last = size - 1;
  let node = await sha256([0], text.encode(leaf));
  for (const step of path.map(unhex)) {
    if (last === 0) return null;
    if (place & 1 || place === last) {
      node = await sha256([1], step, node);
      while (!(place & 1) && place) { place >>= 1; last >>= 1; }
    } else {
      node = await sha256([1], node, step);
    }
    place >>= 1;
    last >>= 1;
  }
  return last === 0 ? hex(node) : null;
}

async function isDigested(entry) {
  const key = await crypto.subtle.importKey("raw", unhex(entry.salt), { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  const digest = await crypto.subtle.sign("HMAC", key, text.encode(`${entry.subject}\n${entry.payload}`));
  return hex(new Uint8Array(digest)) === JSON.parse(entry.leaf).digest;
}

/** Returns whether the tree of `first` leaves is the beginning of that of `size` (RFC 9162 section 2.1.4.2). */
export async function isConsistent(first, firstRoot, size, root, path) {
  if (first === 0) return true;
  if (first >= size) return first === size && firstRoot === root;
  const steps = [...(first & (first - 1) ? [] : [firstRoot]), ...path].map(unhex);
  if (!steps.length) return false;
  let [place, last] = [first - 1, size - 1];
  while (place & 1) { place >>= 1; last >>= 1; }
  let [old, grown] = [steps[0], steps[0]];
  for (const step of steps.slice(1)) {
    if (last === 0) return false;
    if (place & 1 || place === last) {
      [old, grown] = [await sha256([1], step, old), await sha256([1], step, grown)];
      while (!(place & 1) && place) { place >>= 1; last >>= 1; }
    } else {
      grown = await sha256([1], grown, step);
    }
    place >>= 1;
    last >>= 1;
  }
  return last === 0 && hex(old) === firstRoot && hex(grown) === root;
}

const LAST = "online-guard log head";

/** Checks the newest head's signature, and that it grew out of the last one that this browser has seen. */
export async function proveHead(section) {
  const [head, key] = await Promise.all([call("GET", "/v1/log/head"), call("GET", "/v1/log/key")]);
  const { root, size } = JSON.parse(head.body);
  const known = JSON.parse(localStorage.getItem(LAST) ?? "null");
  const list = document.createElement("ul");
  list.className = "proved";
  let all = said(list, await isSigned(head, key), `Ed25519 ${key.key_id} · ${size}`);
  if (known) {
    const grows = known.size > 0 && known.size < size;
    const path = grows ? (await call("GET", `/v1/log/proof?first=${known.size}&tree_size=${size}`)).consistency_path : [];
    const same = known.key === key.public_key;
    all = said(list, same && (await isConsistent(known.size, known.root, size, root, path)), `${known.size} → ${size}`) && all;
  }
  if (all) localStorage.setItem(LAST, JSON.stringify({ size, root, key: key.public_key }));
  const told = section.querySelector('[data-slot="proof"]');
  told.replaceChildren(list);
  told.dataset.holds = all;
}

function said(list, holds, what) {
  const item = document.createElement("li");
  item.className = holds ? "holds" : "broken";
  item.textContent = `${holds ? "✓" : "✗"} ${what}: ${word(holds ? "held" : "broken")}`;
  list.append(item);
  return holds;
}

/** Checks every entry about a case, and tells each in a list. */
export async function prove(section) {
  const told = section.querySelector('[data-slot="proof"]');
  told.textContent = word("checking");
  const { entries } = await call("GET", section.dataset.log);
  const [head, key] = await Promise.all([call("GET", "/v1/log/head"), call("GET", "/v1/log/key")]);
  const { root, size } = JSON.parse(head.body);
  const signed = await isSigned(head, key);
  const list = document.createElement("ul");
  list.className = "proved";
  let all = said(list, signed, `Ed25519 ${key.key_id} · ${size}`);
  for (const entry of entries) {
    const proof = await call("GET", `/v1/log/proof?entry_id=${entry.entry_id}&tree_size=${size}`);
    const found = await rootOf(entry.leaf, proof.leaf_index, size, proof.audit_path);
    const holds = proof.leaf === entry.leaf && found === root && (await isDigested(entry));
    all = said(list, holds, `${entry.kind} #${proof.leaf_index}`) && all;
  }
  told.replaceChildren(list);
  told.dataset.holds = all;
}
