"""From what TOML says to what a section's field may hold; everything else is refused with key and reason."""

from __future__ import annotations

import json
from dataclasses import MISSING, fields, is_dataclass
from enum import StrEnum
from typing import Annotated, Any, TypeVar, get_args, get_origin, get_type_hints

from online_guard.errors import ErrorKind, GuardError
from online_guard.policy.sections import Limits

T = TypeVar("T")

WORDS: dict[type, str] = {
    float: "数 / a number",
    int: "整数 / an integer",
    bool: "true 或 false / true or false",
    str: "加引号的非空文字 / a quoted text that isn't empty",
    list: "方括号列表 / a list in square brackets",
    dict: "花括号表 / a table in braces",
}
"""What each type is called in a message."""

Hint = Any
"""A field's annotation: a type, `Annotated` with `Limits`, an optional, a tuple, or a record."""


def read_value(hint: Hint, raw: object, key: str) -> Any:
    """Return the value that a field holds, always in the same form: 240 and 240.0 are one number of seconds.

    Args:
        hint: The field's annotation, as `sections` writes it.
        raw: What TOML read.
        key: Dotted key, for messages.

    Raises:
        GuardError: Wrong type, impossible value, or an unknown or missing key of a record; `where` is the key.
    """
    base, limits = split_hint(hint)
    origin: object = get_origin(base)
    if base is float or base is int:
        return _number(base, limits, raw, key)
    if origin is tuple:
        return _items(get_args(base)[0], limits, raw, key)
    if is_dataclass(base):
        return _record(base, raw, key)
    if base is bool:
        return _of_type(bool, raw, key)
    text = _of_type(str, raw, key)
    if not text.strip():
        raise wrong_type(str, raw, key)
    return _word(base, text, key) if issubclass(base, StrEnum) else text


def split_hint(hint: Hint) -> tuple[Hint, Limits | None]:
    """Return the type and the limits of an annotation, `None` of an optional dropped."""
    members = get_args(hint)
    if type(None) in members:
        hint = next(member for member in members if member is not type(None))
    origin: object = get_origin(hint)
    if origin is Annotated:
        base, limits = get_args(hint)
        return base, limits
    return hint, None


def refuse(code: str, key: str, reason: str, remedy: str = "") -> GuardError:
    """Return the refusal of one key; `where` is the key, to which the loader adds the file."""
    return GuardError(ErrorKind.INVALID, f"policy.{code}", reason, where=key, remedy=remedy)


def wrong_type(wanted: type, raw: object, key: str) -> GuardError:
    """Return the refusal of a value of another type."""
    chinese, english = WORDS[wanted].split(" / ")
    return refuse("wrong_type", key, f"应为{chinese}，实为 {spell(raw)} / must be {english}, is {spell(raw)}")


def spell(raw: object) -> str:
    """Return a value as a message shows it, cut to 60 characters."""
    text = json.dumps(raw, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else f"{text[:59]}…"


def _of_type(wanted: type[T], raw: object, key: str) -> T:
    if not isinstance(raw, wanted):
        raise wrong_type(wanted, raw, key)
    return raw


def _number(base: type[int | float], limits: Limits | None, raw: object, key: str) -> float:
    if isinstance(raw, bool) or not isinstance(raw, int if base is int else (int, float)):
        raise wrong_type(base, raw, key)
    if limits is None:
        raise TypeError(f"{key}: a number needs limits")
    if not limits.least <= raw <= limits.most:  # NaN and infinity fail here too
        span = f"{limits.least:g} … {limits.most:g} {limits.unit}".rstrip()
        raise refuse("impossible_value", key, f"{spell(raw)} 超出 {span} / {spell(raw)} is outside {span}")
    return base(raw) + 0  # + 0 makes -0.0 plain zero


def _word(words: type[StrEnum], text: str, key: str) -> StrEnum:
    if text not in list(words):
        choice = " | ".join(words)
        raise refuse("impossible_value", key, f'"{text}" 不是 {choice} 之一 / "{text}" is none of {choice}')
    return words(text)


def _items(hint: Hint, limits: Limits | None, raw: object, key: str) -> tuple[Any, ...]:
    listed = _of_type(list, raw, key)
    items = tuple(read_value(hint, item, f"{key}#{number}") for number, item in enumerate(listed, start=1))
    names = [getattr(item, fields(item)[0].name) if is_dataclass(item) else item for item in items]
    for number, name in enumerate(names, start=1):
        if name in names[: number - 1]:
            raise refuse("impossible_value", f"{key}#{number}", f"{spell(name)} 重复 / {spell(name)} stands twice")
    if limits is not None and not limits.least <= len(items) <= limits.most:
        count = f"{limits.least:g} … {limits.most:g}"
        raise refuse(
            "impossible_value", key, f"应有 {count} 项，实有 {len(items)} 项 / {len(items)} items, not {count}"
        )
    return items


def _record(base: Any, raw: object, key: str) -> Any:
    """Return one record of a list; its first field names it."""
    table = _of_type(dict, raw, key)
    hints = get_type_hints(base, include_extras=True)
    for name in table:
        if name not in hints:
            raise refuse("unknown_key", f"{key}.{name}", "未知的键 / unknown key")
    for field in fields(base):
        if field.default is MISSING and field.name not in table:
            raise refuse("missing_key", f"{key}.{field.name}", "缺少此键 / this key is missing")
    return base(**{name: read_value(hints[name], value, f"{key}.{name}") for name, value in table.items()})
