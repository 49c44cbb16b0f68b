"""Which distances suit a population: false non-matches and false matches at each threshold, from photos of many people.

Each pair of photos of one person is a genuine comparison, each pair of two people an impostor's. Pairs that share a
person or a photo aren't independent, so the intervals are narrower than they should be; more people widen the evidence
more than more photos do.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from online_guard.errors import ErrorKind, GuardError

from .clips import PICTURE_SUFFIXES
from .identity import FaceVector
from .pipeline import inspect
from .proportions import Proportion, Z

THRESHOLDS = tuple(step / 100 for step in range(30, 81))
MAX_FNMR = 0.01
MAX_FMR = 0.001
"""What a proposed match distance must keep: one learner in a hundred goes to review, at most one stranger in a thousand
passes (the FMR that FIDO's biometric requirements and NIST's reports take as their reference point)."""
REJECT_MAX_FNMR = 0.01
"""Beyond a proposed reject distance there was no genuine pair, and at most this share is to be expected."""


@dataclass(frozen=True)
class LeftOut:
    """A picture that couldn't be used, and why: `no_person` or the reasons of `pipeline.inspect`."""

    file: str
    reason: str


@dataclass(frozen=True)
class Gallery:
    """Vectors of photos with the person of each, and what was left out."""

    people: tuple[str, ...]
    vectors: tuple[FaceVector, ...]
    left_out: tuple[LeftOut, ...]


@dataclass(frozen=True)
class ErrorRates:
    """What a threshold would do.

    Attributes:
        distance: Pairs at most this far apart count as one person.
        fnmr: Genuine pairs beyond it.
        fmr: Impostor pairs within it.
    """

    distance: float
    fnmr: Proportion
    fmr: Proportion


@dataclass(frozen=True)
class Proposal:
    """Settings that follow from the measurement; None where it can't support one, for the reasons in `why`."""

    match_distance: float | None
    reject_distance: float | None
    why: str


@dataclass(frozen=True)
class Calibration:
    """Result of `calibrate`; `genuine` and `impostor` are the sorted distances of all pairs."""

    people: int
    pictures: int
    genuine: NDArray[np.float64]
    impostor: NDArray[np.float64]
    rates: tuple[ErrorRates, ...]
    proposal: Proposal
    left_out: tuple[LeftOut, ...]


def read_gallery(folder: Path, progress: Callable[[int, int], None]) -> Gallery:
    """Return the vector of each picture of a folder that shows exactly one face.

    Args:
        folder: Files named `person__anything`, or a folder for each person.
        progress: Called with pictures done and their number.

    Raises:
        GuardError: `calibration.no_pictures`.
    """
    files = [path for path in sorted(folder.rglob("*")) if path.suffix.lower() in PICTURE_SUFFIXES]
    if not files:
        raise GuardError(
            ErrorKind.NOT_FOUND,
            "calibration.no_pictures",
            "文件夹中没有图片 / there is no picture in the folder",
            where=str(folder),
            remedy="文件名为 person__anything,或每人一个文件夹 / name files person__anything, or one folder each",
        )
    people, vectors, left_out = [], [], []
    for number, path in enumerate(files):
        name = path.relative_to(folder)
        person = name.parts[0] if len(name.parts) > 1 else name.stem.partition("__")[0]
        if len(name.parts) == 1 and "__" not in name.stem:
            left_out.append(LeftOut(name.as_posix(), "no_person"))
        else:
            seen = inspect(path.read_bytes())
            if seen.vector is None:
                left_out.append(LeftOut(name.as_posix(), ", ".join(seen.reasons)))
            else:
                people.append(person)
                vectors.append(seen.vector)
        progress(number + 1, len(files))
    return Gallery(tuple(people), tuple(vectors), tuple(left_out))


def calibrate(gallery: Gallery) -> Calibration:
    """Return error rates at each of `THRESHOLDS`, and the settings they support."""
    genuine, impostor = _pair_distances(gallery)
    rates = tuple(_rates(genuine, impostor, threshold) for threshold in THRESHOLDS)
    return Calibration(
        people=len(set(gallery.people)),
        pictures=len(gallery.people),
        genuine=genuine,
        impostor=impostor,
        rates=rates,
        proposal=_proposal(rates),
        left_out=gallery.left_out,
    )


def _pair_distances(gallery: Gallery) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the distances of all pairs of one person and of all pairs of two, each sorted."""
    if len(gallery.vectors) < 2:
        return np.empty(0), np.empty(0)
    vectors = np.stack(gallery.vectors)
    _, person = np.unique(np.array(gallery.people), return_inverse=True)
    same, other = [], []
    for number in range(len(vectors) - 1):
        far = np.linalg.norm(vectors[number + 1 :] - vectors[number], axis=1)
        own = person[number + 1 :] == person[number]
        same.append(far[own])
        other.append(far[~own])
    return np.sort(np.concatenate(same)), np.sort(np.concatenate(other))


def _rates(genuine: NDArray[np.float64], impostor: NDArray[np.float64], threshold: float) -> ErrorRates:
    within, matched = (int(np.searchsorted(pairs, threshold, side="right")) for pairs in (genuine, impostor))
    return ErrorRates(threshold, Proportion(len(genuine) - within, len(genuine)), Proportion(matched, len(impostor)))


def _proposal(rates: tuple[ErrorRates, ...]) -> Proposal:
    """Return the settings the rates support.

    `match_distance` is the smallest distance with FNMR ≤ 1 % whose FMR is below 0.1 % with 95 % confidence;
    `reject_distance` the smallest one from there beyond which no genuine pair lies, nor more than 1 % with 95 %
    confidence.
    """
    fit = [rate.distance for rate in rates if _at_most(rate.fnmr, MAX_FNMR) and _surely(rate.fmr, MAX_FMR)]
    match = fit[0] if fit else None
    beyond = [rate.distance for rate in rates if rate.fnmr.hits == 0 and _surely(rate.fnmr, REJECT_MAX_FNMR)]
    reject = next((far for far in beyond if match is not None and far >= match), None)
    return Proposal(match, reject, "; ".join(_doubts(rates, match, reject)))


def _doubts(rates: tuple[ErrorRates, ...], match: float | None, reject: float | None) -> Iterator[str]:
    """Yield why there is no setting to propose."""
    genuine, impostor = rates[0].fnmr.of, rates[0].fmr.of
    needed_impostor, needed_genuine = _needed(MAX_FMR), _needed(REJECT_MAX_FNMR)
    if impostor < needed_impostor:
        yield f"他人配对太少 / too few impostor pairs: {impostor} < {needed_impostor}"
    if genuine < needed_genuine:
        yield f"本人配对太少 / too few genuine pairs: {genuine} < {needed_genuine}"
    if match is None and impostor >= needed_impostor and genuine:
        yield "没有距离同时满足两项要求 / no distance keeps FNMR ≤ 1 % and FMR ≤ 0.1 %"
    if match is not None and reject is None and genuine >= needed_genuine:
        yield "有本人配对远于 0.80 / some genuine pairs lie beyond 0.80"


def _needed(limit: float) -> int:
    """Return how many cases without a single error it takes until the interval ends at the limit."""
    return math.ceil(Z**2 * (1 - limit) / limit)  # the upper end of Wilson's interval is Z² / (n + Z²) then


def _at_most(measured: Proportion, limit: float) -> bool:
    return measured.share is not None and measured.share <= limit


def _surely(measured: Proportion, limit: float) -> bool:
    return measured.interval is not None and measured.interval[1] <= limit
