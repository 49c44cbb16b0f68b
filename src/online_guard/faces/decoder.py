"""Keeps the processes that decode pictures: starts, asks, times, replaces them. Safe in threads and across a fork."""

from __future__ import annotations

import atexit
import fcntl
import mmap
import os
import socket
import struct
import subprocess
import sys
import time

import numpy as np
from numpy.typing import NDArray

from online_guard.errors import ErrorKind, GuardError

from . import decode_worker
from .borrowed import Pool
from .container import Header
from .decode_worker import ANSWER, MAX_REASON_BYTES, REQUEST, Outcome

TIME_LIMIT_S = 10.0
"""A picture. The slowest honest one, a transparent WebP of 16 megapixels, takes 1.5 s; a busy computer needs more."""

MAX_PIXELS = 16_000_000
"""Of an accepted picture; the memory shared with a decoder has room for so many."""

_KEPT_BYTES = 8 * 1024 * 1024
"""Shared memory that isn't given back between pictures: most snapshots need less."""

_START_LIMIT_S = 30.0
_PROCESSES = 2
"""Of one online-guard process: a picture that takes its time doesn't hold up all others."""

_KEPT_ENVIRONMENT = ("PATH", "LD_LIBRARY_PATH", "PYTHONHOME", "LANG")
"""All that a decoder gets to know of the environment: no tokens, no addresses of databases."""


_ALLOCATION = {"MALLOC_MMAP_THRESHOLD_": str(32 * 1024**2), "MALLOC_TRIM_THRESHOLD_": str(64 * 1024**2)}
"""For glibc: keep up to 64 MB for the next picture. Asking for fresh pages each time takes as long as decoding does."""


class DecoderProcess:
    """One process, started when first asked and again after it died. For one thread at a time."""

    def __init__(self) -> None:
        self.process: subprocess.Popen[bytes] | None = None
        self._socket = socket.socket()
        self._shared: mmap.mmap | None = None
        self._deadline = 0.0

    def pixels(self, image_bytes: bytes, header: Header) -> NDArray[np.uint8]:
        """Return the upright RGB pixels of a picture.

        Raises:
            GuardError: `image.truncated`, `image.malformed`, `image.too_much_memory`, `image.too_slow`,
                `image.decoder_stopped` or `image.no_decoder`.
        """
        if self.process is None or self.process.poll() is not None:
            self._start()
        self._deadline = time.monotonic() + TIME_LIMIT_S
        try:
            return self._ask(image_bytes, header)
        except TimeoutError:
            self.close()
            raise _refusal("image.too_slow", "图片解码超时", f"decoding took more than {TIME_LIMIT_S:g} s") from None
        except (OSError, EOFError, struct.error) as fault:
            self.close()
            raise _refusal("image.decoder_stopped", "图片使解码进程中止", "decoding it stopped the decoder") from fault

    def close(self) -> None:
        """End the process at once; the next picture starts another."""
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

    def _start(self) -> None:
        self.close()
        self._deadline = time.monotonic() + _START_LIMIT_S
        environment = _ALLOCATION | {name: os.environ[name] for name in _KEPT_ENVIRONMENT if name in os.environ}
        environment["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
        try:
            self._launch(environment)
            self._receive(ANSWER.size)
        except (OSError, EOFError) as fault:
            self.close()
            raise GuardError(
                ErrorKind.UNAVAILABLE,
                "image.no_decoder",
                "无法启动图片解码进程 / the process that decodes pictures can't be started",
                remedy="请稍后重试，或检查内存 / try again later, or look at the memory",
            ) from fault

    def _launch(self, environment: dict[str, str]) -> None:
        memory = _shared_memory()
        try:
            self._shared = mmap.mmap(memory, 3 * MAX_PIXELS)
            self._socket, theirs = socket.socketpair()
            with theirs:
                self.process = subprocess.Popen(  # noqa: S603  no part of it comes from outside
                    [sys.executable, "-P", "-m", decode_worker.__name__, str(memory)],
                    stdin=theirs.fileno(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                    pass_fds=[memory], env=environment, start_new_session=True,
                )  # fmt: skip
        finally:
            os.close(memory)

    def _ask(self, image_bytes: bytes, header: Header) -> NDArray[np.uint8]:
        request = REQUEST.pack(header.format.encode().ljust(4), header.width, header.height, len(image_bytes))
        self._socket.settimeout(self._time_left())
        self._socket.sendall(request + image_bytes)
        outcome, rows, columns = ANSWER.unpack(self._receive(ANSWER.size))
        if outcome != Outcome.DECODED:
            raise _damaged(outcome, self._receive(min(rows, MAX_REASON_BYTES)).decode(errors="replace"))
        if {rows, columns} != {header.height, header.width} or self._shared is None:
            raise EOFError("an answer to another picture")
        # Copied, so that whatever becomes of the process can't change it any more.
        pixels = np.frombuffer(self._shared, np.uint8, rows * columns * 3).copy()
        if pixels.size > _KEPT_BYTES:
            self._shared.madvise(mmap.MADV_REMOVE)
        return pixels.reshape(rows, columns, 3)

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


def decoded(image_bytes: bytes, header: Header) -> NDArray[np.uint8]:
    """Return the upright RGB pixels of a picture whose header was checked; raises as `DecoderProcess.pixels`."""
    with _lent.borrow() as decoder:
        return decoder.pixels(image_bytes, header)


def _shared_memory() -> int:
    """Return a descriptor of memory that no one can shrink under the other's feet; it takes room once written to."""
    memory = os.memfd_create("pixels", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    os.ftruncate(memory, 3 * MAX_PIXELS)
    fcntl.fcntl(memory, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL)
    return memory


_made: list[DecoderProcess] = []


def _make() -> DecoderProcess:
    _made.append(DecoderProcess())
    return _made[-1]


_lent = Pool(_make, most=_PROCESSES)


def close_decoders() -> None:
    """End the decoders of this process; the next picture starts one."""
    for decoder in _made:
        decoder.close()


def _after_fork() -> None:
    global _lent  # noqa: PLW0603  what was lent out at the moment of the fork never comes back here
    for decoder in _made:
        decoder.forget()
    _made.clear()
    _lent = Pool(_make, most=_PROCESSES)


atexit.register(close_decoders)
os.register_at_fork(after_in_child=_after_fork)


def _damaged(outcome: int, reason: str) -> GuardError:
    if outcome == Outcome.OUT_OF_MEMORY:
        return _refusal("image.too_much_memory", "图片解码所需内存超限", "decoding it takes more memory than allowed")
    code = "image.truncated" if "truncated" in reason else "image.malformed"
    return _refusal(code, "图片数据损坏，无法解码", f"the image data is damaged and can't be decoded ({reason})")


def _refusal(code: str, chinese: str, english: str) -> GuardError:
    return GuardError(
        ErrorKind.MALFORMED,
        code,
        f"{chinese} / {english}",
        remedy="请重新拍摄或重新导出该图片 / take or export the picture again",
    )
