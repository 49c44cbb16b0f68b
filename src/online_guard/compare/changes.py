"""Two re-validations → the sessions, lessons, learners and findings that changed, with the rules that explain it.

A session's verdict follows from its findings: it is explained by the rules of which a finding began or ceased to stand
or to wait. A lesson says itself which rules refuse it: it is explained by those that only one of both results names. A
learner is explained by the changes behind the tests whose evidence changed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from online_guard.compare.results import KEYS, Results
from online_guard.compare.rows import CHANGED, beside, lists, positions, ranks, unlike
from online_guard.evidence import Floats, Integers
from online_guard.terms import DecisionKind, Effect, Subject

HOURS_TESTS = ("E03", "E05")
WAITING_TEST, CONTROLS_TEST = "E06", "E07"
SILENT, WAITS, STANDS = range(3)
_FINDING_IN_WORDS = re.compile(r"(OG\d{3}) ")
"""How E06 names a finding that waits: rule, then subject; it names a held session by its id alone."""


@dataclass(frozen=True)
class Changes:
    """Changed rows as `rows.beside` puts them; `explained_by` lists rules, empty where a row is only in one result.

    lessons: with `class_id`, null where no eligibility names the enrolment. eligibility: with `tests`, those whose
    outcome changed. findings: with `old_state` and `new_state` (0 silent, 1 waits, 2 stands).
    """

    sessions: pa.Table
    lessons: pa.Table
    eligibility: pa.Table
    findings: pa.Table


def find_changes(old: Results, new: Results) -> Changes:
    """Return what differs between two re-validations."""
    findings = beside(old.findings, new.findings, KEYS["findings"])
    for side in ("old", "new"):
        findings = findings.append_column(f"{side}_state", pa.array(_states(findings, side)))
    sessions = _explained_sessions(beside(old.sessions, new.sessions, KEYS["sessions"]), findings)
    lessons = beside(old.ledger, new.ledger, KEYS["ledger"])
    lessons = lessons.append_column("class_id", classes_of(lessons["enrolment_id"], old, new))
    reasons = unlike(lessons["old_refused_by"], lessons["new_refused_by"])
    lessons = _explain(lessons, *reasons)
    eligibility = beside(old.eligibility, new.eligibility, KEYS["eligibility"])
    return Changes(sessions, lessons, _explained_learners(eligibility, sessions, lessons, findings), findings)


def classes_of(enrolment_id: pa.ChunkedArray, old: Results, new: Results) -> pa.ChunkedArray:
    """Return the class of each enrolment as the new result names it, else the old, else null."""
    known = pa.concat_tables([side.eligibility.select(["enrolment_id", "class_id"]) for side in (new, old)])
    _, first = np.unique(ranks([known["enrolment_id"]]), return_index=True)
    known = known.take(first)
    place = positions(enrolment_id, known["enrolment_id"])
    return known["class_id"].take(pa.array(place, mask=place < 0))


def hours_gained(lessons: pa.Table) -> Floats:
    """Return by how many hours each changed lesson earns more than before; a lesson without a row earns nothing."""
    sides = [pc.fill_null(lessons[f"{side}_hours"], 0.0).to_numpy() for side in ("new", "old")]
    return np.asarray(sides[0] - sides[1], np.float64)


def _states(findings: pa.Table, side: str) -> Integers:
    """Return whether each finding is silent (or absent), waits or stands, as `verdict.Finding` has it."""
    effect = findings[f"{side}_effect"].to_numpy()
    state = np.select([effect == Effect.REJECT, effect == Effect.REVIEW], [STANDS, WAITS], SILENT)
    evidence = findings[f"{side}_evidence"]
    for row in np.flatnonzero(pc.fill_null(pc.match_substring(evidence, '"decision"'), False).to_numpy()).tolist():
        decided = msgspec.json.decode(evidence[row].as_py()).get("decision")
        if isinstance(decided, dict) and state[row] != SILENT:
            state[row] = SILENT if decided.get("decision") == DecisionKind.DISMISS else STANDS
    return np.asarray(state, np.int64)


def _explain(table: pa.Table, row: Integers, rules: pa.Array) -> pa.Table:
    """Append `explained_by`; a row that is only in one of the results is explained by no rule."""
    paired = (table["change"].to_numpy() == CHANGED)[row] if len(row) else np.empty(0, bool)
    return table.append_column("explained_by", lists(row[paired], rules.filter(pa.array(paired)), len(table)))


def _explained_sessions(sessions: pa.Table, findings: pa.Table) -> pa.Table:
    turned = findings.filter(
        pc.and_(
            pc.equal(findings["subject"], Subject.SESSION), pc.not_equal(findings["old_state"], findings["new_state"])
        )
    )
    row = positions(turned["subject_id"], sessions["session_id"])
    named = row >= 0
    return _explain(sessions, row[named], turned["rule"].combine_chunks().filter(pa.array(named)))


def _explained_learners(eligibility: pa.Table, sessions: pa.Table, lessons: pa.Table, findings: pa.Table) -> pa.Table:
    """Append `tests` and `explained_by`. There are few learners beside sessions: they are read row by row."""
    causes = _Causes(
        hours=_rules_by(lessons, "enrolment_id", hours_gained(lessons) != 0),
        sessions=_rules_by(sessions, "session_id", np.ones(len(sessions), bool)),
        controls=_controls(findings),
    )
    tests, rules = [], []
    for row in eligibility.to_pylist():
        paired = row["change"] == CHANGED
        tests.append(sorted(_outcomes(row, "old") ^ _outcomes(row, "new")) if paired else [])
        rules.append(sorted(set(causes.of(row))) if paired else [])
    words = pa.list_(pa.string())
    told = eligibility.append_column("tests", pa.array([[code for code, _ in row] for row in tests], words))
    return told.append_column("explained_by", pa.array(rules, words))


def _outcomes(row: dict[str, Any], side: str) -> set[tuple[str, str]]:
    """Return (test, outcome) of the tests that didn't pass."""
    return {(code, outcome) for outcome in ("failed", "unconfirmed") for code in row[f"{side}_{outcome}"] or ()}


