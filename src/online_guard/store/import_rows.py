"""Imports and what they bring: look-ups and writes of many rows at once."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import Select, delete, insert, or_, select, tuple_, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import InstrumentedAttribute, Session, undefer

from online_guard.store import queries
from online_guard.store.import_tables import (
    ImportPageRecord,
    ImportRecord,
)
from online_guard.store.tables import Base, ClassRecord, EnrolmentRecord, JobRecord, LikenessRecord, SessionRecord

AT_ONCE = 500
"""Rows in one statement."""
DUTY = "import"
"""The duty of a job that reads an import."""
UPLOADING, RECEIVED, READING, DONE, FAILED = "uploading", "received", "reading", "done", "failed"
"""States of an import: its body comes in parts; waits; is read; all of it is visible; none of it ever will be."""
Row = TypeVar("Row", bound=Base)
Item = TypeVar("Item")


def chunks(rows: Iterable[Item], size: int = AT_ONCE) -> Iterator[list[Item]]:
    """Yield rows in lists of at most `size`."""
    rest = iter(rows)
    while chunk := list(islice(rest, size)):
        yield chunk


def find(database: Session, import_id: str, platform_id: str | None) -> ImportRecord:
    """Return an import; another platform's is as if it weren't there.

    Raises:
        GuardError: There is none.
    """
    record = database.get(ImportRecord, import_id)
    if record is None or platform_id not in (None, record.platform_id):
        raise queries.not_found("导入 import", import_id)
    return record


def by_content(database: Session, platform_id: str, sha256: str) -> ImportRecord | None:
    """Return a platform's import of a body."""
    query = select(ImportRecord).where(ImportRecord.platform_id == platform_id, ImportRecord.sha256 == sha256)
    return database.scalar(query)


def unfinished_uploads(database: Session, platform_id: str) -> list[ImportRecord]:
    """Return a platform's imports whose bodies haven't come whole, oldest first."""
    query = select(ImportRecord).where(ImportRecord.platform_id == platform_id, ImportRecord.state == UPLOADING)
    return list(database.scalars(query.order_by(ImportRecord.created_ms)))


def listed(
    database: Session, platform_id: str | None, before: tuple[int, str] | None, limit: int
) -> Sequence[ImportRecord]:
    """Return imports, the newest first, behind the (`created_ms`, id) of the last one told."""
    query = select(ImportRecord)
    if platform_id is not None:
        query = query.where(ImportRecord.platform_id == platform_id)
    if before is not None:
        query = query.where(tuple_(ImportRecord.created_ms, ImportRecord.import_id) < before)
    query = query.order_by(ImportRecord.created_ms.desc(), ImportRecord.import_id.desc())
    return database.scalars(query.limit(limit)).all()


def move(database: Session, import_id: str, states: Collection[str], **values: Any) -> bool:
    """Change an import that is in one of some states; return whether it was."""
    query = update(ImportRecord).where(ImportRecord.import_id == import_id, ImportRecord.state.in_(states))
    return database.scalar(query.values(**values).returning(ImportRecord.import_id)) is not None


def is_parked(database: Session, import_id: str) -> bool:
    """Return whether the reading of an import was given up until a person looks."""
    query = select(JobRecord.row_id).where(JobRecord.duty == DUTY, JobRecord.key == import_id)
    return database.scalar(query.where(JobRecord.parked_ms.is_not(None))) is not None


def put_pages(database: Session, import_id: str, pages: Iterable[tuple[str, int, bytes]]) -> None:
    """Put the pages of an import's report (kind, number, rows) in the place of earlier ones."""
    database.execute(delete(ImportPageRecord).where(ImportPageRecord.import_id == import_id))
    rows = ({"import_id": import_id, "kind": kind, "page": page, "rows": body} for kind, page, body in pages)
    put(database, ImportPageRecord, rows)


def page(database: Session, import_id: str, kind: str, number: int) -> tuple[bytes | None, bool]:
    """Return the rows of a page, None where there is none, and whether another page follows."""
    record = database.get(ImportPageRecord, (import_id, kind, number))
    if record is None:
        return None, False
    follows = database.get(ImportPageRecord, (import_id, kind, number + 1)) is not None
    return record.rows, follows


def put(database: Session, table: type[Base], rows: Iterable[Mapping[str, Any]]) -> None:
    """Insert rows.

    Raises:
        sqlalchemy.exc.IntegrityError: One is there already.
    """
    for chunk in chunks(rows):
        database.execute(insert(table.__table__), chunk)  # type: ignore[arg-type]  # of a mapped class it is a Table


def stored(
    database: Session, table: type[Row], columns: Sequence[InstrumentedAttribute[Any]], keys: Iterable[Any]
) -> Iterator[Row]:
    """Yield the rows of a table whose columns are one of some keys: values, or tuples of several columns."""
    column = columns[0] if len(columns) == 1 else tuple_(*columns)
    for chunk in chunks(keys):
        yield from database.scalars(select(table).where(column.in_(chunk)))


def sessions_of(database: Session, platform_id: str, ids: Iterable[str]) -> dict[str, SessionRecord]:
    """Return a platform's sessions that there are, by id."""
    found: dict[str, SessionRecord] = {}
    for chunk in chunks(ids):
        query = select(SessionRecord).where(
            SessionRecord.platform_id == platform_id, SessionRecord.session_id.in_(chunk)
        )
        query = query.options(undefer(SessionRecord.ip), undefer(SessionRecord.user_agent))
        found |= {record.session_id: record for record in database.scalars(query)}
    return found


