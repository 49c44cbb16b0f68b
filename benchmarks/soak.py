"""Ten minutes of load on a real service: does its memory stay flat, and is every event accounted for?

Several signed clients open sessions and send batches of 12 events, some of them twice, some with events that must be
refused, and close their sessions, which are verified meanwhile. Each minute it prints the memory of the process, and
latencies; at the end it counts: sent = accepted + duplicate + refused.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from online_guard.demo.people import identity_number
from online_guard.demo.service import RunningService, running_service

BATCH = 12
OF_A_CLASS = 8
MOST_GROWTH = 1.10
"""Memory counts as flat while the last tenth of the time has at most a tenth more than the third had."""
PAGE_KIB = os.sysconf("SC_PAGE_SIZE") // 1024
CLASS = {
    "platform_id": "soak",
    "institution": "学校",
    "applicant_kind": "enterprise",
    "applicant": "公司",
    "occupation": "电子商务师",
    "mode": "online",
    "certificate_route": "skill_level",
    "starts_on": "2021-06-01",
    "ends_on": "2099-07-20",
    "required_online_hours": 1,
    "teachers": 2,
    "lessons": [{"lesson_no": 1, "title": "课", "kind": "professional", "duration_s": 2400.0, "class_hours": 1.0}],
}


@dataclass
class Sender:
    """A client and what came of what it sent."""

    service: RunningService
    auth: httpx.Auth
    number: int
    stop: threading.Event
    wait_s: float
    sent: int = 0
    answers: Counter[str] = field(default_factory=Counter)
    latencies_s: list[float] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)

    def run(self) -> None:
        """Study sessions, one after the other, until it is time to stop."""
        chance = random.Random(self.number)
        with httpx.Client(base_url=self.service.url, auth=self.auth, timeout=60, trust_env=False) as client:
            sitting = 0
            while not self.stop.is_set():
                name = f"{self.number}-{sitting // OF_A_CLASS}"
                if sitting % OF_A_CLASS == 0:
                    self._enrol(client, name)
                self._study(client, f"s-{self.number}-{sitting}", f"e-{name}", chance)
                sitting += 1

    def _enrol(self, client: httpx.Client, name: str) -> None:
        """Register a class of one: a class is verified whole, so one that grows for ever would take ever longer."""
        client.put(f"/v1/classes/c-{name}", json=CLASS).raise_for_status()
        person = {"name": "王秀兰", "identity_number": identity_number(self.number + 1)}
        client.put(f"/v1/classes/c-{name}/enrolments/e-{name}", json=person).raise_for_status()

    def _study(self, client: httpx.Client, session_id: str, enrolment_id: str, chance: random.Random) -> None:
        now_ms = time.time_ns() // 1_000_000
        opening = {"platform_id": "soak", "session_id": session_id, "enrolment_id": enrolment_id, "lesson_no": 1}
        self._post(client, "/v1/sessions", opening | {"opened_at_ms": now_ms, "device_id": f"pc-{self.number}"})
        for batch in range(20):
            if self.stop.is_set():
                break
            events = [self._event(seq, now_ms) for seq in range(batch * BATCH, (batch + 1) * BATCH)]
            if chance.random() < 0.05:
                events[chance.randrange(BATCH)]["position_s"] = 99_999.0
            for _ in range(2 if chance.random() < 0.1 else 1):
                answer = self._post(client, f"/v1/sessions/{session_id}/events", {"events": events})
                if answer is not None:
                    self.sent += BATCH
                    self.answers.update(answer["counts"])
            self.stop.wait(self.wait_s)
        self._post(client, f"/v1/sessions/{session_id}/close", None)

    def taken(self) -> list[float]:
        """Return the latencies since this was asked last."""
        taken, self.latencies_s = self.latencies_s, []
        return taken

    def _event(self, seq: int, now_ms: int) -> dict[str, Any]:
        kind = "play" if seq == 0 else "heartbeat"
        moment = {"at_ms": now_ms + seq * 1000, "position_s": float(seq)}
        return {"seq": seq, "type": kind, **moment, "playing": True, "rate": 1.0, "player": "tab"}

    def _post(self, client: httpx.Client, path: str, body: Any) -> dict[str, Any] | None:
        began = time.perf_counter()
        try:
            answer = client.post(path, json=body)
        except httpx.TransportError as error:
            self.broken.append(repr(error))
            return None
        if path.endswith("/events"):
            self.latencies_s.append(time.perf_counter() - began)
        if not answer.is_success:
            self.broken.append(f"{answer.status_code} {answer.text[:200]}")
            return None
        return dict(answer.json())


def memory_mib(process_id: int) -> float:
    """Return the resident memory of a process and its children."""
    pages = int(Path(f"/proc/{process_id}/statm").read_text().split()[1])
    children = Path(f"/proc/{process_id}/task/{process_id}/children").read_text().split()
    return pages * PAGE_KIB / 1024 + sum(memory_mib(int(child)) for child in children)


def soak(service: RunningService, minutes: float, clients: int, wait_s: float) -> int:
    """Load a service and print what is seen; return the exit status."""
    auth, stop = service.auth("soak"), threading.Event()
    senders = [Sender(service, auth, number, stop, wait_s) for number in range(clients)]
    threads = [threading.Thread(target=sender.run) for sender in senders]
    for thread in threads:
        thread.start()
    memory = _watch(service.process.pid, senders, minutes)
    stop.set()
    for thread in threads:
        thread.join()
    return _judge(memory, senders)


def _watch(process_id: int, senders: list[Sender], minutes: float) -> list[float]:
    """Print memory and latencies each minute, or ten times; return the memory of each second."""
    began, memory = time.monotonic(), []
    every_s, told_s = min(60.0, minutes * 6), 0.0
    print("minute  memory MiB  batches/s   p50 ms   p99 ms")
    while (passed_s := time.monotonic() - began) < minutes * 60:
        time.sleep(1)
        memory.append(memory_mib(process_id))
        if passed_s - told_s >= every_s:
            latencies = [one for sender in senders for one in sender.taken()] or [float("nan")]
            middle, most = np.percentile(latencies, (50, 99)) * 1000
            rate = len(latencies) / (passed_s - told_s)
            print(f"{passed_s / 60:6.1f}  {memory[-1]:10.1f}  {rate:9.1f}  {middle:7.1f}  {most:7.1f}", flush=True)
            told_s = passed_s
    return memory


def _judge(memory: list[float], senders: list[Sender]) -> int:
    sent, broken = sum(sender.sent for sender in senders), [one for sender in senders for one in sender.broken]
    answers: Counter[str] = sum((sender.answers for sender in senders), Counter())
    tenth = max(1, len(memory) // 10)
    warm, last = float(np.median(memory[2 * tenth : 3 * tenth])), float(np.median(memory[-tenth:]))
    told = " + ".join(f"{count:,} {name}" for name, count in sorted(answers.items()))
    print(f"\nevents: {sent:,} sent = {told}: {'yes' if sent == sum(answers.values()) else 'NO'}")
    print(f"memory: {warm:.1f} MiB after warming up, {last:.1f} MiB at the end (× {last / warm:.3f})")
    print(f"requests that failed: {len(broken)}", *broken[:5], sep="\n  ")
    return int(sent != sum(answers.values()) or bool(broken) or last > warm * MOST_GROWTH)


def main() -> int:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--clients", type=int, default=6)
    parser.add_argument("--wait-s", type=float, default=0.05, help="between two batches of a client")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, running_service(Path(folder), None, keep=False) as service:
        return soak(service, arguments.minutes, arguments.clients, arguments.wait_s)


if __name__ == "__main__":
    sys.exit(main())
