"""Verifies evidence that online-guard exported, with nothing but the log's public key: no service, no database.

    python verify_evidence.py EVIDENCE --key KEY [--known-head HEAD.json]... [--entries ENTRIES.ndjson]

只凭日志公钥验证导出的证据文件。KEY: base64, hexadecimal, or a file with what `GET /v1/log/key` answers.
A known head is what `GET /v1/log/head` answered earlier: with it, a roll-back or a split view shows. ENTRIES are all
leaves of the log, one a line (from the pages of `GET /v1/log/entries`): with them it shows if an entry was kept back.
Exit status: 0 all holds, 1 something doesn't, 2 bad use. Needs Python 3.11 and the package `cryptography`.
"""

import argparse
import hashlib
import hmac
import json
import struct
import sys
from base64 import b64decode
from collections import defaultdict
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

TYPES = ("play", "pause", "seek", "rate", "heartbeat", "ended", "hidden", "visible", "blur", "focus", "popup_shown",
         "popup_answered", "popup_expired", "player_opened", "player_closed")  # fmt: skip
COLUMNS = (("at_ms", "q"), ("received_ms", "q"), ("position_s", "d"), ("from_s", "d"), ("seq", "i"), ("player", "i"),
           ("popup", "i"), ("rate", "f"), ("type", "b"), ("playing", "?"))  # fmt: skip
FACTS = ("platform_id", "session_id", "enrolment_id", "lesson_no", "opened_at_ms", "opened_received_ms", "device_id",
         "provenance")  # fmt: skip


def must(holds, message):
    """Say what doesn't hold."""
    if not holds:
        raise ValueError(message)


def sha256(*parts):
    """Return the hash of bytes."""
    return hashlib.sha256(b"".join(parts)).digest()


def unhex(text):
    """Return the bytes of lower-case hexadecimal."""
    must(bytes.fromhex(text).hex() == text, "not written as it should be")
    return bytes.fromhex(text)


def canonical(value):
    """Return JSON with sorted keys and no spaces."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"))


def root_of(leaves):
    """Return the root above leaf hashes (RFC 6962 section 2.1)."""
    if len(leaves) < 2:
        return leaves[0] if leaves else sha256()
    middle = 1 << (len(leaves) - 1).bit_length() - 1
    return sha256(b"\x01", root_of(leaves[:middle]), root_of(leaves[middle:]))


def climb(place, last, path, new, old=b""):
    """Return where a proof leads from a node of the new tree, and of the old (RFC 9162 sections 2.1.3.2, 2.1.4.2)."""
    for step in path:
        must(last, "proof too long")
        if place & 1 or place == last:
            new, old = sha256(b"\x01", step, new), sha256(b"\x01", step, old)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            new = sha256(b"\x01", new, step)
        place, last = place >> 1, last >> 1
    must(last == 0, "proof too short")
    return new, old


def check_consistency(first, first_root, size, root, path):
    """Check that the tree of an earlier head is the beginning of this one."""
    must(first <= size, "roll-back: the known head has more entries")
    if first in (0, size):
        return must(first_root == (root if first == size else sha256()), "split view: another root of the same size")
    steps = ([first_root] if first & (first - 1) == 0 else []) + path
    must(steps, "no consistency proof: split view, or a head that the export wasn't asked about")
    place, last = first - 1, size - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    found = climb(place, last, steps[1:], steps[0], steps[0])
    return must(found == (root, first_root), "split view or rewritten past: not consistent with the known head")


def read_head(head, key):
    """Return size and root of a head that the key signed."""
    key.verify(unhex(head["signature"]), b"online-guard log head 1\n" + head["body"].encode())
    return json.loads(head["body"])["size"], unhex(json.loads(head["body"])["root"])


def events_digest(session, events):
    """Return what the log says of events: the SHA-256 of their session's opening, names, and little-endian columns."""
    names = [[one for one in dict.fromkeys(event.get(key) for event in events) if one] for key in ("player", "popup")]
    columns = {name: [event.get(name, float("nan")) for event in events] for name, _ in COLUMNS}
    columns["player"] = [names[0].index(name) for name in columns["player"]]
    columns["popup"] = [names[1].index(event["popup"]) if "popup" in event else -1 for event in events]
    columns["type"] = [TYPES.index(name) for name in columns["type"]]
    packed = b"".join(struct.pack(f"<{len(events)}{sign}", *columns[name]) for name, sign in COLUMNS)
    told = canonical(names).encode()
    facts = canonical({name: session[name] for name in FACTS})
    chunk = sha256(struct.pack("<I", len(told)), told, packed)
    return sha256(f"online-guard events 1\n{facts}\n".encode(), chunk).hex()


