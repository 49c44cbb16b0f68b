"""Log lines tell nobody's identity number, phone, name under a key, vector or secret; and stay useful."""

from __future__ import annotations

import base64
import json
import logging
import time
import traceback

import numpy as np
import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from online_guard.redaction import HIDDEN, KEYS, WORDS, holds_number, is_hidden, redact, redact_text

DIGITS = st.integers(0, 9).map(str)
WORDING = st.text(st.characters(exclude_categories=["Nd", "Cs", "L"]), max_size=12) | st.sampled_from(
    ["学员 ", "learner", "id=", '{"x": "', "(", " N", ":"]
)


@st.composite
def identity_numbers(draw: st.DrawFn) -> str:
    """Return something formed as an identity number of 18 or 15 digits."""
    day = f"{draw(st.integers(1, 12)):02}{draw(st.integers(1, 28)):02}"
    region = "".join(draw(st.lists(DIGITS, min_size=6, max_size=6)))
    order = f"{draw(st.integers(0, 999)):03}"
    long = region + f"{draw(st.integers(1900, 2026))}" + day + order + draw(st.sampled_from("0123456789Xx"))
    return draw(st.sampled_from([long, region + f"{draw(st.integers(0, 99)):02}" + day + order]))


PHONES = st.builds(lambda second, rest: f"1{second}{rest:09}", st.integers(3, 9), st.integers(0, 999_999_999))
PERSONAL = identity_numbers() | PHONES | PHONES.map("+86 {}".format) | PHONES.map("86{}".format)


@given(WORDING, PERSONAL, WORDING)
def test_no_number_stays_in_a_text(before: str, number: str, after: str) -> None:
    told = redact_text(before + number + after)
    assert number not in told
    assert number[-11:] not in told
    assert holds_number(before + number + after)
    assert not holds_number(told)


@given(WORDING, PERSONAL, WORDING)
def test_redacting_again_changes_nothing(before: str, number: str, after: str) -> None:
    once = redact_text(before + number + after)
    assert redact_text(once) == once


@given(
    PERSONAL,
    st.recursive(
        st.just("leaf"),
        lambda inner: st.lists(inner, min_size=1, max_size=3) | st.dictionaries(st.text(), inner),
        max_leaves=6,
    ),
)
def test_no_number_stays_in_a_structured_value(number: str, shape: object) -> None:
    def grown(part: object) -> object:
        if isinstance(part, dict):
            return {name: grown(one) for name, one in part.items()} | {number: 1}
        return [grown(one) for one in part] if isinstance(part, list) else number

    line = redact(None, "info", {"event": "x", "value": grown(shape), "number": int(number) if number.isdigit() else 0})
    assert number not in json.dumps(line, ensure_ascii=False, default=str)


@given(st.sampled_from(sorted(KEYS) + list(WORDS)), st.text(min_size=1) | st.integers() | st.lists(st.text()))
def test_what_stands_under_a_hidden_key_is_hidden(key: str, value: object) -> None:
    camel = "".join(part.title() if place else part for place, part in enumerate(key.split("_")))
    for name in (key, key.upper(), key.replace("_", "-"), camel):
        assert redact(None, "info", {name: value}) == {name: HIDDEN}
        assert redact(None, "info", {"deep": [{name: value}]}) == {"deep": [{name: HIDDEN}]}


SAFE = st.text(st.characters(categories=["Lo"]), min_size=2, max_size=4)


@given(st.sampled_from(["name", "identity_number", "secret", "client_secret", "Nonce", "input_value"]), SAFE)
def test_a_value_written_after_its_key_in_a_text_is_hidden(key: str, value: str) -> None:
    for form in (
        "{0}={1}",
        "{0}='{1}'",
        '{{"{0}": "{1}", "x": 1}}',
        "{{'{0}': '{1}'}}",
        "{0}: {1}",
        '\\"{0}\\": \\"{1}\\"',
    ):
        assert value not in redact_text("refused " + form.format(key, value) + " at 12:00")


