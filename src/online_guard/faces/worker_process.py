"""The parent's side of a process that decodes what strangers sent: starts, asks, times, replaces it."""

from __future__ import annotations

import fcntl
import mmap
import os
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from online_guard.errors import ErrorKind, GuardError

from .worker_loop import ANSWER, MAX_EXTRA_BYTES, Outcome

_KEPT_BYTES = 8 * 1024 * 1024
"""Shared memory that isn't given back between requests: most snapshots need less."""

_START_LIMIT_S = 30.0

_KEPT_ENVIRONMENT = ("PATH", "LD_LIBRARY_PATH", "PYTHONHOME", "LANG")
"""All that a decoder gets to know of the environment: no tokens, no addresses of databases."""

_OWN_ENVIRONMENT = {
    "MALLOC_MMAP_THRESHOLD_": str(32 * 1024**2),
    "MALLOC_TRIM_THRESHOLD_": str(64 * 1024**2),
    "OPENBLAS_NUM_THREADS": "1",
}
"""For glibc: keep up to 64 MB for the next request. Asking for fresh pages each time takes as long as decoding does."""


@dataclass(frozen=True)
class Work:
    """What a kind of process decodes.

    Attributes:
        module: Run as the process; serves with `worker_loop`.
        room_bytes: Of the memory shared with it; takes room once written to.
        code: What the codes of its refusals begin with.
        chinese: The thing it decodes.
        english: The same, in the plural.
        remedy: What one can do when it is refused.
    """

    module: str
    room_bytes: int
    code: str
    chinese: str
    english: str
    remedy: str

    def refusal(self, code: str, chinese: str, english: str) -> GuardError:
        """Return the refusal of something that can't be decoded."""
        return GuardError(
            ErrorKind.MALFORMED, f"{self.code}.{code}", f"{self.chinese}{chinese} / {english}", remedy=self.remedy
        )


class Answer(NamedTuple):
    """What a process made of a request.

    Attributes:
        outcome: `DECODED` or `DAMAGED`.
        pixels: RGB, frames × rows × columns × 3; no frame when damaged.
        extra: What goes with the pixels; when damaged, what is wrong, in UTF-8.
    """

    outcome: Outcome
    pixels: NDArray[np.uint8]
    extra: bytes


class WorkerProcess:
    """One process, started when first asked and again after it died. For one thread at a time."""

    def __init__(self, work: Work) -> None:
        self.process: subprocess.Popen[bytes] | None = None
        self._work = work
        self._socket = socket.socket()
        self._memory = -1
        self._shared: mmap.mmap | None = None
        self._deadline = 0.0

    def ask(self, request: bytes, limit_s: float, descriptors: Sequence[int] = ()) -> Answer:
        """Return what the process made of a request.

        Raises:
            GuardError: The work's `too_much_memory`, `too_slow`, `decoder_stopped` or `no_decoder`; or what the
                process refused it with.
        """
        if self.process is None or self.process.poll() is not None:
            self._start()
        self._deadline = time.monotonic() + limit_s
        try:
            return self._ask(request, descriptors)
        except TimeoutError:
            self.close()
            raise self._work.refusal("too_slow", "解码超时", f"decoding took more than {limit_s:g} s") from None
        except (OSError, EOFError, ValueError, struct.error) as fault:
            raise self.stopped() from fault

    def stopped(self) -> GuardError:
        """End a process that died or answers nonsense, and return the refusal of what it was asked."""
        self.close()
        return self._work.refusal("decoder_stopped", "使解码进程中止", "decoding it stopped the decoder")

    def close(self) -> None:
        """End the process at once; the next request starts another."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
        self._let_go()

    def forget(self) -> None:
        """Leave the process to the one it belongs to: this one was forked off it."""
        if self.process is not None:
            self.process.returncode = 0  # it isn't this process's child: nothing to wait for
        self._let_go()

    def _let_go(self) -> None:
        self.process = None
        self._socket.close()
        if self._shared is not None:
            self._shared.close()
            self._shared = None
        if self._memory >= 0:
            os.close(self._memory)
            self._memory = -1

    def _start(self) -> None:
        self.close()
        self._deadline = time.monotonic() + _START_LIMIT_S
        environment = _OWN_ENVIRONMENT | {name: os.environ[name] for name in _KEPT_ENVIRONMENT if name in os.environ}
        environment["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
        try:
            self._launch(environment)
            self._receive(ANSWER.size)
        except (OSError, EOFError) as fault:
            self.close()
            raise GuardError(
                ErrorKind.UNAVAILABLE,
                f"{self._work.code}.no_decoder",
                f"无法启动{self._work.chinese}解码进程 / "
                f"the process that decodes {self._work.english} can't be started",
                remedy="请稍后重试，或检查内存 / try again later, or look at the memory",
            ) from fault

    def _launch(self, environment: dict[str, str]) -> None:
        self._memory = _shared_memory(self._work.room_bytes)
        self._shared = mmap.mmap(self._memory, self._work.room_bytes)
        self._socket, theirs = socket.socketpair()
        with theirs:
            self.process = subprocess.Popen(  # noqa: S603  no part of it comes from outside
                [sys.executable, "-P", "-m", self._work.module, str(self._memory)],
                stdin=theirs.fileno(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                pass_fds=[self._memory], env=environment, start_new_session=True,
            )  # fmt: skip

    def _ask(self, request: bytes, descriptors: Sequence[int]) -> Answer:
        self._socket.settimeout(self._time_left())
        if descriptors:
            socket.send_fds(self._socket, [request], descriptors)
        else:
            self._socket.sendall(request)
        outcome, frames, rows, columns, size = ANSWER.unpack(self._receive(ANSWER.size))
        if size > MAX_EXTRA_BYTES or frames * rows * columns * 3 > self._work.room_bytes:
            raise EOFError("an answer to something else")
        extra = self._receive(size)
        pixels = self._pixels((frames, rows, columns, 3))
        if outcome == Outcome.OUT_OF_MEMORY:
            english = "decoding it takes more memory than allowed"
            raise self._work.refusal("too_much_memory", "解码所需内存超限", english)
        if outcome == Outcome.REFUSED:
            kind, code, remedy, message = extra.decode().split("\n", 3)
            raise GuardError(ErrorKind(kind), code, message, remedy=remedy)
        return Answer(Outcome(outcome), pixels, extra)

    def _pixels(self, shape: tuple[int, ...]) -> NDArray[np.uint8]:
        """Return a copy of what lies in the shared memory, so that whatever becomes of the process can't change it."""
        pixels = np.empty(shape, np.uint8)
        # Read, not looked at through a mapping: pages once looked at count as this process's memory too.
        if os.preadv(self._memory, [pixels.data], 0) != pixels.size:
            raise EOFError("some pixels are missing")
        # Of what was refused some may lie there as well.
        if not 0 < pixels.size <= _KEPT_BYTES and self._shared is not None:
            self._shared.madvise(mmap.MADV_REMOVE)
        return pixels

    def _receive(self, size: int) -> bytes:
        """Return so many bytes; TimeoutError past the deadline, EOFError when the process is gone."""
        content = b""
        while len(content) < size:
            self._socket.settimeout(self._time_left())
            piece = self._socket.recv(size - len(content))
            if not piece:
                raise EOFError("the decoder is gone")
            content += piece
        return content

    def _time_left(self) -> float:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left


def _shared_memory(size: int) -> int:
    """Return a descriptor of memory that no one can shrink under the other's feet; it takes room once written to."""
    memory = os.memfd_create("pixels", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    os.ftruncate(memory, size)
    fcntl.fcntl(memory, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL)
    return memory
