"""Changes in numbers, with examples: the content of `comparison.json`."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from online_guard.compare.changes import Changes, classes_of, hours_gained
from online_guard.compare.examples import examples
from online_guard.compare.results import Results
from online_guard.compare.rows import CHANGED, KINDS, ONLY_NEW, ONLY_OLD, positions, ranks
from online_guard.rules.catalogue import BY_ID
from online_guard.terms import Verdict

ABSENT = "absent"
"""Stands for the verdict of a session that is only in the other result."""
Row = dict[str, Any]


def summarise(old: Results, new: Results, changes: Changes) -> Row:
    """Return the content of `comparison.json`; numbers of rows unless a name says hours.

    `changed` is false exactly when both hold the same rows and their summaries differ in nothing but the policy.
    """
    tables = (changes.sessions, changes.lessons, changes.eligibility, changes.findings)
    rest = _rest(old.summary, new.summary)
    return {
        "changed": bool(rest) or any(len(table) for table in tables),
        "policy": {"old": old.summary["policy"], "new": new.summary["policy"]},
        "sessions": _sessions(old, new, changes),
        "hours": _hours(old, new, changes.lessons),
        "lessons": _lessons(changes.lessons),
        "eligibility": _eligibility(old, new, changes.eligibility),
        "rules": _rules(changes),
        "summary": rest,
        "examples": examples(changes),
    }


def _rest(old: Row, new: Row) -> Row:
    """Return what differs in two `summary.json` beside the policy and what the tables say."""

    def told(side: Row) -> Row:
        return {
            "events": side["counts"].get("events"),
            "refused_rows": side["counts"].get("refused_rows"),
            **{name: side.get(name) for name in ("not_evaluable", "unused_decisions")},
        }

    before, after = told(old), told(new)
    return {name: {"old": before[name], "new": after[name]} for name in before if before[name] != after[name]}


def _kinds(table: pa.Table) -> dict[str, int]:
    counts = Counter(table["change"].to_pylist())
    return {kind: counts[kind] for kind in KINDS}


def _sessions(old: Results, new: Results, changes: Changes) -> Row:
    """Return the flow of verdicts of all sessions, and how many changed in what."""
    rows, names = changes.sessions, [*map(str, Verdict), ABSENT]
    sides = [pc.fill_null(rows[f"{side}_verdict"], ABSENT).to_pylist() for side in ("old", "new")]
    flow = Counter(zip(*sides, strict=True))
    verdict_changed = sum(
        number for (one, other), number in flow.items() if one != other and ABSENT not in (one, other)
    )
    for verdict, number in Counter(new.sessions["verdict"].to_pylist()).items():
        flow[verdict, verdict] = number - sum(flow[one, verdict] for one in names if one != verdict)
    about = pc.equal(changes.findings["subject"], "session")
    named = changes.findings.filter(about)["subject_id"].unique()
    return {
        "old": len(old.sessions),
        "new": len(new.sessions),
        **_kinds(rows),
        "verdict_changed": verdict_changed,
        "only_findings_changed": len(named)
        - int((positions(pa.chunked_array([named]), rows["session_id"]) >= 0).sum()),
        "flow": [
            {"old": one, "new": other, "sessions": flow[one, other]}
            for one in names
            for other in names
            if flow[one, other]
        ],
    }


def _hours(old: Results, new: Results, lessons: pa.Table) -> Row:
    """Return hours in all and by class, and what was gained and lost; each lesson counts for itself."""
    gained = hours_gained(lessons)
    sides = [
        (side.ledger["hours"].to_numpy(), classes_of(side.ledger["enrolment_id"], old, new)) for side in (old, new)
    ]
    parts = [*sides, (np.maximum(gained, 0), lessons["class_id"]), (np.maximum(-gained, 0), lessons["class_id"])]
    labels = pa.chunked_array([chunk for _, name in parts for chunk in name.chunks], pa.string())
    which, first, place = np.unique(ranks([labels]), return_index=True, return_inverse=True)
    ends = np.cumsum([len(values) for values, _ in parts])
    sums = [
        np.bincount(codes, values, minlength=len(which))
        for codes, (values, _) in zip(np.split(place, ends[:-1]), parts, strict=True)
    ]
    by_class = [
        dict(zip(("class_id", "old", "new", "gained", "lost"), (name, *map(_rounded, row)), strict=True))
        for name, row in zip(labels.take(first).to_pylist(), zip(*sums, strict=True), strict=True)
    ]
    whole = {name: _rounded(sum(column)) for name, column in zip(("old", "new", "gained", "lost"), sums, strict=True)}
    return {**whole, "by_class": by_class}


def _rounded(hours: Any) -> float:
    return round(float(hours), 6)


def _lessons(lessons: pa.Table) -> Row:
    gained, paired = hours_gained(lessons), lessons["change"].to_numpy() == CHANGED
    silent = pc.list_value_length(lessons["explained_by"]).to_numpy() == 0
    return {
        **_kinds(lessons),
        "gained": int((gained > 0).sum()),
        "lost": int((gained < 0).sum()),
        "no_rule": int((paired & silent).sum()),
    }


def _eligibility(old: Results, new: Results, rows: pa.Table) -> Row:
    """Return who gains and loses eligibility, and which tests turned out otherwise for how many."""
    may = [pc.fill_null(rows[f"{side}_eligible"], False).to_numpy() for side in ("old", "new")]
    tests = Counter(code for codes in rows["tests"].to_pylist() for code in set(codes))
    return {
        "old": int(old.summary["counts"]["eligible"]),
        "new": int(new.summary["counts"]["eligible"]),
        **_kinds(rows),
        "gained": int((~may[0] & may[1]).sum()),
        "lost": int((may[0] & ~may[1]).sum()),
        "tests": [{"test": code, "learners": tests[code]} for code in sorted(tests)],
    }


def _rules(changes: Changes) -> list[Row]:
    """Return, for each rule, its findings that came, went or changed, and what it explains (several may share it)."""
    found = Counter(zip(changes.findings["rule"].to_pylist(), changes.findings["change"].to_pylist(), strict=True))
    explains = {
        name: Counter(pc.list_flatten(getattr(changes, name)["explained_by"]).to_pylist())
        for name in ("sessions", "lessons", "eligibility")
    }
    lessons = changes.lessons["explained_by"].combine_chunks()
    gained = hours_gained(changes.lessons)[pc.list_parent_indices(lessons).to_numpy()]
    hours: dict[str, list[float]] = {}
    for rule, amount in zip(pc.list_flatten(lessons).to_pylist(), gained.tolist(), strict=True):
        both = hours.setdefault(rule, [0.0, 0.0])
        both[amount < 0] += abs(amount)
    rules = sorted({rule for rule, _ in found}.union(*explains.values()))
    return [
        {
            "rule": rule,
            "zh": BY_ID[rule].zh if rule in BY_ID else "",
            "en": BY_ID[rule].name if rule in BY_ID else "",
            "findings_added": found[rule, ONLY_NEW],
            "findings_removed": found[rule, ONLY_OLD],
            "findings_changed": found[rule, CHANGED],
            "sessions": explains["sessions"][rule],
            "lessons": explains["lessons"][rule],
            "learners": explains["eligibility"][rule],
            "hours_gained": _rounded(hours.get(rule, [0.0])[0]),
            "hours_lost": _rounded(hours.get(rule, [0.0, 0.0])[1]),
        }
        for rule in rules
    ]
