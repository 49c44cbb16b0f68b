"""What follows from a row of eligibility and from what assessors said of it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from online_guard.assessment.confirmation import Confirmation, answers, settle
from online_guard.terms import Answer

CODES = [f"E{number:02}" for number in range(1, 13)]
ROWS = st.lists(st.sampled_from(CODES), unique=True).flatmap(
    lambda codes: st.integers(0, len(codes)).map(
        lambda place: {"failed": sorted(codes[:place]), "unconfirmed": sorted(codes[place:]), "eligible": place == 0}
    )
)
SAID = st.dictionaries(st.sampled_from(CODES), st.sampled_from(Answer))


@given(ROWS, SAID)
def test_an_assessor_only_settles_what_is_open(row: dict[str, list[str]], said: dict[str, Answer]) -> None:
    settled = settle(row, said)
    denied = {code for code in row["unconfirmed"] if said.get(code) is Answer.DENY}
    assert set(settled.failed) == set(row["failed"]) | denied
    assert set(settled.unconfirmed) == set(row["unconfirmed"]) - said.keys()
    assert settled.eligible == (not settled.failed)
    assert settle(row, {}).as_row() == row
    assert settle(settled.as_row(), said) == settled


def test_the_newest_word_about_the_learner_goes_before_the_newest_about_the_class() -> None:
    said = [
        Confirmation(None, "E12", Answer.CONFIRM),
        Confirmation("e1", "E12", Answer.CONFIRM),
        Confirmation("e1", "E12", Answer.DENY),
        Confirmation("e2", "E12", Answer.CONFIRM),
        Confirmation(None, "E12", Answer.CONFIRM),
    ]
    assert answers(said, "e1") == {"E12": Answer.DENY}
    assert answers(said, "e2") == answers(said, "e3") == {"E12": Answer.CONFIRM}
    assert answers([], "e1") == {}
