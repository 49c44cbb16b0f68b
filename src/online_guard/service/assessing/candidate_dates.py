"""When candidates changed: each row is dated in the transaction that changed it.

A row has changed when its eligibility, its evidence, or what assessors said of it is another than before. Its cures
follow from these and the day on which they are read, so they don't count.
"""

from __future__ import annotations

import hashlib
import json

from sqlalchemy.orm import Session

from online_guard.store import assessment_rows, queries


def date_rows(database: Session, class_id: str, now_ms: int) -> None:
    """Date the rows of a class that are others than before.

    Args:
        database: Open for writing; nothing more should follow in its transaction, since others wait for it.
        class_id: The class.
        now_ms: The service's clock.
    """
    said = assessment_rows.confirmations(database, [class_id])[class_id]
    digests = {}
    for row in queries.results_of_class(database, "eligibility", class_id):
        if row["window"] is not None:
            content = json.dumps([row, assessment_rows.answers_to(row, said)], sort_keys=True)
            digests[row["window"], row["enrolment_id"]] = hashlib.sha256(content.encode()).hexdigest()
    assessment_rows.date_candidates(database, class_id, digests, now_ms)
