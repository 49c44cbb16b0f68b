"""Erasing a person: their data key goes, and with it everything sealed for them; hours, verdicts and log proofs stay.

Each erasure is written to a list beside the key file too. Who restores an older backup gets back the person's data and
the key in it, so `apply_again` does every erasure of the list anew.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from online_guard.errors import ErrorKind, GuardError
from online_guard.service.house import House, clock_ms
from online_guard.service.registration import check_identity_number
from online_guard.settings import Settings
from online_guard.store import erasing, holds, queries, sealed_log
from online_guard.store.media_rows import media, others_with
from online_guard.store.unit_of_work import reading, writing

TOLD_CASES = 5


@dataclass(frozen=True)
class Erasure:
    """Who was erased, when in ms, on whose order and why."""

    learner_id: str
    erased_ms: int
    ordered_by: str
    reason: str


def list_file(settings: Settings) -> Path:
    """Return the list of erasures, which no backup of the database may put back to an earlier state."""
    return settings.key_file.with_name("erasures.ndjson")


def learner_with(house: House, identity_number: str) -> str:
    """Return the id of the learner with an identity number.

    Raises:
        GuardError: It is no identity number.
    """
    return house.vault.blind_index(check_identity_number(identity_number))


def erase(house: House, learner_id: str, *, reason: str, ordered_by: str, dry_run: bool = False) -> dict[str, Any]:
    """Erase a person from all classes of all platforms, and return what was destroyed.

    Args:
        house: The service.
        learner_id: Whom.
        reason: Why, with the legal basis; it must not name the person.
        ordered_by: Whose order it was.
        dry_run: Whether only to tell what would be destroyed.

    Raises:
        GuardError: There is no such person, or a case holds their data.
    """
    with reading(house.engine) as database:
        enrolments = erasing.enrolments_of(database, learner_id)
        if not enrolments:
            raise queries.not_found("学员 learner", learner_id)
        open_enrolments = sum(enrolment.erased_ms is None for enrolment in enrolments)
        _refuse_while_held(holds.held(database, learner_id))
        pictures = len({row.sha256 for row in media(database, learner_id)}) if open_enrolments else 0
    told = {"learner_id": learner_id, "enrolments": open_enrolments, "pictures": pictures}
    if dry_run or not open_enrolments:
        return told | {"erased_ms": max((row.erased_ms or 0 for row in enrolments), default=0) or None}
    return told | _carry_out(house, Erasure(learner_id, clock_ms(), ordered_by, reason), is_ordered=True)


def _refuse_while_held(cases: dict[str, list[Any]]) -> None:
    if not cases:
        return
    waiting = sorted({f"{case.subject} {case.subject_id} ({case.case_id})" for rows in cases.values() for case in rows})
    more = "" if len(waiting) <= TOLD_CASES else f" (+{len(waiting) - TOLD_CASES})"
    raise GuardError(
        ErrorKind.CONFLICT,
        "person.held",
        f"尚有案件未结,暂不能删除 / cases are open: {'; '.join(waiting[:TOLD_CASES])}{more}",
        remedy="请先审结 / decide them first.",
    )


def _carry_out(house: House, erasure: Erasure, *, is_ordered: bool) -> dict[str, Any]:
    """Destroy key and rows in one transaction, then files and what is left of the key in the database's files.

    The transaction checks for holds again: a finding may have come meanwhile. An erasure done again asks nobody.
    """
    learner_id = erasure.learner_id
    with writing(house.engine) as database:
        if is_ordered:
            _refuse_while_held(holds.held(database, learner_id))
        sha256s = {row.sha256 for row in media(database, learner_id)}
        forgotten = erasing.forget_person(database, learner_id, erasure.erased_ms)
        erasing.record_erasure(database, **asdict(erasure))
        said = {"erased_ms": erasure.erased_ms, "ordered_by": erasure.ordered_by, "ordered_now": is_ordered}
        sealed_log.append(database, "erasure", f"learner {learner_id}", said)
        if is_ordered:
            _append(list_file(house.settings), erasure)
    files = _delete_pictures(house, learner_id, sha256s)
    counts = forgotten._asdict() | {"files": files, "is_scrubbed": erasing.scrub(house.engine)}
    return {"erased_ms": erasure.erased_ms} | counts


def _delete_pictures(house: House, learner_id: str, sha256s: set[str]) -> int:
    """Delete a person's files, and let the index in memory drop their captures; return how many files there were."""
    first_format = set(filter(house.blobs.is_there, sha256s))
    with reading(house.engine) as database:
        house.seen.catch_up(database, house.vault)
        shared = others_with(database, learner_id, first_format) if first_format else set()
    names = {house.blobs.name(learner_id, sha256) for sha256 in sha256s}
    return house.blobs.delete(names | (first_format - shared))


def _append(file: Path, erasure: Erasure) -> None:
    """Write an erasure down, on disk before it is carried out."""
    handle = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(handle, json.dumps(asdict(erasure), ensure_ascii=False).encode() + b"\n")
        os.fsync(handle)
    finally:
        os.close(handle)


def apply_again(house: House) -> int:
    """Carry out every erasure anew whose person came back with a restored backup; return how many did.

    Who enrolled again after the erasure stays: their data key is younger.
    """
    with reading(house.engine) as database:
        known = {
            (row.learner_id, row.erased_ms): Erasure(row.learner_id, row.erased_ms, row.ordered_by, row.reason)
            for row in erasing.erasures(database)
        }
        known |= {(row.learner_id, row.erased_ms): row for row in _listed(list_file(house.settings))}
        due = [row for row in known.values() if erasing.is_to_be_erased(database, row.learner_id, row.erased_ms)]
    for erasure in due:
        _carry_out(house, erasure, is_ordered=False)
    return len(due)


def _listed(file: Path) -> list[Erasure]:
    """Return the erasures of the list.

    Raises:
        GuardError: A line of it can't be read: somebody would stay who was erased.
    """
    if not file.exists():
        return []
    erasures = []
    for number, line in enumerate(file.read_bytes().splitlines(), start=1):
        try:
            erasures.append(Erasure(**json.loads(line)))
        except (ValueError, TypeError) as error:
            raise GuardError(
                ErrorKind.MALFORMED,
                "erasures.unreadable",
                "删除名单有一行无法读取 / a line of the list of erasures can't be read",
                where=f"{file}:{number}",
                remedy="请从备份恢复该文件 / restore this file from a backup.",
            ) from error
    return erasures
