"""The pictures of a case, in the language of the page."""

from __future__ import annotations

from typing import Any

from online_guard.pictures.facts import SessionFacts
from online_guard.pictures.session_timeline import session_timeline
from online_guard.pictures.words import Language as Words
from online_guard.review.language import Language
from online_guard.review.media import snapshot_address
from online_guard.review.pages import Shell
from online_guard.service.case_facts import facts_of_case
from online_guard.service.house import House

WIDTH = 860
"""Of a timeline in px: what is left of 1 280 beside the decision."""


def timelines(house: House, shell: Shell, case: dict[str, Any]) -> list[str]:
    """Return the timelines of a case, one for each lesson; whoever decides sees the snapshots in them."""
    words = Words.ZH if shell.language is Language.ZH else Words.EN
    return [
        session_timeline(
            facts,
            words,
            width=WIDTH,
            thumbnails=_thumbnails(facts) if shell.decides else {},
            prefix=f"t{number}-",
            legend=number == 0,
        )
        for number, facts in enumerate(facts_of_case(house, case["case_id"]))
    ]


def _thumbnails(facts: SessionFacts) -> dict[str, str]:
    """Return where the pictures of snapshots lie, by their key `platform_id/session_id/snapshot_id`."""
    return {photo.key: snapshot_address(*photo.key.split("/")) for photo in facts.photos}
