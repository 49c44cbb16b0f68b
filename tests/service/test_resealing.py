"""Turning the master key over: what was sealed before opens all the way, and is sealed anew while the service runs."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from simulated_platform import SAMPLE_MEDIA, SimulatedPlatform
from sqlalchemy import LargeBinary, Text, select, text, type_coerce, update

from online_guard.demo.people import name_of
from online_guard.errors import GuardError
from online_guard.service.admitting import accounts, platform_keys
from online_guard.service.capturing import kept_pictures
from online_guard.service.house import House, open_house
from online_guard.service.notifying import webhooks
from online_guard.service.operating import resealing
from online_guard.service.receiving import sessions
from online_guard.settings import Settings
from online_guard.simulate.course import Course
from online_guard.store import sealed_columns
from online_guard.store.import_tables import ImportPageRecord, ImportRecord
from online_guard.store.key_ring import KEY_BYTES, derived, read_ring
from online_guard.store.media_rows import media
from online_guard.store.person_keys import PersonKeys
from online_guard.store.sealed_columns import SEALED
from online_guard.store.tables import Base, DeadLetterRecord, EnrolmentRecord, SessionRecord
from online_guard.store.unit_of_work import reading, writing
from online_guard.terms import Role

ONE = Course(class_id="one", platform_id="P", duration_s=600)
MASTER = bytes(range(KEY_BYTES))
LEARNERS = 7
PAGE = b"x\x9c a page of refusals"
Progress = list[tuple[str, int]]


@pytest.fixture
def house(tmp_path: Path, database_url: str) -> Iterator[House]:
    """Return a house whose key file is of the first format, with a few learners, one with a photo, and an auditor."""
    (tmp_path / "data").mkdir(exist_ok=True)
    (tmp_path / "data" / "master.key").write_bytes(MASTER)
    opened = open_house(Settings(data_dir=tmp_path / "data", database_url=database_url))
    accounts.add_person(opened, "auditor", Role.AUDITOR, "four words and a comma,")
    accounts.set_totp(opened, "auditor")
    key = platform_keys.create_key(opened, "P")
    webhooks.add(opened, "P", "https://example.org/hook")
    platform_keys.rotate_key(opened, key.key_id, 60)
    platform = SimulatedPlatform(opened)
    platform.register(ONE)
    for person in range(LEARNERS):
        platform.enrol(ONE, f"e{person}", person, photo=person == 0)
    opening = sessions.Opening("P", "S", "e0", 1, 0, "D", user_agent="Mozilla/5.0 (seven)", ip="192.0.2.7")
    sessions.open_session(opened, opening, 1)
    with pytest.raises(GuardError):
        sessions.add_events(opened, "nobody's", "P", b'{"events": ["a letter"]}', 2)
    with writing(opened.engine) as database:
        database.add(
            ImportRecord(
                import_id="i", platform_id="P", sha256="", size=1, kept_bytes=1, state="done", created_ms=1, read=1
            )
        )
        database.flush()
        database.add(ImportPageRecord(import_id="i", kind="refused", page=0, rows=PAGE))
    yield opened
    opened.engine.dispose()


def put_back_to_first_format(house: House) -> None:
    """Rewrite what is stored as it was before values named their key and persons had keys."""
    with writing(house.engine) as database:
        keys = PersonKeys(database, house.vault)
        files = {row: keys.find(row.learner_id) for row in media(database)}
        for sealed in SEALED[1:]:
            for record in database.scalars(select(sealed.column.class_)):
                value = getattr(record, sealed.column.key)
                if value is not None and sealed.learner_id is not None:
                    person = keys.find(sealed.learner_id(database, record))
                    plain = house.vault.open(value, sealed.purpose(record), person, sealed.row(record))
                    setattr(record, sealed.column.key, in_first_format(plain, sealed.purpose(record)))
        database.flush()
        for column, plain in ((SessionRecord.ip, "192.0.2.7"), (SessionRecord.user_agent, "Mozilla/5.0 (seven)")):
            table = column.class_.__table__
            database.execute(text(f"UPDATE {table.name} SET {column.key} = :plain"), {"plain": plain})
        for row, person in files.items():
            content = house.blobs.get(row.sha256, row.learner_id, person)
            house.blobs.delete([house.blobs.name(row.learner_id, row.sha256)])
            path = house.settings.data_dir / "pictures" / row.sha256[:2] / row.sha256
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(in_first_format(content, "picture"))
        database.execute(text("DELETE FROM person_key"))
        database.execute(text("UPDATE log_import_page SET rows = :rows"), {"rows": PAGE})


def in_first_format(plain: bytes, purpose: str) -> bytes:
    """Return a value sealed as it was then."""
    nonce = b"\x01" * 12
    return nonce + AESGCM(derived(MASTER, b"seal")).encrypt(nonce, plain, purpose.encode())


def everything(house: House) -> dict[str, Any]:
    """Return every sealed value, opened."""
    opened: dict[str, Any] = {}
    with reading(house.engine) as database:
        keys = PersonKeys(database, house.vault)
        for sealed in SEALED[1:]:
            table = sealed.column.class_
            rows = database.scalars(select(table).order_by(*table.__table__.primary_key))
            for place, record in enumerate(rows):
                value = getattr(record, sealed.column.key)
                if value is not None and not sealed.seals_itself:
                    person = sealed.learner_id and keys.find(sealed.learner_id(database, record))
                    value = house.vault.open(value, sealed.purpose(record), person, sealed.row(record))
                opened[f"{sealed.name} {place}"] = value
    photo = (SAMPLE_MEDIA / "learner-01" / "reference.jpg").read_bytes()
    (sha256,) = {row.sha256 for row in raw_media(house)}
    assert kept_pictures.shown_picture(house, "e0", sha256) == photo
    return opened


def raw_media(house: House) -> list[Any]:
    """Return what rows say of pictures."""
    with reading(house.engine) as database:
        return list(media(database))


def beginnings(house: House) -> dict[str, set[bytes]]:
    """Return how the sealed values of each column begin, as they lie in the database."""
    found = {}
    with reading(house.engine) as database:
        for sealed in SEALED:
            raw = type_coerce(sealed.column, Text if sealed.is_text else LargeBinary)
            values = [value for value in database.scalars(select(raw)) if value]
            found[sealed.name] = {value.encode()[:9] if sealed.is_text else value[:6] for value in values}
    return found


def test_what_was_sealed_in_the_first_format_is_sealed_anew(house: House) -> None:
    before = everything(house)
    put_back_to_first_format(house)
    assert everything(house) == before
    stale = resealing.status(house)["stale"]
    assert stale.keys() == {sealed.name for sealed in SEALED} | {"files"}
    assert {name: count for name, count in stale.items() if count} == {
        "enrolment.name": LEARNERS, "enrolment.identity_number": LEARNERS, "enrolment.reference_vector": 1,
        "capture.picture": 1, "capture.vector": 1, "session.ip": 1, "session.user_agent": 1, "log_import_page.rows": 1,
        "files": 1,
    }  # fmt: skip
    progress: Progress = []
    counts = resealing.reseal(house, lambda *one: progress.append(one))
    assert counts == stale
    assert sum(count for _, count in progress) == sum(stale.values())
    assert not any(resealing.status(house)["stale"].values())
    assert everything(house) == before
    assert not any(resealing.reseal(house, lambda *_: None).values())
    pictures = [path for path in (house.settings.data_dir / "pictures").rglob("*") if path.is_file()]
    assert [len(path.name) for path in pictures] == [32]


def test_a_rotation_wraps_the_keys_of_persons_anew_and_leaves_what_they_seal(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resealing, "REFRESH_S", 0.0)
    before = everything(house)
    another = open_house(house.settings)
    assert resealing.rotate(house) == 2
    with pytest.raises(GuardError) as refusal:
        resealing.retire(another)
    assert refusal.value.code == "vault.still_used"
    assert sorted(read_ring(house.settings.key_file).keys) == [1, 2]
    person, master, letter = b"OGs2\0\0", b"OGs2\0\2", b"sealed:2:"
    counts = resealing.reseal(another, lambda *_: None)
    assert {name: count for name, count in counts.items() if count} == {
        "person_key.wrapped": LEARNERS, "session.ip": 1, "session.user_agent": 1, "dead_letter.reason": 1,
        "dead_letter.content": 1, "platform_key.secret": 1, "platform_key.previous_secret": 1,
        "person.totp": 1, "webhook_endpoint.secret": 1, "log_import_page.rows": 1,
    }  # fmt: skip
    found = beginnings(house)
    assert found["person_key.wrapped"] == {master}
    assert found["enrolment.name"] == found["capture.picture"] == {person}
    assert found["session.ip"] == found["dead_letter.content"] == {letter}
    assert everything(house) == before
    assert resealing.retire(another) == [2]
    another.engine.dispose()
    another = open_house(house.settings)
    assert everything(another) == before
    another.engine.dispose()


def test_resealing_goes_on_where_it_was_stopped_and_the_service_runs_meanwhile(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sealed_columns, "AT_ONCE", 2)
    put_back_to_first_format(house)
    platform = SimulatedPlatform(open_house(house.settings))
    newcomers = itertools.count(50)

    def stop_after_two(_what: str, _count: int) -> None:
        person = next(newcomers)
        platform.enrol(ONE, f"e{person}", person)
        if person == 51:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        resealing.reseal(house, stop_after_two)
    assert resealing.status(house)["stale"]["enrolment.name"] == LEARNERS - 4
    resealing.reseal(house, lambda *_: None)
    assert not any(resealing.status(house)["stale"].values())
    with reading(house.engine) as database:
        names = [record.enrolment_id for record in database.scalars(select(EnrolmentRecord))]
    assert len(names) == LEARNERS + 2
    assert everything(house)["enrolment.name 0"].decode() in {name_of(person) for person in range(60)}
    platform.house.engine.dispose()


def test_a_dead_letter_moved_into_another_column_does_not_open(house: House) -> None:
    with writing(house.engine) as database:
        raw = database.scalar(select(type_coerce(DeadLetterRecord.content, Text)))
        database.execute(update(SessionRecord.__table__).values(ip=type_coerce(raw, Text)))
    with pytest.raises(GuardError) as refusal, reading(house.engine) as database:
        database.scalar(select(SessionRecord.ip))
    assert refusal.value.code == "vault.cannot_open"
    assert isinstance(refusal.value.__cause__, InvalidTag)


def test_every_column_of_bytes_is_known_to_be_sealed_or_to_hold_nothing_personal() -> None:
    known = {sealed.name for sealed in SEALED} | PLAIN
    columns = {
        f"{table.name}.{column.name}"
        for table in Base.metadata.tables.values()
        for column in table.columns
        if isinstance(column.type, LargeBinary | sealed_columns.SealedBytes | sealed_columns.SealedText)
    }
    assert columns == known


PLAIN = {
    "dry_run_part.body", "event_chunk.columns", "log_entry.leaf_hash", "log_entry.salt", "log_state.secret",
    "log_tile.hashes", "login.token_sha256", "provider_login.state_sha256", "used_nonce.digest",
}  # fmt: skip
"""Columns of bytes that hold nothing personal and no secret."""
