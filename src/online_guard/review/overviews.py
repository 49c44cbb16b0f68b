"""Overviews: rules over weeks, platforms with their controls, and a learner across platforms."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path
from fastapi.responses import Response

from online_guard.api.bodies import Id
from online_guard.api.callers import PEOPLE, TheHouse, callers
from online_guard.pictures.heat_map import Learner, ledger_heat_map
from online_guard.pictures.rule_trend import rule_trend
from online_guard.review.figures import words_of
from online_guard.review.pages import TheShell, page
from online_guard.rules.catalogue import BY_ID
from online_guard.service.reviewing import overviews

router = APIRouter()
WIDTH = 1080
"""Of a picture in px."""
MOST_PANELS = 12
"""Rules of one platform that are drawn, those with the greatest share first."""


@router.get("/console/overview", openapi_extra=callers(*PEOPLE))
def overview_page(house: TheHouse, shell: TheShell) -> Response:
    """Return all rules that were found, with how often and how often rightly, and all platforms."""
    lines = overviews.rules_overview(house)
    return page(shell, "overview.html", lines=lines, rules=BY_ID, platforms=overviews.platforms(house))


@router.get("/console/overview/rules/{rule}", openapi_extra=callers(*PEOPLE))
def rule_overview_page(house: TheHouse, shell: TheShell, rule: Annotated[str, Path(max_length=16)]) -> Response:
    """Return a rule's weeks at each platform."""
    trends = overviews.rule_by_platform(house, rule)
    picture = rule_trend(trends, words_of(shell), width=WIDTH) if trends else ""
    names = [trend.place for trend in trends]
    return page(shell, "overview_rule.html", rule=BY_ID[rule], platforms=names, picture=picture)


@router.get("/console/platforms/{platform_id}", openapi_extra=callers(*PEOPLE))
def platform_page(house: TheHouse, shell: TheShell, platform_id: Id) -> Response:
    """Return a platform's controls, what it was refused, and its rules over weeks beside the other platforms'."""
    facts = overviews.platform(house, platform_id)
    picture = rule_trend(facts.trends[:MOST_PANELS], words_of(shell), width=WIDTH) if facts.trends else ""
    return page(shell, "overview_platform.html", facts=facts, picture=picture, rules=BY_ID)


@router.get("/console/learners/{learner_id}", openapi_extra=callers(*PEOPLE))
def learner_page(house: TheHouse, shell: TheShell, learner_id: Id) -> Response:
    """Return a learner's lessons and cases at every platform."""
    rows = overviews.learner(house, learner_id)
    lessons = sorted({number for row in rows for number in row.cells})
    drawn = [Learner(f"{row.enrolment.enrolment_id} · {row.training_class.platform_id}", row.cells) for row in rows]
    picture = ledger_heat_map(drawn, lessons, words_of(shell), width=WIDTH) if lessons else ""
    return page(shell, "overview_learner.html", learner_id=learner_id, rows=rows, picture=picture)
