"""Erasing a person: nothing of them opens any more; what was judged stays; a backup brings nobody back."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from both_ways import desk, judged_live, watch
from cryptography.exceptions import InvalidTag
from simulated_platform import SAMPLE_MEDIA, SimulatedPlatform
from sqlalchemy import update

from online_guard.demo.people import identity_number, name_of
from online_guard.errors import ErrorKind, GuardError
from online_guard.faces.pipeline import inspect
from online_guard.service import registration
from online_guard.service.capturing import kept_pictures, liveness
from online_guard.service.house import House, open_house
from online_guard.service.operating import backups, erasures, evidence_log, rollbacks
from online_guard.service.receiving import sessions
from online_guard.service.verification import ledger_of, session_verdict
from online_guard.settings import Settings
from online_guard.simulate.course import Course
from online_guard.store.decision_tables import CaseRecord
from online_guard.store.log_tables import LogEntryRecord
from online_guard.store.personal_tables import ErasureRecord, PersonKeyRecord
from online_guard.store.review_rows import NOTHING_LEFT
from online_guard.store.tables import (
    CaptureRecord,
    CheckRecord,
    DeadLetterRecord,
    EnrolmentRecord,
    SessionRecord,
    SnapshotRecord,
)
from online_guard.store.unit_of_work import reading, writing
from online_guard.terms import Outcome
from postgres_server import PostgresServer

ONE = Course(class_id="one", platform_id="P", duration_s=600)
OTHER = Course(class_id="other", platform_id="Q", duration_s=600)
REASON = "个人信息保护法第四十七条 / withdrawn consent"


class Quiet(SimulatedPlatform):
    """A platform whose learners show no pictures of their own."""

    def snapshot(self, *_: Any) -> None:
        """Show nothing."""


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a data folder where `a` studied with photo, snapshot, check and a refused event, and `b` with a photo."""
    house = open_house(Settings(data_dir=tmp_path_factory.mktemp("prepared") / "data"))
    study(Quiet(house))
    house.engine.dispose()
    return house.settings.data_dir


@pytest.fixture
def house(prepared: Path, tmp_path: Path) -> Iterator[House]:
    """Return a house of that folder's copy."""
    shutil.copytree(prepared, tmp_path / "data")
    opened = open_house(Settings(data_dir=tmp_path / "data"))
    yield opened
    opened.engine.dispose()


@pytest.fixture
def studied(house: House) -> Quiet:
    """Return the platform in it, which has told nobody anything yet."""
    with reading(house.engine) as database:
        house.seen.catch_up(database, house.vault)
    return Quiet(house)


def study(platform: Quiet) -> None:
    """Let two learners enrol and study."""
    house = platform.house
    for course, enrolment_id, person in ((ONE, "a", 0), (OTHER, "a2", 0), (ONE, "b", 1)):
        platform.register(course)
        platform.enrol(course, enrolment_id, person, photo=enrolment_id in "ab")
    picture = (SAMPLE_MEDIA / "learner-01" / "snapshot-1.jpg").read_bytes()
    for enrolment_id in "ab":
        learner = watch(desk(platform, ONE, enrolment_id).sit(1), 30)
        sitting = learner.sitting
        if enrolment_id == "a":
            platform.show(sitting.opening, sitting.at_ms, picture, sitting.arrival_ms())
            platform.judged(
                sitting.opening, sitting.at_ms, Outcome.PASSED, sitting.arrival_ms(), (inspect(picture).capture,)
            )
            body = b'{"events": [{"seq": "\xe7\x8e\x8b\xe7\xa7\x80\xe5\x85\xb0"}]}'
            sessions.add_events(house, sitting.opening.session_id, "P", body, sitting.arrival_ms())
        learner.leave()
    platform.verify()
    decide_all(house)


def decide_all(house: House) -> None:
    """Let every case be closed."""
    with writing(house.engine) as database:
        database.execute(update(CaseRecord).values(priority=NOTHING_LEFT))


