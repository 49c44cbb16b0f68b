"""The reference clients of the documentation talk to a real service."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from online_guard.demo.people import identity_number
from online_guard.demo.service import RunningService, running_service
from online_guard.service.admitting.platform_keys import NewSecret, create_key
from online_guard.service.house import open_house
from online_guard.settings import Settings
from online_guard.simulate.course import Course

CLIENTS = Path(__file__).resolve().parents[2] / "docs" / "clients"
COMMANDS = {
    "python": [sys.executable, str(CLIENTS / "client.py")],
    "feed": [sys.executable, str(CLIENTS / "candidates.py")],
    "node": ["node", str(CLIENTS / "client.mjs")],
    "curl": ["sh", str(CLIENTS / "client.sh")],
}
NEEDS = {"python": [], "node": ["node"], "curl": ["curl", "openssl"]}
"""Reference clients, and the tools that each needs."""


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    with running_service(tmp_path_factory.mktemp("clients"), None, keep=False) as running:
        yield running


@pytest.fixture(scope="module")
def key(service: RunningService) -> NewSecret:
    house = open_house(Settings(data_dir=service.data_dir))
    made = create_key(house, "hc-online")
    house.engine.dispose()
    return made


@pytest.fixture(params=sorted(NEEDS))
def client(request: pytest.FixtureRequest) -> str:
    missing = [tool for tool in NEEDS[request.param] if shutil.which(tool) is None]
    if missing:
        pytest.skip(f"not on this machine: {', '.join(missing)}")
    return str(request.param)


def run(client: str, key: NewSecret, *arguments: str, secret: str | None = None) -> subprocess.CompletedProcess[str]:
    """Return what a client printed."""
    given = {"ONLINE_GUARD_KEY_ID": key.key_id, "ONLINE_GUARD_SECRET": secret or key.secret}
    environment = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()} | given
    command = [*COMMANDS[client], *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)


def test_a_client_registers_a_class_and_reads_with_a_query(
    client: str, service: RunningService, key: NewSecret, tmp_path: Path
) -> None:
    course = Course(class_id=f"by-{client}")
    (tmp_path / "class.json").write_text(json.dumps(course.class_row()), "utf-8")
    path = f"{service.url}/v1/classes/{course.class_id}"
    put = run(client, key, "PUT", path, str(tmp_path / "class.json"))
    assert put.returncode == 0, put.stderr + put.stdout
    assert json.loads(put.stdout)["class_id"] == course.class_id
    read = run(client, key, "GET", f"{service.url}/v1/whoami?platform_id=hc-online&x=%E5%AD%A6")
    assert read.returncode == 0, read.stderr + read.stdout
    assert json.loads(read.stdout) == {"role": "platform", "name": key.key_id, "platform_id": "hc-online"}


def test_a_client_with_another_secret_is_refused(client: str, service: RunningService, key: NewSecret) -> None:
    refused = run(client, key, "GET", f"{service.url}/v1/whoami", secret="0" * 64)
    assert refused.returncode != 0
    assert "signature.wrong" in refused.stdout + refused.stderr


def test_the_example_of_the_feed_reads_only_what_changed(
    service: RunningService, key: NewSecret, tmp_path: Path
) -> None:
    course, platform = Course(class_id="fed"), Platform(service, key, tmp_path)
    platform.send("PUT", "/v1/classes/fed", course.class_row())
    application = course.application_row()
    window = application.pop("window")
    platform.send("POST", f"/v1/assessments/{window}/applications", application)
    for number, count in enumerate((1, 2), 1):
        body = {"name": "王秀兰", "identity_number": identity_number(number)}
        platform.send("PUT", f"/v1/classes/fed/enrolments/fed-{number}", body)
        deadline = time.monotonic() + 20
        while platform.feed(window).split() != ["0", "/", str(count)]:  # the service's own worker judges the class
            assert time.monotonic() < deadline
    known = json.loads((tmp_path / "candidates.json").read_text("utf-8"))
    assert known["candidates"].keys() == {"fed-1", "fed-2"}
    assert (
        known["candidates"]["fed-1"]["updated_ms"] < known["candidates"]["fed-2"]["updated_ms"] == known["updated_ms"]
    )


@dataclass(frozen=True)
class Platform:
    """A platform that calls the reference clients."""

    service: RunningService
    key: NewSecret
    folder: Path

    def send(self, method: str, path: str, body: object) -> None:
        """Send JSON by the Python client."""
        file = self.folder / "body.json"
        file.write_text(json.dumps(body), "utf-8")
        sent = run("python", self.key, method, f"{self.service.url}{path}", str(file))
        assert sent.returncode == 0, sent.stderr

    def feed(self, window: str) -> str:
        """Return what the example of the feed prints."""
        return run("feed", self.key, self.service.url, window, str(self.folder / "candidates.json")).stdout


def test_the_clients_are_short() -> None:
    for name in ("client.py", "client.mjs", "client.sh", "candidates.py"):
        lines = (CLIENTS / name).read_text("utf-8").splitlines()
        assert len([line for line in lines if line.strip()]) <= 24, name
