"""Bundles moved in time: every moment by so many ms, every civil date by so many days."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Any

from bundle_rows import Rows

DAY_MS = 86_400_000
DATE = re.compile(r"\d{4}-\d\d-\d\d")
EARLIEST_MS = 10**12
"""What is less is a length of time, not a moment."""


def moved(rows: Rows, ms: int, days: int) -> Rows:
    """Return the rows of a bundle, or of results, with moments `ms` and dates `days` later."""
    return {name: [_moved(row, ms, days) for row in table] for name, table in rows.items()}


def _moved(value: Any, ms: int, days: int) -> Any:
    if isinstance(value, dict):
        return {key: _moved(item, ms, days) for key, item in value.items()}
    if isinstance(value, list):
        return [_moved(item, ms, days) for item in value]
    if isinstance(value, str) and DATE.fullmatch(value):
        return (date.fromisoformat(value) + timedelta(days)).isoformat()
    return value + ms if isinstance(value, int) and value >= EARLIEST_MS else value
