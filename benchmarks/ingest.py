"""How many batches of 12 events a second: durable and signed, against no storage at all and against the plain way.

Each server runs in a process of its own and is asked by the same client over the same kept-alive connections; requests
are made and signed before the clock starts. Rounds alternate, and the medians of their rates are compared.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import secrets
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvloop

from online_guard.api.bodies import ClassBody
from online_guard.demo.people import identity_number
from online_guard.service import registration
from online_guard.service.admitting.platform_keys import create_key
from online_guard.service.house import House, clock_ms, open_house
from online_guard.service.receiving import sessions
from online_guard.settings import Settings
from online_guard.signatures import Message, content_digest, sign
from online_guard.simulate.course import Course
from online_guard.store.tables import CheckRecord
from online_guard.store.unit_of_work import writing

COURSE = Course(duration_s=40_000)
EVENTS, STEP_MS = 12, 5_000
MOST_S = 120
"""Of a round."""
SERVERS = Path(__file__).with_name("ingest_servers.py")
GOALS = {"nothing": 0.7, "plain": 6.0}
NAMES = {
    "bare": "    FastAPI + msgspec alone, for comparison",
    "nothing": "(a) the same endpoint, no signature, nothing kept",
    "ours": "(b) signed, durable, SQLite",
    "plain": "(c) pydantic + ORM rows + a commit each, no signature",
}


@dataclass(frozen=True)
class Place:
    """A folder of data with open sessions, and the key that signs for their platform."""

    folder: Path
    key_id: str
    secret: str
    session_ids: Sequence[str]


@dataclass(frozen=True)
class Measured:
    """What a round gave: requests a second, the time of each in ms, and the server's work for each in µs of CPU."""

    rate: float
    times_ms: list[float]
    cpu_us: float


def prepare(folder: Path, number: int) -> Place:
    """Return a place with so many open sessions, each of a learner of its own who passed a liveness check."""
    house = open_house(Settings(data_dir=folder))
    row = COURSE.class_row()
    row["lessons"] = [lesson | {"class_hours": 0.0} for lesson in row["lessons"]]
    registration.put_class(house, ClassBody.model_validate(row).typed(COURSE.class_id, COURSE.platform_id))
    names = [f"s{place:03}" for place in range(number)]
    for place, name in enumerate(names):
        _open(house, name, place)
    key = create_key(house, COURSE.platform_id)
    with writing(house.engine) as database:
        for row_id in range(1, number + 1):
            database.add(CheckRecord(session_row=row_id, check_id=f"c{row_id}", at_ms=clock_ms(), outcome="passed"))
    house.engine.dispose()
    return Place(folder, key.key_id, key.secret, names)


def _open(house: House, name: str, place: int) -> None:
    registration.put_enrolment(
        house,
        COURSE.class_id,
        name,
        COURSE.platform_id,
        name="某",
        identity_number=identity_number(place),
        applicant=None,
        face_checks="required",
        leave=(),
    )
    now_ms = clock_ms()
    sessions.open_session(house, sessions.Opening(COURSE.platform_id, name, name, 1, now_ms, f"pc-{place}"), now_ms)


class Requests:
    """Makes the requests of one server, of each session in order."""

    def __init__(self, place: Place, port: int, is_signed: bool) -> None:
        self._place = place
        self._host = f"127.0.0.1:{port}"
        self._is_signed = is_signed
        self._begin_ms = clock_ms()
        self._next = dict.fromkeys(place.session_ids, 0)

    def of(self, session_id: str, number: int) -> list[bytes]:
        """Return the next requests of a session."""
        return [self._one(session_id) for _ in range(number)]

    def _one(self, session_id: str) -> bytes:
        first = self._next[session_id]
        self._next[session_id] += EVENTS
        body = json.dumps({"events": [self._event(seq) for seq in range(first, first + EVENTS)]}).encode()
        path = f"/v1/sessions/{session_id}/events"
        headers = {"host": self._host, "content-type": "application/json", "content-length": str(len(body))}
        if self._is_signed:
            headers["content-digest"] = content_digest(body)
            message = Message("POST", path, "", headers)
            nonce = secrets.token_urlsafe(16)
            headers |= sign(message, self._place.key_id, self._place.secret, int(time.time()), nonce)
        lines = [f"POST {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
        return "\r\n".join(lines).encode() + body

    def _event(self, seq: int) -> dict[str, object]:
        jitter = seq * 2_654_435_761 % 23
        return {
            "seq": seq,
            "type": "heartbeat" if seq else "play",
            "at_ms": self._begin_ms + seq * STEP_MS + jitter,
            "position_s": (seq * STEP_MS + jitter) / 1000,
            "playing": True,
            "rate": 1.0,
            "player": "tab-1",
        }


class Connection(asyncio.Protocol):
    """Sends its requests one after the other, each when the one before was answered."""

    def __init__(self, requests: list[bytes], done: asyncio.Future[list[float]]) -> None:
        self._waiting = requests[::-1]
        self._done = done
        self._times_ms: list[float] = []
        self._left = -1

    def connection_made(self, transport: Any) -> None:
        """Begin."""
        self._transport = transport
        self._send()

    def _send(self) -> None:
        if not self._waiting:
            self._transport.close()
            self._done.set_result(self._times_ms)
            return
        self._begun = time.perf_counter()
        self._transport.write(self._waiting.pop())

    def data_received(self, data: bytes) -> None:
        """Take a piece of an answer."""
        if self._left < 0:
            head, _, rest = data.partition(b"\r\n\r\n")
            if not head.startswith(b"HTTP/1.1 200") and not self._done.done():
                self._done.set_exception(RuntimeError(data.decode()))
                self._transport.abort()
                return
            self._left = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]) - len(rest)
        else:
            self._left -= len(data)
        if self._left <= 0:
            self._left = -1
            self._times_ms.append((time.perf_counter() - self._begun) * 1000)
            self._send()

    def connection_lost(self, exc: Exception | None) -> None:
        """Say when it broke off."""
        if not self._done.done():
            self._done.set_exception(exc or RuntimeError("the server closed the connection"))


