"""Random sequences of calls, jobs and direct SQL: nobody is refused for good without persons (`make bench-review`)."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from sqlalchemy import text

from online_guard.service.house import House, open_house
from online_guard.settings import Settings
from online_guard.store.unit_of_work import writing

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks"))

import review_sequences


def test_no_sequence_refuses_anybody_without_two_persons(house: House) -> None:
    came = [review_sequences.run(house, f"{number}") for number in range(7, 15)]
    assert [line for one in came for line in one.broken] == []
    assert any(one.refused for one in came), "some were refused rightly, else nothing was tried"


@pytest.mark.parametrize(("guard", "seed"), [("review_ground_by_two_persons", 3), ("review_notice_grounds", 13)])
def test_without_a_guard_a_sequence_finds_what_it_held_back(
    tmp_path: Path, sqlite_url: str, guard: str, seed: int
) -> None:
    house = open_house(Settings(data_dir=tmp_path / "data", database_url=sqlite_url))
    with writing(house.engine) as database:
        database.execute(text(f"DROP TRIGGER guard_{guard}"))
    found = review_sequences.run(house, f"{seed}").broken
    house.engine.dispose()
    assert found
