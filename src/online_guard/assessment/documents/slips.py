"""Admission slips (准考证): who, where, when, at which seat, and what to bring."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from online_guard.assessment.documents.papers import Papers
from online_guard.assessment.documents.room_lists import Venue, person_of
from online_guard.assessment.documents.typesetting import typeset
from online_guard.assessment.documents.words import hours
from online_guard.assessment.roster import Sitting
from online_guard.printing import Made
from online_guard.printing.words import day_en, day_zh
from online_guard.terms import LABELS

ADVICE = (
    (
        "请带本证和有效身份证件原件，提前30分钟到场；先理论考试，后实操考核。",
        "Bring this slip and your identity card; come 30 minutes early. Theory comes first, then practice.",
    ),
    (
        "生病或有急事不能参加的，请在考前书面告知所在企业，由企业向县人力资源和社会保障局申请另行安排。",
        "If ill or prevented, tell your enterprise in writing before the day: it asks for another.",
    ),
    (
        "安排如有调整，以最新一版为准。",
        "If the roster changes, its latest version counts.",
    ),
)
"""What candidates are told: 中文, English."""


def slips_pdf(papers: Papers) -> Made:
    """Return a slip for each candidate, four on a page, those of an enterprise and class together."""
    sittings: dict[str, list[Sitting]] = defaultdict(list)
    for sitting in papers.roster.plan.sittings:
        sittings[sitting.enrolment_id].append(sitting)
    candidates = sorted(papers.roster.candidates, key=lambda one: (one.enterprise, one.class_id, one.enrolment_id))
    venue = Venue(papers.roster)
    slips = []
    for candidate in candidates:
        person = person_of(papers, candidate.enrolment_id)
        parts = sorted(sittings[candidate.enrolment_id], key=lambda one: (one.on, one.slot_no))
        slips.append(
            {
                "name": person.name,
                "identity": person.identity_masked,
                "enterprise": candidate.enterprise,
                "class": candidate.class_id,
                "occupation": candidate.occupation,
                "route": LABELS[candidate.certificate_route][0],
                "sittings": [_part(venue, sitting) for sitting in parts],
            }
        )
    return typeset(papers, "slips", {"advice": ADVICE, "slips": slips})


def _part(venue: Venue, sitting: Sitting) -> dict[str, Any]:
    site, zh_en = venue.sites[sitting.site_id], LABELS[sitting.part]
    return {
        "part_zh": zh_en[0],
        "part_en": zh_en[1],
        "day_zh": day_zh(sitting.on),
        "day_en": day_en(sitting.on),
        "hours": hours(venue.slots[sitting.slot_no]),
        "site": site.name,
        "address": site.address,
        "room": venue.rooms[sitting.room_id].name,
        "seat": sitting.seat_no,
    }
