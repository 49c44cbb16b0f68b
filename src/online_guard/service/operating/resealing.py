"""Turning the master key over: a new version seals from now on, what older ones sealed is sealed anew, old ones go."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from online_guard.errors import ErrorKind, GuardError
from online_guard.service.house import House
from online_guard.store.key_ring import KeyRing, change_ring, read_ring
from online_guard.store.media_rows import media
from online_guard.store.person_keys import PersonKeys
from online_guard.store.sealed_columns import SEALED, count_stale
from online_guard.store.tables import EnrolmentRecord
from online_guard.store.unit_of_work import reading, writing
from online_guard.store.vault import REFRESH_S

Progress = Callable[[str, int], None]
"""Told the column or `files`, and how many more of it were sealed anew."""


def rotate(house: House) -> int:
    """Add a version of the master key, under which every process seals within a second; return its number."""
    return change_ring(house.settings.key_file, KeyRing.rotated).current


def status(house: House) -> dict[str, Any]:
    """Return the versions of the master key, and what isn't sealed as new values are."""
    house.vault.refresh()
    ring = read_ring(house.settings.key_file)
    with reading(house.engine) as database:
        stale = count_stale(database, house.vault)
    return {
        "current": ring.current,
        "versions": sorted(ring.keys),
        "first_format_opens": ring.unbound,
        "stale": stale | {"files": len(_first_format(house))},
    }


def reseal(house: House, told: Progress) -> dict[str, int]:
    """Seal anew what isn't sealed as new values are, some rows a transaction, and return how many of what.

    It goes on where it was stopped, and the service may run meanwhile. Of pictures on disk only those of the first
    format need it: a person's data key, which the master key wraps, stays the same.
    """
    house.vault.refresh()
    counts: dict[str, int] = {}
    for sealed in SEALED:
        counts[sealed.name] = 0
        while True:
            with writing(house.engine) as database:
                done = sealed.seal_again(database, house.vault)
            if not done:
                break
            counts[sealed.name] += done
            told(sealed.name, done)
    counts["files"] = _adopt_files(house, told)
    return counts


def _first_format(house: House) -> set[str]:
    with reading(house.engine) as database:
        return {row.sha256 for row in media(database) if house.blobs.is_there(row.sha256)}


def _adopt_files(house: House, told: Progress) -> int:
    """Seal pictures of the first format for each person in them, then delete the old files."""
    names = _first_format(house)
    if not names:
        return 0
    with reading(house.engine) as database:
        keys = PersonKeys(database, house.vault)
        rows = [row for row in media(database) if row.sha256 in names]
        keys.load(row.learner_id for row in rows)
        owners = {(row.learner_id, row.enrolment_id) for row in rows if keys.find(row.learner_id) is None}
    with writing(house.engine) as database:
        keys = PersonKeys(database, house.vault)
        for _, enrolment_id in owners:
            if database.get_one(EnrolmentRecord, enrolment_id).erased_ms is None:
                keys.of_enrolment(enrolment_id)
        people = {row.learner_id: keys.find(row.learner_id) for row in rows}
    for row in rows:
        person = people[row.learner_id]
        if person is not None and house.blobs.adopt(row.sha256, person):
            told("files", 1)
    return house.blobs.delete(names)


def retire(house: House) -> list[int]:
    """Remove the versions of the master key that seal nothing any more; return what is left.

    A backup that is older can't be opened afterwards, unless the key file of its day was kept with it.

    Raises:
        GuardError: Something is still sealed under an older version.
    """
    time.sleep(2 * REFRESH_S)  # until every process seals under the newest
    stale = {name: count for name, count in status(house)["stale"].items() if count}
    if stale:
        raise GuardError(
            ErrorKind.CONFLICT,
            "vault.still_used",
            f"仍有数据由旧密钥封存 / still sealed under an older key: {stale}",
            remedy="请先运行 online-guard vault reseal / run this first.",
        )
    current = house.vault.version

    def retired(ring: KeyRing) -> KeyRing:
        return ring.retired() if ring.current == current else ring  # rotated meanwhile: nothing is known of that one

    return sorted(change_ring(house.settings.key_file, retired).keys)
