"""A few changed sessions, lessons and learners of each kind, with the findings that came and went."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from online_guard.compare.changes import Changes, hours_gained
from online_guard.compare.rows import ONLY_NEW, ONLY_OLD
from online_guard.terms import Subject

OF_EACH_KIND = 4
Row = dict[str, Any]
Named = tuple[str, str]
"""What a finding is about: subject and id."""


def examples(changes: Changes) -> list[Row]:
    """Return examples: `about` (session, lesson, learner), `kind`, the changed row, and `findings` about it.

    Kinds: `old > new` verdict or `measured` of a session; `gained`, `lost` or `measured` of a lesson's hours or a
    learner's eligibility; and `only_old` and `only_new`. Examples of one kind differ in their reasons where they can.
    """
    lessons, learners = changes.lessons, changes.eligibility
    chosen = [
        *_of(changes.sessions, "session", _session_kinds(changes.sessions)),
        *_of(lessons, "lesson", _kinds(lessons, hours_gained(lessons).tolist())),
        *_of(learners, "learner", _kinds(learners, _eligibility_gained(learners))),
    ]
    subjects = [_subjects(example) for example in chosen]
    found = _findings(changes.findings, {subject for named in subjects for subject in named})
    for example, named in zip(chosen, subjects, strict=True):
        example["findings"] = [finding for subject in named for finding in found.get(subject, ())]
    return chosen


def _session_kinds(rows: pa.Table) -> list[str]:
    sides = (rows[name].to_pylist() for name in ("change", "old_verdict", "new_verdict"))
    return [
        change if change in (ONLY_OLD, ONLY_NEW) else "measured" if old == new else f"{old} > {new}"
        for change, old, new in zip(*sides, strict=True)
    ]


def _eligibility_gained(rows: pa.Table) -> list[float]:
    sides = (pc.fill_null(rows[f"{side}_eligible"], False).to_pylist() for side in ("old", "new"))
    return [float(new) - float(old) for old, new in zip(*sides, strict=True)]


def _kinds(rows: pa.Table, gained: Sequence[float]) -> list[str]:
    return [
        change if change in (ONLY_OLD, ONLY_NEW) else "gained" if more > 0 else "lost" if more < 0 else "measured"
        for change, more in zip(rows["change"].to_pylist(), gained, strict=True)
    ]


def _of(rows: pa.Table, about: str, kinds: Sequence[str]) -> list[Row]:
    """Return examples of each kind: first one of each set of reasons, the commonest before, then more of them."""
    reasons = [",".join(row) for row in rows["explained_by"].to_pylist()]
    number_of = Counter(zip(kinds, reasons, strict=True))
    seen: Counter[tuple[str, str]] = Counter()
    places = defaultdict(list)
    for row, key in enumerate(zip(kinds, reasons, strict=True)):
        if seen[key] < OF_EACH_KIND:
            places[key[0]].append((seen[key], -number_of[key], row))
        seen[key] += 1
    order = sorted(places, key=lambda kind: (kind == "measured", kind))
    picked = [(kind, row) for kind in order for _, _, row in sorted(places[kind])[:OF_EACH_KIND]]
    table = rows.take(pa.array([row for _, row in picked], pa.int64())).to_pylist()
    return [{"about": about, "kind": kind, **_readable(row)} for (kind, _), row in zip(picked, table, strict=True)]


def _readable(row: Row) -> Row:
    """Return a row whose JSON texts are read."""
    return {name: _decoded(value) if name.endswith("_evidence") else value for name, value in row.items()}


def _decoded(text: str | None) -> Any:
    return None if text is None else msgspec.json.decode(text)


def _subjects(example: Row) -> list[Named]:
    """Return whom findings about an example may name."""
    match example["about"]:
        case "session":
            return [(Subject.SESSION, example["session_id"])]
        case "lesson":
            enrolment_id = example["enrolment_id"]
            return [(Subject.LESSON, f"{enrolment_id}/{example['lesson_no']}"), (Subject.ENROLMENT, enrolment_id)]
    return [(Subject.ENROLMENT, example["enrolment_id"]), (Subject.CLASS, example["class_id"])]


def _findings(findings: pa.Table, subjects: Iterable[Named]) -> dict[Named, list[Row]]:
    wanted = set(subjects)
    ids = pa.array(sorted({name for _, name in wanted}), pa.string())
    found = defaultdict(list)
    for row in findings.filter(pc.is_in(findings["subject_id"], value_set=ids)).to_pylist():
        subject = (row["subject"], row["subject_id"])
        if subject in wanted:
            kept = ("rule", "change", "old_effect", "new_effect", "old_evidence", "new_evidence")
            found[subject].append(_readable({name: row[name] for name in kept}))
    return found