@pytest.mark.parametrize(
    "text",
    [
        "Authorization: Bearer abc.def.ghi",
        "cookie: session=abc; other=abc",
        'Signature-Input: sig1=("@method");keyid="abc"',
        "{'authorization': 'Basic abc'}",
        "POST /v1/x?nonce=abc&at_ms=5",
    ],
)
def test_headers_and_parameters_that_prove_who_one_is_are_hidden(text: str) -> None:
    assert "abc" not in redact_text(text)


@given(st.integers(0, 2**32 - 1))
def test_vectors_and_pictures_are_hidden_however_they_are_written(seed: int) -> None:
    vector = np.random.default_rng(seed).normal(size=128) * 0.1
    raw = vector.tobytes()
    for written in (str(vector.tolist()), json.dumps(vector.tolist()), base64.b64encode(raw).decode(), repr(raw)):
        told = redact_text(f"compared with {written} at last")
        assert written[40:80] not in told
        assert told.startswith("compared with")
        assert len(told) < 80
    line = redact(None, "info", {"event": "x", "a": vector, "b": vector.tolist(), "c": raw, "d": tuple(vector)})
    assert str(vector[3])[:8] not in str(line)
    assert line["c"] == "<1024 bytes>"


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-25T17:28:42.123456Z session s-1 opened at 1623124800000 ms, 1623124800000000000 ns",
        "policy huangchuan-2021 " + "0123456789abcdef" * 4,
        'File "/srv/online-guard/current/src/online_guard/service/registration.py", line 123, in put_enrolment',
        "class 2021-0608 enrolment e-000123 lesson 3: 12 events, rate 1.0, position 123.456",
        "OG301 pop-up-gap: 300.5 s > 300 s",
    ],
)
def test_what_is_nobodys_stays_readable(text: str) -> None:
    assert redact_text(text) == text
    assert redact(None, "info", {"event": text, "count": 5, "share": 0.5, "none": None}) == {
        "event": text, "count": 5, "share": 0.5, "none": None,
    }  # fmt: skip


def test_keys_of_a_log_line_itself_are_no_secrets() -> None:
    assert not any(map(is_hidden, ("event", "level", "logger", "timestamp", "request_id", "exception", "session_id")))


def test_tracebacks_and_the_standard_library_are_redacted_too() -> None:
    formatter = structlog.stdlib.ProcessorFormatter(
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            redact,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ]
    )
    try:
        raise ValueError("no such person: 411526197001019004, name='王秀兰', 13812345678")
    except ValueError as error:
        record = logging.LogRecord(
            "x", 40, "f", 1, "refused %s", ("41152619700101900X",), (ValueError, error, error.__traceback__)
        )
        assert "王秀兰" in traceback.format_exc()
    told = formatter.format(record)
    assert "ValueError" in told
    assert not [one for one in ("411526197001019004", "41152619700101900X", "王秀兰", "13812345678") if one in told]


@pytest.mark.parametrize(
    "part",
    [
        "password",
        "1",
        "1.",
        "1.1,",
        "x-",
        "b'",
        "b'\\",
        "name=",
        'name="',
        "cookie",
        " :",
        "\\x00",
        "A1",
        "86 ",
        "{'a': ",
    ],
)
def test_a_long_line_takes_no_longer_than_its_length(part: str) -> None:
    def cost_s(length: int) -> float:
        text = part * (length // len(part))
        began_s = time.process_time()
        redact_text(text)
        return time.process_time() - began_s

    assert min(cost_s(80_000) for _ in range(3)) < 12 * min(cost_s(20_000) for _ in range(3)) + 0.02


def test_values_within_values_are_found() -> None:
    told = redact_text('event="name=王秀兰, secret: abc" detail={"x": {"name": "李建国"}}')
    assert not [word for word in ("王秀兰", "abc", "李建国") if word in told]
