"""A row that can't be used, and why, in words for the person who sent it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

import msgspec

WHOLE_FILE = 0
"""`RefusedRow.line` when no single row is meant."""


@dataclass(frozen=True, slots=True, order=True)
class RefusedRow:
    """One row left out of the evidence.

    file: name within the bundle. line: of the file, from 1 (row number in Parquet and in the array of classes.json;
    0: the whole file). reason: Chinese first. field: its name, such as `lessons[0].title`; empty when none is meant.
    """

    file: str
    line: int
    reason: str
    field: str = ""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a row is refused, before it is known which row it was."""

    reason: str
    field: str = ""

    def of(self, file: str, line: int) -> RefusedRow:
        """Return the refused row at a place."""
        return RefusedRow(file, line, self.reason, self.field)


BAD_ID = "标识须为 1–128 个字符，不含“/”和控制字符 / an id has 1 to 128 characters, no `/` and no control characters"
NO_VALUE = "缺少字段（null 视为缺少）/ missing key (null counts as absent)"
NOT_FINITE = "不是有限数 (NaN/Infinity) / not a finite number (NaN or Infinity)"
NOT_MILLISECONDS = "应为 1970 年起的毫秒整数 / must be an integer, milliseconds since 1970"
OUT_OF_TIME = "时间不在 1970–9999 年内 / a time outside the years 1970 to 9999"

PATTERNS: dict[str, str] = {
    r"^[^/\x00-\x1f\x7f-\x9f\ud800-\udfff]{1,128}\Z": BAD_ID,
    r"^[0-9a-f]{16}\Z": "应为 16 位小写十六进制 / must be 16 lower-case hex digits",
    r"^[0-9a-f]{64}\Z": "应为 64 位小写十六进制 / must be 64 lower-case hex digits",
    r"^[0-9]{4}-(0[1-9]|1[0-2])\Z": "批次应为 YYYY-MM / a window is YYYY-MM",
    r"\S": "不能为空 / must not be empty",
}
"""Every regular expression of a row type, with what it asks for."""

_COMPLAINTS = {
    r"^Invalid enum value (.*)$": r"未知取值 \1 / unknown value \1",
    r"^Expected `(.*?)(?: \| null)?`, got `(.*)`$": r"类型不符：应为 \1，实为 \2 / wrong type: expected \1, got \2",
    r"^Expected `\w+(?: \| null)?` (.*)$": r"超出范围：须 \1 / out of range: must be \1",
    r"^Number out of range$": "数字超出范围 / number out of range",
}
"""What msgspec says of a value, and our words for it."""


def explain(error: Exception, text: bytes) -> Refusal:
    """Return why msgspec refused `text` as a row of its type."""
    if isinstance(error, UnicodeDecodeError):
        return Refusal("不是 UTF-8 / not UTF-8")
    if isinstance(error, msgspec.ValidationError):
        return _explain_value(str(error))
    return _explain_syntax(str(error), text)


def _explain_value(message: str) -> Refusal:
    what, _, path = message.partition(" - at `$")
    path = path.rstrip("`").lstrip(".")
    if found := re.fullmatch(r"Object (missing required|contains unknown) field `(.*)`", what, re.DOTALL):
        name = f"{path}.{found[2]}".lstrip(".")
        words = NO_VALUE if found[1] == "missing required" else "未知字段 / unknown key"
        return Refusal(f"{words} `{name}`", name)
    return Refusal(_explain_type(what, path.rpartition(".")[2]) + (f" `{path}`" if path else ""), path)


def _explain_type(what: str, name: str) -> str:
    """Return the words for msgspec's complaint about the value of one field."""
    if what.endswith("got `null`") and name:
        return NO_VALUE
    if name.endswith("_ms") and what.startswith("Expected `int`"):
        return OUT_OF_TIME if "=" in what else NOT_MILLISECONDS
    if what.startswith("Invalid RFC3339"):
        return "日期应为 YYYY-MM-DD / a civil date is YYYY-MM-DD"
    for pattern, words in PATTERNS.items():
        what = what.replace(f"Expected `str` matching regex {pattern!r}", words)
    for pattern, words in _COMPLAINTS.items():
        what = re.sub(pattern, words, what, flags=re.DOTALL)
    return what


def _explain_syntax(message: str, text: bytes) -> Refusal:
    if text.startswith(b"\xef\xbb\xbf"):
        return Refusal("行首有 BOM，请另存为无 BOM 的 UTF-8 / starts with a BOM; save as UTF-8 without one")
    if b"\0" in text:
        return Refusal("含 NUL 字节 / contains a NUL byte")
    not_finite = object()
    found = False

    def mark(_: str) -> object:
        """Return the sign that stands for NaN or Infinity."""
        nonlocal found
        found = True
        return not_finite

    try:
        value = json.loads(text, parse_constant=mark)
    except (ValueError, RecursionError):
        detail = message.removeprefix("JSON is malformed: ")
        return Refusal(f"不是一个完整的 JSON 值 / not one complete JSON value: {detail}")
    if found:
        names = [name for name, inner in value.items() if inner is not_finite] if isinstance(value, dict) else []
        return Refusal(NOT_FINITE + "".join(f" `{name}`" for name in names[:1]), names[0] if names else "")
    return Refusal("字符串含不成对的代理字符 / a string contains an unpaired surrogate")


def repeated(key: str) -> Refusal:
    """Return the refusal of a row whose key an earlier one has."""
    return Refusal(f"主键重复：{key}，只认第一行 / duplicate of {key}; the first row counts")


def repeated_key(text: bytes) -> Refusal | None:
    """Return the refusal of a JSON object in which a key comes twice, None when no key does."""
    repeated: list[str] = []

    def keep(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        """Return an object of the text, noting the keys that come twice in it."""
        value = dict(pairs)
        if len(value) < len(pairs):
            names = [name for name, _ in pairs]
            repeated.extend(name for name in value if names.count(name) > 1)
        return value

    json.loads(text, object_pairs_hook=keep)
    return Refusal(f"字段重复 / key given twice `{repeated[0]}`", repeated[0]) if repeated else None
