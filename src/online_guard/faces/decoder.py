"""The processes that decode pictures."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from online_guard.errors import GuardError

from . import decode_worker
from .container import Header
from .decode_worker import REQUEST
from .worker_loop import Outcome
from .worker_process import Work, WorkerProcess
from .workers import Workers

TIME_LIMIT_S = 10.0
"""A picture. The slowest honest one, a transparent WebP of 16 megapixels, takes 1.5 s; a busy computer needs more."""

MAX_PIXELS = 16_000_000
"""Of an accepted picture; the memory shared with a decoder has room for so many."""

_PROCESSES = 2
"""Of one online-guard process: a picture that takes its time doesn't hold up all others."""

_WORK = Work(
    decode_worker.__name__,
    room_bytes=3 * MAX_PIXELS,
    code="image",
    chinese="图片",
    english="pictures",
    remedy="请重新拍摄或重新导出该图片 / take or export the picture again",
)


class DecoderProcess(WorkerProcess):
    """One process for pictures."""

    def __init__(self) -> None:
        super().__init__(_WORK)

    def pixels(self, image_bytes: bytes, header: Header) -> NDArray[np.uint8]:
        """Return the upright RGB pixels of a picture.

        Raises:
            GuardError: `image.truncated`, `image.malformed`, `image.too_much_memory`, `image.too_slow`,
                `image.decoder_stopped` or `image.no_decoder`.
        """
        request = REQUEST.pack(header.format.encode().ljust(4), header.width, header.height, len(image_bytes))
        outcome, pixels, reason = self.ask(request + image_bytes, TIME_LIMIT_S)
        if outcome is Outcome.DAMAGED:
            raise _damaged(reason.decode(errors="replace"))
        frames, rows, columns, _ = pixels.shape
        if frames != 1 or {rows, columns} != {header.height, header.width}:
            raise self.stopped()
        return pixels.reshape(rows, columns, 3)


def decoded(image_bytes: bytes, header: Header) -> NDArray[np.uint8]:
    """Return the upright RGB pixels of a picture whose header was checked; raises as `DecoderProcess.pixels`."""
    with _lent.borrow() as decoder:
        return decoder.pixels(image_bytes, header)


_lent = Workers(DecoderProcess, most=_PROCESSES)


def close_decoders() -> None:
    """End the decoders of this process; the next picture starts one."""
    _lent.close()


def _damaged(reason: str) -> GuardError:
    code = "truncated" if "truncated" in reason else "malformed"
    return _WORK.refusal(code, "数据损坏，无法解码", f"the image data is damaged and can't be decoded ({reason})")
