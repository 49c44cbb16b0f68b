"""Keeps a file of a window's candidates up to date: python candidates.py SERVICE WINDOW FILE; signs by client.py."""
import json, pathlib, subprocess, sys, urllib.parse

service, window, file = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3])
client = str(pathlib.Path(__file__).with_name("client.py"))
known = json.loads(file.read_text("utf-8")) if file.exists() else {"updated_ms": -1, "candidates": {}}
query = {"updated_since": known["updated_ms"] + 1, "limit": 500}  # times only grow: nothing comes behind what was read
while True:
    url = f"{service}/v1/assessments/{window}/candidates?{urllib.parse.urlencode(query)}"
    page = json.loads(subprocess.run([sys.executable, client, "GET", url], check=True, stdout=subprocess.PIPE).stdout)
    for row in page["rows"]:
        known["candidates"][row["enrolment_id"]] = row
        known["updated_ms"] = row["updated_ms"]
    if page["next_cursor"] is None:
        break
    query["cursor"] = page["next_cursor"]
fresh = file.with_suffix(".new")
fresh.write_text(json.dumps(known, ensure_ascii=False), "utf-8")
fresh.replace(file)
print(sum(row["admitted"] for row in known["candidates"].values()), "/", len(known["candidates"]))
