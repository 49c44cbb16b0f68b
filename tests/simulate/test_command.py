import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from online_guard.cli import app
from online_guard.errors import GuardError
from online_guard.simulate.command import check_truth_path, chosen, listing, simulate_bundle
from online_guard.simulate.shapes import SHAPES
from online_guard.simulate.ways import DOUBTFUL_WAYS, HONEST_WAYS


def contents(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in sorted(folder.iterdir())}


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(tmp_path: Path) -> None:
    cheats = chosen(["8", "photo_thief"], [])
    for name, seed in (("a", 5), ("b", 5), ("c", 6)):
        simulate_bundle(tmp_path / name, seed, 3, (), cheats)
    assert contents(tmp_path / "a") == contents(tmp_path / "b")
    assert contents(tmp_path / "a")["events.ndjson"] != contents(tmp_path / "c")["events.ndjson"]


def test_the_command_writes_a_bundle_and_the_truth_outside_it(tmp_path: Path) -> None:
    arguments = ["simulate", "--out", str(tmp_path / "bundle"), "--truth", str(tmp_path / "truth.json"), "--learners",
                 "2", "--honest", "lunch", "--cheat", "timer_hook", "--param", "speed=3", "--seed", "9"]  # fmt: skip
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    truth = json.loads((tmp_path / "truth.json").read_text(encoding="utf-8"))
    assert [(one["way"], one["row"]) for one in truth["planted"]] == [("lunch", 0), ("lunch", 0), ("timer_hook", 11)]
    assert truth["planted"][2]["parameters"] == {"speed": 3}
    assert truth["planted"][2]["lessons"] == ["cheat-001-001/3"]
    assert "truth.json" not in contents(tmp_path / "bundle")


def test_a_parameter_changes_what_is_sent(tmp_path: Path) -> None:
    ends = []
    for speed in ("2", "4"):
        simulate_bundle(tmp_path / speed, 1, 0, (), chosen(["timer_hook"], [f"speed={speed}"]))
        rows = [json.loads(line) for line in (tmp_path / speed / "events.ndjson").read_text("utf-8").splitlines()]
        last = [row["received_ms"] for row in rows if row["session_id"] == "cheat-001-001-s003"]
        ends.append(max(last) - min(last))
    assert ends[0] == pytest.approx(1_200_000, rel=0.1)
    assert ends[1] == pytest.approx(600_000, rel=0.1)


def test_a_row_means_all_its_shapes() -> None:
    assert [shape.name for shape, _ in chosen(["12"], [])] == ["drag_swallower", "drag_swallower_paused"]


@pytest.mark.parametrize(
    ("cheats", "settings"),
    [
        (["25"], []), (["0"], []), (["nothing"], []), (["8"], ["speed=2"]), (["8"], ["answer_ms"]),
        (["8"], ["answer_ms=fast"]), (["8"], ["answer_ms=-1"]), (["8"], ["answer_ms=nan"]), ([], ["rate=2"]),
    ],
)  # fmt: skip
def test_an_unknown_cheat_or_parameter_is_refused(cheats: list[str], settings: list[str]) -> None:
    with pytest.raises(GuardError, match="not understood"):
        chosen(cheats, settings)


def test_nothing_is_overwritten_and_nothing_half_written(tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("mine")
    with pytest.raises(GuardError, match="isn't empty"):
        simulate_bundle(tmp_path / "full", 1, 1, (), [])
    with pytest.raises(GuardError, match="not understood"):
        simulate_bundle(tmp_path / "new", 1, 1, ("dancing",), [])
    with pytest.raises(GuardError, match="at least one"):
        simulate_bundle(tmp_path / "new", 1, 0, (), [])
    assert [path.name for path in tmp_path.iterdir()] == ["full"]


def test_the_truth_does_not_belong_into_the_bundle(tmp_path: Path) -> None:
    check_truth_path(tmp_path / "truth.json", tmp_path / "bundle")
    with pytest.raises(GuardError, match="truth"):
        check_truth_path(tmp_path / "bundle" / "deep" / "truth.json", tmp_path / "bundle")


def test_the_list_names_every_way_with_row_and_parameters() -> None:
    lines = {line[1]: line for line in listing()}
    assert set(lines) == {*HONEST_WAYS, *DOUBTFUL_WAYS, *SHAPES}
    assert lines["popup_clicker_4s"][0] == "8"
    assert lines["popup_clicker_4s"][4] == "answer_ms=4000"
    assert all(line[3] for line in lines.values() if line[0]), "each says a rule, or what would show it"
    assert "--list" in CliRunner().invoke(app, ["simulate", "--help"]).output