def id_of(house: House, person: int) -> str:
    """Return the id of the n-th made-up learner."""
    return erasures.learner_with(house, identity_number(person))


def erase(house: House, person: int = 0, **options: Any) -> dict[str, Any]:
    """Erase the n-th made-up learner."""
    return erasures.erase(house, id_of(house, person), reason=REASON, ordered_by="admin", **options)


def rows(house: House, table: type[Any], **equal: Any) -> list[Any]:
    """Return a table's rows."""
    with reading(house.engine) as database:
        return list(database.query(table).filter_by(**equal))


def files(house: House) -> set[Path]:
    """Return the files of pictures."""
    return {path for path in (house.settings.data_dir / "pictures").rglob("*") if path.is_file()}


def bytes_of_all_files(house: House) -> bytes:
    """Return everything that the data folder holds, but the keys."""
    paths = [path for path in house.settings.data_dir.rglob("*") if path.is_file() and path.suffix != ".key"]
    return b"".join(path.read_bytes() for path in paths if not path.name.endswith("-shm"))


def test_what_was_sealed_for_a_person_is_gone_and_the_rest_stays(studied: Quiet, house: House) -> None:
    judged, others = judged_live(house), len(house.seen._rows)
    wrapped = rows(house, PersonKeyRecord, learner_id=id_of(house, 0))[0].wrapped
    assert wrapped in bytes_of_all_files(house)
    assert (len(files(house)), others) == (5, 4)
    told = erase(house)
    assert told | {"erased_ms": 0, "sessions": 0} == {
        "learner_id": id_of(house, 0), "enrolments": 2, "pictures": 4, "captures": 3, "sessions": 0, "dead_letters": 1,
        "files": 4, "is_scrubbed": True, "erased_ms": 0,
    }  # fmt: skip
    assert not rows(house, PersonKeyRecord, learner_id=id_of(house, 0))
    assert wrapped not in bytes_of_all_files(house)
    for enrolment_id in ("a", "a2"):
        (record,) = rows(house, EnrolmentRecord, enrolment_id=enrolment_id)
        assert record.erased_ms == told["erased_ms"]
        assert (record.name, record.identity_number, record.reference_vector) == (b"", b"", None)
    assert {row.vector for row in rows(house, CaptureRecord, enrolment_id="a")} == {None}
    assert [row.content for row in rows(house, DeadLetterRecord)] == [""]
    assert [len(files(house)), len(house.seen._rows)] == [1, 1]
    (kept,) = rows(house, EnrolmentRecord, enrolment_id="b")
    assert kept.erased_ms is None
    assert kept.reference_vector is not None
    assert judged_live(house) == judged
    studied.verify()
    with writing(house.engine) as database:
        registration.queries.enqueue(database, ["one", "other"], 0)
    studied.verify()
    assert [row["subject_id"] for row in judged_live(house)["findings"]] == [
        row["subject_id"] for row in judged["findings"]
    ]


def test_readers_say_that_a_person_was_erased(studied: Quiet, house: House) -> None:
    (check,), (snapshot,) = rows(house, CheckRecord), rows(house, SnapshotRecord)
    (session,) = rows(house, SessionRecord, enrolment_id="a")
    assert liveness.picture_of_check(house, check.check_id, "P", "strip") == b"strip"
    erase(house)
    photo = (SAMPLE_MEDIA / "learner-01" / "reference.jpg").read_bytes()
    opening = sessions.Opening("P", "again", "a", 1, 0, "D")
    for attempt in (
        lambda: liveness.picture_of_check(house, check.check_id, "P", "strip"),
        lambda: kept_pictures.shown_picture(house, "a", snapshot.sha256),
        lambda: registration.put_reference_photo(house, "a", "P", photo),
        lambda: studied.enrol(ONE, "a", 0),
        lambda: sessions.open_session(house, opening, 1),
    ):
        with pytest.raises(GuardError) as refusal:
            attempt()
        assert (refusal.value.kind, refusal.value.code) == (ErrorKind.NOT_FOUND, "person.erased")
    assert session_verdict(house, session.session_id, "P")["state"] == "verified"
    assert ledger_of(house, "a", "P")["state"] == "verified"


