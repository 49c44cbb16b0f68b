"""Whose word a result rests on: sessions the service received `live`, or those a platform brought by an `import`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy.orm import Session

from online_guard.store import import_rows
from online_guard.terms import Subject
from online_guard.verdict import Finding

Subjects = dict[tuple[str, str], set[str]]
"""By subject and its id, where its sessions come from."""


def joined(values: Iterable[str]) -> str | None:
    """Return `live`, `import`, or `import+live` where both are; None where there is no session."""
    return "+".join(sorted(set(values))) or None


def of_class(database: Session, class_id: str) -> Subjects:
    """Return where the sessions of each subject of a class come from."""
    found: Subjects = defaultdict(set)
    for key, enrolment_id, lesson_no, provenance in import_rows.provenances_of_class(database, class_id):
        found[Subject.SESSION, key].add(provenance)
        found[Subject.LESSON, f"{enrolment_id}/{lesson_no}"].add(provenance)
        found[Subject.ENROLMENT, enrolment_id].add(provenance)
        found[Subject.CLASS, class_id].add(provenance)
    return found


def of_findings(database: Session, class_id: str, findings: Sequence[Finding]) -> list[str | None]:
    """Return for each finding where its subject's sessions come from, and the sessions that its evidence names."""
    subjects = of_class(database, class_id)
    named = {text for finding in findings for text in _texts(finding.as_row()["evidence"]) if text.count("/") >= 1}
    others = import_rows.sessions_among(database, named, imported_only=True)
    answers = []
    for finding in findings:
        is_snapshot = finding.subject is Subject.SNAPSHOT
        subject = Subject.SESSION if is_snapshot else finding.subject
        subject_id = finding.subject_id.rpartition("/")[0] if is_snapshot else finding.subject_id
        beside = ("import" for text in _texts(finding.as_row()["evidence"]) if _session(text) in others)
        answers.append(joined([*subjects.get((subject, subject_id), ()), *beside]))
    return answers


def _session(text: str) -> str:
    """Return the key of the session that a text names, itself or by one of its captures."""
    return "/".join(text.split("/")[:2])


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _texts(inner)
