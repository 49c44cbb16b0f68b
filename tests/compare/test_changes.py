from pathlib import Path
from typing import Any

import pytest
from result_folders import compared, results


def gap(effect: str = "reject", subject_id: str = "p/s", **more: Any) -> dict[str, Any]:
    return {"rule": "OG301", "subject_id": subject_id, "effect": effect, **more}


DISMISSED = {"value": 300.0, "decision": {"decision": "dismiss"}}
UPHELD = {"value": 300.0, "decision": {"decision": "uphold"}}


@pytest.mark.parametrize(
    ("old", "new", "explained"),
    [
        ([], [gap()], ["OG301"]),
        ([gap()], [], ["OG301"]),
        ([gap("review")], [gap()], ["OG301"]),
        ([gap()], [gap(evidence=DISMISSED)], ["OG301"]),
        ([gap("review")], [gap("review", evidence=UPHELD)], ["OG301"]),
        ([gap("review", evidence=UPHELD)], [gap()], []),
        ([], [gap("note")], []),
        ([gap("note")], [gap("note", evidence=DISMISSED)], []),
        ([gap()], [gap(evidence={"value": 400.0})], []),
        ([], [gap(subject_id="p/other")], []),
        ([], [gap(subject="snapshot")], []),
    ],
)
def test_a_session_is_explained_by_findings_that_begin_or_cease_to_count(
    tmp_path: Path, old: Any, new: Any, explained: list[str]
) -> None:
    one = results(tmp_path / "old", findings=old, sessions=[{"session_id": "p/s", "verdict": "accepted"}])
    two = results(tmp_path / "new", findings=new, sessions=[{"session_id": "p/s", "verdict": "rejected"}])
    changed = compared(one, two).changes.sessions.to_pylist()
    assert [row["explained_by"] for row in changed] == [explained]


def test_a_lesson_is_explained_by_the_rules_that_one_side_names(tmp_path: Path) -> None:
    key = {"enrolment_id": "e", "lesson_no": 1}
    old = results(tmp_path / "old", ledger=[key | {"hours": 0.0, "refused_by": ["OG301", "OG702"]}])
    new = results(tmp_path / "new", ledger=[key | {"hours": 0.0, "refused_by": ["OG407", "OG702"]}])
    (row,) = compared(old, new).changes.lessons.to_pylist()
    assert row["explained_by"] == ["OG301", "OG407"]


@pytest.mark.parametrize(
    ("evidence", "explained"),
    [
        ({"E03": {"value": 0.0, "limit": 1.0}}, ["OG702"]),
        ({"E06": {"waiting": ["p/s"]}}, ["OG301"]),
        ({"E06": {"waiting": ["OG408 e/1"]}}, ["OG408"]),
        ({"E07": {}}, ["OG901"]),
        ({"E09": {"notice_days": 13}}, []),
    ],
)
def test_a_learner_is_explained_by_what_is_behind_the_tests(
    tmp_path: Path, evidence: dict[str, Any], explained: list[str]
) -> None:
    lesson, session, learner = {"enrolment_id": "e", "lesson_no": 1}, {"session_id": "p/s"}, {"enrolment_id": "e"}
    old = results(tmp_path / "old", sessions=[session], ledger=[lesson], eligibility=[learner])
    new = results(
        tmp_path / "new",
        findings=[gap("review"), {"rule": "OG901", "subject": "class", "subject_id": "c"}],
        sessions=[session | {"verdict": "held"}],
        ledger=[lesson | {"hours": 0.0, "refused_by": ["OG702"]}],
        eligibility=[learner | {"eligible": False, "failed": list(evidence), "evidence": evidence}],
    )
    (row,) = compared(old, new).changes.eligibility.to_pylist()
    assert (row["tests"], row["explained_by"]) == (list(evidence), explained)


def test_what_only_one_side_has_is_named_and_no_rule_explains_it(tmp_path: Path) -> None:
    old = results(
        tmp_path / "old", findings=[gap(subject_id="p/gone")],
        sessions=[{"session_id": "p/gone", "verdict": "rejected"}],
        ledger=[{"enrolment_id": "gone", "lesson_no": 1}], eligibility=[{"enrolment_id": "gone"}],
    )  # fmt: skip
    new = results(
        tmp_path / "new", sessions=[{"session_id": "p/come"}], ledger=[{"enrolment_id": "come", "lesson_no": 1}]
    )
    comparison = compared(old, new)
    changes, summary = comparison.changes, comparison.summary
    assert [(row["session_id"], row["change"]) for row in changes.sessions.to_pylist()] == [
        ("p/come", "only_new"), ("p/gone", "only_old"),
    ]  # fmt: skip
    assert changes.sessions["explained_by"].to_pylist() == [[], []]
    assert {(row["old"], row["new"], row["sessions"]) for row in summary["sessions"]["flow"]} == {
        ("absent", "accepted", 1), ("rejected", "absent", 1),
    }  # fmt: skip
    hours = summary["hours"]
    assert (hours["gained"], hours["lost"], summary["eligibility"]["lost"]) == (1.0, 1.0, 1)
    assert {(row["class_id"], row["gained"], row["lost"]) for row in hours["by_class"]} == {("c", 0, 1), (None, 1, 0)}
    assert {(row["about"], row["kind"]) for row in summary["examples"]} == {
        ("session", "only_new"), ("session", "only_old"), ("lesson", "only_new"), ("lesson", "only_old"),
        ("learner", "only_old"),
    }  # fmt: skip


def test_equal_results_under_another_policy_are_no_change(tmp_path: Path) -> None:
    rows: dict[str, Any] = {
        "findings": [gap()], "sessions": [{"session_id": "p/s"}], "ledger": [{"enrolment_id": "e", "lesson_no": 1}],
        "eligibility": [{"enrolment_id": "e"}],
    }  # fmt: skip
    comparison = compared(results(tmp_path / "old", **rows), results(tmp_path / "new", "2", **rows))
    assert not comparison.changed
    assert comparison.summary["policy"]["new"]["version"] == "2"
    assert comparison.summary["sessions"]["flow"] == [{"old": "accepted", "new": "accepted", "sessions": 1}]


def test_what_could_not_be_judged_is_a_change(tmp_path: Path) -> None:
    old, new = results(tmp_path / "old"), results(tmp_path / "new", rest={"not_evaluable": {"OG803": {"coarse": 2}}})
    comparison = compared(old, new)
    assert comparison.changed
    assert comparison.summary["summary"] == {"not_evaluable": {"old": {}, "new": {"OG803": {"coarse": 2}}}}
