"""What becomes of batches of events: an ordinary one is settled from memory, any other by what is stored."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from math import nan
from typing import Any

import msgspec
from sqlalchemy.orm import Session

from online_guard.errors import ErrorKind, GuardError
from online_guard.ingest.live import (
    DAY_MS,
    EventResult,
    LiveEvent,
    clean_batch,
    settle_batch,
    split_batch,
)
from online_guard.service.admitting.nonces import replayed
from online_guard.service.house import House, clock_ms
from online_guard.service.receiving import directives, kept_batches, live_sessions, repeated_requests
from online_guard.service.receiving.directives import Drawn
from online_guard.service.receiving.intake import Answer, Batch
from online_guard.service.receiving.live_sessions import LiveSession
from online_guard.service.receiving.reopening import verify_again
from online_guard.store import account_rows, batch_rows, event_chunks, queries
from online_guard.store.account_rows import UsedNonce
from online_guard.store.batch_rows import Writes
from online_guard.store.logged_batches import chunk_entry
from online_guard.store.tables import SessionRecord
from online_guard.store.unit_of_work import writing
from online_guard.terms import EVENT_TYPES

MOST_DRAWN = 12
"""Directives in mind of a session before those that no longer matter are dropped."""
CODES = {kind: kind.code for kind in EVENT_TYPES}


def settle(house: House, batches: Sequence[Batch]) -> list[Answer]:
    """Settle batches in one transaction; return the answer to each, or the error that it ends with.

    A batch that is refused keeps its dead letters and hinders no other one.

    Raises:
        GuardError: The database is unavailable; nothing was kept.
        sqlalchemy.exc.SQLAlchemyError: A row of some batch could not be kept, and so none was.
    """
    try:
        with writing(house.engine) as database:
            answers = _settle(house, database, batches)
    except BaseException:
        house.live.forget_all()  # what is in mind of these sessions was not kept
        raise
    return answers


def _settle(house: House, database: Session, batches: Sequence[Batch]) -> list[Answer]:
    replays: set[UsedNonce] = set()
    used = [batch.used for batch in batches if batch.used is not None]
    if used:
        attempt = database.begin_nested()
        if account_rows.are_new(database, used):
            attempt.commit()
        else:
            attempt.rollback()
            replays = account_rows.use_nonces(database, used)
    group = _Group(house, database)
    group.look_up(batches)
    answers = [replayed() if batch.used in replays else group.answer(batch) for batch in batches]
    group.flush()
    return answers


class _Group:
    """Batches that are settled in one transaction."""

    def __init__(self, house: House, database: Session) -> None:
        self._house = house
        self._database = database
        self._writes = Writes()
        self._drawn: dict[int, list[Drawn]] = {}
        self._answers: dict[tuple[str, str], tuple[str, dict[str, Any]]] = {}

    def look_up(self, batches: Sequence[Batch]) -> None:
        """Put sessions out of mind that were changed since, and recall the answers to batches that came before."""
        live = self._house.live
        names = {(batch.platform_id, batch.session_id) for batch in batches}
        known = [found for name in names if (found := live.get(name)) is not None]
        states = batch_rows.states(self._database, {found.row_id for found in known})
        for found in known:
            if states.get(found.row_id) != (found.revision, None):
                live.forget(found.row_id)
        self._recall(batches)

    def flush(self) -> None:
        """Write what waits."""
        self._writes.flush(self._database)
        directives.keep(self._database, self._drawn)
        self._drawn.clear()

    def _recall(self, batches: Sequence[Batch]) -> None:
        asked = [batch.asked for batch in batches if batch.asked is not None]
        if not asked:
            return
        for name, record in repeated_requests.known(self._database, asked, clock_ms()).items():
            answer = {}
            if record.status is not None:  # else it is another request's, in flight
                answer = msgspec.json.decode(repeated_requests.opened(self._house.vault, record).body)
            self._answers[name] = record.digest, answer

    def answer(self, batch: Batch) -> Answer:
        """Settle one batch, unless it came before; return the answer to it, or the error that it ends with."""
        asked = batch.asked
        if asked is None:
            return self._settled(batch)
        if known := self._answers.get((asked.caller, asked.key)):
            try:
                repeated_requests.refuse_other(known[0], asked)
            except GuardError as refusal:
                return refusal
            return known[1]
        answer = self._settled(batch)
        if not isinstance(answer, Exception):
            self._answers[asked.caller, asked.key] = asked.digest, answer
            row = repeated_requests.kept_with_batch(self._house.vault, asked, answer, clock_ms())
            self._writes.answers.append(row)
        return answer

    def _settled(self, batch: Batch) -> Answer:
        live = self._house.live.get((batch.platform_id, batch.session_id))
        try:
            told = None
            if live is not None and batch.first_received_ms is None:
                told = self._from_memory(live, batch)
            if told is None:
                self.flush()
                with self._database.begin_nested():
                    told = self._from_what_is_stored(batch)
        except GuardError as refusal:
            if refusal.code != "events.bad_batch" and batch.first_received_ms is None:
                self._writes.letters += _letters(self._database, batch, refusal)
            return refusal
        return told

    def _from_memory(self, live: LiveSession, batch: Batch) -> dict[str, Any] | None:
        """Settle a batch of new events in order; None when it has to be compared with what is stored."""
        events = clean_batch(batch.body, live.duration_s, batch.now_ms)
        if events is None or events[0].seq < live.next_seq:
            return None
        if any(other.seq <= one.seq for one, other in pairwise(events)):
            return None
        track = live.track.after(events, self._house.policy)
        if track is None:
            return None
        told, changed = directives.tell(track.standing, live.drawn, self._house.policy, batch.now_ms)
        if changed:
            self._drawn.setdefault(live.row_id, []).extend(changed)
        if len(live.drawn) > MOST_DRAWN:
            live.drawn = directives.that_matter(live.drawn, track.standing.playing_ms)
        chunk = _chunk(live.row_id, events, batch.now_ms)
        self._writes.chunks.append(chunk)
        self._writes.entries.append(chunk_entry(live.opening, [event.seq for event in events], chunk["columns"]))
        if live.row_id not in self._writes.changed:
            self._writes.changed.add(live.row_id)
            live.revision += 1
        live.track, live.next_seq = track, events[-1].seq + 1
        results = [{"index": index, "seq": event.seq, "status": "accepted"} for index, event in enumerate(events)]
        return _answer(batch, results, {"accepted": len(events)}, live.next_seq, told)

    def _from_what_is_stored(self, batch: Batch) -> dict[str, Any]:
        """Settle any batch.

        Raises:
            GuardError: No batch; an unknown session, or one closed more than 24 h ago.
        """
        house, database = self._house, self._database
        raws = split_batch(batch.body)
        record = queries.find_session(database, batch.session_id, batch.platform_id)
        house.live.forget(record.row_id)
        checked_ms = batch.now_ms if batch.first_received_ms is None else batch.first_received_ms
        _refuse_late(record, checked_ms)
        length_s = live_sessions.duration_s(database, record)
        stored = kept_batches.stored(database, record, raws)
        results = settle_batch(raws, stored, duration_s=length_s, now_ms=batch.now_ms, checked_ms=checked_ms)
        kept_batches.keep(database, record, results, batch.now_ms, leaves_letters=batch.first_received_ms is None)
        batch_rows.touch(database, record.row_id)
        database.refresh(record)
        told: list[dict[str, Any]] = []
        if record.closed_received_ms is not None:
            verify_again(house, database, record)
            next_seq = event_chunks.next_seq(database, record.row_id)
        else:
            live = live_sessions.load(database, record, house.policy)
            told, changed = directives.tell(live.track.standing, live.drawn, house.policy, batch.now_ms)
            directives.keep(database, {live.row_id: changed})
            house.live.keep((batch.platform_id, batch.session_id), live)
            next_seq = live.next_seq
        counts = dict(Counter(str(result.status) for result in results))
        return _answer(batch, [_told(result) for result in results], counts, next_seq, told)


def _answer(
    batch: Batch, results: list[dict[str, Any]], counts: dict[str, int], next_seq: int, told: list[dict[str, Any]]
) -> dict[str, Any]:
    return {
        "received_ms": batch.now_ms,
        "results": results,
        "counts": counts,
        "next_seq": next_seq,
        "directives": told,
    }


def _told(result: EventResult) -> dict[str, Any]:
    told: dict[str, Any] = {"index": result.index, "seq": result.seq, "status": str(result.status)}
    return told | ({"reason": result.reason} if result.reason else {})


def _chunk(session_row: int, events: Sequence[LiveEvent], now_ms: int) -> dict[str, Any]:
    """Return the row that keeps a batch; −0.0 becomes 0.0, as equal numbers must be one content."""
    players: dict[str, int] = {}
    popups: dict[str | None, int] = {None: -1}
    columns = [
        *[event.at_ms for event in events],
        *[now_ms] * len(events),
        *[event.position_s + 0.0 for event in events],
        *[nan if event.from_s is None else event.from_s + 0.0 for event in events],
        *[event.seq for event in events],
        *[players.setdefault(event.player, len(players)) for event in events],
        *[popups.setdefault(event.popup, len(popups) - 1) for event in events],
        *[event.rate + 0.0 for event in events],
        *[CODES[event.type] for event in events],
        *[event.playing for event in events],
    ]
    return {
        "session_row": session_row,
        "first_seq": events[0].seq,
        "last_seq": events[-1].seq,
        "received_ms": now_ms,
        "count": len(events),
        "columns": event_chunks.plain(columns, list(players), [name for name in popups if name is not None]),
    }


def _refuse_late(record: SessionRecord, now_ms: int) -> None:
    if record.closed_received_ms is not None and now_ms - record.closed_received_ms > DAY_MS:
        raise GuardError(
            ErrorKind.CONFLICT,
            "session.closed",
            "会话关闭已超过 24 小时,不再接收 / the session was closed more than 24 h ago",
            remedy="请由审核人员处理 / ask an auditor.",
        )


def _letters(database: Session, batch: Batch, refusal: GuardError) -> list[dict[str, Any]]:
    """Return the dead letters of a batch that was refused whole; without a session they say which one was meant."""
    try:
        session_row = queries.find_session(database, batch.session_id, batch.platform_id).row_id
    except GuardError:
        session_row = None
    platform_id, session_id = (batch.platform_id, batch.session_id) if session_row is None else (None, None)
    return [
        {
            "session_row": session_row,
            "platform_id": platform_id,
            "session_id": session_id,
            "kind": "event",
            "received_ms": batch.now_ms,
            "reason": refusal.message,
            "content": raw.decode("utf-8", "replace"),
        }
        for raw in split_batch(batch.body)
    ]
