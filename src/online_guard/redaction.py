"""Takes what is personal or secret out of log lines: out of structured values by their key, out of text by its form.

The names of persons can't be told from other words: they are found under their keys only, as `name=…` or `"name": "…"`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, MutableMapping, Sequence, Set
from typing import Any

HIDDEN = "[已隐去 redacted]"
KEYS = {"name", "applicant", "reviewer", "person", "phone", "mobile", "tel", "input", "input_value", "body", "ip"}
"""Keys whose values are hidden."""
WORDS = (
    "identity_number", "learner_name", "full_name", "phone_number", "user_agent", "vector", "embedding",
    "password", "passwd", "secret", "token", "signature", "nonce", "authorization", "cookie", "api_key",
    "private_key", "master_key", "picture", "image",
)  # fmt: skip
"""Parts of keys whose values are hidden, with `-` and camel case read as `_`."""
MOST_NUMBERS = 16
"""A longer list of decimals is a vector."""
DEEPEST = 8

_LINE = re.compile(r"(?im)\b((?:proxy-)?authorization|(?:set-)?cookie|signature(?:-input)?)(['\"]?\s*[:=]\s*)[^\n]+")
_KEY = re.compile(r"(?<![\w-])([\w-]{1,64})\\?['\"]?\s*[:=]\s*")
_VALUE = re.compile(r"b?\"(?:[^\"\\\n]|\\.)*\"?|b?'(?:[^'\\\n]|\\.)*'?|[^\s,;&})\]]+")
_NUMBER = re.compile(r"(?<!\d)\d{6}[ -]?\d{4}[ -]?\d{4}[ -]?\d{3}[\dXx](?!\d)")
_OLD_NUMBER = re.compile(r"(?<!\d)\d{8}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}(?!\d)")
_PHONE = re.compile(r"(?<!\d)(?:(?:\+|00)?86[ -]?)?1[3-9]\d[ -]?\d{4}[ -]?\d{4}(?!\d)")
_NUMBERS = (_NUMBER, _OLD_NUMBER, _PHONE)
_VECTOR = re.compile(
    rf"(?<![\d.])(?:[-+]?\d*\.\d+(?:[eE][-+]?\d+)?[,;\s]+){{{MOST_NUMBERS},}}[-+]?\d*\.\d+(?:[eE][-+]?\d+)?"
)
_BLOB = re.compile(r"[A-Za-z0-9+/_-]{48,}={0,2}")
_BYTES = re.compile(r"\bb(?:'(?:[^'\\\n]|\\.){32,}'?|\"(?:[^\"\\\n]|\\.){32,}\"?)")
_HEX = re.compile(r"[0-9a-f]+|[0-9A-F]+")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|[- .]")


def redact(_logger: Any, _method: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Return a log line without what is personal; a processor for structlog, to be put after tracebacks became text."""
    for key, value in list(line.items()):
        line[key] = _redacted(key, value, 0)
    return line


def redact_text(text: str) -> str:
    """Return a text without identity numbers, phone numbers, vectors, blobs, and values of keys that are hidden."""
    text = _LINE.sub(rf"\1\2{HIDDEN}", text)
    text = _without_values(text)
    text = _VECTOR.sub(HIDDEN, text)
    text = _BYTES.sub(HIDDEN, text)
    text = _BLOB.sub(lambda found: found.group() if _is_harmless(found.group()) else HIDDEN, text)
    for pattern in _NUMBERS:
        text = pattern.sub(HIDDEN, text)
    return text


def _without_values(text: str) -> str:
    """Return a text without what is written after a key that is hidden; one pass, however long the text."""
    kept, done = [], 0
    while found := _KEY.search(text, done):
        kept.append(text[done : found.end()])
        done = found.end()
        value = _VALUE.match(text, done) if is_hidden(found[1]) else None
        if value is not None:
            kept.append(HIDDEN)
            done = value.end()
    return "".join(kept) + text[done:]


def holds_number(text: str) -> bool:
    """Return whether an identity or phone number stands in a text."""
    return any(pattern.search(text) for pattern in _NUMBERS)


def _is_harmless(found: str) -> bool:
    """Return whether what looks like a blob is a hash in hex digits, or words and a path in small letters."""
    return bool(_HEX.fullmatch(found)) or found.lower() == found


def _redacted(key: str, value: Any, depth: int) -> Any:
    if value is not None and (is_hidden(key) or depth > DEEPEST):
        return HIDDEN
    if value is None or isinstance(value, int | float):
        return value if redact_text(str(value)) == str(value) else HIDDEN
    if isinstance(value, bytes | bytearray | memoryview):
        return f"<{len(value)} bytes>"
    return _taken_apart(value, depth)


def _taken_apart(value: Any, depth: int) -> Any:
    if isinstance(value, Mapping):
        return {redact_text(str(name)): _redacted(str(name), one, depth + 1) for name, one in value.items()}
    if isinstance(value, Sequence | Set) and not isinstance(value, str):
        numbers = sum(isinstance(one, float) for one in value)
        return HIDDEN if numbers >= MOST_NUMBERS else [_redacted("", one, depth + 1) for one in value]
    return redact_text(str(value))


def is_hidden(key: str) -> bool:
    """Return whether the value of a key is hidden whatever it is."""
    plain = _CAMEL.sub("_", key).lower()
    return plain in KEYS or any(word in plain for word in WORDS)
