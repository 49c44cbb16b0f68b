"""The client's side of an import: pack, send in parts (tus 1.0 core), go on after a broken line, wait for the end."""

from __future__ import annotations

import base64
import hashlib
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import httpx

from online_guard.errors import ErrorKind, GuardError
from online_guard.signatures import SignedRequests

PART_BYTES = 4 * 1024 * 1024
TRIES = 12
"""Failures in a row before giving up: with the waits between them some four minutes."""
FIRST_WAIT_S, LONGEST_WAIT_S = 0.25, 30.0
POLL_S = 0.25
Progress = Callable[[int, int | None], Any]
_LATER = frozenset({429, 500, 502, 503, 504})
_KINDS = {
    400: ErrorKind.MALFORMED,
    401: ErrorKind.UNAUTHENTICATED,
    403: ErrorKind.FORBIDDEN,
    404: ErrorKind.NOT_FOUND,
    409: ErrorKind.CONFLICT,
    413: ErrorKind.TOO_LARGE,
    415: ErrorKind.UNSUPPORTED,
    422: ErrorKind.INVALID,
}


@dataclass(frozen=True)
class Body:
    """A file that is to be sent, its size in bytes, and its SHA-256 in hex."""

    path: Path
    size: int
    sha256: str


@contextmanager
def packed(source: Path) -> Iterator[Body]:
    """Yield what is sent of a bundle's folder, zipped, or of a file, as it is.

    The same folder gives the same bytes, so that a later call goes on where an earlier one was broken off.

    Raises:
        GuardError: It can't be read.
    """
    try:
        if not source.is_dir():
            yield _body(source)
            return
        with tempfile.TemporaryDirectory(prefix="online-guard-push-") as folder:
            target = Path(folder) / "bundle.zip"
            _zip(source, target)
            yield _body(target)
    except OSError as error:
        raise GuardError(
            ErrorKind.INVALID, "push.unreadable", f"无法读取 / can't be read: {error}", where=str(source)
        ) from error


def _zip(folder: Path, target: Path) -> None:
    with zipfile.ZipFile(target, "w") as archive:
        for path in sorted(folder.iterdir()):
            if path.is_file() and not path.name.startswith("."):
                entry = zipfile.ZipInfo(path.name)  # its date is 1980: a folder read again has the same bytes
                is_packed = path.suffix in (".parquet", ".gz")
                entry.compress_type = zipfile.ZIP_STORED if is_packed else zipfile.ZIP_DEFLATED
                entry.external_attr = 0o100600 << 16
                with path.open("rb") as file, archive.open(entry, "w") as packed_file:
                    while block := file.read(1024 * 1024):
                        packed_file.write(block)


def _body(path: Path) -> Body:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return Body(path, path.stat().st_size, digest)


@contextmanager
def signed_client(server: str, key_id: str, secret: str) -> Iterator[httpx.Client]:
    """Yield a client that signs its requests."""
    auth = SignedRequests(key_id, secret)
    with httpx.Client(base_url=server, auth=auth, timeout=httpx.Timeout(60.0), trust_env=False) as client:
        yield client


def upload(client: httpx.Client, body: Body, progress: Progress) -> str:
    """Send what the service hasn't yet; return the import's id.

    Args:
        client: Signs its requests.
        body: What to send.
        progress: Told the bytes that are there, and of how many.

    Raises:
        GuardError: It was refused, or the service can't be reached for some minutes.
    """
    metadata = base64.b64encode(body.sha256.encode()).decode()
    headers = {"Upload-Length": str(body.size), "Upload-Metadata": f"sha256 {metadata}", "Tus-Resumable": "1.0.0"}
    begun = _persistent(lambda: client.post("/v1/imports", headers=headers))
    told = begun.json()
    import_id, offset = str(told["import_id"]), int(told["received_bytes"])
    is_open = told["state"] == "uploading"
    with body.path.open("rb") as file:
        while is_open and offset < body.size:
            progress(offset, body.size)
            file.seek(offset)
            offset = _send_part(client, import_id, offset, file.read(PART_BYTES))
    progress(body.size, body.size)
    return import_id


def _send_part(client: httpx.Client, import_id: str, offset: int, part: bytes) -> int:
    """Send a part; return how much is there now, which the service is asked after whatever went wrong."""
    path = f"/v1/imports/{import_id}"
    headers = {
        "Upload-Offset": str(offset),
        "Content-Type": "application/offset+octet-stream",
        "Tus-Resumable": "1.0.0",
    }
    try:
        answer = client.patch(path, content=part, headers=headers)
        if answer.is_success:
            return int(answer.headers["Upload-Offset"])
        if answer.status_code not in _LATER and _code(answer) != "import.wrong_offset":
            raise refusal(answer)
    except httpx.TransportError:
        pass  # whether the part arrived, the service knows
    return int(_persistent(lambda: client.head(path)).headers["Upload-Offset"])


def _persistent(request: Callable[[], httpx.Response]) -> httpx.Response:
    """Return the answer to a request that is tried again while the line or the service is down.

    Raises:
        GuardError: It is refused, or stays down.
    """
    wait_s, last = FIRST_WAIT_S, ""
    for _ in range(TRIES):
        try:
            answer = request()
        except httpx.TransportError as error:
            last = f"{type(error).__name__}: {error}"
        else:
            if answer.is_success:
                return answer
            if answer.status_code not in _LATER:
                raise refusal(answer)
            last = f"HTTP {answer.status_code}"
            wait_s = max(wait_s, float(answer.headers.get("Retry-After", 0)))
        time.sleep(wait_s)
        wait_s = min(2 * wait_s, LONGEST_WAIT_S)
    raise GuardError(
        ErrorKind.UNAVAILABLE,
        "push.unreachable",
        f"服务不可用 / the service can't be reached: {last}",
        remedy="再次运行同一命令即可续传 / the same command goes on where it was broken off.",
    )


def _code(answer: httpx.Response) -> str:
    try:
        return str(answer.json()["type"]).rpartition(":")[2]
    except (ValueError, KeyError, TypeError):
        return ""


def refusal(answer: httpx.Response) -> GuardError:
    """Return the error that an answer tells."""
    kind = _KINDS.get(answer.status_code, ErrorKind.UNAVAILABLE)
    try:
        problem = answer.json()
        detail, places = str(problem["detail"]), [str(fault["pointer"]) for fault in problem["errors"]]
    except (ValueError, KeyError, TypeError):
        detail, places = answer.text[:200], []
    return GuardError(
        kind, _code(answer) or "push.refused", f"HTTP {answer.status_code} {detail}", where=" ".join(places)
    )


def wait_for(client: httpx.Client, import_id: str, progress: Progress) -> dict[str, Any]:
    """Return an import once it is done or failed, with every page of its lists.

    Raises:
        GuardError: The service can't be reached for some minutes.
    """
    while True:
        told: dict[str, Any] = _persistent(lambda: client.get(f"/v1/imports/{import_id}")).json()
        progress(told["progress"]["read"], told["progress"]["total"])
        if told["state"] in ("done", "failed"):
            break
        time.sleep(POLL_S)
    for kind in ("refused", "duplicate", "conflict"):
        cursor = told["cursors"].get(kind)
        while cursor is not None:
            page = partial(client.get, f"/v1/imports/{import_id}", params={"cursor": cursor})
            more = _persistent(page).json()
            told[f"{kind}_rows"] += more[f"{kind}_rows"]
            cursor = more["cursors"][kind]
    return told | {"cursors": {}}
