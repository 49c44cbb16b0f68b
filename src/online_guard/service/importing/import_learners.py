"""Whose an imported enrolment is: a registered learner's, or, until one is registered, a pseudonym's.

A bundle names learners by pseudonyms of the platform's own. A keyed fingerprint of (platform, pseudonym) stands for a
learner until one of the enrolments that share it is registered with an identity number; from then on all of them are
that learner's. A fingerprint is never another platform's, and never an identity number's.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import msgspec
from sqlalchemy.orm import Session

from online_guard.evidence import Enrolment, Evidence
from online_guard.service.house import House
from online_guard.store import import_rows, imported_learners
from online_guard.store.import_tables import ImportedEnrolmentRecord
from online_guard.store.tables import EnrolmentRecord


def pseudonym(house: House, platform_id: str, learner_id: str) -> str:
    """Return the fingerprint that stands for a platform's pseudonym of a learner."""
    return house.vault.blind_index(f"imported learner {platform_id}/{learner_id}")


def learners_of(house: House, database: Session, platform_id: str, learner_ids: Collection[str]) -> dict[str, str]:
    """Return by pseudonym of a bundle the learner it stands for: the registered one, where one is known."""
    fingerprints = {learner_id: pseudonym(house, platform_id, learner_id) for learner_id in learner_ids}
    registered = imported_learners.registered_learners(database, fingerprints.values())
    return {learner_id: registered.get(found, found) for learner_id, found in fingerprints.items()}


def put_enrolments(
    house: House, database: Session, evidence: Evidence, platform_id: str, known: Mapping[tuple[str, str], str]
) -> set[str]:
    """Keep the enrolments of a bundle that are new, and whom each is; return other classes that change by it."""
    is_known = [("enrolments.ndjson", row.enrolment_id) in known for row in evidence.enrolments]
    kept = [row for row, is_kept in zip(evidence.enrolments, is_known, strict=True) if is_kept]
    new = [row for row, is_kept in zip(evidence.enrolments, is_known, strict=True) if not is_kept]
    touched = _link(house, database, platform_id, kept)
    learners = learners_of(house, database, platform_id, {row.learner_id for row in new})
    rows = (
        {
            "enrolment_id": row.enrolment_id,
            "class_id": row.class_id,
            "learner_id": learners[row.learner_id],
            "name": b"",
            "identity_number": b"",
            "face_checks": str(row.face_checks),
            "leave": json.dumps(msgspec.to_builtins([asdict(period) for period in row.leave])),
        }
        for row in new
    )
    import_rows.put(database, EnrolmentRecord, rows)
    links = (_link_of(house, platform_id, row, is_registered=False) for row in new)
    import_rows.put(database, ImportedEnrolmentRecord, links)
    return touched


def _link(house: House, database: Session, platform_id: str, kept: Sequence[Enrolment]) -> set[str]:
    """Note which pseudonyms registered learners have; return the classes that become theirs by it."""
    ids = [row.enrolment_id for row in kept]
    column = ImportedEnrolmentRecord.enrolment_id
    linked = {link.enrolment_id for link in import_rows.stored(database, ImportedEnrolmentRecord, [column], ids)}
    found = import_rows.stored(database, EnrolmentRecord, [EnrolmentRecord.enrolment_id], ids)
    learners = {record.enrolment_id: record.learner_id for record in found}
    links = [_link_of(house, platform_id, row, is_registered=True) for row in kept if row.enrolment_id not in linked]
    import_rows.put(database, ImportedEnrolmentRecord, links)
    touched: set[str] = set()
    for link in links:
        touched |= set(imported_learners.adopt(database, link["pseudonym"], learners[link["enrolment_id"]]))
    return touched


def _link_of(house: House, platform_id: str, row: Enrolment, *, is_registered: bool) -> dict[str, Any]:
    name = pseudonym(house, platform_id, row.learner_id)
    return {"enrolment_id": row.enrolment_id, "pseudonym": name, "is_registered": is_registered}
