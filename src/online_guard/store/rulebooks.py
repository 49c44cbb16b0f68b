"""Which rules, in which version and by which code, gave a stored verdict."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import String, Text
from sqlalchemy.orm import Mapped, Session, mapped_column

from online_guard.store.tables import Base


class RulebookRecord(Base):
    """The rules of one version of the code; `body` is JSON: `code`, and the version of each rule."""

    __tablename__ = "rulebook"

    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    body: Mapped[str] = mapped_column(Text)


def keep(database: Session, sha256: str, body: Mapping[str, Any]) -> None:
    """Keep a rulebook that isn't known yet."""
    if database.get(RulebookRecord, sha256) is None:
        database.add(RulebookRecord(sha256=sha256, body=json.dumps(body, sort_keys=True)))
        database.flush()


def find(database: Session, sha256: str | None) -> dict[str, Any] | None:
    """Return the rulebook of a verdict; None for one from before they were kept."""
    record = None if sha256 is None else database.get(RulebookRecord, sha256)
    return None if record is None else {"sha256": record.sha256, **json.loads(record.body)}