def test_a_person_is_not_erased_while_a_finding_waits(studied: Quiet, house: House) -> None:
    case = CaseRecord(
        case_id="c1", class_id="one", platform_id="P", enrolment_id="a", subject="enrolment", subject_id="a",
        state="undecided", priority=0, waiting_since_ms=0,
    )  # fmt: skip
    with writing(house.engine) as database:
        database.add(case)
    for options in ({}, {"dry_run": True}):
        with pytest.raises(GuardError) as refusal:
            erase(house, **options)
        assert (refusal.value.kind, refusal.value.code) == (ErrorKind.CONFLICT, "person.held")
    assert rows(house, PersonKeyRecord, learner_id=id_of(house, 0))
    assert not erasures.list_file(house.settings).exists()
    assert erase(house, 1)["enrolments"] == 1
    decide_all(house)
    assert erase(house)["enrolments"] == 2


def test_a_dry_run_changes_nothing_and_a_second_order_neither(studied: Quiet, house: House) -> None:
    before = bytes_of_all_files(house)
    told = erase(house, dry_run=True)
    assert (told["enrolments"], told["pictures"], told["erased_ms"]) == (2, 4, None)
    assert bytes_of_all_files(house) == before
    first = erase(house)
    assert erase(house) == {
        "learner_id": id_of(house, 0), "enrolments": 0, "pictures": 0, "erased_ms": first["erased_ms"]
    }  # fmt: skip
    assert [(row.reason, row.ordered_by) for row in rows(house, ErasureRecord)] == [(REASON, "admin")]
    assert len(erasures.list_file(house.settings).read_text().splitlines()) == 1


@pytest.mark.parametrize("number", ["411526197001019004", "nonsense"])
def test_who_is_not_there_cannot_be_erased(house: House, number: str) -> None:
    with pytest.raises(GuardError) as refusal:
        erasures.erase(house, erasures.learner_with(house, number), reason=REASON, ordered_by="admin")
    assert refusal.value.code in {"not_found", "enrolment.identity_number"}
    assert number not in str(refusal.value)


def test_who_enrols_again_is_a_new_person_with_an_old_id(studied: Quiet, house: House) -> None:
    erase(house)
    studied.enrol(ONE, "a3", 0, photo=True)
    assert kept_pictures.shown_picture(house, "a3", rows(house, EnrolmentRecord, enrolment_id="a3")[0].reference_sha256)
    assert erasures.apply_again(house) == 0
    assert rows(house, EnrolmentRecord, enrolment_id="a3")[0].erased_ms is None
    assert erase(house)["enrolments"] == 1


def test_a_restored_backup_brings_nobody_back(studied: Quiet, house: House, tmp_path: Path) -> None:
    backup = tmp_path / "backup"
    shutil.copytree(house.settings.data_dir, backup)
    erase(house)
    shutil.copy(erasures.list_file(house.settings), backup)
    restored = open_house(house.settings.model_copy(update={"data_dir": backup}))
    try:
        assert rows(restored, PersonKeyRecord, learner_id=id_of(house, 0))
        assert erasures.apply_again(restored) == 1
        assert erasures.apply_again(restored) == 0
        assert not rows(restored, PersonKeyRecord, learner_id=id_of(house, 0))
        assert len(files(restored)) == 1
    finally:
        restored.engine.dispose()


def test_another_process_forgets_the_captures_with_its_next_search(studied: Quiet, house: House) -> None:
    another = open_house(house.settings)
    try:
        with reading(another.engine) as database:
            another.seen.catch_up(database, another.vault)
        assert len(another.seen._rows) == 4
        vectors = another.seen._index._vectors.copy()
        erase(house)
        with reading(another.engine) as database:
            another.seen.catch_up(database, another.vault)
        assert len(another.seen._rows) == 1
        assert another.seen._faces._size == 1
        assert vectors.any(axis=1).sum() == another.seen._index._vectors.any(axis=1).sum() + 3
        assert not another.seen._faces._vectors[1:].any()
    finally:
        another.engine.dispose()


