"""A service in a process of its own that may be killed, and clients that send until they are answered.

Each client has a session of its own and sends its events in order, a batch at a time, again and again until it is
acknowledged. What was acknowledged when is kept, and compared with what the database holds.
"""

from __future__ import annotations

import multiprocessing
import os
import secrets
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from simulated_platform import SimulatedPlatform
from sqlalchemy import select

from online_guard.demo.service import free_port
from online_guard.service.admitting.platform_keys import create_key
from online_guard.service.house import open_house
from online_guard.service.operating import evidence_log
from online_guard.service.operating.evidence_log import verify_within
from online_guard.service.receiving import sessions
from online_guard.settings import Settings
from online_guard.signatures import SignedRequests
from online_guard.simulate.course import Course
from online_guard.store.evidence_loader import load_events
from online_guard.store.log_key import open_log_key
from online_guard.store.tables import SessionRecord
from online_guard.store.unit_of_work import open_engine, reading

COURSE = Course(duration_s=360_000)
NOW_MS = 1_625_101_200_000
BATCH = 12
STEP_MS = 10
PATIENCE_S = 90
FORK = multiprocessing.get_context("forkserver")
FORK.set_forkserver_preload(["online_guard.api.app", "online_guard.worker", "online_guard.cli"])


def _serve(environment: Mapping[str, str], log: str) -> None:
    """Be `online-guard serve`, from a process that has imported everything already: it is killed often."""
    handle = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(handle, 1)
    os.dup2(handle, 2)
    os.environ.update(environment)
    sys.argv = ["online-guard", "serve"]
    from online_guard.cli import main

    main()


@dataclass
class Service:
    """`online-guard serve` on a database, started and killed as often as one likes."""

    settings: Settings
    port: int = field(default_factory=free_port)
    token: str = field(default_factory=lambda: secrets.token_hex(16))
    process: Any = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        environment = {
            "ONLINE_GUARD_DATA_DIR": str(self.settings.data_dir),
            "ONLINE_GUARD_DATABASE_URL": self.settings.database,
            "ONLINE_GUARD_HOST": "127.0.0.1",
            "ONLINE_GUARD_PORT": str(self.port),
            "ONLINE_GUARD_TEST_CLIENT_TOKEN": self.token,
        }
        arguments = (environment, str(self.settings.data_dir / "service.log"))
        self.process = FORK.Process(target=_serve, args=arguments, daemon=True)
        self.process.start()
        deadline = time.monotonic() + PATIENCE_S
        while True:
            with suppress(httpx.TransportError):
                if httpx.get(f"{self.url}/healthz", timeout=5, trust_env=False).is_success:
                    return
            assert self.process.is_alive(), (self.settings.data_dir / "service.log").read_text()[-3000:]
            assert time.monotonic() < deadline, "the service did not start"
            time.sleep(0.02)

    def kill(self) -> None:
        """End it as a crash would (SIGKILL)."""
        self.process.kill()
        self.process.join()

    def stop(self) -> None:
        """Ask it to end."""
        self.process.terminate()
        self.process.join(30)
        if self.process.exitcode is None:
            self.kill()


@dataclass
class Client:
    """Sends the events of one session. acknowledged: all events below this number were."""

    number: int
    acknowledged: int = 0
    answers: Counter[str] = field(default_factory=Counter)
    statuses: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class Findings:
    """What the database holds, compared with what was acknowledged before it was looked at.

    log_entries: of the evidence log, whose root was derived anew from them; log_faults: what didn't agree with it.
    """

    acknowledged: int
    stored: int
    lost: int
    doubled: int
    log_entries: int
    log_faults: int


