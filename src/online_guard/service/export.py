"""Everything stored → a bundle folder, so that a batch judges what the service judged."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from online_guard.errors import ErrorKind, GuardError
from online_guard.ingest.bundle import write_bundle
from online_guard.ingest.identity import take
from online_guard.service.house import House, open_house
from online_guard.settings import Settings
from online_guard.store.evidence_loader import load_all, stored_rows
from online_guard.store.unit_of_work import reading


def export_bundle(settings: Settings, out: Path) -> None:
    """Write a bundle of the data that some settings name; learners stay pseudonymous.

    Raises:
        GuardError: There is no data; the folder holds something already, or can't be written.
    """
    if not settings.key_file.exists():
        raise GuardError(
            ErrorKind.NOT_FOUND,
            "export.no_data",
            "此文件夹没有服务数据 / no service has kept its data here",
            where=str(settings.data_dir),
            remedy="请以 --data-dir 指明数据文件夹 / name the folder with --data-dir.",
        )
    house = open_house(settings)
    try:
        export(house, out)
    finally:
        house.engine.dispose()


def export(house: House, out: Path) -> None:
    """Write a bundle of everything in an open house.

    Raises:
        GuardError: The folder holds something already, or can't be written.
    """
    with reading(house.engine) as database:
        evidence, events = load_all(database)
        tables = stored_rows(database)
    order = (events.session, events.seq, events.received_ms)
    write_bundle(
        out,
        classes=evidence.classes,
        enrolments=evidence.enrolments,
        events=take(events, np.lexsort(order[::-1])),
        practice=evidence.practice,
        applications=evidence.applications,
        **tables,
    )
