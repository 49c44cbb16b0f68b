"""The tables of a judgement as columns: what a re-validation writes as Parquet, and what is compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import pyarrow as pa

SCHEMAS: dict[str, pa.Schema] = {
    "findings": pa.schema(
        {
            "rule": pa.string(),
            "subject": pa.string(),
            "subject_id": pa.string(),
            "effect": pa.string(),
            "start_ms": pa.int64(),
            "end_ms": pa.int64(),
            "evidence": pa.string(),
        }
    ),
    "sessions": pa.schema(
        {"session_id": pa.string(), "verdict": pa.string(), "playing_ms": pa.int64(), "watched_s": pa.float64()}
    ),
    "ledger": pa.schema(
        {
            "enrolment_id": pa.string(),
            "lesson_no": pa.int32(),
            "hours": pa.float64(),
            "credited_s": pa.float64(),
            "coverage": pa.float64(),
            "refused_by": pa.list_(pa.string()),
        }
    ),
    "eligibility": pa.schema(
        {
            "class_id": pa.string(),
            "window": pa.string(),
            "enrolment_id": pa.string(),
            "eligible": pa.bool_(),
            "failed": pa.list_(pa.string()),
            "unconfirmed": pa.list_(pa.string()),
            "evidence": pa.string(),
        }
    ),
}
"""Columns of each table of a judgement, by the name of its field; evidence is JSON text there."""


def in_columns(rows: Sequence[Mapping[str, Any]], schema: pa.Schema) -> pa.RecordBatch:
    """Return rows, as `as_row` of the records gives them, in columns."""
    columns = [
        [msgspec.json.encode(row[name]).decode() if name == "evidence" else row[name] for row in rows]
        for name in schema.names
    ]
    arrays = [pa.array(column, field.type) for column, field in zip(columns, schema, strict=True)]
    return pa.record_batch(arrays, schema=schema)
