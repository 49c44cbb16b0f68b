"""How large and long a clip may be, and in which words one is refused."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from online_guard.errors import ErrorKind, GuardError

MAX_BYTES = 32 * 1024 * 1024
MAX_SIDE_PX = 1920
MAX_FRAMES = 900
MAX_SECONDS = 60.0


def check_bytes(count: int, where: str) -> None:
    """Refuse too many bytes (`clip.too_many_bytes`)."""
    if count > MAX_BYTES:
        raise GuardError(
            ErrorKind.TOO_LARGE,
            "clip.too_many_bytes",
            f"视频为 {count} 字节，超过上限 {MAX_BYTES} 字节 / the clip has {count} bytes, more than {MAX_BYTES}",
            where=where,
            remedy="请录制更短或更小的视频 / record a shorter or smaller clip",
        )


def check_side(width: int, height: int, where: str) -> None:
    """Refuse too large a picture (`clip.too_many_pixels`)."""
    if max(width, height) > MAX_SIDE_PX:
        raise GuardError(
            ErrorKind.TOO_LARGE,
            "clip.too_many_pixels",
            f"画面为 {width}×{height} 像素，边长上限 {MAX_SIDE_PX} / "
            f"the picture is {width}×{height} px, a side may have {MAX_SIDE_PX}",
            where=where,
            remedy="请以较低分辨率录制 / record at a lower resolution",
        )


def check_times(times_s: NDArray[np.float64], where: str) -> None:
    """Refuse times that aren't those of a clip within the limits."""
    if not len(times_s):
        raise GuardError(ErrorKind.MALFORMED, "clip.empty", "视频为空 / the clip is empty", where=where)
    if not np.isfinite(times_s).all() or (np.diff(times_s) <= 0).any():
        raise bad_times("each frame must be later than the one before", where)
    if len(times_s) > MAX_FRAMES or times_s[-1] - times_s[0] > MAX_SECONDS:
        raise too_long(where)


def bad_times(reason: str, where: str) -> GuardError:
    """Return the refusal `clip.times`."""
    return GuardError(
        ErrorKind.INVALID,
        "clip.times",
        f"帧的时间有误 / the times of the frames are wrong ({reason})",
        where=where,
        remedy="每帧给一个时间，逐帧递增 / give each frame a time, each later than the one before",
    )


def too_long(where: str) -> GuardError:
    """Return the refusal `clip.too_long`."""
    return GuardError(
        ErrorKind.TOO_LARGE,
        "clip.too_long",
        f"视频超过 {MAX_SECONDS:.0f} 秒或 {MAX_FRAMES} 帧 / the clip is longer than {MAX_SECONDS:.0f} s "
        f"or {MAX_FRAMES} frames",
        where=where,
        remedy="请重新录制，只做所要求的动作 / record again, only the actions asked for",
    )


def malformed(reason: str, where: str) -> GuardError:
    """Return the refusal `clip.malformed`."""
    return GuardError(
        ErrorKind.MALFORMED,
        "clip.malformed",
        f"视频损坏，无法解码 / the clip is damaged and can't be decoded ({reason})",
        where=where,
        remedy="请重新录制 / record the clip again",
    )
