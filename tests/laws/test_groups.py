"""What doesn't belong together is judged alike alone and together."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from bundle_rows import FEWER, Rows, bundles, ndjson, results_of
from hypothesis import given

from online_guard.policy import Policy

APART = {"e1": ("c1", "l1"), "e2": ("c1", "l2"), "e3": ("c2", "l3"), "e4": ("c2", "l4")}


@FEWER
@given(left=bundles(("c1",), APART), right=bundles(("c2",), APART))
def test_two_classes_without_anything_in_common_are_judged_as_alone(policy: Policy, left: Rows, right: Rows) -> None:
    """Other learners, platforms and pictures; event lists shorter than OG804 asks for."""
    right = {**right, "decisions": [row for row in right["decisions"] if row["subject"] != "class"]}
    likenesses = [row for row in right["likenesses"] if row["other_kind"] == "snapshot"]
    right = {**right, "likenesses": likenesses}
    together = results_of({name: left[name] + right[name] for name in left}, policy)
    alone = [results_of(rows, policy) for rows in (left, right)]
    for name in ("findings.ndjson", "sessions.ndjson", "ledger.ndjson", "eligibility.ndjson"):
        parts = [line for part in alone for line in part[name].splitlines()]
        assert sorted(together[name].splitlines()) == sorted(parts), name
    assert _counted(together) == _counted(alone[0]) + _counted(alone[1])


def _counted(files: dict[str, bytes]) -> Counter[tuple[str, str]]:
    skipped: dict[str, Any] = json.loads(files["summary.json"])["not_evaluable"]
    return Counter({(rule, why): n for rule, reasons in skipped.items() for why, n in reasons.items()})


@FEWER
@given(rows=bundles(("c1",)))
def test_a_class_that_nobody_opened_changes_nothing_but_its_own_rows(policy: Policy, rows: Rows) -> None:
    stranger = {**rows["classes"][0], "class_id": "c0"}
    member = {"enrolment_id": "e0", "class_id": "c0", "learner_id": "l0"}
    more = {**rows, "classes": [*rows["classes"], stranger], "enrolments": [*rows["enrolments"], member]}
    before, after = results_of(rows, policy), results_of(more, policy)
    for name in ("findings.ndjson", "sessions.ndjson"):
        assert after[name] == before[name]
    for name in ("ledger.ndjson", "eligibility.ndjson"):
        assert [row for row in ndjson(after[name]) if row["enrolment_id"] != "e0"] == ndjson(before[name])
