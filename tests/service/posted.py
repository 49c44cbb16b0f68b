"""Bodies of imports, and imports that are read at once."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from online_guard.batch import revalidate
from online_guard.policy import Policy
from online_guard.service.house import House, clock_ms
from online_guard.service.importing import import_work, imports
from online_guard.worker import work_once

NOON_MS = 1_623_124_800_000
"""2021-06-08 12:00 in Shanghai."""
Row = dict[str, Any]


def zipped(folder: Path, target: Path) -> Path:
    """Return a zip of the files in a folder."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, strict_timestamps=False) as archive:
        for path in sorted(folder.iterdir()):
            archive.write(path, path.name)
    return target


def post(house: House, platform_id: str, body: bytes, now_ms: int | None = None) -> Row:
    """Return an import that was received."""
    path = imports.new_file(house)
    path.write_bytes(body)
    sha256 = hashlib.sha256(body).hexdigest()
    return imports.receive(house, platform_id, path, sha256, clock_ms() if now_ms is None else now_ms)


def imported(house: House, platform_id: str, body: bytes, now_ms: int | None = None) -> Row:
    """Return what became of an import that was received and read; what follows from it waits."""
    import_id = post(house, platform_id, body, now_ms)["import_id"]
    import_work.import_once(house, import_id)
    return imports.told(house, import_id, platform_id)


def import_folder(house: House, platform_id: str, folder: Path, now_ms: int | None = None) -> Row:
    """Return what became of a bundle, judged."""
    body = zipped(folder, folder.parent / f"{folder.name}.zip").read_bytes()
    told = imported(house, platform_id, body, now_ms)
    verify(house)
    return told


def verify(house: House) -> None:
    """Do every waiting job."""
    while work_once(house):
        pass


def judged(folder: Path, policy: Policy) -> tuple[dict[str, list[Row]], int]:
    """Return what a batch finds in a bundle, by table, and how many rows it refuses."""
    result = revalidate(folder, policy, workers=1)
    tables = {
        "findings": result.judgement.findings,
        "session": result.judgement.sessions,
        "ledger": result.judgement.ledger,
        "eligibility": result.judgement.eligibility,
    }
    rows = {name: [json.loads(json.dumps(row.as_row())) for row in table] for name, table in tables.items()}
    return rows, len(result.refused)


def write_bundle_rows(folder: Path, tables: Mapping[str, list[Row]]) -> Path:
    """Write a bundle of plain rows, by name of the file without its ending."""
    folder.mkdir(parents=True)
    for name, rows in tables.items():
        if name == "classes":
            (folder / "classes.json").write_text(json.dumps(rows, ensure_ascii=False), "utf-8")
        else:
            lines = (json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
            (folder / f"{name}.ndjson").write_text("".join(lines), "utf-8")
    return folder


def a_bundle(
    session_id: str = "s", platform_id: str = "P", class_id: str = "C", events: int = 30
) -> dict[str, list[Row]]:
    """Return the rows of a bundle with one session of heartbeats."""
    training = {
        "class_id": class_id, "platform_id": platform_id, "institution": "某学校", "applicant_kind": "enterprise",
        "applicant": "某企业", "occupation": "电子商务师", "mode": "online", "certificate_route": "skill_level",
        "starts_on": "2021-06-01", "ends_on": "2021-07-20", "required_online_hours": 1, "teachers": 1,
        "lessons": [
            {"lesson_no": 1, "title": "一", "kind": "professional", "duration_s": 2400.0, "class_hours": 1.0},
            {"lesson_no": 2, "title": "二", "kind": "professional", "duration_s": 2400.0, "class_hours": 1.0},
        ],
    }  # fmt: skip
    session = {
        "platform_id": platform_id, "session_id": session_id, "enrolment_id": f"{class_id}-E", "lesson_no": 1,
        "opened_at_ms": NOON_MS, "opened_received_ms": NOON_MS, "device_id": "pc",
    }  # fmt: skip
    return {
        "classes": [training],
        "enrolments": [{"enrolment_id": f"{class_id}-E", "class_id": class_id, "learner_id": "L"}],
        "sessions": [session],
        "events": [an_event(seq, session_id, platform_id) for seq in range(events)],
    }


def an_event(seq: int, session_id: str = "s", platform_id: str = "P", **changes: Any) -> Row:
    """Return a heartbeat, one each 10 s."""
    return {
        "platform_id": platform_id, "session_id": session_id, "seq": seq, "type": "play" if seq == 0 else "heartbeat",
        "at_ms": NOON_MS + 10_000 * seq, "received_ms": NOON_MS + 10_000 * seq + 50, "position_s": 10.0 * seq,
        "playing": True, "rate": 1.0, "player": "tab",
    } | changes  # fmt: skip
