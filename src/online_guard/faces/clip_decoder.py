"""The processes that decode clips."""

from __future__ import annotations

import os

import numpy as np
from numpy.typing import NDArray

from . import clip_worker
from .clip_limits import malformed
from .worker_loop import Outcome
from .worker_process import Work, WorkerProcess
from .workers import Workers

TIME_LIMIT_S = 20.0
"""A clip. Real ones of 720p took 3 ms of CPU a frame, so 900 frames of 1080p take some 6 s; a busy computer needs more.
"""

_PROCESSES = 2
"""Of one online-guard process: a clip that takes its time doesn't hold up all others."""

_WORK = Work(
    clip_worker.__name__,
    room_bytes=clip_worker.ROOM_BYTES,
    code="clip",
    chinese="视频",
    english="clips",
    remedy="请重新录制 / record the clip again",
)


class ClipDecoderProcess(WorkerProcess):
    """One process for clips."""

    def __init__(self) -> None:
        super().__init__(_WORK)

    def frames(self, clip_bytes: bytes) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
        """Return the RGB frames of a clip, frames × rows × columns × 3, and their times, s since the first.

        Raises:
            GuardError: `clip.too_many_pixels`, `clip.too_long`, `clip.times`, `clip.sizes`, `clip.malformed`,
                `clip.too_much_memory`, `clip.too_slow`, `clip.decoder_stopped` or `clip.no_decoder`.
        """
        with os.fdopen(os.memfd_create("clip", os.MFD_CLOEXEC), "wb") as file:
            file.write(clip_bytes)
            file.flush()
            outcome, frames, extra = self.ask(b"c", TIME_LIMIT_S, [file.fileno()])
        if outcome is Outcome.DAMAGED:
            raise malformed(extra.decode(errors="replace"), where="")
        if not frames.size or len(extra) != 8 * len(frames):
            raise self.stopped()
        return frames, np.frombuffer(extra, np.float64)


def decoded(clip_bytes: bytes) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """Return frames and times of a clip; raises as `ClipDecoderProcess.frames`."""
    with _lent.borrow() as decoder:
        return decoder.frames(clip_bytes)


_lent = Workers(ClipDecoderProcess, most=_PROCESSES)
