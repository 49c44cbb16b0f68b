"""An appeal that is decided after the roster was published: somebody becomes eligible, and one place is added."""

from __future__ import annotations

from eligible_class import WINDOW, a_county, published
from reviewers import DISMISS, UPHOLD, Review

from online_guard.service.assessing import published as told_published
from online_guard.service.assessing import rosters
from online_guard.worker import work_once


def seated(review: Review, version: int | None = None) -> dict[str, list[str]]:
    """Return the days and rooms of each candidate of a version."""
    told = told_published.told(review.house, WINDOW, version, None, None)
    found: dict[str, list[str]] = {}
    for one in told["plan"]["sittings"]:
        found.setdefault(one["enrolment_id"], []).append(f"{one['on']} {one['slot_no']} {one['room_id']}")
    return found


def outdated(review: Review) -> dict[str, list[str]]:
    """Return whom the newest version lacks and whom it has too many."""
    told = told_published.told(review.house, WINDOW, None, None, None)["outdated"] or {}
    return {what: [one["enrolment_id"] for one in rows] for what, rows in told.items() if rows}


def verified(review: Review) -> None:
    """Do all waiting jobs."""
    while work_once(review.house):
        pass


def test_an_appeal_decided_after_publication_adds_one_and_moves_nobody(on_sqlite: Review) -> None:
    review = on_sqlite
    found = review.finding("OG303")
    appellant = str(found.enrolment_id)
    review.two_say(UPHOLD, found)
    verified(review)
    a_county(review.house)
    published(review.house)
    first = seated(review)
    assert appellant not in first
    assert outdated(review) == {}
    review.appeals(found)
    assert outdated(review) == {}, "an open appeal changes nothing"
    review.says("丙", DISMISS, found)
    review.says("丁", DISMISS, found)
    verified(review)
    assert outdated(review) == {"added": [appellant]}
    published(review.house)
    assert outdated(review) == {}
    assert {who: places for who, places in seated(review).items() if who != appellant} == first
    assert seated(review, 1) == first
    told = told_published.told(review.house, WINDOW, 2, None, None)
    assert [(one["enrolment_id"], one["before"]) for one in told["changes"]] == [(appellant, [])]
    assert len(rosters.versions(review.house, WINDOW)["versions"]) == 2
