"""Times, windows and versions of rosters in words."""

from __future__ import annotations

from datetime import UTC, datetime

from online_guard.assessment.roster import Roster
from online_guard.assessment.venues import Slot
from online_guard.printing.words import CHINA


def hours(slot: Slot) -> str:
    """Return such as `09:00–10:30`."""
    return f"{slot.starts:%H:%M}–{slot.ends:%H:%M}"


def slot_name(slot: Slot) -> str:
    """Return such as `第1场 09:00–10:30`."""
    return f"第{slot.slot_no}场 {hours(slot)}"


def window_zh(window: str) -> str:
    """Return such as `2021年8月批次`."""
    year, month = window.split("-")
    return f"{year}年{int(month)}月批次"


def published(roster: Roster) -> datetime:
    """Return when a roster was published, in UTC."""
    return datetime.fromtimestamp(roster.published_ms // 1_000, UTC)


def published_text(roster: Roster) -> str:
    """Return such as `2021-08-01 17:30`, the time in China."""
    return f"{published(roster).astimezone(CHINA):%Y-%m-%d %H:%M}"
