"""Cursors of pages: the place of the last row, which whoever pages gives back as it came."""

from __future__ import annotations

import base64
import json
from typing import TypeVar

import msgspec

from online_guard.errors import ErrorKind, GuardError

Place = TypeVar("Place")


def cursor_of(place: tuple[object, ...]) -> str:
    """Return a place as text."""
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode()


def place_of(cursor: str, decoder: msgspec.json.Decoder[Place], field: str) -> Place:
    """Return the place that a cursor names.

    Args:
        cursor: As it came.
        decoder: Of the place's types and bounds.
        field: Of the answer before, in which the cursor was told.

    Raises:
        GuardError: It isn't one of ours.
    """
    try:
        return decoder.decode(base64.urlsafe_b64decode(cursor.encode()))
    except (ValueError, msgspec.DecodeError) as error:
        raise GuardError(
            ErrorKind.INVALID,
            "cursor.invalid",
            "不是本服务给出的游标 / not a cursor of this service",
            where="?cursor",
            remedy=f"请用上一页答复中的 {field} / use `{field}` of the page before.",
        ) from error
