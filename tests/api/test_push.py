"""`push` against a real service: every format, a line that breaks again and again, exit statuses, no secret told."""

from __future__ import annotations

import json
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from platform_client import Platform
from test_imports import bundle

from online_guard.cli import main, upload
from online_guard.cli.upload import packed
from online_guard.demo.service import RunningService, free_port
from online_guard.errors import GuardError

FOREIGN = Path(__file__).parents[1] / "ingest" / "foreign"


@dataclass
class BrokenLine:
    """A line to a service that breaks after so many bytes, for its first connections."""

    url: str
    breaks_after: list[int]
    connections: int = 0
    sent: int = 0
    threads: list[threading.Thread] = field(default_factory=list)


@contextmanager
def broken_line(service: RunningService, breaks_after: list[int]) -> Iterator[BrokenLine]:
    """Yield a proxy; it listens on loopback and ends with its context."""
    listener = socket.create_server(("127.0.0.1", free_port()))
    listener.settimeout(0.1)
    line = BrokenLine(f"http://127.0.0.1:{listener.getsockname()[1]}", breaks_after)
    ended = threading.Event()
    target = ("127.0.0.1", int(service.url.rpartition(":")[2]))

    def listen() -> None:
        while not ended.is_set():
            try:
                client, _ = listener.accept()
            except TimeoutError:
                continue
            most = line.breaks_after[line.connections] if line.connections < len(line.breaks_after) else sys.maxsize
            line.connections += 1
            server = socket.create_connection(target)
            for one, other, limit in ((client, server, most), (server, client, sys.maxsize)):
                thread = threading.Thread(target=_carry, args=(line, one, other, limit), daemon=True)
                thread.start()
                line.threads.append(thread)

    accepting = threading.Thread(target=listen, daemon=True)
    accepting.start()
    try:
        yield line
    finally:
        ended.set()
        accepting.join()
        listener.close()
        for thread in line.threads:
            thread.join(5)


def _carry(line: BrokenLine, one: socket.socket, other: socket.socket, limit: int) -> None:
    carried = 0
    try:
        while carried < limit and (data := one.recv(min(65_536, limit - carried))):
            other.sendall(data)
            carried += len(data)
            line.sent += len(data)
    except OSError:
        pass
    finally:
        for end in (one, other):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()


@pytest.fixture
def secret(platform: Platform) -> tuple[str, str]:
    """Return the id and the secret of the platform's key."""
    auth = platform.http.auth
    return auth._key_id, auth._secret  # type: ignore[union-attr]


@dataclass(frozen=True)
class Ended:
    """How a command ended, and what it wrote."""

    status: int
    out: str
    err: str


Push = Callable[..., Ended]


@pytest.fixture
def push(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Push:
    """Return the command, run in this process."""

    def run(source: Path, url: str, key: tuple[str, str], *words: str) -> Ended:
        monkeypatch.setenv("ONLINE_GUARD_KEY_SECRET", key[1])
        words = ("online-guard", "push", str(source), "--server", url, "--key-id", key[0], *words)
        monkeypatch.setattr(sys, "argv", list(words))
        status = 0
        try:
            main()
        except SystemExit as ended:
            status = int(ended.code or 0)
        return Ended(status, *capsys.readouterr())

    return run


def folder(platform: Platform, tmp_path: Path) -> Path:
    import io
    import zipfile

    body, _, _ = bundle(platform)
    zipfile.ZipFile(io.BytesIO(body)).extractall(tmp_path / "bundle")
    return tmp_path / "bundle"


def test_a_folder_is_pushed_and_counted(
    platform: Platform, secret: tuple[str, str], push: Push, tmp_path: Path
) -> None:
    source = folder(platform, tmp_path)
    done = push(source, platform.service.url, secret, "--json")
    assert done.status == 0, done.err
    told = json.loads(done.out)
    assert (told["state"], told["counts"]["events"]["accepted"]) == ("done", 5)
    again = push(source, platform.service.url, secret)
    assert again.status == 0
    assert told["import_id"] in again.out
    assert secret[1] not in done.out + done.err + again.out


def test_refused_rows_are_shown_with_status_1(
    platform: Platform, secret: tuple[str, str], push: Push, tmp_path: Path
) -> None:
    source = folder(platform, tmp_path)
    with (source / "events.ndjson").open("a") as file:
        file.write('{"seq": 1}\n')
    done = push(source, platform.service.url, secret)
    assert done.status == 1
    assert "events.ndjson:6" in done.out


def test_bad_use_has_status_2(platform: Platform, secret: tuple[str, str], push: Push, tmp_path: Path) -> None:
    nothing = tmp_path / "notes.log"
    nothing.write_text("hello\n")
    done = push(nothing, platform.service.url, secret)
    assert (done.status, "ingest.unknown_format" in done.out) == (2, True)
    wrong = push(nothing, platform.service.url, (secret[0], "wrong"))
    assert (wrong.status, "signature.wrong" in wrong.err) == (2, True)
    none = push(nothing, platform.service.url, (secret[0], ""))
    assert (none.status, "push.no_secret" in none.err) == (2, True)
    assert push(tmp_path / "nowhere", platform.service.url, secret).status == 2


def test_it_goes_on_after_a_broken_line(
    platform: Platform, secret: tuple[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = tmp_path / "statements.ndjson"
    log.write_bytes((FOREIGN / "statements.ndjson").read_bytes() + b"\n" * 400_000)
    monkeypatch.setattr(upload, "PART_BYTES", 40_000)
    # breaks within a part, before its answer has come, and right at the beginning
    with (
        broken_line(platform.service, [90_000, 41_000, 10, 200_000]) as line,
        packed(log) as body,
        upload.signed_client(line.url, *secret) as client,
    ):
        import_id = upload.upload(client, body, lambda *_: None)
        told = upload.wait_for(client, import_id, lambda *_: None)
    assert line.connections > 4
    assert line.sent < 1.6 * body.size, "what had arrived wasn't sent again"
    assert (told["state"], told["sha256"]) == ("done", body.sha256)


def test_a_service_that_stays_away_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(upload, "FIRST_WAIT_S", 0.001)
    monkeypatch.setattr(upload, "LONGEST_WAIT_S", 0.001)
    (tmp_path / "log").write_bytes(b"x")
    nowhere = upload.signed_client(f"http://127.0.0.1:{free_port()}", "k", "s")
    with packed(tmp_path / "log") as body, nowhere as client, pytest.raises(GuardError) as refusal:
        upload.upload(client, body, lambda *_: None)
    assert refusal.value.code == "push.unreachable"


def test_the_same_folder_gives_the_same_bytes(platform: Platform, tmp_path: Path) -> None:
    source = folder(platform, tmp_path)
    (source / ".hidden").write_text("not sent")
    sums = []
    for _ in range(2):
        with packed(source) as body:
            sums.append(body.sha256)
        for path in source.iterdir():
            path.touch()
    assert sums[0] == sums[1]
