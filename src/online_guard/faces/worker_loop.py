"""The child's side of a process that decodes what strangers sent: bounds itself, takes requests, answers them.

It has no key, no database and no more memory than it is told; it can't write a file, start a process or leave a core
dump. Standard input is a socket: requests come in and answers go out on it until it closes. Pixels lie in memory shared
with the parent, whose descriptor is the only argument. What brings it down brings down nothing else.
"""

from __future__ import annotations

import mmap
import resource
import socket
import struct
import sys
from collections.abc import Callable
from enum import IntEnum
from typing import NamedTuple, TypeVar

from online_guard.errors import GuardError

ANSWER = struct.Struct("!BIIII")
"""`Outcome`; frames, rows and columns of the RGB pixels in the shared memory, 0 unless `DECODED`; how many bytes
follow: what goes with the pixels, or the reason of a refusal in UTF-8."""

MAX_EXTRA_BYTES = 8192
_MAX_REASON = 200

Request = TypeVar("Request")


class Outcome(IntEnum):
    """What became of a request."""

    READY = 0
    """Sent once, at the start."""
    DECODED = 1
    DAMAGED = 2
    OUT_OF_MEMORY = 3
    REFUSED = 4
    """By a check of this project: the reason is `GuardError`'s kind, code, remedy and message, a line each."""


class Decoded(NamedTuple):
    """What lies in the shared memory now, and what goes with it."""

    frames: int
    rows: int
    columns: int
    extra: bytes = b""


_NOTHING = Decoded(0, 0, 0)


def serve(
    receive: Callable[[socket.socket], Request | None],
    decode: Callable[[Request, mmap.mmap], Decoded],
    memory_limit_bytes: int,
) -> None:
    """Answer requests until the other end of standard input closes.

    Args:
        receive: Reads one request; None when the parent is gone.
        decode: Puts pixels into the shared memory; may raise anything.
        memory_limit_bytes: Of address space.
    """
    shared = mmap.mmap(int(sys.argv[1]), 0)
    resource.setrlimit(resource.RLIMIT_AS, (memory_limit_bytes, memory_limit_bytes))
    for what in (resource.RLIMIT_FSIZE, resource.RLIMIT_CORE, resource.RLIMIT_NPROC):
        resource.setrlimit(what, (0, 0))
    with socket.socket(fileno=sys.stdin.fileno()) as parent:
        _send(parent, Outcome.READY, _NOTHING)
        while (request := receive(parent)) is not None:
            _answer(parent, shared, request, decode)


def receive_bytes(parent: socket.socket, size: int) -> bytes:
    """Return so many bytes, or none when the parent is gone."""
    content = bytearray(size)
    view = memoryview(content)
    while view:
        got = parent.recv_into(view)
        if not got:
            return b""
        view = view[got:]
    return bytes(content)


def _answer(
    parent: socket.socket, shared: mmap.mmap, request: Request, decode: Callable[[Request, mmap.mmap], Decoded]
) -> None:
    try:
        decoded = decode(request, shared)
    except MemoryError:
        _send(parent, Outcome.OUT_OF_MEMORY, _NOTHING)
    except GuardError as refusal:
        reason = "\n".join((refusal.kind, refusal.code, refusal.remedy, refusal.message))
        _send(parent, Outcome.REFUSED, _NOTHING._replace(extra=reason.encode()))
    except Exception as fault:  # noqa: BLE001  readers raise whatever damaged bytes lead them to
        reason = (f"{fault}" or type(fault).__name__)[:_MAX_REASON]
        _send(parent, Outcome.DAMAGED, _NOTHING._replace(extra=reason.encode()))
    else:
        _send(parent, Outcome.DECODED, decoded)


def _send(parent: socket.socket, outcome: Outcome, decoded: Decoded) -> None:
    *shape, extra = decoded
    parent.sendall(ANSWER.pack(outcome, *shape, len(extra)) + extra)
