"""Identity numbers: form, birth date and check digit; never told again, not even to the log."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta

import pytest
from simulated_platform import SAMPLE_MEDIA, SimulatedPlatform

from online_guard.demo.people import CHECK_DIGITS, WEIGHTS, identity_number, name_of
from online_guard.errors import ErrorKind, GuardError
from online_guard.service.house import House
from online_guard.service.registration import NAME, NUMBER, check_identity_number, put_enrolment, put_reference_photo
from online_guard.simulate.course import Course
from online_guard.store.person_keys import PersonKeys
from online_guard.store.tables import EnrolmentRecord
from online_guard.store.unit_of_work import reading, writing

CHINA_S = 8 * 3600


def number_of(region: str, born: str, order: str = "900") -> str:
    """Return an identity number with the right check digit."""
    body = region + born + order
    total = sum(int(digit) * weight for digit, weight in zip(body, WEIGHTS, strict=True))
    return body + CHECK_DIGITS[total % 11]


def day_in_china(ahead: int) -> str:
    """Return the civil date in Shanghai some days from now, as in an identity number."""
    return (datetime.now(UTC) + timedelta(seconds=CHINA_S, days=ahead)).strftime("%Y%m%d")


@pytest.mark.parametrize("region", ["411526", "110105", "810000", "820000", "830000", "999999"])
def test_any_region_is_taken_residence_permits_and_old_codes_too(region: str) -> None:
    number = number_of(region, "19800229")
    assert check_identity_number(number) == number


def test_a_small_x_and_spaces_around_make_no_other_number() -> None:
    number = next(n for n in (number_of("411526", "19900101", f"{o:03}") for o in range(100)) if n.endswith("X"))
    assert check_identity_number(number.lower()) == check_identity_number(f" {number} ") == number


@pytest.mark.parametrize("ahead", [-2, -1])
def test_the_newly_born_are_born(ahead: int) -> None:
    assert check_identity_number(number_of("411526", day_in_china(ahead)))


WRONG = {
    "check digit": identity_number(1)[:-1] + ("1" if identity_number(1)[-1] != "1" else "2"),
    "month 13": number_of("411526", "19801301"),
    "29 February of a common year": number_of("411526", "19810229"),
    "born tomorrow or later": number_of("411526", day_in_china(2)),
    "born in 2990": number_of("810000", "29900101"),
    "fifteen digits": "411526800101900",
    "a letter": "41152619800101A004",
    "x in the middle": "4115261980X1019004",
    "other digits": "".join(chr(ord(digit) + 0x660 - 0x30) for digit in number_of("411526", "19800101", "901")),
    "empty": "",
}


@pytest.mark.parametrize("number", WRONG.values(), ids=WRONG)
def test_a_wrong_number_is_refused_and_not_repeated(number: str) -> None:
    with pytest.raises(GuardError) as refusal:
        check_identity_number(number)
    assert (refusal.value.kind, refusal.value.where) == (ErrorKind.INVALID, "/identity_number")
    assert not number or number not in str(refusal.value)


def test_a_learner_is_stored_sealed_and_the_log_names_nobody(house: House, caplog: pytest.LogCaptureFixture) -> None:
    course, number = Course(), identity_number(3)
    SimulatedPlatform(house).register(course)
    with caplog.at_level(logging.DEBUG):
        _, told = put_enrolment(
            house, course.class_id, "e", None, name=name_of(3), identity_number=number, applicant=None,
            face_checks="required", leave=(),
        )  # fmt: skip
    assert number not in caplog.text + str(told)
    assert name_of(3) not in caplog.text + str(told)
    with reading(house.engine) as database:
        record = database.get_one(EnrolmentRecord, "e")
        person = PersonKeys(database, house.vault).find(record.learner_id)
    assert house.vault.open(record.name, NAME, person, "e").decode() == name_of(3)
    assert house.vault.open(record.identity_number, NUMBER, person, "e").decode() == number
    assert record.learner_id == told["learner_id"] == house.vault.blind_index(number)


def test_of_somebody_unknown_no_picture_is_kept(house: House) -> None:
    course = Course()
    SimulatedPlatform(house).register(course)
    with writing(house.engine) as database:
        database.add(
            EnrolmentRecord(
                enrolment_id="e", class_id=course.class_id, learner_id="pseudonym", name=b"", identity_number=b"",
                face_checks="required", leave="[]",
            )
        )  # fmt: skip
    photo = (SAMPLE_MEDIA / "learner-01" / "reference.jpg").read_bytes()
    with pytest.raises(GuardError) as refusal:
        put_reference_photo(house, "e", course.platform_id, photo)
    assert refusal.value.code == "enrolment.unregistered"
    assert not list(house.settings.pictures.rglob("*"))
