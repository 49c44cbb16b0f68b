"""The one transaction in which an import becomes visible: everything of it, or nothing.

What is known stays as it is; a row that was prepared as new and has come into being meanwhile breaks a key, and the
import is read anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from types import SimpleNamespace
from typing import Any

import msgspec
from sqlalchemy.orm import Session

from online_guard.ingest.rows import SessionRow
from online_guard.service.house import House
from online_guard.service.importing import import_learners, import_merging
from online_guard.service.importing.import_border import survey_key
from online_guard.service.importing.import_events import read_ready
from online_guard.service.importing.import_prepared import FACTS, IMPORT, FactRow, Prepared, aside_row
from online_guard.service.importing.import_report import ACCEPTED, CONFLICT, DUPLICATE, table_of
from online_guard.service.registration import class_body
from online_guard.store import batch_rows, import_rows, queries, sealed_log
from online_guard.store.chunk_tables import EventChunkRecord
from online_guard.store.import_tables import ProjectRecord, SurveyRecord
from online_guard.store.logged_batches import Opening, batch_entries, opening_of
from online_guard.store.logged_rows import application_entries, liveness_entries, snapshot_entries, survey_entries
from online_guard.store.sealed_log import Entry
from online_guard.store.tables import (
    ApplicationRecord,
    Base,
    CheckRecord,
    ClassRecord,
    ConflictRecord,
    LikenessRecord,
    PracticeRecord,
    SessionRecord,
    SnapshotRecord,
)

LOGGED: dict[type[Base], Callable[[str, Any], list[Entry]]] = {
    SnapshotRecord: snapshot_entries,
    CheckRecord: liveness_entries,
}
"""What the evidence log says of each row."""


def admit(house: House, database: Session, prepared: Prepared) -> set[str]:
    """Keep everything that was prepared; return the classes whose results may change.

    Raises:
        sqlalchemy.exc.IntegrityError: Something came into being meanwhile: nothing may be kept, it must be read anew.
    """
    most_learners = house.policy.device.max_learners
    _small_tables(database, prepared)
    touched = import_learners.put_enrolments(house, database, prepared.evidence, prepared.platform_id, prepared.known)
    _of_learners(house, database, prepared)
    _of_classes(database, prepared)
    _sessions(database, prepared)
    import_rows.touch_others(database, prepared.record.import_id)
    changed = _events(database, prepared)
    changed |= _facts(database, prepared)
    for place in sorted(changed):
        record = database.merge(prepared.known_sessions[place], load=False)
        database.refresh(record)
        batch_rows.touch(database, record.row_id)
        record.timeline = queries.timeline(database, record)
        database.flush()
        touched |= set(queries.classes_touched(database, record, most_learners))
    class_ids = {row.class_id for row in prepared.evidence.classes}
    return touched | import_rows.classes_touched(database, prepared.record.import_id, class_ids, most_learners)


def _news(prepared: Prepared, file: str, rows: Iterable[Any], key_of: Callable[[Any], str]) -> Iterator[Any]:
    """Yield the rows of a small table that aren't known, and count all."""
    table, seen = table_of(file), set[str]()
    for row in rows:
        key = key_of(row)
        kind = prepared.known.get((file, key)) or (DUPLICATE if key in seen else None)
        seen.add(key)
        if kind is None:
            prepared.report.count(table, ACCEPTED)
            yield row
        else:
            reason = (
                "与已登记的不同,以已登记的为准 / differs from what is kept, which stays" if kind == CONFLICT else ""
            )
            prepared.report.known(table, kind, key, reason)


def _small_tables(database: Session, prepared: Prepared) -> None:
    evidence = prepared.evidence
    for row in _news(prepared, "classes.json", evidence.classes, lambda row: str(row.class_id)):
        if row.class_id == prepared.growing and prepared.grown_from is not None:
            import_rows.grow_class(database, row.class_id, prepared.grown_from, class_body(row))
        else:
            database.add(ClassRecord(class_id=row.class_id, platform_id=row.platform_id, body=class_body(row)))
    database.flush()
    for _ in _news(prepared, "enrolments.ndjson", evidence.enrolments, lambda row: str(row.enrolment_id)):
        pass  # kept by `import_learners`, which needs them all


def _days(row: Any, *names: str) -> dict[str, str | None]:
    return {name: None if getattr(row, name) is None else getattr(row, name).isoformat() for name in names}


def _of_learners(house: House, database: Session, prepared: Prepared) -> None:
    """Keep practice and earlier projects."""
    evidence = prepared.evidence
    practice = _news(
        prepared, "offline_hours.ndjson", evidence.practice, lambda row: f"{row.enrolment_id}/{row.on.isoformat()}"
    )
    rows = ({"enrolment_id": row.enrolment_id, "class_hours": row.class_hours, **_days(row, "on")} for row in practice)
    import_rows.put(database, PracticeRecord, rows)
    named = {row.learner_id for row in evidence.projects}
    learners = import_learners.learners_of(house, database, prepared.platform_id, named)
    projects = _news(prepared, "assessments.ndjson", evidence.projects, lambda row: f"{row.learner_id}/{row.class_id}")
    rows = (
        {"learner_id": learners[row.learner_id], "class_id": row.class_id, **_days(row, "ended_on", "assessed_on")}
        for row in projects
    )
    import_rows.put(database, ProjectRecord, rows)


