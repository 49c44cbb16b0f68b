"""Reference client: python client.py METHOD URL [FILE]; needs Python 3.9 and nothing else."""
import base64, hashlib, hmac, os, secrets, sys, time, urllib.error, urllib.parse, urllib.request

method, url = sys.argv[1:3]
body = open(sys.argv[3], "rb").read() if len(sys.argv) > 3 else b""
target, key = urllib.parse.urlsplit(url), os.environ["ONLINE_GUARD_KEY_ID"]
digest = "sha-256=:" + base64.b64encode(hashlib.sha256(body).digest()).decode() + ":"
covered = '("@method" "@authority" "@path" "@query" "content-digest")'
inputs = f'{covered};created={int(time.time())};nonce="{secrets.token_hex(16)}";keyid="{key}"'
base = "\n".join([f'"@method": {method}', f'"@authority": {target.netloc.lower()}', f'"@path": {target.path or "/"}',
                  f'"@query": ?{target.query}', f'"content-digest": {digest}', f'"@signature-params": {inputs}'])
mac = hmac.new(os.environ["ONLINE_GUARD_SECRET"].encode(), base.encode(), hashlib.sha256).digest()
headers = {"Content-Type": "application/json", "Content-Digest": digest,
           "Signature-Input": f"sig={inputs}", "Signature": f"sig=:{base64.b64encode(mac).decode()}:"}
request = urllib.request.Request(url, body or None, headers, method=method)
try:
    print(urllib.request.urlopen(request).read().decode())
except urllib.error.HTTPError as refused:
    sys.exit(refused.read().decode())
