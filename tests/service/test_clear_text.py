"""A thousand people enrol: none of their names, numbers and faces lies in clear text in any file (SPEC 8)."""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from both_ways import desk, watch
from clear_text import Person, Search
from hypothesis import given
from hypothesis import strategies as st
from posted import a_bundle, an_event, imported, write_bundle_rows, zipped
from simulated_platform import SAMPLE_MEDIA, SimulatedPlatform
from sqlalchemy import select, text

from online_guard.demo.people import CHECK_DIGITS, GIVEN, SURNAMES, WEIGHTS
from online_guard.errors import GuardError
from online_guard.service import registration
from online_guard.service.capturing.seen_pictures import opened_vector
from online_guard.service.house import House
from online_guard.service.operating import evidence_export
from online_guard.service.operating.export import export
from online_guard.service.receiving import sessions
from online_guard.simulate.course import Course
from online_guard.store.capture_rows import bound_to
from online_guard.store.person_keys import PersonKeys
from online_guard.store.tables import CaptureRecord, EnrolmentRecord
from online_guard.store.unit_of_work import reading, writing
from online_guard.terms import Outcome

HOW_MANY = {"sqlite": (1_000, 1), "postgresql": (200, 1)}
"""People, and how many of them study with a photo."""
ONE = Course(class_id="one", platform_id="P", duration_s=600)
CHARACTERS = "文武英雄国庆春兰秋菊海燕志强淑珍桂花金凤玉梅德福长江永红"


def person(number: int) -> Person:
    """Return the n-th made-up person; no two have the same name."""
    body = f"411526{1950 + number % 50}{1 + number % 12:02}{1 + number // 12 % 28:02}{number % 1000:03}"
    total = sum(int(digit) * weight for digit, weight in zip(body, WEIGHTS, strict=True))
    first, second = divmod(number, len(CHARACTERS))
    name = SURNAMES[number % len(SURNAMES)] + CHARACTERS[first % len(CHARACTERS)] + CHARACTERS[second] + GIVEN[0]
    return Person(name, body + CHECK_DIGITS[total % 11], f"13{number % 10}{91_234_567 + 7_919 * number:08}")


def photo(number: int) -> bytes:
    """Return the reference photo of the n-th person."""
    return (SAMPLE_MEDIA / f"learner-0{number + 1}" / "reference.jpg").read_bytes()


def enrol(house: House, class_id: str, number: int, one: Person) -> None:
    """Enrol a person; the platform writes the phone number where it doesn't belong."""
    registration.put_enrolment(
        house, class_id, f"e{number}", "P", name=one.name, identity_number=one.number, applicant=f"{one.name}的公司",
        face_checks="required", leave=(),
    )  # fmt: skip


class Quiet(SimulatedPlatform):
    """A platform whose learners show no pictures of their own."""

    def snapshot(self, *_: Any) -> None:
        """Show nothing."""


def study(platform: Quiet, number: int, one: Person) -> None:
    """Let a person study, and their player send what it shouldn't."""
    opening = sessions.Opening("P", f"o{number}", f"e{number}", 1, 0, "D", user_agent=one.phone, ip=one.number)
    sessions.open_session(platform.house, opening, 1)
    house, learner = platform.house, watch(desk(platform, ONE, f"e{number}").sit(1), 20)
    sitting = learner.sitting
    picture = (SAMPLE_MEDIA / f"learner-0{number + 1}" / "snapshot-1.jpg").read_bytes()
    platform.show(sitting.opening, sitting.at_ms, picture, sitting.arrival_ms())
    platform.judged(sitting.opening, sitting.at_ms, Outcome.PASSED, sitting.arrival_ms())
    good = {
        "seq": 0,
        "type": "play",
        "at_ms": sitting.at_ms,
        "position_s": 0,
        "playing": True,
        "rate": 1,
        "player": "p",
    }
    wrong = ({"seq": one.name}, {"type": one.phone}, {"at_ms": one.number}, {one.name: 1}, {"player": f"/{one.number}"})
    refused = {"events": [good | change for change in wrong] + [one.number]}
    for session_id in (sitting.opening.session_id, "nobody's"):
        try:
            body = json.dumps(refused, ensure_ascii=False).encode()
            sessions.add_events(house, session_id, "P", body, sitting.arrival_ms())
        except GuardError as refusal:
            logging.getLogger("test").info("%s", refusal)
    learner.leave()


