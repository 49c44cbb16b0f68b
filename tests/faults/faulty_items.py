"""Many items of which one in twenty is faulty: each is accepted, a duplicate or quarantined, and none is missing."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import httpx
import numpy as np
from sqlalchemy import func, select

from clients import NOW_MS, Service, data_folder, event, registered
from online_guard.signatures import SignedRequests
from online_guard.store.evidence_loader import load_events
from online_guard.store.tables import ConflictRecord, DeadLetterRecord, SessionRecord
from online_guard.store.unit_of_work import open_engine, reading

FAULTY = 0.05
BATCH = 1_000
PER_SESSION = 25_000
FURTHEST = 3_000
"""Places that an item comes too late at most: three batches."""
RETRIED = 0.01
"""Of the batches: sent once more as if no answer had come."""
Item = dict[str, Any]


@dataclass
class Account:
    """What was sent and what became of it. by_fault: status by what was wrong with an item, `none` for most."""

    sent: int = 0
    by_fault: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))

    def of(self, status: str) -> int:
        return sum(counts[status] for counts in self.by_fault.values())

    @property
    def accepted(self) -> int:
        return self.of("accepted")

    @property
    def duplicate(self) -> int:
        return self.of("duplicate")

    @property
    def quarantined(self) -> int:
        return self.of("conflict") + self.of("refused")


def malformed(item: Item, random: Random) -> Item:
    """Return an item that isn't an event."""
    wrong: list[Item] = [
        {"rate": "fast"}, {"seq": -1}, {"position_s": -5.0}, {"type": "unheard of"}, {"player": "a/b"},
        {"another": 1}, {"rate": float("nan")}, {"at_ms": None}, {"player": "\0"},
    ]  # fmt: skip
    return item | random.choice(wrong)


def items(count: int, random: Random) -> Iterator[tuple[str, Item]]:
    """Yield what is sent for one session, each with its fault; `count` of them are good and new."""
    later: dict[int, list[tuple[str, Item]]] = defaultdict(list)
    for place in range(count + FURTHEST + 1):
        yield from later.pop(place, ())
        if place >= count:
            continue
        item = event(place)
        if random.random() >= FAULTY:
            yield "none", item
            continue
        fault = random.choice(("duplicate", "reordered", "malformed", "conflict"))
        at = place + random.randint(1, FURTHEST)
        if fault == "reordered":
            later[at].append((fault, item))
            continue
        yield "none", item
        if fault == "malformed":
            yield fault, malformed(item, random)
        elif fault == "conflict":
            later[at].append((fault, item | {"position_s": item["position_s"] + 0.5}))
        else:
            later[at].append((fault, item))


ALLOWED = {
    "none": {"accepted"}, "reordered": {"accepted"}, "duplicate": {"duplicate"}, "malformed": {"refused"},
    "conflict": {"conflict", "accepted"}, "retried": {"duplicate", "conflict"},
}  # fmt: skip
"""Of two contents under one number the same one counts whichever came first, so the second may take its place."""


def send_faulty(folder: Path, count: int, seed: int, database_url: str | None = None) -> Account:
    """Send so many good items, and the faulty ones beside them, and compare item by item with what is stored."""
    random, account, service = Random(seed), Account(), Service(data_folder(folder, database_url))
    sizes = [min(PER_SESSION, count - first) for first in range(0, count, PER_SESSION)]
    key = registered(service.settings, len(sizes))
    service.start()
    letters, conflicts = 0, 0
    try:
        auth = SignedRequests(key.key_id, key.secret)
        with httpx.Client(base_url=service.url, timeout=120, trust_env=False, auth=auth) as http:
            for number, size in enumerate(sizes):
                sent = list(items(size, random))
                for first in range(0, len(sent), BATCH):
                    batch = sent[first : first + BATCH]
                    _send(http, service, number, batch, account)
                    letters += sum(fault == "malformed" for fault, _ in batch)
                    if random.random() < RETRIED:
                        again = [("malformed" if fault == "malformed" else "retried", item) for fault, item in batch]
                        _send(http, service, number, again, account)
                        letters += sum(fault == "malformed" for fault, _ in batch)
                conflicts += sum(fault == "conflict" for fault, _ in sent)
        _compare(service, sizes, letters, conflicts)
    finally:
        service.stop()
    return account


def _send(http: httpx.Client, service: Service, number: int, batch: list[tuple[str, Item]], account: Account) -> None:
    headers = {"Online-Guard-Test-Client": service.token, "Online-Guard-Test-Now-Ms": str(NOW_MS)}
    body = json.dumps({"events": [item for _, item in batch]}).encode()
    answer = http.post(f"/v1/sessions/s{number}/events", content=body, headers=headers)
    assert answer.status_code == 200, answer.text
    results = answer.json()["results"]
    assert [row["index"] for row in results] == list(range(len(batch))), "each item has its answer"
    for (fault, item), row in zip(batch, results, strict=True):
        assert row["status"] in ALLOWED[fault], (fault, item, row)
        account.by_fault[fault][row["status"]] += 1
    account.sent += len(batch)


def _compare(service: Service, sizes: list[int], letters: int, conflicts: int) -> None:
    """Compare with the database: every number once, one of the contents sent, the other kept aside."""
    engine = open_engine(service.settings.database)
    with reading(engine) as database:
        names = database.execute(select(SessionRecord.row_id, SessionRecord.session_id)).all()
        kept = [
            database.scalar(select(func.count()).select_from(table)) for table in (ConflictRecord, DeadLetterRecord)
        ]
        for row, name in names:
            events = load_events(database, {row: 0})
            aside = database.scalars(select(ConflictRecord.seq).where(ConflictRecord.session_row == row)).all()
            numbers, times = np.unique(events.seq, return_counts=True)
            assert numbers.tolist() == list(range(sizes[int(name[1:])])), "every good item is there"
            assert numbers[times > 1].tolist() == sorted(aside), "twice only where another content was kept aside"
            shift = np.round(events.position_s - events.seq / 100, 6)
            assert set(shift.tolist()) <= {0.0, 0.5}
    engine.dispose()
    assert kept == [conflicts, letters]