def check_session(session, events, batches):
    """Check that each event of a session was logged, and each logged batch is there."""
    known = all(set(event) <= set(dict(COLUMNS)) and isinstance(event["playing"], bool) for event in events)
    must(set(session) == set(FACTS) and known, "fields that the log doesn't prove")
    for digest in [digest for batch in batches for digest in batch.get("aside", ())]:
        found = [event for event in events if events_digest(session, [event]) == digest]
        must(found, "an event that was logged is missing")
        events = [event for event in events if event is not found[0]]
    for batch in batches:
        if "seqs" in batch:
            runs = [run.partition("-") for run in batch["seqs"].split(",")]
            numbers = {n for first, _, last in runs for n in range(int(first), int(last or first) + 1)}
            own = sorted((event for event in events if event["seq"] in numbers), key=lambda event: event["seq"])
            events = [event for event in events if event["seq"] not in numbers]
            must(events_digest(session, own) == batch["sha256"], f"events aren't what was logged: seq {batch['seqs']}")
    must(not events, f"{len(events)} events aren't in the log")


def check_entry(line, size, root):
    """Return the leaf of an entry that is in the tree, and its payload."""
    leaf = json.loads(line["leaf"])
    must(set(leaf) == {"digest", "kind", "subject", "time_ms", "v"} and canonical(leaf) == line["leaf"], "bad leaf")
    must(0 <= line["leaf_index"] < size, "not in the tree")
    leaf_hash = sha256(b"\x00", line["leaf"].encode())
    found = climb(line["leaf_index"], size - 1, map(unhex, line["audit_path"]), leaf_hash)
    must(found[0] == root, "the audit path doesn't lead to the root")
    said = f"{line['subject']}\n{line['payload']}".encode()
    must(hmac.digest(unhex(line["salt"]), said, "sha256").hex() == leaf["digest"], "payload isn't the leaf's")
    return leaf, json.loads(line["payload"])


def verify(lines, key, known_heads=(), all_leaves=None):
    """Return the size of the log and how many entries of each kind hold."""
    first = json.loads(next(lines))
    must(first["format"] == "online-guard evidence 1", "not evidence of this format")
    size, root = read_head(first["head"], key)
    for known_size, known_root in (read_head(head, key) for head in known_heads):
        paths = [one["consistency_path"] for one in first["known"] if one["size"] == known_size] or [[]]
        check_consistency(known_size, known_root, size, root, [unhex(step) for step in paths[0]])
    sessions, batches, about, seen = {}, defaultdict(list), defaultdict(list), set()
    for line in map(json.loads, lines):
        if "session" in line:
            name = f"session/{line['session']['platform_id']}/{line['session']['session_id']}"
            must(name not in sessions, "a session twice")
            sessions[name] = line
            continue
        leaf, payload = check_entry(line, size, root)
        must(line["leaf_index"] not in seen, "an entry twice")
        seen.add(line["leaf_index"])
        about[leaf["kind"]].append(leaf["subject"])
        if leaf["kind"] == "events":
            batches[line["subject"]].append(payload)
    for name, line in sessions.items():
        check_session(line["session"], line["events"], batches.pop(name, []))
    must(not batches, "batches of a session that isn't there")
    if all_leaves is not None:
        must(root_of([sha256(b"\x00", leaf.encode()) for leaf in all_leaves]) == root, "the entries aren't the head's")
        named = set().union(*about.values())
        kept = [n for n, leaf in enumerate(all_leaves) if n not in seen and json.loads(leaf)["subject"] in named]
        must(not kept, f"entries about these subjects were kept back: {kept[:5]}")
    return size, {kind: len(of_kind) for kind, of_kind in sorted(about.items())}


def read_key(text):
    """Return a public key from a file or as it is."""
    text = json.loads(Path(text).read_text())["public_key"] if Path(text).is_file() else text
    return Ed25519PublicKey.from_public_bytes(bytes.fromhex(text) if len(text) == 64 else b64decode(text))


def main():
    """Verify a file, and say what came of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("evidence", type=Path)
    parser.add_argument("--key", required=True, type=read_key)
    parser.add_argument("--known-head", action="append", default=[], type=Path)
    parser.add_argument("--entries", type=Path)
    given = parser.parse_args()
    leaves = given.entries and [json.loads(line)["leaf"] for line in given.entries.read_text("utf-8").splitlines()]
    try:
        with given.evidence.open(encoding="utf-8") as lines:
            size, kinds = verify(lines, given.key, [json.loads(one.read_text()) for one in given.known_head], leaves)
    except (InvalidSignature, ValueError, LookupError, TypeError, AttributeError, StopIteration, struct.error) as error:
        print(f"不成立 / doesn't hold: {error!r}")
        return 1
    print(f"成立 / holds: {kinds}; 日志 log {size}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
