"""Media expire after `retention.media_days` (SPEC 8): files, compared pictures, vectors; unless a case holds them.

With them go the addresses and browsers of sessions as old, and what dead letters say. What was measured, judged and
logged stays. A reference photo is as old as its class's last day.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import numpy as np
from sqlalchemy.orm import Session

from online_guard.evidence import civil_day
from online_guard.service.house import House, clock_ms
from online_guard.store import erasing, expiry, holds, jobs, sealed_log
from online_guard.store.blobs import BlobFile
from online_guard.store.media_rows import media
from online_guard.store.unit_of_work import reading, writing

DAY_MS = 86_400_000
LEFTOVER_S = 86_400.0
"""A file that no row names is deleted after a day: the row of a picture is committed after its file was written."""
AT_ONCE = 500
EXPIRE = "expire"
"""The duty of a worker; its key is a day in China."""
log = logging.getLogger(__name__)


Forget = Callable[[Session, Sequence[Any], int], None]


def expire_daily(house: House, day: str) -> None:
    """Delete what has expired by a day; the duty of a worker."""
    log.info("media expired by %s: %s", day, expire(house))


def ask_daily(house: House) -> None:
    """Ask a worker for a run when a day in China has begun since the last one was asked for here.

    What was asked for stands in a file, so that a service that is started again asks no earlier; several hosts that ask
    for one day ask for one job, or for one that finds nothing more.
    """
    file, today = house.settings.data_dir / "retention-day", str(civil_day(np.array(clock_ms())))
    known = file.read_text("utf-8") if file.exists() else None
    if known == today:
        return
    file.write_text(today, "utf-8")
    if known is not None:
        with writing(house.engine) as database:
            jobs.ask(database, EXPIRE, today, clock_ms())


def forget_erased(house: House) -> None:
    """Drop from memory the captures that another process forgot."""
    with reading(house.engine) as database:
        house.seen.drop_forgotten(database)


def expire(house: House, *, dry_run: bool = False) -> dict[str, Any]:
    """Delete what has expired, and return how much; cut short, the next run goes on.

    The answer counts files and their bytes, `leftovers` (files that no row names), captures, reference photos'
    vectors, sessions and dead letters that were emptied, and the enrolments that a case holds.

    Args:
        house: The service.
        dry_run: Whether only to count.
    """
    before_ms = clock_ms() - house.policy.retention.media_days * DAY_MS
    began_s = time.time()
    present = {file.name: file for file in house.blobs.files()}
    with reading(house.engine) as database:
        held = set(holds.held(database))
        ended = expiry.ended_before(database, before_ms)
        due: dict[str, tuple[Forget, Sequence[Any]]] = {
            "captures": (expiry.forget_captures_now, expiry.old_captures(database, before_ms, ended - held, held)),
            "references": (expiry.forget_reference_vectors, expiry.with_reference_vector(database, ended - held)),
            "sessions": (expiry.forget_senders, expiry.old_sessions(database, before_ms, held)),
            "dead_letters": (expiry.forget_letters, expiry.old_dead_letters(database, before_ms, held)),
        }
        is_old = _old_names(house, database, present.keys(), before_ms, ended, held)
    told = {"held": len(held), **_expire_files(house, present, is_old, began_s, dry_run)}
    for name, (forget, rows) in due.items():
        told[name] = len(rows)
        for start in range(0, 0 if dry_run else len(rows), AT_ONCE):
            with writing(house.engine) as database:
                forget(database, rows[start : start + AT_ONCE], clock_ms())
    if not dry_run:
        forget_erased(house)
        erasing.scrub(house.engine)
        with writing(house.engine) as database:
            sealed_log.append(database, "expiry", "media", {"before_ms": before_ms, **told})
    return {"before_ms": before_ms, "dry_run": dry_run, **told}


def _old_names(
    house: House, database: Session, present: Collection[str], before_ms: int, ended: set[str], held: set[str]
) -> dict[str, bool]:
    """Return, of the files that rows name, whether nothing keeps them any more; first format's names are hashes."""
    is_old: dict[str, bool] = {}
    for row in media(database):
        passed = row.enrolment_id in ended if row.received_ms is None else row.received_ms < before_ms
        for name in (house.blobs.name(row.learner_id, row.sha256), row.sha256):
            if name in present:
                is_old[name] = is_old.get(name, True) and passed and row.enrolment_id not in held
    return is_old


def _expire_files(
    house: House, present: Mapping[str, BlobFile], is_old: Mapping[str, bool], began_s: float, dry_run: bool
) -> dict[str, int]:
    files = [present[name] for name, passed in is_old.items() if passed]
    leftover_s = began_s - LEFTOVER_S
    leftovers = [file for name, file in present.items() if name not in is_old and file.written_s < leftover_s]
    if not dry_run:
        house.blobs.delete([file.name for file in files + leftovers], written_before_s=began_s)
    return {"files": len(files), "bytes": sum(file.size for file in files), "leftovers": len(leftovers)}
