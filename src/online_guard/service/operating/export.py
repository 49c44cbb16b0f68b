"""What is stored → a bundle folder, so that a batch judges what the service judged: all of it, or closed sessions."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from online_guard.errors import ErrorKind, GuardError
from online_guard.ingest.bundle import write_bundle
from online_guard.service.house import House, open_house
from online_guard.settings import Settings
from online_guard.store.bundle_rows import Selection, bundle_rows, count_open
from online_guard.store.unit_of_work import reading

__all__ = ["Exported", "Selection", "export", "export_bundle"]
EVERYTHING = Selection()


@dataclass(frozen=True)
class Exported:
    """How many sessions were written, and how many were left out because they are open."""

    sessions: int
    left_open: int


def export_bundle(settings: Settings, out: Path, selection: Selection = EVERYTHING) -> Exported:
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
        return export(house, out, selection)
    finally:
        house.engine.dispose()


def export(house: House, out: Path, selection: Selection = EVERYTHING) -> Exported:
    """Write a bundle of what an open house keeps; the same data gives the same bytes.

    Raises:
        GuardError: The folder holds something already, or can't be written.
    """
    with reading(house.engine) as database:
        rows = bundle_rows(database, selection)
        write_bundle(out, **rows)
        return Exported(len(rows["sessions"]), count_open(database, selection))
