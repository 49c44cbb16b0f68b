"""From a pack's file and `--set` texts to raw entries by dotted key; nothing is judged here but TOML itself."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from online_guard.errors import ErrorKind, GuardError

PACKS = files("online_guard.policy") / "packs"


@dataclass(frozen=True)
class Override:
    """One `--set KEY=VALUE`: the key, what TOML read, and the text for messages."""

    key: str
    value: object
    origin: str


def shipped_packs() -> tuple[str, ...]:
    """Return the names of the packs that come with the package, sorted."""
    return tuple(sorted(item.name.removesuffix(".toml") for item in PACKS.iterdir() if item.name.endswith(".toml")))


def read_document(name_or_path: str | Path) -> tuple[str, dict[str, Any]]:
    """Return the file's name for messages, and the TOML document.

    Args:
        name_or_path: A shipped pack's name (it wins over a file of that name), or the path of a TOML file.

    Raises:
        GuardError: No such file, not UTF-8, or not TOML; `where` is the file, with the line where TOML says it.
    """
    shipped = isinstance(name_or_path, str) and name_or_path in shipped_packs()
    source = PACKS / f"{name_or_path}.toml" if shipped else Path(name_or_path)
    text = _text(source)
    try:
        return str(source), tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        line = re.search(r"at line (\d+)", str(error))
        raise GuardError(
            ErrorKind.MALFORMED,
            "policy.syntax",
            f"TOML 语法错误 / TOML syntax error: {error}",
            where=f"{source}:{line[1]}" if line else str(source),
        ) from error


def flatten(document: Mapping[str, Any], known: Collection[str]) -> dict[str, object]:
    """Return the document's entries by dotted key, unknown ones included."""
    sections = {section for section, dot, _ in (key.partition(".") for key in known) if dot}
    entries: dict[str, object] = {}
    for name, item in document.items():
        if name in sections and isinstance(item, dict):
            entries |= {f"{name}.{key}": entry for key, entry in item.items()}
        else:
            entries[f'"{name}"' if "." in name else name] = item
    return entries


def parse_override(text: str, known: Collection[str]) -> Override:
    """Return one override, read as a line of TOML such as `popup.max_gap_s=240`.

    Raises:
        GuardError: Not one `KEY=VALUE` in TOML syntax, or a key that packs don't have.
    """
    origin = f"--set {text}"
    try:
        node: object = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise _bad_override(origin, str(error)) from error
    path: list[str] = []
    while isinstance(node, dict) and (key := ".".join(path)) not in known:
        if len(node) > 1 or (not path and not node):
            raise _bad_override(origin, "应为一个 KEY=VALUE / must be one KEY=VALUE")
        if not node:
            break
        name, node = next(iter(node.items()))
        path.append(name)
    key = ".".join(path)
    if key not in known:
        raise GuardError(
            ErrorKind.INVALID,
            "policy.unknown_key",
            f"未知的键 {key} / unknown key {key}",
            where=origin,
            remedy=did_you_mean(key, known),
        )
    return Override(key, node, origin)


def did_you_mean(key: str, known: Collection[str]) -> str:
    """Return a hint at the key most like this one, or nothing."""
    near = difflib.get_close_matches(key, known, n=1)
    return f"是否应为 {near[0]}？ / did you mean {near[0]}?" if near else ""


def _text(source: Traversable) -> str:
    try:
        return source.read_bytes().decode("utf-8-sig")  # an editor on Windows writes the mark
    except UnicodeDecodeError as error:
        raise GuardError(
            ErrorKind.MALFORMED,
            "policy.encoding",
            "文件不是 UTF-8 编码 / the file isn't UTF-8",
            where=str(source),
            remedy="请另存为 UTF-8。 / Save it as UTF-8.",
        ) from error
    except (OSError, ValueError) as error:
        names = "、".join(shipped_packs())
        raise GuardError(
            ErrorKind.NOT_FOUND,
            "policy.not_found",
            f"读不到政策文件 / can't read the policy file ({type(error).__name__})",
            where=str(source),
            remedy=f"写文件路径，或自带政策名：{names}。 / Give a path, or a shipped policy: {names}.",
        ) from error


def _bad_override(origin: str, reason: str) -> GuardError:
    return GuardError(
        ErrorKind.INVALID,
        "policy.override",
        f"--set 语法错误 / bad --set: {reason}",
        where=origin,
        remedy="按 TOML 写，文字加引号 / TOML syntax, texts quoted: --set 'violation_scope=\"enrolment\"'",
    )
