"""Times and numbers as foreign logs write them."""

import math

import pytest

from online_guard.ingest.media import BadFieldError, moment_us, number, seconds


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01T08:00:00.000001+08:00", 1),
        ("2021-07-01T09:00:00.867219+08:00", 1_625_101_200_867_219),
        ("2021-07-01T01:00:00.8672199Z", 1_625_101_200_867_219),
    ],
)
def test_a_moment_has_an_offset(text: str, expected: int) -> None:
    assert moment_us(text, "timestamp") == expected


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("2021-07-01T09:00:00", "without an offset"),
        ("2021-07-01", "without an offset"),
        ("yesterday", "not a time"),
        ("1969-12-31T23:59:59Z", "outside the years"),
        ("9999-12-31T23:59:59-01:00", "outside the years"),
        ("", "missing"),
        (None, "missing"),
    ],
)
def test_other_times_are_refused_with_the_field(text: str | None, word: str) -> None:
    with pytest.raises(BadFieldError) as caught:
        moment_us(text, "timestamp")
    assert word in caught.value.refusal.reason
    assert caught.value.refusal.field == "timestamp"


@pytest.mark.parametrize(("value", "expected"), [(0, 0.0), (-0.0, 0.0), ("1.25x", 1.25), ("1.0", 1.0), (1e9, 1e9)])
def test_numbers(value: float | str, expected: float) -> None:
    found = number(value, "rate")
    assert found == expected
    assert math.copysign(1, found) == 1


@pytest.mark.parametrize("value", [None, ""])
def test_no_number_is_nan(value: str | None) -> None:
    assert math.isnan(number(value, "rate"))


@pytest.mark.parametrize("value", [-0.001, "nan", "inf", 1.1e9, "fast", True, [], {}])
def test_what_is_no_number_is_refused(value: object) -> None:
    with pytest.raises(BadFieldError):
        number(value, "rate")


@pytest.mark.parametrize(
    ("text", "expected"),
    [("PT3M14.381S", 194.381), ("P0D", 0), ("PT03M15S", 195), ("P1DT1H", 90_000), ("PT0.032788S", 0.032788), (7, 7)],
)
def test_durations(text: str | float, expected: float) -> None:
    assert seconds(text, "duration") == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("text", ["P", "PT", "P1M", "PT5", "P-1D", "PTS", "3 minutes"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(BadFieldError):
        seconds(text, "duration")
