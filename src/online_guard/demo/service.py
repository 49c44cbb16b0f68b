"""Starts and stops a real service for the demonstration, in a process of its own."""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from online_guard.errors import ErrorKind, GuardError
from online_guard.service.admitting.accounts import add_person
from online_guard.service.admitting.platform_keys import create_key
from online_guard.service.house import open_house
from online_guard.settings import Settings
from online_guard.signatures import SignedRequests
from online_guard.terms import Role

COMMAND = (sys.executable, "-c", "from online_guard.cli import main; main()")
START_TIMEOUT_S = 45


@dataclass(frozen=True)
class RunningService:
    """A service that answers; `process` is its own to stop."""

    url: str
    token: str
    data_dir: Path
    process: subprocess.Popen[bytes]

    def auth(self, platform_id: str) -> SignedRequests:
        """Return what signs a platform's requests, with a new key of it."""
        house = open_house(Settings(data_dir=self.data_dir))
        try:
            key = create_key(house, platform_id)
        finally:
            house.engine.dispose()
        return SignedRequests(key.key_id, key.secret)

    def let_in(self, name: str, role: Role) -> str:
        """Let a person sign in to the pages; return their password."""
        password = secrets.token_urlsafe(12)
        house = open_house(Settings(data_dir=self.data_dir))
        try:
            add_person(house, name, role, password)
        finally:
            house.engine.dispose()
        return password

    def environment(self) -> dict[str, str]:
        """Return the environment in which the command line finds this service's data."""
        return os.environ | {"ONLINE_GUARD_DATA_DIR": str(self.data_dir)}


def free_port() -> int:
    """Return a port of the loopback interface that nobody uses at this moment."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@contextmanager
def running_service(data_dir: Path, port: int | None, keep: bool) -> Iterator[RunningService]:
    """Start `online-guard serve`, wait until it answers, and stop it at the end unless it shall be kept.

    Args:
        data_dir: Where it keeps everything; its log is `service.log` in there.
        port: Of the loopback interface, a free one by default.
        keep: Leave it running.

    Raises:
        GuardError: It did not answer in time, or ended at once.
    """
    data_dir.mkdir(parents=True, exist_ok=True)
    chosen, token = port or free_port(), secrets.token_hex(16)
    environment = os.environ | {
        "ONLINE_GUARD_DATA_DIR": str(data_dir),
        "ONLINE_GUARD_HOST": "127.0.0.1",
        "ONLINE_GUARD_PORT": str(chosen),
        "ONLINE_GUARD_TEST_CLIENT_TOKEN": token,
        "PYTHONUNBUFFERED": "1",
    }
    with (data_dir / "service.log").open("wb") as log:
        process = subprocess.Popen([*COMMAND, "serve"], env=environment, stdout=log, stderr=log, start_new_session=keep)  # noqa: S603 - our own command
    service = RunningService(f"http://127.0.0.1:{chosen}", token, data_dir, process)
    try:
        _await(service)
        yield service
    except BaseException:
        _stop(process)
        raise
    if not keep:
        _stop(process)


def _await(service: RunningService) -> None:
    """Wait until the service answers."""
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline and service.process.poll() is None:
        try:
            if httpx.get(f"{service.url}/healthz", timeout=2, trust_env=False).is_success:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    tail = (service.data_dir / "service.log").read_text(encoding="utf-8", errors="replace")[-2000:]
    raise GuardError(
        ErrorKind.UNAVAILABLE,
        "demo.service_not_started",
        f"服务没有启动 / the service did not start\n{tail}",
        where=service.url,
    )


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Ask the process to end, and end it when it doesn't."""
    process.terminate()
    try:
        process.wait(timeout=15)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
