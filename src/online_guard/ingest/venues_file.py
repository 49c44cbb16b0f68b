"""A file of venues, TOML or JSON, as the county's office writes it (docs/venues.toml explains each field)."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

from pydantic import ValidationError

from online_guard.assessment.venues import Venues
from online_guard.errors import ErrorKind, Fault, GuardError

REMEDY = "各字段见 docs/venues.toml / see there for each field."


def read_venues(path: Path) -> Venues:
    """Return what a file states.

    Raises:
        GuardError: It can't be read, or something in it is missing, unknown or impossible: each place is named.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
        stated = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
    except (OSError, ValueError) as error:
        raise GuardError(
            ErrorKind.MALFORMED,
            "venues.unreadable",
            f"无法读取考点文件 / the file of venues can't be read: {error}",
            where=str(path),
            remedy=REMEDY,
        ) from error
    try:
        return Venues.model_validate(stated)
    except ValidationError as error:
        faults = tuple(Fault("/" + "/".join(map(str, one["loc"])), one["msg"]) for one in error.errors())
        raise GuardError(
            ErrorKind.INVALID,
            "venues.invalid",
            f"考点文件有 {len(faults)} 处错误 / faults in the file of venues: {faults[0].where}: {faults[0].reason}",
            where=str(path),
            remedy=REMEDY,
            faults=faults,
        ) from error
