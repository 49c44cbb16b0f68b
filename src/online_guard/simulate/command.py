"""What `online-guard simulate` does: a bundle folder with honest and cheating learners, and the truth about it."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from online_guard.errors import ErrorKind, GuardError
from online_guard.simulate.course import write_rows
from online_guard.simulate.scene import Planted, honest_classes, merged, plant
from online_guard.simulate.shapes import SHAPES, Shape
from online_guard.simulate.ways import DOUBTFUL_WAYS, HONEST_WAYS

Line = tuple[str, str, str, str, str]
"""Row of the list, name, label, expected rules or what would show it, parameters."""


def listing() -> list[Line]:
    """Return every way that can be simulated, honest ones first."""
    honest = [
        ("", name, f"{way.label_zh} {way.label_en}", ", ".join(sorted(way.reviews)), "")
        for name, way in (HONEST_WAYS | DOUBTFUL_WAYS).items()
    ]
    cheats = [
        (
            str(shape.row or ""),
            shape.name,
            f"{shape.label_zh} {shape.label_en}",
            ", ".join(shape.rules) or shape.needs,
            " ".join(f"{key}={value:g}" for key, value in shape.parameters.items()),
        )
        for shape in SHAPES.values()
    ]
    return honest + cheats


def chosen(cheats: Sequence[str], settings: Iterable[str]) -> list[tuple[Shape, Mapping[str, float]]]:
    """Return the cheats named, by row or name, with their parameters.

    Args:
        cheats: Rows (`8`: every shape of the row) or names.
        settings: `KEY=NUMBER`; each must belong to one of the cheats.

    Raises:
        GuardError: An unknown cheat or parameter, or a value that isn't a number ≥ 0.
    """
    shapes = [shape for name in cheats for shape in _named(name)]
    given = dict(_parameter(text) for text in settings)
    unknown = sorted(set(given) - {key for shape in shapes for key in shape.parameters})
    if unknown:
        known = sorted({key for shape in shapes for key in shape.parameters})
        raise _bad("parameter", unknown[0], f"可用的参数 / parameters: {', '.join(known) or '–'}")
    return [
        (shape, dict(shape.parameters) | {key: value for key, value in given.items() if key in shape.parameters})
        for shape in shapes
    ]


def _named(name: str) -> list[Shape]:
    if name in SHAPES:
        return [SHAPES[name]]
    of_row = [shape for shape in SHAPES.values() if name.isdecimal() and shape.row == int(name) > 0]
    if not of_row:
        raise _bad("cheat", name, "请用 --list 查看 / see --list")
    return of_row


def _parameter(text: str) -> tuple[str, float]:
    key, equals, value = text.partition("=")
    try:
        number = float(value)
    except ValueError:
        number = -1.0
    if not equals or not 0 <= number < 1e9:
        raise _bad("parameter", text, "写成 KEY=NUMBER，不小于 0 / write KEY=NUMBER, at least 0")
    return key, number


def _bad(what: str, value: str, remedy: str) -> GuardError:
    return GuardError(
        ErrorKind.INVALID,
        f"simulate.unknown_{what}",
        f"无法识别 / not understood: {value!r}",
        where=f"--{'param' if what == 'parameter' else what}",
        remedy=remedy,
    )


def simulate_bundle(
    out: Path,
    seed: int,
    learners: int,
    honest: Sequence[str],
    cheats: Sequence[tuple[Shape, Mapping[str, float]]],
) -> list[Planted]:
    """Write a bundle folder and return what is in it; the same arguments give the same bytes.

    Args:
        out: A folder that doesn't exist yet, or is empty.
        seed: Of every chance.
        learners: Honest learners, the ways in turn.
        honest: Honest ways; by default all that may never be flagged.
        cheats: Each in a class of its own.

    Raises:
        GuardError: An unknown way, nothing to do, or a folder that isn't empty.
    """
    ways = list(honest) or list(HONEST_WAYS)
    for way in ways:
        if way not in HONEST_WAYS | DOUBTFUL_WAYS:
            raise _bad("honest", way, "请用 --list 查看 / see --list")
    if learners == 0 and not cheats:
        raise _bad("learners", "0", "至少一名学员或一种作弊 / at least one learner or cheat")
    _refuse_full(out)
    rows, planted = honest_classes([ways[number % len(ways)] for number in range(learners)], "honest", seed)
    tables = [rows]
    for number, (shape, parameters) in enumerate(cheats, 1):
        more, done = plant(shape, parameters, f"cheat-{number:03}", seed)
        tables.append(more)
        planted.append(done)
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent) as scratch:
        write_rows(merged(tables), Path(scratch) / "bundle")
        if out.exists():
            out.rmdir()
        shutil.move(Path(scratch) / "bundle", out)
    return planted


def _refuse_full(out: Path) -> None:
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise GuardError(
            ErrorKind.CONFLICT,
            "simulate.not_empty",
            "文件夹已存在且非空，不会覆盖 / the folder isn't empty; nothing is overwritten",
            where=str(out),
            remedy="请换一个文件夹 / name another folder",
        )


def truth_text(seed: int, planted: Iterable[Planted]) -> str:
    """Return what was planted as JSON: the answer to the riddle, which doesn't belong into the bundle."""
    return json.dumps({"seed": seed, "planted": [asdict(one) for one in planted]}, ensure_ascii=False, indent=1) + "\n"


def check_truth_path(truth: Path, out: Path) -> None:
    """See that the truth isn't written into the bundle, where it would be reported as an unknown file.

    Raises:
        GuardError: It is.
    """
    if out.resolve() in truth.resolve().parents:
        raise GuardError(
            ErrorKind.INVALID,
            "simulate.truth_inside",
            "答案不能放在数据包里 / the truth doesn't belong into the bundle",
            where=str(truth),
            remedy="请给出文件夹之外的文件 / name a file outside the folder",
        )
