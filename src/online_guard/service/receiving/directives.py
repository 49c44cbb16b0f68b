"""What the service tells a player to do: pop-ups, snapshots and liveness checks at moments nobody can foresee.

Moments are drawn ahead from `secrets` and kept, but told only when due within the next 60 s of playing (SPEC 8).
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from online_guard.policy import Policy
from online_guard.service.receiving.standing import Standing, in_full
from online_guard.store import directive_rows, queries
from online_guard.store.tables import SessionRecord
from online_guard.timeline.columns import milliseconds

AHEAD_MS = 60_000
"""No further ahead is a player told (SPEC 8)."""
POPUP_SHARES = (0.4, 0.8)
"""A pop-up comes after such a share of popup.max_gap_s, drawn anew each time: time is left to answer it."""
FIRST_CHECK_SHARES = (0.25, 0.9)
"""The liveness check comes after such a share of liveness.min_playing_s: a session that needs one has had it."""
PART_SHARE = 0.9
"""A snapshot comes within this share of what is left of its part, so that it still lies in it."""
SOON_MS = (3_000, 20_000)
"""What should have come by now comes within so much playing."""
RETRY_MS = (20_000, 50_000)
"""A check or snapshot that failed is asked for again after so much playing."""
POPUP, SNAPSHOT, LIVENESS = "popup", "snapshot", "liveness"
TOLD = ("directive_id", "kind", "due_playing_ms", "nonce")
"""What a player is told of a directive."""


@dataclass
class Drawn:
    """A directive of a session: `issued_ms` None until the player was told, `used_ms` until it was answered.

    is_stored: whether the database has it, maybe otherwise than it is now.
    """

    directive_id: str
    kind: str
    nonce: str
    due_playing_ms: int
    issued_ms: int | None = None
    used_ms: int | None = None
    is_stored: bool = False


def due(database: Session, record: SessionRecord, policy: Policy, now_ms: int) -> list[dict[str, Any]]:
    """Draw what is missing, and return the directives of a session that are due within the next 60 s of playing."""
    if record.closed_received_ms is not None:
        return []
    drawn = drawn_for(database, record.row_id)
    told, changed = tell(in_full(database, record, policy).standing, drawn, policy, now_ms)
    keep(database, {record.row_id: changed})
    return told


def drawn_for(database: Session, session_row: int) -> list[Drawn]:
    """Return all directives drawn for a session, told or not."""
    return [
        Drawn(one.directive_id, one.kind, one.nonce, one.due_playing_ms, one.issued_ms, one.used_ms, is_stored=True)
        for one in queries.directives(database, session_row)
    ]


def keep(database: Session, changed: Mapping[int, Sequence[Drawn]]) -> None:
    """Keep directives that are new or were changed, by the `row_id` of their session."""
    new: list[dict[str, Any]] = []
    old: list[dict[str, Any]] = []
    for row, directives in changed.items():
        for one in directives:
            values = {"row": row, "id": one.directive_id, "due": one.due_playing_ms, "issued": one.issued_ms}
            (old if one.is_stored else new).append(values | {"kind": one.kind, "nonce": one.nonce})
            one.is_stored = True
    directive_rows.put(database, new, old)


def that_matter(drawn: list[Drawn], playing_ms: int) -> list[Drawn]:
    """Return the directives that are still to come, and of those past the last of each kind: `tell` asks no other."""
    last = {one.kind: one for one in drawn if one.issued_ms and one.due_playing_ms < playing_ms}
    return [one for one in drawn if one.due_playing_ms >= playing_ms or one.issued_ms is None or last[one.kind] is one]


def tell(
    standing: Standing, drawn: list[Drawn], policy: Policy, now_ms: int
) -> tuple[list[dict[str, Any]], list[Drawn]]:
    """Draw what a session lacks; return what its player is told now, and the directives that are new or changed.

    Args:
        standing: Where the session stands.
        drawn: What was drawn for it; what is new is appended.
        policy: The law.
        now_ms: The service's clock.
    """
    changed = []
    for kind, window in (
        (POPUP, _popup_window(standing, drawn, policy)),
        (LIVENESS, _check_window(standing, drawn, policy)),
        (SNAPSHOT, _snapshot_window(standing, drawn)),
    ):
        planned = _plan(drawn, kind, window, standing.playing_ms)
        if planned is not None:
            changed.append(planned)
    told = []
    for directive in sorted(drawn, key=lambda one: (one.due_playing_ms, one.directive_id)):
        if directive.issued_ms is None and directive.due_playing_ms - standing.playing_ms <= AHEAD_MS:
            directive.issued_ms = now_ms
            if not any(one is directive for one in changed):
                changed.append(directive)
        if (
            directive.issued_ms is not None
            and directive.due_playing_ms >= standing.playing_ms
            and not directive.used_ms
        ):
            told.append({name: getattr(directive, name) for name in TOLD})
    return told, changed


Window = tuple[int, int] | None
"""Playing clock between which a directive is to come; None when none is needed."""


def _plan(drawn: list[Drawn], kind: str, window: Window, playing_ms: int) -> Drawn | None:
    """Return a directive drawn in the window, unless one of the kind is still to come in it; an untold one moves."""
    if window is None or any(
        one.kind == kind and not one.used_ms and one.issued_ms and one.due_playing_ms >= playing_ms for one in drawn
    ):
        return None
    low, high = window
    kept = next((one for one in drawn if one.kind == kind and one.issued_ms is None), None)
    if kept is not None and playing_ms <= kept.due_playing_ms <= high:
        return None
    moment = low + secrets.randbelow(max(1, high - low))
    if kept is not None:
        kept.due_playing_ms = moment
        return kept
    directive = Drawn(f"{kind}-{secrets.token_hex(8)}", kind, secrets.token_urlsafe(16), moment)
    drawn.append(directive)
    return directive


def _popup_window(standing: Standing, drawn: list[Drawn], policy: Policy) -> Window:
    told = [one.due_playing_ms for one in drawn if one.kind == POPUP and one.issued_ms]
    last = max([standing.last_popup_ms, *told])
    gap = milliseconds(policy.popup.max_gap_s)
    low, high = (last + round(gap * share) for share in POPUP_SHARES)
    if high < standing.playing_ms:
        return standing.playing_ms + SOON_MS[0], standing.playing_ms + SOON_MS[1]
    return max(low, standing.playing_ms), high


def _check_window(standing: Standing, drawn: list[Drawn], policy: Policy) -> Window:
    if standing.passed:
        return None
    if any(one.kind == LIVENESS and one.issued_ms for one in drawn):
        return standing.playing_ms + RETRY_MS[0], standing.playing_ms + RETRY_MS[1]
    low, high = (round(milliseconds(policy.liveness.min_playing_s) * share) for share in FIRST_CHECK_SHARES)
    if high < standing.playing_ms:
        return standing.playing_ms + SOON_MS[0], standing.playing_ms + SOON_MS[1]
    return max(low, standing.playing_ms), high


def _snapshot_window(standing: Standing, drawn: list[Drawn]) -> Window:
    """Return when the next part of the lesson that holds no snapshot is to get one: while it plays."""
    begin_s = 0.0
    for end_s, retained in zip(standing.part_ends_s, standing.retained, strict=True):
        if not retained and standing.position_s < end_s:
            start_s = max(begin_s, standing.position_s)
            ahead, room = round((start_s - standing.position_s) * 1000), round((end_s - start_s) * 1000)
            low = standing.playing_ms + ahead
            again = any(one.kind == SNAPSHOT and one.issued_ms for one in drawn) and ahead == 0
            high = round(room * PART_SHARE)
            return low + min(SOON_MS[0], high // 2), low + (min(high, RETRY_MS[1]) if again else high)
        begin_s = end_s
    return None