async def ask(port: int, requests: list[list[bytes]]) -> tuple[list[float], float]:
    """Send the requests of each connection; return the time of each in ms, and of all in s."""
    loop = asyncio.get_running_loop()
    waiting: list[asyncio.Future[list[float]]] = [loop.create_future() for _ in requests]
    begun = time.perf_counter()
    for mine, done in zip(requests, waiting, strict=True):
        await loop.create_connection(lambda mine=mine, done=done: Connection(mine, done), "127.0.0.1", port)
    times_ms = [one for times in await asyncio.wait_for(asyncio.gather(*waiting), MOST_S) for one in times]
    return times_ms, time.perf_counter() - begun


class Server:
    """A server in a process of its own."""

    def __init__(self, kind: str, place: Place) -> None:
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            self.port = int(listener.getsockname()[1])
        command = [sys.executable, str(SERVERS), kind, str(self.port), str(place.folder)]
        with (place.folder / f"{kind}.log").open("wb") as log:  # each request leaves a line there, as in real life
            self._process = subprocess.Popen(command, stderr=log)
        self.requests = Requests(place, self.port, is_signed=kind == "ours")
        self._place = place
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                time.sleep(0.1)
        raise RuntimeError(f"{kind} did not start")

    def measure(self, each: int) -> Measured:
        """Return what a round of so many requests for each session gives."""
        requests = [self.requests.of(name, each) for name in self._place.session_ids]
        worked_s = self._worked_s()
        times_ms, all_s = asyncio.run(ask(self.port, requests))
        return Measured(len(times_ms) / all_s, times_ms, (self._worked_s() - worked_s) / len(times_ms) * 1e6)

    def _worked_s(self) -> float:
        """Return the CPU time of the process so far."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def close(self) -> None:
        """End the process."""
        self._process.terminate()
        self._process.wait()


def _told(name: str, rounds: list[Measured]) -> None:
    times = sorted(one for measured in rounds for one in measured.times_ms)
    rate = statistics.median(measured.rate for measured in rounds)
    p50, p99 = times[len(times) // 2], times[len(times) * 99 // 100]
    cpu_us = statistics.median(measured.cpu_us for measured in rounds)
    print(
        f"{NAMES[name]:56} {rate:6.0f} requests/s {rate * EVENTS:7.0f} events/s   p50 {p50:5.1f} ms   p99 {p99:5.1f} ms"
        f"   {cpu_us:5.0f} µs of CPU each"
    )


def main() -> None:
    """Measure, print, and say whether the goals are reached."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--requests", type=int, default=4_000, help="of each round")
    options = parser.parse_args()
    uvloop.install()
    rounds: dict[str, list[Measured]] = {name: [] for name in NAMES}
    with tempfile.TemporaryDirectory() as folder:
        place = prepare(Path(folder), options.connections)
        servers = {name: Server(name, place) for name in NAMES}
        try:
            for number in range(options.rounds + 1):
                for name, server in servers.items():
                    share = 4 if name == "plain" else 1
                    measured = server.measure(max(1, options.requests // options.connections // share))
                    if number:  # the first round warms up
                        rounds[name].append(measured)
        finally:
            for server in servers.values():
                server.close()
    for name, measured in rounds.items():
        _told(name, measured)
    missed = 0
    for name, goal in GOALS.items():
        ratio = statistics.median(
            ours.rate / other.rate for ours, other in zip(rounds["ours"], rounds[name], strict=True)
        )
        missed += ratio < goal
        print(f"(b) / {NAMES[name][:3]} = {ratio:.2f}, goal ≥ {goal}: {'reached' if ratio >= goal else 'MISSED'}")
    sys.exit(missed > 0)


if __name__ == "__main__":
    main()
