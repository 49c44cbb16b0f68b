"""A case: what happened, each finding in words, and what may be decided."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from fastapi.responses import Response

from online_guard.api.callers import PEOPLE, NowMs, TheHouse, callers
from online_guard.api.cases import AUDITORS, NAMED_TO, CaseId, FindingId
from online_guard.review.figures import timelines
from online_guard.review.media import snapshot_address
from online_guard.review.pages import TheShell, page
from online_guard.review.queue import TheFilters
from online_guard.review.reasons import REASONS, read
from online_guard.rules.catalogue import BY_ID
from online_guard.rules.manual import page_of
from online_guard.service.capturing import kept_pictures
from online_guard.service.house import House
from online_guard.service.reviewing import case_file, case_log, notices, what_if
from online_guard.service.reviewing.surroundings import other_sessions
from online_guard.service.reviewing.urgency import APPEAL_MS
from online_guard.terms import Outcome

router = APIRouter()


@router.get("/console/cases/{case_id}", openapi_extra=callers(*PEOPLE))
def case_page(house: TheHouse, shell: TheShell, case_id: CaseId, filters: TheFilters, now_ms: NowMs) -> Response:
    """Return a case; the address keeps the filters of the queue, by which the next one is sought."""
    reviewer = shell.caller.name if shell.caller and shell.decides else ""
    case = case_file.case_file(house, case_id, reviewer)
    values: dict[str, Any] = {"case": case, "filters": filters, "now_ms": now_ms}
    values |= {"manual": {one["rule"]: page_of(BY_ID[one["rule"]]) for one in case["findings"]}, "reasons": REASONS}
    values |= {
        "others": other_sessions(house, case_id),
        "read": read,
        "address": snapshot_address,
        "appeal_term_ms": APPEAL_MS,
    }
    # faces are shown to those who decide, since they need them for that
    values |= {"shows_faces": shell.decides, "is_calibrated": house.settings.distances_calibrated}
    kept = _kept(house, case)
    values |= {"limits": house.policy.liveness, "favour": _favour(case), "kept": kept}
    values |= {"figures": timelines(house, shell, case, kept)}
    is_named = shell.caller is not None and shell.caller.role in NAMED_TO
    values |= {"notices": notices.ids_of(house, case["enrolment_id"]) if is_named else []}
    values |= {"titles": {one["lesson_no"]: one["title"] for one in case["facts"]["class"]["lessons"]}}
    return page(shell, "case.html", **values)


def _kept(house: House, case: dict[str, Any]) -> set[str]:
    """Return the SHA-256 of the case's snapshots whose picture is still there."""
    photos = [photo["sha256"] for session in case["facts"].get("sessions", ()) for photo in session["snapshots"]]
    return kept_pictures.which_are_kept(house, case["enrolment_id"], photos) if photos else set()


def _favour(case: dict[str, Any]) -> dict[str, Any]:
    """Return what speaks for the learner: passed checks, good pictures, time played, hours earned."""
    sessions = case["facts"].get("sessions", [])
    checks = [check for session in sessions for check in session["liveness"]]
    photos = [photo for session in sessions for photo in session["snapshots"] if photo["asked"]]
    good = [photo for photo in photos if photo["good"]]
    return {
        "passed": sum(check["outcome"] == Outcome.PASSED for check in checks),
        "checks": len(checks),
        "good": len(good),
        "snapshots": len(photos),
        "nearest": min((photo["distance"] for photo in good if photo["distance"] is not None), default=None),
        "playing_ms": sum(session.get("playing_ms", 0) for session in sessions),
        "hours": sum(row["hours"] for row in case["facts"].get("ledger", [])),
    }


@router.get("/console/findings/{finding_id}/what-if", openapi_extra=callers(*PEOPLE))
def what_if_part(house: TheHouse, shell: TheShell, finding_id: FindingId) -> Response:
    """Return what would follow if a finding were dismissed, as a part of the page."""
    return page(shell, "what_if.html", change=what_if.dismissed(house, finding_id))


@router.get("/console/cases/{case_id}/log", openapi_extra=callers(*AUDITORS))
def log_entries(house: TheHouse, case_id: CaseId) -> dict[str, Any]:
    """Return the log's entries about a case with what they are digests of, for the browser to check."""
    return {"entries": case_log.entries(house, case_id)}
