import json
from pathlib import Path

from online_guard.ingest.bundle import open_bundle, read_block
from online_guard.simulate.cheats import CHEATS
from online_guard.simulate.course import WAYS, Plan, simulate, write_rows


def test_the_same_seed_gives_the_same_rows_and_another_seed_others() -> None:
    plans = [Plan("plain"), Plan.of("skip_ahead")]
    assert simulate(plans, 7) == simulate(plans, 7)
    assert simulate(plans, 7)["events"] != simulate(plans, 8)["events"]


def test_a_learner_does_not_depend_on_the_others() -> None:
    alone, together = simulate([Plan("plain")], 7), simulate([Plan("plain"), Plan("lunch")], 7)
    assert alone["sessions"] == together["sessions"][: len(alone["sessions"])]


def test_every_way_gives_a_bundle_without_a_bad_row(tmp_path: Path) -> None:
    write_rows(simulate([Plan.of(way) for way in WAYS], 7), tmp_path)
    bundle = open_bundle(tmp_path)
    reads = [read_block(block, bundle.index) for block in bundle.blocks()]
    assert bundle.refused == []
    assert [row for read in reads for row in read.refused] == []
    assert len(bundle.evidence.enrolments) == len(WAYS)
    assert sum(read.duplicates for read in reads) > 0
    assert sum(len(read.events.conflicts) for read in reads) == 3


def test_lessons_are_studied_in_order_unless_the_cheat_says_otherwise() -> None:
    for way, cheat in CHEATS.items():
        sessions = simulate([Plan.of(way)], 3)["sessions"]
        order = list(dict.fromkeys(row["lesson_no"] for row in sessions))
        assert order == ([2, 1, 3] if way == "out_of_order" else [1, 2, 3]), way
        assert Plan.of(way).cheats == {2 if cheat.lessons == 2 else 3: way}


def test_text_is_readable_json(tmp_path: Path) -> None:
    write_rows(simulate([Plan("plain")], 7), tmp_path)
    assert "电子商务师" in (tmp_path / "classes.json").read_text(encoding="utf-8")
    first = (tmp_path / "events.ndjson").read_text(encoding="utf-8").splitlines()[0]
    assert json.loads(first)["type"] == "player_opened"