def test_of_a_thousand_people_nothing_lies_in_clear_text(
    request: pytest.FixtureRequest, house: House, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    count, with_photo = HOW_MANY[house.engine.dialect.name]
    people = [person(number) for number in range(count)]
    assert len({one.name for one in people}) == len({one.number for one in people}) == count
    platform = Quiet(house)
    platform.register(ONE)
    platform.register(replace(ONE, class_id="many"))
    with caplog.at_level(logging.DEBUG):
        for number, one in enumerate(people):
            enrol(house, "one" if number < with_photo else "many", number, one)
        for number, one in enumerate(people[:with_photo]):
            registration.put_reference_photo(house, f"e{number}", "P", photo(number))
            study(platform, number, one)
        import_a_bundle(house, people[0], tmp_path.with_name(f"{tmp_path.name}-sent"))
        platform.verify()
    export(house, tmp_path / "bundle")
    evidence_export.export_class(house, "one", tmp_path / "evidence.ndjson")
    (tmp_path / "service.log").write_text(caplog.text, encoding="utf-8")
    vectors = opened_vectors(house)
    assert len(vectors) == 3 * with_photo
    search = Search(people + [Person(f"face {place}", "", "", vector) for place, vector in enumerate(vectors)])
    assert len([path for path in house.settings.pictures.rglob("*") if path.is_file()]) == 4 * with_photo
    assert found_in_files(request, search) == set()
    # the control: who lies in clear text is found
    with writing(house.engine) as database:
        for change, value in (
            ("UPDATE session SET ip = :value WHERE session_id = 'o0'", people[50].phone),
            ("UPDATE enrolment SET name = :value WHERE enrolment_id = 'e7'", people[7].name.encode()),
            ("UPDATE capture SET vector = :value WHERE row_id = 2", vectors[1].astype(np.float32).tobytes()),
        ):
            database.execute(text(change), {"value": value})
    assert found_in_files(request, search) == {
        f"phone {people[50].phone}",
        f"name {people[7].name}",
        "vector of face 1",
    }


def import_a_bundle(house: House, one: Person, folder: Path) -> None:
    """Import a bundle of a platform that calls its learners by name, with rows that are refused."""
    rows = a_bundle(platform_id="Q")
    rows["enrolments"][0]["learner_id"] = one.name
    rows["sessions"][0] |= {"user_agent": one.phone, "ip": one.number}
    rows["sessions"].append(rows["sessions"][0] | {"session_id": "s2", "lesson_no": one.name})
    rows["events"] += [an_event(98, platform_id="Q", type=one.name), an_event(99, platform_id="Q", at_ms=one.number)]
    rows["events"].append(an_event(97, platform_id="Q") | {one.name: one.phone})
    body = zipped(write_bundle_rows(folder, rows), folder.with_suffix(".zip")).read_bytes()
    told = imported(house, "Q", body)
    assert (told["state"], told["counts"]["sessions"]["accepted"]) == ("done", 1)


def found_in_files(request: pytest.FixtureRequest, search: Search) -> set[str]:
    """Return what is found in the files of the service, and of its database, log files of both among them."""
    folder: Path = request.getfixturevalue("tmp_path")
    files = {path for path in folder.rglob("*") if path.is_file()}
    if "postgres_url" in request.fixturenames or "postgresql" in request.node.name:
        server = request.getfixturevalue("postgres")
        server.execute("CHECKPOINT")
        began_s = folder.stat().st_ctime - 60
        theirs = {path for path in server.folder.rglob("*") if path.is_file() and path.stat().st_mtime > began_s}
        assert any("pg_wal" in path.parts for path in theirs)
        files |= theirs
    else:
        assert {path.suffix for path in files} >= {".sqlite3", ".sqlite3-wal", ".sqlite3-shm"}
    return set().union(*(search.in_file(path) for path in sorted(files)))


def opened_vectors(house: House) -> list[np.ndarray]:
    """Return the vectors of all captures and reference photos."""
    with reading(house.engine) as database:
        keys = PersonKeys(database, house.vault)
        captures = list(database.scalars(select(CaptureRecord).where(CaptureRecord.vector.is_not(None))))
        enrolments = {row.enrolment_id: row for row in database.scalars(select(EnrolmentRecord))}
        owners = [keys.find(enrolments[row.enrolment_id].learner_id) for row in captures]
        photos = [row for row in enrolments.values() if row.reference_vector is not None]
        sealed = [(row.vector, person, bound_to(row)) for row, person in zip(captures, owners, strict=True)]
        sealed += [(row.reference_vector, keys.find(row.learner_id), row.enrolment_id) for row in photos]
    return [opened_vector(house.vault, *one) for one in sealed]


ONE_PERSON = Person("王文武秀兰", "41152619700101900X", "13812345678", np.random.default_rng(1).normal(size=128))


@given(st.binary(max_size=40), st.integers(0, 100), st.binary(max_size=40))
def test_the_search_finds_a_needle_wherever_it_lies(before: bytes, choice: int, after: bytes) -> None:
    needles = sorted(ONE_PERSON.needles().items())
    needle, what = needles[choice % len(needles)]
    assert what in Search([ONE_PERSON]).in_bytes(before + needle + after)
    assert what not in Search([ONE_PERSON]).in_bytes(before + needle[:-1] + b"\xff" + after) or needle[:-1] in before
