"""What a session's camera showed and what the service asked it for, as records that can be drawn."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from online_guard.pictures.facts import Check, Due, Photo, SameAs
from online_guard.pictures.telemetry import Session
from online_guard.rules.captures import RESIDUAL_NOISE
from online_guard.terms import Outcome
from online_guard.timeline.clocks import moment_of


def due(session: Session) -> Iterator[Due]:
    """Yield what the service asked for and the session played up to."""
    table, clocks = session.all.evidence.directives, session.all.seen.clocks
    came = _came(session)
    for place in np.flatnonzero(table.session == session.row).tolist():
        moment = table.due_playing_ms[place : place + 1]
        if 0 < clocks.playing_ms[session.local] >= moment[0]:
            at = int(moment_of(clocks, np.array([session.local]), moment)[0]) + session.offset_ms
            kind = str(table.kind[place])
            yield Due(kind, at, kind != "popup" or str(table.directive_id[place]) in came)


def _came(session: Session) -> set[str]:
    """Return the ids of the pop-ups that were shown."""
    popups = session.all.seen.timeline.popup[session.rows.start : session.rows.stop]
    return {str(session.all.evidence.events.popup_names[popup]) for popup in popups.tolist() if popup >= 0}


def photos(session: Session, is_reused: bool) -> Iterator[Photo]:
    """Yield the snapshots; `is_reused`: whether a finding says that some are a picture that was there before."""
    table = session.all.evidence.snapshots
    same = _same(session) if is_reused else {}
    for place in np.flatnonzero(table.session == session.row).tolist():
        at, key = int(table.at_ms[place]) + session.offset_ms, str(table.key[place])
        distance = _known(table.distance[place])
        yield Photo(key, at, bool(table.asked[place]), bool(table.good[place]), distance, same.get(key))


def checks(session: Session) -> Iterator[Check]:
    """Yield the liveness checks."""
    table = session.all.evidence.checks
    for place in np.flatnonzero(table.session == session.row).tolist():
        at = int(table.at_ms[place]) + session.offset_ms
        yield Check(str(table.key[place]), at, tuple(Outcome)[table.outcome[place]], _known(table.distance[place]))


def _known(distance: float) -> float | None:
    return None if np.isnan(distance) else float(distance)


def _same(session: Session) -> dict[str, SameAs]:
    """Return, by key, the snapshots that are the same picture as a reference or another capture (SPEC OG602, OG604)."""
    rows, evidence = session.all.evidence.likenesses, session.all.evidence
    small = rows.residual <= session.all.policy.snapshot.same_picture_residual + RESIDUAL_NOISE
    result: dict[str, SameAs] = {}
    for place in np.flatnonzero(small).tolist():
        is_reference = bool(rows.other_is_reference[place])
        result[str(rows.capture[place])] = SameAs.REFERENCE if is_reference else SameAs.CAPTURE
        if not is_reference:
            result.setdefault(str(rows.other_id[place]), SameAs.CAPTURE)
    numbers = evidence.snapshots.sha256_number
    counts = np.bincount(numbers) if len(numbers) else numbers
    for place in np.flatnonzero(counts[numbers] > 1).tolist():
        result.setdefault(str(evidence.snapshots.key[place]), SameAs.CAPTURE)
    return result
