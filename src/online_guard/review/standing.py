"""Where things stand: classes, assessment windows, the evidence log, and what was refused on its way in."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import Response

from online_guard.api.bodies import Id
from online_guard.api.callers import PEOPLE, NowMs, TheHouse, callers
from online_guard.api.log import GREATEST
from online_guard.assessment.working_days import read_working_days
from online_guard.evidence import CHINA_OFFSET_MS
from online_guard.pictures.assessment_calendar import assessment_calendar
from online_guard.pictures.heat_map import Learner, ledger_heat_map
from online_guard.review.figures import words_of
from online_guard.review.overviews import WIDTH
from online_guard.review.pages import TheShell, page
from online_guard.service.operating import evidence_log
from online_guard.service.receiving import dead_letters
from online_guard.service.reviewing import class_overviews
from online_guard.store.letter_rows import Which
from online_guard.terms import Role

router = APIRouter()
LETTERS = 50
HEADS = 20


@router.get("/console/classes", openapi_extra=callers(*PEOPLE))
def classes_page(house: TheHouse, shell: TheShell, after: Annotated[str, Query(max_length=128)] = "") -> Response:
    """Return classes with their learners and the cases that wait."""
    return page(shell, "classes.html", **class_overviews.classes(house, after))


@router.get("/console/classes/{class_id}", openapi_extra=callers(*PEOPLE))
def class_page(house: TheHouse, shell: TheShell, class_id: Id) -> Response:
    """Return a class: learners × lessons, coloured by what the ledger says."""
    facts = class_overviews.class_facts(house, class_id)
    lessons = sorted(lesson["lesson_no"] for lesson in facts.body["lessons"])
    rows = [Learner(name, cells) for name, cells in facts.cells.items()]
    picture = ledger_heat_map(rows, lessons, words_of(shell), width=WIDTH) if lessons else ""
    return page(shell, "class.html", facts=facts, picture=picture)


@router.get("/console/assessments", openapi_extra=callers(*PEOPLE))
def assessments_page(house: TheHouse, shell: TheShell, now_ms: NowMs) -> Response:
    """Return the assessment windows as a calendar: candidates, refused, rosters and their days."""
    months = class_overviews.windows(house, now_ms)
    today = datetime.fromtimestamp((now_ms + CHINA_OFFSET_MS) / 1000, UTC).date()
    drawn = assessment_calendar(months, read_working_days().kind, words_of(shell), width=WIDTH, today=today)
    return page(shell, "assessments.html", months=months, picture=drawn if months else "")


@router.get("/console/log", openapi_extra=callers(*PEOPLE))
def log_page(
    house: TheHouse, shell: TheShell, before: Annotated[int | None, Query(ge=1, le=GREATEST)] = None
) -> Response:
    """Return where the evidence log stands, and its newest signed heads; the browser can check them."""
    standing = evidence_log.standing(house, before, HEADS)
    return page(shell, "log.html", **standing, key=evidence_log.public_key(house))


@router.get("/console/dead-letters", openapi_extra=callers(Role.ADMIN))
def letters_page(
    house: TheHouse,
    shell: TheShell,
    state: Annotated[str, Query(pattern="^(waiting|replayed|)$")] = "waiting",
    cursor: Annotated[int, Query(ge=0, le=GREATEST)] = 0,
) -> Response:
    """Return what was refused on its way in, to be replayed once its cause is mended."""
    told = dead_letters.letters(house, Which(None, None, None, state or None), None, cursor, LETTERS)
    return page(shell, "dead_letters.html", state=state, letters=told["dead_letters"], following=told["next_cursor"])
