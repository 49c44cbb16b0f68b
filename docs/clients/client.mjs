// Reference client: node client.mjs METHOD URL [FILE]; needs Node 18 and nothing else.
import { createHash, createHmac, randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";

const [method, url, file] = process.argv.slice(2);
const { ONLINE_GUARD_KEY_ID: key, ONLINE_GUARD_SECRET: secret } = process.env;
const body = file ? readFileSync(file) : Buffer.alloc(0);
const target = new URL(url);
const digest = `sha-256=:${createHash("sha256").update(body).digest("base64")}:`;
const covered = '("@method" "@authority" "@path" "@query" "content-digest")';
const created = Math.floor(Date.now() / 1000), nonce = randomBytes(16).toString("hex");
const inputs = `${covered};created=${created};nonce="${nonce}";keyid="${key}"`;
const base = [`"@method": ${method}`, `"@authority": ${target.host}`, `"@path": ${target.pathname}`,
  `"@query": ?${target.search.slice(1)}`, `"content-digest": ${digest}`, `"@signature-params": ${inputs}`].join("\n");
const signature = createHmac("sha256", secret).update(base).digest("base64");
const headers = { "Content-Type": "application/json", "Content-Digest": digest,
  "Signature-Input": `sig=${inputs}`, Signature: `sig=:${signature}:` };
const answer = await fetch(target, { method, headers, body: body.length ? body : undefined });
console.log(await answer.text());
process.exitCode = answer.ok ? 0 : 1;
