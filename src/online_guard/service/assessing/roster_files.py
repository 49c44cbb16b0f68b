"""A roster's files for print, spreadsheets and calendars: made on demand, as they name persons, and kept nowhere."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from threading import Lock

from sqlalchemy.orm import Session

from online_guard.assessment.class_form import annex_two
from online_guard.assessment.documents import FILES, AnnexTwo, Papers, make
from online_guard.assessment.outcomes import Result
from online_guard.assessment.roster import Roster
from online_guard.evidence import TrainingClass
from online_guard.service.assessing.class_attendance import attendance_of
from online_guard.service.assessing.personal_names import people_of
from online_guard.service.assessing.published import named_in
from online_guard.service.assessing.results import results_of
from online_guard.service.house import House
from online_guard.store import queries, roster_rows
from online_guard.store.evidence_loader import training_class
from online_guard.store.unit_of_work import reading

_ONE_AT_A_TIME = Lock()
"""Papers of a large window take gigabytes: requests for several wait for each other."""


def made(house: House, window: str, version: int | None, name: str, class_id: str | None) -> tuple[bytes, str]:
    """Return a file of a window's roster, and its media type.

    Args:
        house: The service.
        window: Such as `2021-08`.
        version: The newest, where none is named.
        name: One of `documents.FILES`.
        class_id: Whose part of it alone is made, for the enterprise; None for everybody's.

    Raises:
        GuardError: No such version, no such file, nobody of the class in it, or the machine couldn't make it now.
    """
    papers = papers_of(house, window, version)
    with _ONE_AT_A_TIME:
        return make(papers, name, class_id).body, FILES[name]


def papers_of(house: House, window: str, version: int | None) -> Papers:
    """Return everything that the files of a window's roster are made of.

    Raises:
        GuardError: No such version.
    """
    with reading(house.engine) as database:
        record = roster_rows.find_roster(database, window, version)
        roster = roster_rows.roster_of(record)
        venues = roster_rows.venues_of(database, record.venues_version)
        before = (
            roster_rows.roster_of(roster_rows.find_roster(database, window, roster.version - 1))
            if roster.version > 1
            else None
        )
        class_ids = sorted({one.class_id for one in roster.candidates})
        classes = [training_class(queries.class_record(database, one)) for one in class_ids]
        filed = [applied for applied, _ in roster_rows.applications(database, window)]
        results = results_of(database, window)
        return Papers(
            roster=roster,
            tasks=house.policy.tasks.rows,
            policy_title=house.policy.title,
            people=people_of(house, database, named_in(roster)),
            examiners={one.examiner_id: one.name for one in venues.examiners},
            annex_two=tuple(_forms(database, classes, results)),
            task_of_class={one.class_id: one.task_row for one in filed if one.task_row is not None},
            earlier=tuple(_earlier(database, window)),
            before=before,
        )


def _forms(
    database: Session, classes: Iterable[TrainingClass], results: Mapping[str, Sequence[Result]]
) -> Iterator[AnnexTwo]:
    for one in classes:
        yield annex_two(one, attendance_of(database, one.class_id), results.get(one.class_id, ()))


def _earlier(database: Session, window: str) -> Iterable[Roster]:
    """Yield the newest rosters of the windows before in the same year."""
    for earlier in roster_rows.windows(database, window[:4]):
        if earlier < window:
            yield roster_rows.roster_of(roster_rows.find_roster(database, earlier, None))
