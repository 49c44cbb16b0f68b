"""The printed roster: an overview, a list for each door, and what changed against the version before."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from online_guard.assessment.documents.overview import change_rows, totals
from online_guard.assessment.documents.papers import Papers
from online_guard.assessment.documents.room_lists import RoomList, room_lists
from online_guard.assessment.documents.typesetting import typeset
from online_guard.assessment.documents.words import slot_name
from online_guard.assessment.venues import Site
from online_guard.printing import Made
from online_guard.printing.words import day_en, day_zh
from online_guard.terms import LABELS


def roster_pdf(papers: Papers) -> Made:
    """Return the roster by site, day, slot and room, each list on a page of its own."""
    lists = room_lists(papers)
    return typeset(
        papers,
        "roster",
        {
            "totals": totals(papers, lists),
            "overview": [_site(site, tuple(own)) for site, own in groupby(lists, key=lambda one: one.site)],
            "lists": [{**_head(one), "seats": _seats(one)} for one in lists],
            "changes": change_rows(papers),
        },
    )


def _site(site: Site, lists: tuple[RoomList, ...]) -> dict[str, Any]:
    by_day = groupby(lists, key=lambda one: one.place.on)
    days = [
        {"zh": day_zh(day), "en": day_en(day), "rows": [{**_head(one), "count": len(one.seats)} for one in own]}
        for day, own in by_day
    ]
    return {"name": site.name, "address": site.address, "days": days}


def _head(one: RoomList) -> dict[str, Any]:
    zh, en = LABELS[one.room.part]
    return {
        "site": one.site.name,
        "address": one.site.address,
        "room": one.room.name,
        "day_zh": day_zh(one.place.on),
        "day_en": day_en(one.place.on),
        "slot": slot_name(one.slot),
        "part_zh": zh,
        "part_en": en,
        "examiners": "、".join(one.examiners),
    }


def _seats(one: RoomList) -> list[dict[str, Any]]:
    return [
        {
            "no": seat.seat_no,
            "name": seat.person.name,
            "identity": seat.person.identity_masked,
            "enterprise": seat.candidate.enterprise,
            "class": seat.candidate.class_id,
            "occupation": seat.candidate.occupation,
        }
        for seat in one.seats
    ]