def _of_classes(database: Session, prepared: Prepared) -> None:
    """Keep surveys and applications."""
    evidence = prepared.evidence
    surveys = _news(
        prepared,
        "satisfaction.ndjson",
        evidence.surveys,
        lambda row: survey_key(row.institution, row.surveyed_on.isoformat(), row.score),
    )
    rows = ({"institution": row.institution, "score": row.score, **_days(row, "surveyed_on")} for row in surveys)
    _put_logged(database, SurveyRecord, rows, survey_entries)
    filed = _news(prepared, "applications.ndjson", evidence.applications, lambda row: f"{row.class_id}/{row.window}")
    rows = (
        {"class_id": row.class_id, "window": row.window, **_days(row, "applied_on", "assessment_on")} for row in filed
    )
    _put_logged(database, ApplicationRecord, rows, application_entries)


def _put_logged(
    database: Session, table: type[Base], rows: Iterable[dict[str, Any]], entries: Callable[[Any], list[Entry]]
) -> None:
    """Keep rows of a table, and what the log says of them."""
    kept = list(rows)
    import_rows.put(database, table, kept)
    sealed_log.append_all(database, [entry for row in kept for entry in entries(SimpleNamespace(**row))])


def _sessions(database: Session, prepared: Prepared) -> None:
    """Keep the sessions that are new, and find the rows of all."""
    report = prepared.report
    new = []
    for place, row in enumerate(prepared.sessions):
        record = prepared.known_sessions.get(place)
        if record is not None:
            prepared.rows[place] = record.row_id
            import_merging.note_session(report, record, row)
            continue
        latest_ms, timeline = prepared.last.get(place, (row.opened_received_ms, None))
        new.append(
            {name: getattr(row, name) for name in SessionRow.__struct_fields__ if hasattr(SessionRecord, name)}
            | {
                "closed_received_ms": max(latest_ms, row.opened_received_ms),
                "timeline": timeline,
                "provenance": IMPORT,
                "import_id": prepared.record.import_id,
            }
        )
    import_rows.put(database, SessionRecord, new)
    report.count("sessions", ACCEPTED, len(new))
    found = import_rows.session_rows(database, prepared.platform_id, [row["session_id"] for row in new])
    for place, row in enumerate(prepared.sessions):
        if place not in prepared.known_sessions:
            prepared.rows[place] = found[row.session_id]


def _events(database: Session, prepared: Prepared) -> set[int]:
    """Keep the events; return the places of sessions known before that got any."""
    changed: set[int] = set()
    for some in import_rows.chunks(read_ready(prepared.ready)):
        chunks, aside, logged = [], [], list[Entry]()
        for ready in some:
            if ready.is_known:
                if ready.chunks and import_merging.add_events(database, prepared, ready):
                    changed.add(ready.place)
                continue
            row_id = prepared.rows[ready.place]
            chunks += [row | {"session_row": row_id} for row in ready.chunks]
            aside += [aside_row(row_id, *content) for content in ready.aside]
            logged += batch_entries(_opening(prepared, ready.place), ready.counted, import_merging.rows_of(ready.aside))
        import_rows.put(database, EventChunkRecord, chunks)
        import_rows.put(database, ConflictRecord, aside)
        sealed_log.append_all(database, logged)
    return changed


def _opening(prepared: Prepared, place: int) -> Opening:
    return opening_of(SimpleNamespace(**msgspec.structs.asdict(prepared.sessions[place]) | {"provenance": IMPORT}))


def _facts(database: Session, prepared: Prepared) -> set[int]:
    """Keep what the platform says of its sessions; return the places of sessions known before that got any."""
    places = {row.session_id: place for place, row in enumerate(prepared.sessions)}
    changed: set[int] = set()
    for file, (table, records, _, values_of) in FACTS.items():
        of_known: list[tuple[int, FactRow]] = []
        of_new: list[dict[str, Any]] = []
        for row in prepared.facts[file]:
            place = places[row.session_id]
            if place in prepared.known_sessions:
                of_known.append((place, row))
            else:
                of_new.append(values_of(row) | {"session_row": prepared.rows[place]})
        prepared.report.count(table, ACCEPTED, len(of_new))
        more, grown = import_merging.new_facts(database, prepared, file, of_known)
        rows = of_new + more
        if records is LikenessRecord:
            import_merging.find_others(database, prepared, places, rows)
        import_rows.put(database, records, rows)
        names = {prepared.rows[place]: f"{prepared.platform_id}/{session_id}" for session_id, place in places.items()}
        if logs := LOGGED.get(records):
            told = [entry for row in rows for entry in logs(names[row["session_row"]], SimpleNamespace(**row))]
            sealed_log.append_all(database, told)
        changed |= grown
    import_merging.find_named(database, prepared)
    return changed