class Clients:
    """Several clients, each a thread of its own.

    Args:
        service: Runs, or will.
        count: How many.
    """

    def __init__(self, service: Service, count: int) -> None:
        self._service = service
        self.clients = [Client(number) for number in range(count)]
        self._stop = threading.Event()
        self._pause = threading.Event()
        self._progress = threading.Condition()
        self._errors: list[BaseException] = []
        self._key = registered(service.settings, count)
        self._public = open_log_key(service.settings.signing_key_file).public

    @contextmanager
    def sending(self) -> Iterator[None]:
        """Let all send while the context lasts; at its end each has been answered."""
        threads = [threading.Thread(target=self._run, args=(client,), daemon=True) for client in self.clients]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._stop.set()
            for thread in threads:
                thread.join(PATIENCE_S)
        assert not self._errors, self._errors[0]

    def wait_for(self, batches: int) -> None:
        """Wait until so many more batches were acknowledged."""
        wanted = self.acknowledged() + batches * BATCH
        with self._progress:
            came = self._progress.wait_for(lambda: self.acknowledged() >= wanted or self._errors, PATIENCE_S)
        assert came, "nothing is acknowledged any more"
        assert not self._errors, self._errors[0]

    def acknowledged(self) -> int:
        return sum(client.acknowledged for client in self.clients)

    def answers(self) -> Counter[str]:
        """Return how often each kind of answer came."""
        return sum((client.answers for client in self.clients), Counter())

    def _run(self, client: Client) -> None:
        try:
            auth = SignedRequests(self._key.key_id, self._key.secret)
            with httpx.Client(base_url=self._service.url, timeout=30, trust_env=False, auth=auth) as http:
                while not self._stop.is_set():
                    self._send(http, client)
        except Exception as error:  # noqa: BLE001 - told by the main thread
            self._errors.append(error)

    def _send(self, http: httpx.Client, client: Client) -> None:
        """Send a batch until it is acknowledged."""
        body = {"events": [event(seq) for seq in range(client.acknowledged, client.acknowledged + BATCH)]}
        headers = {"Online-Guard-Test-Client": self._service.token, "Online-Guard-Test-Now-Ms": str(NOW_MS)}
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            try:
                answer = http.post(f"/v1/sessions/s{client.number}/events", json=body, headers=headers)
            except httpx.TransportError:
                client.answers["no answer"] += 1
                time.sleep(0.02)
                continue
            client.answers[str(answer.status_code)] += 1
            if answer.status_code == 503:
                assert answer.headers["Retry-After"]
                time.sleep(0.05)
                continue
            assert answer.status_code == 200, answer.text
            told = Counter(row["status"] for row in answer.json()["results"])
            assert told.keys() <= {"accepted", "duplicate"}, told
            client.statuses.update(told)
            with self._progress:
                client.acknowledged += BATCH
                self._progress.notify_all()
            return
        raise AssertionError("a batch was never acknowledged")

    def compare(self) -> Findings:
        """Compare what the database holds with what was acknowledged before; sending may go on meanwhile."""
        known = [client.acknowledged for client in self.clients]
        engine = open_engine(self._service.settings.database)
        with reading(engine) as database:
            query = select(SessionRecord.row_id, SessionRecord.session_id)
            events = load_events(database, {row: int(name[1:]) for row, name in database.execute(query)})
            log = verify_within(database, self._public)
        engine.dispose()
        assert np.array_equal(events.at_ms, NOW_MS + events.seq.astype(np.int64) * STEP_MS), "an event was altered"
        lost = doubled = 0
        for number, most in enumerate(known):
            numbers, times = np.unique(events.seq[events.session == number], return_counts=True)
            lost += most - int(np.count_nonzero(numbers < most))
            doubled += int(np.count_nonzero(times > 1))
        return Findings(sum(known), len(events), lost, doubled, log.size + log.waiting, len(log.faults))


def registered(settings: Settings, count: int) -> Any:
    """Register a class with some open sessions `s0`, `s1` …, each of another learner; return the platform's key."""
    house = open_house(settings)
    platform = SimulatedPlatform(house)
    platform.register(COURSE)
    for number in range(count):
        platform.enrol(COURSE, f"e{number}", number)
        opening = sessions.Opening(COURSE.platform_id, f"s{number}", f"e{number}", 1, NOW_MS, f"pc-{number}")
        sessions.open_session(house, opening, NOW_MS)
    key = create_key(house, COURSE.platform_id)
    evidence_log.sequence(house, at_once=True)
    house.engine.dispose()
    return key


def event(seq: int) -> dict[str, Any]:
    """Return a heartbeat whose content follows from its number."""
    return {
        "seq": seq, "type": "heartbeat", "at_ms": NOW_MS + seq * STEP_MS, "position_s": seq / 100, "playing": True,
        "rate": 1.0, "player": "tab",
    }  # fmt: skip


def data_folder(folder: Path, database_url: str | None = None) -> Settings:
    """Return settings of a data folder."""
    folder.mkdir(parents=True, exist_ok=True)
    return Settings(data_dir=folder, database_url=database_url)
