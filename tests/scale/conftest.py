"""A simulated class as a bundle of Parquet, judged once in threads; every test compares with that, byte by byte."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from bundle_rows import files_of

from online_guard.ingest.bundle_writer import EVENT_SCHEMA
from online_guard.policy import Policy
from online_guard.simulate.course import Plan, simulate, write_rows


@pytest.fixture(scope="session")
def ndjson_bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the bundle of honest learners and cheats, events as JSON lines."""
    folder = tmp_path_factory.mktemp("course") / "ndjson"
    ways = ("plain", "overlapping_sessions", "skip_ahead", "plain", "plain", "fast_forward", "plain", "plain", "plain")
    write_rows(simulate([Plan.of(way) for way in ways], 7), folder)
    return folder


@pytest.fixture(scope="session")
def bundle(ndjson_bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the same bundle with its events as Parquet, in order."""
    folder = tmp_path_factory.mktemp("course") / "parquet"
    folder.mkdir()
    for path in ndjson_bundle.iterdir():
        if path.name != "events.ndjson":
            (folder / path.name).write_bytes(path.read_bytes())
    rows = [json.loads(line) for line in (ndjson_bundle / "events.ndjson").read_text("utf-8").splitlines()]
    rows.sort(key=lambda row: (row["platform_id"], row["session_id"], row["seq"]))
    columns = {field.name: pa.array([row.get(field.name) for row in rows]).cast(field.type) for field in EVENT_SCHEMA}
    pq.write_table(pa.table(columns, schema=EVENT_SCHEMA), folder / "events.parquet", row_group_size=500)
    return folder


@pytest.fixture(scope="session")
def expected(bundle: Path, policy: Policy) -> dict[str, bytes]:
    """Return the files of an uninterrupted run in threads."""
    files = files_of(bundle, policy)
    assert files["findings.ndjson"]
    return files
