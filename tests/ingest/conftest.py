"""A small good bundle as plain rows, and a folder that tests fill, open and look into."""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from online_guard.evidence import Events
from online_guard.ingest.bundle import Bundle, RefusedRow, open_bundle, read_block
from online_guard.ingest.bundle_writer import EVENT_SCHEMA
from online_guard.ingest.event_columns import join

START_MS = 1_625_101_200_000
Row = dict[str, Any]

GOOD: dict[str, list[Row]] = {
    "classes.json": [
        {
            "class_id": class_id,
            "platform_id": platform_id,
            "institution": "某职业培训学校",
            "applicant_kind": "enterprise",
            "applicant": "某企业",
            "occupation": "营销员",
            "mode": "online",
            "certificate_route": "skill_level",
            "starts_on": "2021-07-01",
            "ends_on": "2021-08-01",
            "required_online_hours": 20,
            "teachers": 1,
            "lessons": [
                {"lesson_no": 2, "title": "二", "kind": "general", "duration_s": 1200, "class_hours": 0.5},
                {"lesson_no": 1, "title": "一", "kind": "professional", "duration_s": 2400.0, "class_hours": 1},
            ],
        }
        for class_id, platform_id in (("C2", "Q"), ("C1", "P"))
    ],
    "enrolments.ndjson": [
        {"enrolment_id": "E2", "class_id": "C2", "learner_id": "L1", "face_checks": "declined"},
        {
            "enrolment_id": "E1",
            "class_id": "C1",
            "learner_id": "L1",
            "leave": [{"from_on": "2021-07-02", "to_on": "2021-07-02", "approved": True}],
        },
    ],
    "sessions.ndjson": [
        {
            "platform_id": platform_id,
            "session_id": session_id,
            "enrolment_id": enrolment_id,
            "lesson_no": 1,
            "opened_at_ms": START_MS,
            "opened_received_ms": START_MS + 200,
            "device_id": device_id,
        }
        for platform_id, session_id, enrolment_id, device_id in (
            ("Q", "S1", "E2", "D"),
            ("P", "S2", "E1", "D"),
            ("P", "S1", "E1", "D"),
        )
    ],
    "snapshots.ndjson": [
        {
            "platform_id": "P",
            "session_id": "S1",
            "snapshot_id": "n1",
            "at_ms": START_MS + 1000,
            "received_ms": START_MS + 1300,
            "asked": True,
            "good": True,
            "sha256": "ab" * 32,
            "phash": "ffffffffffffffff",
            "distance": 0.3,
        }
    ],
    "likenesses.ndjson": [
        {
            "platform_id": "P",
            "session_id": "S1",
            "snapshot_id": "n1",
            "other_kind": "reference",
            "other_id": "E9",
            "phash_distance": 3,
            "cosine": 0.9,
        }
    ],
    "liveness.ndjson": [
        {
            "platform_id": "P",
            "session_id": "S1",
            "check_id": "c1",
            "at_ms": START_MS + 500,
            "outcome": "inconclusive",
            "presented_attack": False,
        }
    ],
    "directives.ndjson": [
        {
            "platform_id": "P",
            "session_id": "S1",
            "directive_id": "u1",
            "kind": "popup",
            "issued_ms": START_MS,
            "due_playing_ms": 60_000,
        }
    ],
    "offline_hours.ndjson": [{"enrolment_id": "E1", "on": "2021-07-05", "class_hours": 4}],
    "assessments.ndjson": [{"learner_id": "L1", "class_id": "C0", "ended_on": "2021-01-01", "assessed_on": None}],
    "satisfaction.ndjson": [{"institution": "某职业培训学校", "surveyed_on": "2021-06-01", "score": 0.9}],
    "applications.ndjson": [
        {"class_id": "C1", "window": "2021-08", "applied_on": "2021-08-10", "assessment_on": "2021-08-20"}
    ],
    "decisions.ndjson": [
        {
            "rule": "OG101",
            "subject": "session",
            "subject_id": "P/S1",
            "decision": "dismiss",
            "reason": "",
            "decided_ms": START_MS,
            "reviewer": "甲",
        }
    ],
    "events.ndjson": [
        {
            "platform_id": "P",
            "session_id": "S1",
            "seq": seq,
            "type": kind,
            "at_ms": START_MS + 1000 * seq,
            "received_ms": START_MS + 1000 * seq + 300,
            "position_s": float(seq),
            "playing": True,
            "rate": 1.1,
            "player": "p1",
        }
        for seq, kind in enumerate(["play", "heartbeat", "pause"])
    ],
}


class Folder:
    """A bundle folder under test, as rows to change and write."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.tables = copy.deepcopy(GOOD)

    def put(self, file: str, text: bytes) -> None:
        """Write raw bytes in place of a table."""
        self.tables.pop(file, None)
        (self.path / file).write_bytes(text)

    def parquet(self, rows: Iterable[Row], schema: pa.Schema = EVENT_SCHEMA, group: int = 1_000_000) -> None:
        """Write events as Parquet in the order given."""
        self.tables.pop("events.ndjson", None)
        table = pa.table(
            {field.name: pa.array([row.get(field.name) for row in rows]).cast(field.type) for field in schema},
            schema=pa.schema([field.with_nullable(True) for field in schema]),
        )
        pq.write_table(table, self.path / "events.parquet", row_group_size=group)

    def open(self) -> Bundle:
        """Write the tables and open the folder."""
        for file, rows in self.tables.items():
            text = json.dumps(rows) if file.endswith(".json") else "".join(json.dumps(row) + "\n" for row in rows)
            (self.path / file).write_text(text, "utf-8")
        return open_bundle(self.path)

    def refused(self, target_rows: int = 1_000_000) -> list[RefusedRow]:
        """Return every refused row, those of events included."""
        bundle = self.open()
        blocks = [read_block(block, bundle.index) for block in bundle.blocks(target_rows)]
        return bundle.refused + [row for block in blocks for row in block.refused]

    def events(self, target_rows: int = 1_000_000) -> Events:
        """Return the events of all blocks, one after the other."""
        bundle = self.open()
        return join([read_block(block, bundle.index).events for block in bundle.blocks(target_rows)])


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """Return the folder of a good bundle."""
    return Folder(tmp_path)


@pytest.fixture(scope="session")
def new_folder(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Folder]:
    """Return a function that gives a good bundle in a new folder each time."""
    return lambda: Folder(tmp_path_factory.mktemp("bundle"))


@pytest.fixture(scope="session")
def same_table() -> Callable[[Any, Any], bool]:
    """Return a function that tells whether two tables of columns hold the same values and types."""

    def same(left: Any, right: Any) -> bool:
        return all(
            column.dtype == vars(right)[name].dtype
            and np.array_equal(column, vars(right)[name], equal_nan=column.dtype.kind == "f")
            for name, column in vars(left).items()
        )

    return same


@pytest.fixture(scope="session")
def conformance() -> Path:
    """Return the folder of published bundles with results, or skip."""
    root = Path(__file__).resolve().parents[2]
    folder = Path(os.environ.get("ONLINE_GUARD_SHARED", root.parent / "shared")) / "conformance"
    if not folder.is_dir():
        pytest.skip(f"no conformance bundles: {folder} does not exist (set ONLINE_GUARD_SHARED)")
    return folder
