"""SIGTERM under load: what was accepted is answered, what was answered is kept, and nothing is cut off."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from platform_client import NOON_MS, Platform, event, signed_client

from online_guard.demo.service import running_service

CLIENTS = 6


@dataclass
class Sender:
    """A client that posts batches one after the other until nobody listens any more."""

    platform: Platform
    session_id: str
    acknowledged: list[int] = field(default_factory=list)
    cut_off: list[str] = field(default_factory=list)

    def run(self) -> None:
        for first in range(0, 40_000, 4):
            batch = [event(seq, second=seq / 100) for seq in range(first, first + 4)]
            try:
                counts = self.platform.post(self.session_id, batch)["counts"]
            except httpx.ConnectError:
                return
            except httpx.TransportError as error:
                self.cut_off.append(repr(error))
                return
            assert counts == {"accepted": 4}
            self.acknowledged += range(first, first + 4)


def test_sigterm_under_load_loses_and_cuts_off_nothing(tmp_path: Path) -> None:
    with running_service(tmp_path, None, keep=False) as service, signed_client(service) as platform:
        senders = [Sender(platform, platform.a_session()) for _ in range(CLIENTS)]
        threads = [threading.Thread(target=sender.run) for sender in senders]
        for thread in threads:
            thread.start()
        deadline = time.monotonic() + 30
        while any(len(sender.acknowledged) < 12 for sender in senders):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        service.process.terminate()
        for thread in threads:
            thread.join(timeout=30)
        assert service.process.wait(timeout=30) == 0
    assert [sender.cut_off for sender in senders] == [[]] * CLIENTS
    assert not (tmp_path / "online-guard.sqlite3-wal").exists()
    with running_service(tmp_path, None, keep=False) as service, signed_client(service) as again:
        for sender in senders:
            last = sender.acknowledged[-1]
            known = [event(seq, second=seq / 100) for seq in range(max(0, last - 900), last + 1)]
            counts = again.post(sender.session_id, known, now_ms=NOON_MS)["counts"]
            assert counts == {"duplicate": len(known)}
