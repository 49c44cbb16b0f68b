"""One class judged under two policies; the golden file says what changes, for a person to read."""

import json
from itertools import permutations
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from result_folders import compared, results

from online_guard.batch import revalidate
from online_guard.batch import write as write_results
from online_guard.compare import Comparison, read_results, write
from online_guard.errors import GuardError
from online_guard.policy import load_policy
from online_guard.simulate.course import WAYS, Plan, simulate, write_rows

GOLDEN = Path(__file__).with_name("stricter_pop_ups.json")
FILES = {
    f"{name}.{suffix}"
    for name in ("sessions", "lessons", "eligibility", "findings")
    for suffix in ("parquet", "ndjson")
}
HOSTILE = "<script>alert(1)</script>&\"'"


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with `old` results and `new` ones, where pop-ups are due more often."""
    folder = tmp_path_factory.mktemp("judged")
    write_rows(simulate([Plan.of("plain"), Plan.of("plain")], 3), folder / "bundle")
    for name, gap_s in (("old", 300), ("new", 262)):
        policy = load_policy("huangchuan-2021", [f"popup.max_gap_s={gap_s}"])
        write_results(revalidate(folder / "bundle", policy, workers=1), folder / name)
    return folder


@pytest.fixture(scope="module")
def comparison(judged: Path) -> Comparison:
    return compared(judged / "old", judged / "new")


def test_a_stricter_threshold_is_found_and_attributed(judged: Path, comparison: Comparison) -> None:
    old, new = (read_results(judged / name) for name in ("old", "new"))
    sides = [dict(zip(side.sessions["session_id"].to_pylist(), side.sessions["verdict"].to_pylist(), strict=True))
             for side in (old, new)]  # fmt: skip
    turned = {name for name in sides[0] if sides[0][name] != sides[1][name]}
    rows = comparison.changes.sessions.to_pylist()
    assert turned
    assert {row["session_id"] for row in rows} == turned
    assert {tuple(row["explained_by"]) for row in rows} == {("OG301",)}
    assert all("OG301" in row["explained_by"] for row in comparison.changes.eligibility.to_pylist())
    lost = old.ledger["hours"].to_numpy().sum() - new.ledger["hours"].to_numpy().sum()
    assert comparison.summary["hours"]["lost"] == lost > 0


def test_the_summary_is_as_a_person_has_read_it(comparison: Comparison, tmp_path: Path) -> None:
    write(comparison, tmp_path)
    assert json.loads((tmp_path / "comparison.json").read_text("utf-8")) == json.loads(GOLDEN.read_text("utf-8"))


def test_the_way_back_is_the_mirror(judged: Path, comparison: Comparison) -> None:
    back = compared(judged / "new", judged / "old").summary
    there = comparison.summary
    assert (back["hours"]["gained"], back["hours"]["lost"]) == (there["hours"]["lost"], there["hours"]["gained"])
    assert [row["findings_removed"] for row in back["rules"]] == [row["findings_added"] for row in there["rules"]]
    assert {(row["new"], row["old"], row["sessions"]) for row in back["sessions"]["flow"]} == {
        (row["old"], row["new"], row["sessions"]) for row in there["sessions"]["flow"]
    }


def test_files_are_typed_and_twins(comparison: Comparison, tmp_path: Path) -> None:
    write(comparison, tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == FILES | {"comparison.json", "report.html"}
    for name in ("sessions", "lessons", "eligibility", "findings"):
        table = pq.read_table(tmp_path / f"{name}.parquet")
        lines = [json.loads(line) for line in (tmp_path / f"{name}.ndjson").read_text("utf-8").splitlines()]
        assert len(lines) == len(table) > 0
        texts = {column: None for column in table.column_names if column.endswith("_evidence")}
        assert [row | texts for row in lines] == [row | texts for row in table.to_pylist()]
    assert isinstance(lines[0]["new_evidence"], dict)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    write(comparison, tmp_path)
    assert before == {path.name: path.read_bytes() for path in tmp_path.iterdir()}


def test_results_are_never_overwritten(judged: Path, comparison: Comparison) -> None:
    before = {path.name: path.read_bytes() for path in (judged / "old").iterdir()}
    with pytest.raises(GuardError, match="stay"):
        write(comparison, judged / "old")
    assert before == {path.name: path.read_bytes() for path in (judged / "old").iterdir()}


def test_the_page_stands_alone_and_shows_both_policies(comparison: Comparison, tmp_path: Path) -> None:
    write(comparison, tmp_path)
    page = (tmp_path / "report.html").read_text("utf-8")
    for alien in ("<script", "http://", "https://", "@import", "url("):
        assert alien not in page
    for side in ("old", "new"):
        assert comparison.summary["policy"][side]["sha256"] in page
    shown = (
        "通过 accepted → 不通过 rejected",
        "弹窗间隔过长",
        "认定学时达到本班要求",
        "ribbon to-rejected",
        'class="lost"',
    )
    for part in shown:
        assert part in page


def test_ids_can_not_become_markup(tmp_path: Path) -> None:
    odd = {"sessions": [{"session_id": HOSTILE}], "ledger": [{"enrolment_id": HOSTILE, "lesson_no": 1}],
           "eligibility": [{"class_id": HOSTILE, "enrolment_id": HOSTILE}]}  # fmt: skip
    gone = [{"rule": HOSTILE, "subject_id": HOSTILE, "evidence": {HOSTILE: HOSTILE}}]
    comparison = compared(results(tmp_path / "old", HOSTILE, findings=gone, **odd), results(tmp_path / "new", HOSTILE))
    write(comparison, tmp_path / "out")
    page = (tmp_path / "out" / "report.html").read_text("utf-8")
    assert "<script" not in page
    assert page.count("&lt;script&gt;") > 5


def test_nothing_changed_is_a_page_too(tmp_path: Path) -> None:
    comparison = compared(results(tmp_path / "old"), results(tmp_path / "new"))
    write(comparison, tmp_path / "out")
    assert "Nothing changed" in (tmp_path / "out" / "report.html").read_text("utf-8")


OTHER_POLICIES = (
    (),
    ("playback.max_rate=2.1", "windows.max_hidden_s=700", "windows.max_hidden_total_s=900"),
    ("liveness.passes_per_session=3", "snapshot.per_class_hour=3", "order.min_coverage=0.99"),
    ('violation_scope="enrolment"', "hours.min_coverage=0.5"),
)


@pytest.fixture(scope="module")
def under_four_policies(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Return the results of every way of studying, one learner each, under four policies."""
    folder = tmp_path_factory.mktemp("policies")
    write_rows(simulate([Plan.of(way) for way in WAYS], 3), folder / "bundle")
    places = [folder / str(number) for number in range(len(OTHER_POLICIES))]
    for place, settings in zip(places, OTHER_POLICIES, strict=True):
        policy = load_policy("huangchuan-2021", settings)
        write_results(revalidate(folder / "bundle", policy, workers=1), place)
    return places


@pytest.mark.parametrize(("one", "other"), list(permutations(range(len(OTHER_POLICIES)), 2)))
def test_a_rule_explains_every_other_verdict_hour_and_eligibility(
    under_four_policies: list[Path], one: int, other: int
) -> None:
    changes = compared(under_four_policies[one], under_four_policies[other]).changes
    outcomes = (("sessions", "verdict"), ("lessons", "hours"), ("eligibility", "eligible"))
    turned = [
        row["explained_by"]
        for table, outcome in outcomes
        for row in getattr(changes, table).to_pylist()
        if row[f"old_{outcome}"] != row[f"new_{outcome}"]
    ]
    assert turned
    assert all(turned)