def session_rows(database: Session, platform_id: str, ids: Iterable[str]) -> dict[str, int]:
    """Return the `row_id` of a platform's sessions that there are, by id."""
    found: dict[str, int] = {}
    for chunk in chunks(ids):
        query = select(SessionRecord.session_id, SessionRecord.row_id).where(
            SessionRecord.platform_id == platform_id, SessionRecord.session_id.in_(chunk)
        )
        found |= {row[0]: row[1] for row in database.execute(query)}
    return found


def platforms_of_enrolments(database: Session, ids: Iterable[str]) -> dict[str, str]:
    """Return the platform of each enrolment that there is."""
    found: dict[str, str] = {}
    for chunk in chunks(ids):
        query = select(EnrolmentRecord.enrolment_id, ClassRecord.platform_id).join(ClassRecord)
        query = query.where(EnrolmentRecord.enrolment_id.in_(chunk))
        found |= {row[0]: row[1] for row in database.execute(query)}
    return found


def sessions_of_import(import_id: str) -> Select[*tuple[Any, ...]]:
    """Return the sessions (row ids) that an import brought."""
    return select(SessionRecord.row_id).where(SessionRecord.import_id == import_id)


def grow_class(database: Session, class_id: str, before: str, body: str) -> None:
    """Put a class in the place of what it was before.

    Raises:
        IntegrityError: It isn't as it was before any more.
    """
    grown = update(ClassRecord).where(ClassRecord.class_id == class_id, ClassRecord.body == before).values(body=body)
    if database.scalar(grown.returning(ClassRecord.class_id)) is None:
        raise IntegrityError("UPDATE training_class", {}, RuntimeError("it has grown meanwhile"))


def touch_others(database: Session, import_id: str) -> None:
    """Count a change to the other sessions of an import's enrolments and session ids (`batch_rows.touch`)."""
    names = select(SessionRecord.session_id).where(SessionRecord.import_id == import_id)
    enrolments = select(SessionRecord.enrolment_id).where(SessionRecord.import_id == import_id)
    database.execute(
        update(SessionRecord)
        .where(
            SessionRecord.import_id.is_distinct_from(import_id),
            or_(SessionRecord.session_id.in_(names), SessionRecord.enrolment_id.in_(enrolments)),
        )
        .values(revision=SessionRecord.revision + 1)
        .execution_options(synchronize_session=False)
    )


def classes_touched(database: Session, import_id: str, class_ids: Collection[str], most_learners: int) -> set[str]:
    """Return the classes that an import may change: of its classes' learners, and of sessions linked to its own."""
    touched = set(class_ids)
    for chunk in chunks(class_ids):
        learners = select(EnrolmentRecord.learner_id).where(EnrolmentRecord.class_id.in_(chunk))
        touched |= set(
            database.scalars(
                select(EnrolmentRecord.class_id).where(EnrolmentRecord.learner_id.in_(learners)).distinct()
            )
        )
    linked = queries.linked(sessions_of_import(import_id), most_learners)
    others = select(EnrolmentRecord.class_id).join(SessionRecord).where(linked).distinct()
    return touched | set(database.scalars(others))


def likenesses_without_session(database: Session, platform_id: str) -> list[LikenessRecord]:
    """Return the likeness rows that name a capture of a platform's session that isn't found yet."""
    query = select(LikenessRecord).where(
        LikenessRecord.other_row.is_(None),
        LikenessRecord.other_kind == "snapshot",
        LikenessRecord.other_id.startswith(f"{platform_id}/", autoescape=True),
    )
    return list(database.scalars(query))


def provenances_of_class(database: Session, class_id: str) -> Iterator[tuple[str, str, int, str]]:
    """Yield key, enrolment, lesson and provenance of each session of a class."""
    query = (
        select(
            SessionRecord.platform_id,
            SessionRecord.session_id,
            SessionRecord.enrolment_id,
            SessionRecord.lesson_no,
            SessionRecord.provenance,
        )
        .join(EnrolmentRecord)
        .where(EnrolmentRecord.class_id == class_id)
    )
    for platform_id, session_id, enrolment_id, lesson_no, provenance in database.execute(query):
        yield f"{platform_id}/{session_id}", enrolment_id, lesson_no, provenance


def provenances_of_enrolment(database: Session, enrolment_id: str) -> list[tuple[int, str]]:
    """Return lesson and provenance of each session of an enrolment."""
    query = select(SessionRecord.lesson_no, SessionRecord.provenance)
    found = database.execute(query.where(SessionRecord.enrolment_id == enrolment_id))
    return [(lesson_no, provenance) for lesson_no, provenance in found]


def sessions_among(database: Session, names: Iterable[str], *, imported_only: bool = False) -> set[str]:
    """Return the keys of sessions that some texts name, themselves or by one of their captures."""
    pairs = {(parts[0], parts[1]) for parts in (name.split("/") for name in names) if len(parts) in (2, 3)}
    columns = (SessionRecord.platform_id, SessionRecord.session_id)
    found: set[str] = set()
    for chunk in chunks(sorted(pairs)):
        query = select(*columns).where(tuple_(*columns).in_(chunk))
        if imported_only:
            query = query.where(SessionRecord.provenance == "import")
        found |= {f"{platform_id}/{session_id}" for platform_id, session_id in database.execute(query)}
    return found