def test_a_line_of_the_list_that_cannot_be_read_stops_a_restore(house: House) -> None:
    erasures.list_file(house.settings).write_text('{"learner_id": 1}\n')
    with pytest.raises(GuardError) as refusal:
        erasures.apply_again(house)
    assert refusal.value.code == "erasures.unreadable"
    assert refusal.value.where.endswith(":1")


def test_a_name_sealed_for_one_enrolment_does_not_open_in_another(studied: Quiet, house: House) -> None:
    with reading(house.engine) as database:
        one, other = (database.get_one(EnrolmentRecord, key) for key in ("a", "a2"))
        person = registration.PersonKeys(database, house.vault).find(one.learner_id)
    assert house.vault.open(one.name, registration.NAME, person, "a").decode() == name_of(0)
    for sealed, purpose in ((other.name, registration.NAME), (one.identity_number, registration.NAME)):
        with pytest.raises(InvalidTag):
            house.vault.open(sealed, purpose, person, "a")


def test_on_postgresql_the_key_leaves_the_files_of_the_tables(
    postgres: PostgresServer, postgres_url: str, tmp_path: Path
) -> None:
    house = open_house(Settings(data_dir=tmp_path / "on-postgresql", database_url=postgres_url))
    platform = Quiet(house)
    platform.register(ONE)
    for person in range(2):
        platform.enrol(ONE, f"e{person}", person)
    wrapped = rows(house, PersonKeyRecord, learner_id=id_of(house, 0))[0].wrapped

    def holds_the_key() -> bool:
        postgres.execute("CHECKPOINT")
        return any(wrapped in path.read_bytes() for path in postgres.folder.glob("data/base/*/*") if path.is_file())

    assert holds_the_key()
    assert erase(house)["is_scrubbed"]
    assert not holds_the_key()
    assert len(rows(house, PersonKeyRecord)) == 1
    house.engine.dispose()


def test_the_evidence_log_stays_valid_and_notes_the_erasure(studied: Quiet, house: House) -> None:
    evidence_log.sequence(house, at_once=True)
    before = evidence_log.head(house)
    assert evidence_log.verify(house).faults == ()
    erase(house)
    evidence_log.sequence(house, at_once=True)
    assert evidence_log.verify(house, known_heads=[before]).faults == ()
    (entry,) = rows(house, LogEntryRecord, kind="erasure")
    assert entry.subject == f"learner {id_of(house, 0)}"


def test_a_backup_that_is_put_back_brings_nobody_back(prepared: Path, tmp_path: Path) -> None:
    shutil.copytree(prepared, tmp_path / "data")
    (tmp_path / "keys").mkdir()
    for key in (tmp_path / "data").glob("*.key"):
        key.replace(tmp_path / "keys" / key.name)
    settings = Settings(data_dir=tmp_path / "data", master_key_file=tmp_path / "keys" / "master.key")
    backups.back_up(settings, tmp_path / "backup", with_keys=False)
    house = open_house(settings)
    learner_id = id_of(house, 0)
    erase(house)
    assert len(files(house)) == 1
    house.engine.dispose()
    (tmp_path / "data").replace(tmp_path / "moved away")
    backups.restore(settings, tmp_path / "backup", with_keys=False)
    assert len(list(settings.pictures.rglob("??/*"))) == 5
    assert rollbacks.accept_rollback(settings, "a test")[1] == 1
    house = open_house(settings)
    assert erasures.apply_again(house) == 0
    assert not rows(house, PersonKeyRecord, learner_id=learner_id)
    assert len(files(house)) == 1
    house.engine.dispose()
