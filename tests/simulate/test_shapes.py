"""A slice of `make bench-detection`: every shape of the list, two seeds each, in one judgement."""

from collections import defaultdict
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from online_guard.batch import revalidate
from online_guard.policy import DEFAULT_POLICY, load_policy
from online_guard.simulate.course import write_rows
from online_guard.simulate.forged import captured_timeline
from online_guard.simulate.scene import honest_classes, merged, plant
from online_guard.simulate.score import Score, scores
from online_guard.simulate.shapes import SHAPES
from online_guard.simulate.ways import DOUBTFUL_WAYS
from online_guard.terms import EventType

ROWS = [name for name, shape in SHAPES.items() if shape.row]


@cache
def scored() -> dict[str, list[Score]]:
    made = [plant(SHAPES[name], SHAPES[name].parameters, f"{name}-{seed}", seed) for name in ROWS for seed in (1, 2)]
    doubtful, done = honest_classes(list(DOUBTFUL_WAYS) * 2, "doubtful", 1)
    with TemporaryDirectory() as folder:
        write_rows(merged([*(rows for rows, _ in made), doubtful]), Path(folder))
        result = revalidate(Path(folder), load_policy(DEFAULT_POLICY))
    assert result.refused == []
    by_way: dict[str, list[Score]] = defaultdict(list)
    for score in scores([*(one for _, one in made), *done], result.judgement):
        by_way[score.planted.way].append(score)
    return by_way


def test_every_row_of_the_list_has_a_shape() -> None:
    assert {SHAPES[name].row for name in ROWS} == set(range(1, 25))


@pytest.mark.parametrize("name", ROWS)
def test_a_shape_is_caught_by_its_rule_or_said_to_be_unseen(name: str) -> None:
    for score in scored()[name]:
        if SHAPES[name].rules:
            assert (score.caught, score.hit) == (True, True), score
        else:
            assert SHAPES[name].needs
            assert (score.fate, score.found) == ("earns", frozenset()), "it can be seen: give it its rule"
        assert score.harmed == ()


@pytest.mark.parametrize("way", DOUBTFUL_WAYS)
def test_doubtful_honest_ways_are_held_at_most_and_not_called_unfinished(way: str) -> None:
    for score in scored()[way]:
        assert score.fate in ("held", "earns")
        assert score.found <= DOUBTFUL_WAYS[way].reviews


def test_a_captured_session_has_the_constants_of_the_tool() -> None:
    lines = captured_timeline(600, SHAPES["session_replay"].parameters)
    beats = [since for kind, since, *_ in lines if kind is EventType.HEARTBEAT]
    assert beats == [300 + 1000 * number for number in range(1, 601)]
    shown = [since for kind, since, *_ in lines if kind is EventType.POPUP_SHOWN]
    answered = [since for kind, since, *_ in lines if kind is EventType.POPUP_ANSWERED]
    assert [(since - 300) % 1000 for since in shown] == [500, 500]
    assert [after - before for before, after in zip(shown, answered, strict=True)] == [2, 2]
