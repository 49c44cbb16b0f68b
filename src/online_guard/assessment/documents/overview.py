"""A roster's numbers, and what changed against the version before, as its PDF and its workbook both tell them."""

from __future__ import annotations

from typing import Any

from online_guard.assessment.documents.papers import Papers
from online_guard.assessment.documents.room_lists import RoomList, Venue, person_of
from online_guard.assessment.roster import Change


def totals(papers: Papers, lists: tuple[RoomList, ...]) -> list[tuple[str, str, int]]:
    """Return the numbers of an overview: 中文, English, number."""
    return [
        ("考生", "candidates", len(papers.roster.candidates)),
        ("班次", "classes", len({one.class_id for one in papers.roster.candidates})),
        ("考点", "sites", len({one.place.site_id for one in lists})),
        ("考场", "rooms", len({one.place.room_id for one in lists})),
        ("考核日", "days", len({one.place.on for one in lists})),
        ("场", "sittings", len(lists)),
    ]


KINDS = {(False, True): ("新增", "added"), (True, False): ("取消", "removed"), (True, True): ("调整", "moved")}
"""What became of a candidate, by whether there was and is a place."""


def change_rows(papers: Papers) -> list[dict[str, Any]]:
    """Return what became of each candidate whose places differ from the version before, in words."""
    after = Venue(papers.roster)
    before = Venue(papers.before) if papers.before else after

    def row(change: Change) -> dict[str, Any]:
        zh, en = KINDS[bool(change.before), bool(change.after)]
        return {
            "name": person_of(papers, change.enrolment_id).name,
            "enrolment": change.enrolment_id,
            "kind_zh": zh,
            "kind_en": en,
            "before": before.told(change.before),
            "after": after.told(change.after),
        }

    return [row(change) for change in papers.roster.changes]
