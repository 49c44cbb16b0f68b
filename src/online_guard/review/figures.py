"""The pictures of a case, in the language of the page."""

from __future__ import annotations

from collections.abc import Container, Iterator
from typing import Any

from online_guard.pictures.session_timeline import session_timeline
from online_guard.pictures.words import Language as Words
from online_guard.review.language import Language
from online_guard.review.media import snapshot_address
from online_guard.review.pages import Shell
from online_guard.service.house import House
from online_guard.service.reviewing.case_facts import facts_of_case

WIDTH = 860
"""Of a timeline in px: what is left of 1 280 beside the decision."""


def words_of(shell: Shell) -> Words:
    """Return in which language pictures speak on a page."""
    return Words.ZH if shell.language is Language.ZH else Words.EN


def timelines(house: House, shell: Shell, case: dict[str, Any], kept: Container[str]) -> list[str]:
    """Return the timelines of a case, one for each lesson; whoever decides sees the snapshots that are `kept`."""
    words = Words.ZH if shell.language is Language.ZH else Words.EN
    thumbnails = dict(_thumbnails(case, kept)) if shell.decides else {}
    return [
        session_timeline(facts, words, width=WIDTH, thumbnails=thumbnails, prefix=f"t{number}-", legend=number == 0)
        for number, facts in enumerate(facts_of_case(house, case["case_id"]))
    ]


def _thumbnails(case: dict[str, Any], kept: Container[str]) -> Iterator[tuple[str, str]]:
    """Yield key and address of the snapshots whose picture is there."""
    for session in case["facts"].get("sessions", ()):
        for photo in session["snapshots"]:
            if photo["sha256"] in kept:
                names = (session["platform_id"], session["session_id"], photo["snapshot_id"])
                yield "/".join(names), snapshot_address(*names)
