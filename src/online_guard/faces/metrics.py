"""How well presentation attacks are told from living people, in the terms of ISO/IEC 30107-3, over labelled files.

A folder holds `live/` and `attack/<species>/`: clips (WebM, MP4, or a folder of frames with `times.json`), judged by
`liveness.judge_clip`, and pictures, judged by the passive check. What says neither yes nor no (`inconclusive`,
`not_evaluable`, an unreadable file) is a non-response: no error, but a presentation. All rates are shares of all
presentations: an attack without an answer got nowhere, a learner without one has to try again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from online_guard.errors import ErrorKind, GuardError
from online_guard.terms import Action, Outcome

from .challenge import CHALLENGES
from .clips import PICTURE_SUFFIXES, TIMES_FILE, read_clip, read_frames
from .decode import decode
from .identity import find_faces
from .liveness import judge_clip
from .presented_attack import Check, Decision, judge_picture
from .proportions import Proportion

CHALLENGES_FILE = "challenges.json"
"""`{"live/one.mp4": ["blink", "turn_left", "nod"], …}`, paths relative to the folder; for clips only."""
_CLIP_SUFFIXES = frozenset({".mp4", ".webm"})
LIVE = "live"


class Kind(StrEnum):
    """What is judged, and by which check."""

    CLIP = "clip"
    PICTURE = "picture"


class Answer(StrEnum):
    """What a check says of one presentation."""

    LIVE = "live"
    ATTACK = "attack"
    NONE = "none"


@dataclass(frozen=True)
class Presentation:
    """One labelled file: `species` is `live`, or the folder below `attack/`."""

    path: Path
    name: str
    species: str
    kind: Kind


@dataclass(frozen=True)
class Judged:
    """One presentation with its answer and the reasons; `asked` is empty for pictures."""

    presentation: Presentation
    answer: Answer
    reasons: tuple[str, ...]
    asked: tuple[Action, ...]


@dataclass(frozen=True)
class Row:
    """Rates of one species and kind; for `live`, `errors` gives BPCER and `silent` BPNRR, else APCER and APNRR."""

    species: str
    kind: Kind
    errors: Proportion
    silent: Proportion


def read_presentations(folder: Path) -> list[Presentation]:
    """Return every clip and picture of the folder with its label.

    Raises:
        GuardError: `metrics.no_files`, or `metrics.unlabelled` for a file that is neither live nor attack.
    """
    found, strays = [], []
    for path, kind in _media(folder):
        parts = path.relative_to(folder).parts
        if parts[0] == LIVE and len(parts) > 1:
            found.append(Presentation(path, "/".join(parts), LIVE, kind))
        elif parts[0] == "attack" and len(parts) > 2:
            found.append(Presentation(path, "/".join(parts), parts[1], kind))
        else:
            strays.append("/".join(parts))
    if strays:
        raise GuardError(
            ErrorKind.INVALID,
            "metrics.unlabelled",
            f"{len(strays)} 个文件没有标签 / {len(strays)} files have no label: {', '.join(strays[:5])}",
            where=str(folder),
            remedy="请放入 live/ 或 attack/<类别>/ / put them into live/ or attack/<species>/",
        )
    if not found:
        raise GuardError(
            ErrorKind.NOT_FOUND,
            "metrics.no_files",
            "没有视频或图片 / there is neither a clip nor a picture",
            where=str(folder),
            remedy="文件夹应含 live/ 与 attack/<类别>/ / the folder should hold live/ and attack/<species>/",
        )
    return found


def _media(folder: Path) -> Iterator[tuple[Path, Kind]]:
    """Yield clips and pictures below a folder; a folder with times is one clip."""
    if not folder.is_dir():
        return
    for path in sorted(folder.iterdir()):
        if path.is_dir() and (path / TIMES_FILE).is_file():
            yield path, Kind.CLIP
        elif path.is_dir():
            yield from _media(path)
        elif path.suffix.lower() in _CLIP_SUFFIXES:
            yield path, Kind.CLIP
        elif path.suffix.lower() in PICTURE_SUFFIXES:
            yield path, Kind.PICTURE


def read_challenges(folder: Path) -> dict[str, tuple[Action, ...]]:
    """Return what each clip was asked for, by its name, from `challenges.json`; empty without that file.

    Raises:
        GuardError: `metrics.challenges`.
    """
    path = folder / CHALLENGES_FILE
    if not path.is_file():
        return {}
    try:
        given = json.loads(path.read_bytes())
        return {name: tuple(Action(action) for action in actions) for name, actions in given.items()}
    except (ValueError, AttributeError, TypeError) as fault:
        raise GuardError(
            ErrorKind.INVALID,
            "metrics.challenges",
            f"动作要求无法读取 / the challenges can't be read ({fault})",
            where=str(path),
            remedy='{"live/one.mp4": ["blink", "turn_left", "nod"]}',
        ) from fault


def challenge_of(name: str) -> tuple[Action, ...]:
    """Return a challenge for a clip that has none of its own: drawn by its name, so that it is the same each time."""
    number = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8])
    return CHALLENGES[number % len(CHALLENGES)]


def judge_all(
    folder: Path, match_distance: float, progress: Callable[[int, int], None], check: Check | None = None
) -> list[Judged]:
    """Return the answer to every presentation of a folder, in the order of their names.

    Args:
        folder: With `live/` and `attack/<species>/`.
        match_distance: As in `liveness.judge_clip`; it decides whether the person changed within a clip.
        progress: Called with presentations done and their number.
        check: An operator's model for pictures; the project's own check without one.

    Raises:
        GuardError: As `read_presentations` and `read_challenges`; `models.missing` or `models.changed`.
    """
    presentations, challenges = read_presentations(folder), read_challenges(folder)
    answers = []
    for number, one in enumerate(presentations):
        if one.kind is Kind.PICTURE:
            answers.append(_picture(one, check))
        else:
            answers.append(_clip(one, challenges.get(one.name) or challenge_of(one.name), match_distance))
        progress(number + 1, len(presentations))
    return answers


def _clip(one: Presentation, asked: tuple[Action, ...], match_distance: float) -> Judged:
    try:
        clip = read_frames(one.path) if one.path.is_dir() else read_clip(one.path)
    except GuardError as refusal:
        return Judged(one, Answer.NONE, (refusal.code,), asked)
    report = judge_clip(clip, asked, None, match_distance)
    answer = {Outcome.PASSED: Answer.LIVE, Outcome.FAILED: Answer.ATTACK}.get(report.outcome, Answer.NONE)
    return Judged(one, answer, report.reasons, asked)


def _picture(one: Presentation, check: Check | None) -> Judged:
    try:
        pixels = decode(one.path.read_bytes())
    except GuardError as refusal:
        return Judged(one, Answer.NONE, (refusal.code,), ())
    faces = find_faces(pixels)
    if not faces:
        return Judged(one, Answer.NONE, ("no_face",), ())
    said = judge_picture(pixels, faces[0], check).decision
    answer = {Decision.LIVE: Answer.LIVE, Decision.ATTACK: Answer.ATTACK}.get(said, Answer.NONE)
    return Judged(one, answer, (str(said),), ())


def rates(judged: list[Judged]) -> list[Row]:
    """Return the rates of each species and kind, `live` first."""
    groups: dict[tuple[bool, str, Kind], list[Answer]] = {}
    for one in judged:
        species = one.presentation.species
        groups.setdefault((species != LIVE, species, one.presentation.kind), []).append(one.answer)
    rows = []
    for (attack, species, kind), answers in sorted(groups.items()):
        wrong = Answer.LIVE if attack else Answer.ATTACK
        silent = answers.count(Answer.NONE)
        errors = Proportion(answers.count(wrong), len(answers))
        rows.append(Row(species, kind, errors, Proportion(silent, len(answers))))
    return rows