@dataclass(frozen=True)
class _Causes:
    """Rules behind changes: by enrolment, by session, and about the controls of classes."""

    hours: dict[str, set[str]]
    sessions: dict[str, set[str]]
    controls: dict[str, set[str]]

    def of(self, row: dict[str, Any]) -> Iterable[str]:
        """Yield the rules behind the tests of a learner whose evidence differs."""
        old, new = (msgspec.json.decode(row[f"{side}_evidence"]) for side in ("old", "new"))
        differing = {code for code in old.keys() | new.keys() if old.get(code) != new.get(code)}
        if differing.intersection(HOURS_TESTS):
            yield from self.hours.get(row["enrolment_id"], ())
        if WAITING_TEST in differing:
            waiting = [set(side.get(WAITING_TEST, {}).get("waiting", ())) for side in (old, new)]
            for words in waiting[0] ^ waiting[1]:
                finding = _FINDING_IN_WORDS.match(words)
                yield from self.sessions.get(words, {finding[1]} if finding else ())
        if CONTROLS_TEST in differing:
            yield from self.controls.get(row["class_id"], ())


def _rules_by(table: pa.Table, key: str, which: Any) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    picked = table.filter(pa.array(which)).select([key, "explained_by"])
    for name, rules in zip(picked[key].to_pylist(), picked["explained_by"].to_pylist(), strict=True):
        found.setdefault(name, set()).update(rules)
    return found


def _controls(findings: pa.Table) -> dict[str, set[str]]:
    picked = findings.filter(
        pc.and_(pc.equal(findings["rule"], "OG901"), pc.not_equal(findings["old_state"], findings["new_state"]))
    )
    return {name: {"OG901"} for name in picked["subject_id"].to_pylist()}
