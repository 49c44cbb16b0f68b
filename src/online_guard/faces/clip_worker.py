"""The process that decodes the clips of strangers: `python -m online_guard.faces.clip_worker`, run by `clip_decoder`.

A clip comes as the descriptor of a file that lies in memory alone: OpenCV's FFmpeg reads files only. The limits of
`clip_limits` are held to while frames are read, so that a clip that goes beyond them costs no more than they allow.
"""

from __future__ import annotations

import mmap
import os
import socket

import cv2
import numpy as np
from numpy.typing import NDArray

from . import clip_limits
from .clip_limits import check_side, check_times, malformed, too_long
from .kept_frames import MAX_KEPT_BYTES, KeptFrames
from .worker_loop import Decoded, serve

MEMORY_LIMIT_BYTES = 1024 * 1024 * 1024
"""Of address space. Idle it has 570 MB: OpenCV, and the 300 MiB of frames; 1920 × 1920 px took 80 MB more."""

ROOM_BYTES = MAX_KEPT_BYTES

_READERS = "protocol_whitelist;file|format_whitelist;mov,mp4,m4a,3gp,3g2,mj2,matroska,webm"
"""All of FFmpeg that may look at a clip: no playlist, no other file, no address."""


def main() -> None:
    """Decode clips until the other end of standard input closes."""
    os.environ["OPENCV_FFMPEG_CAPTURE_OPTIONS"] = _READERS
    cv2.setNumThreads(1)
    serve(_receive, _decode, MEMORY_LIMIT_BYTES)


def _receive(parent: socket.socket) -> int | None:
    """Return the descriptor of a clip, None when the parent is gone."""
    _, descriptors, _, _ = socket.recv_fds(parent, 1, 1)
    return descriptors[0] if descriptors else None


def _decode(descriptor: int, shared: mmap.mmap) -> Decoded:
    capture = cv2.VideoCapture()
    try:
        path = f"/proc/self/fd/{descriptor}"
        if not capture.open(path, cv2.CAP_FFMPEG, [cv2.CAP_PROP_N_THREADS, 1]):
            raise malformed("no picture track", where="")
        kept = KeptFrames(np.frombuffer(shared, np.uint8))
        times_s = _read(capture, kept)
        frames, rows, columns, _ = kept.frames().shape
        return Decoded(frames, rows, columns, times_s.tobytes())
    except cv2.error as fault:
        if fault.code == cv2.Error.StsNoMem:
            raise MemoryError from fault
        raise malformed((fault.err or f"{fault}")[:100], where="") from fault
    finally:
        capture.release()
        os.close(descriptor)


def _read(capture: cv2.VideoCapture, kept: KeptFrames) -> NDArray[np.float64]:
    """Keep every frame of a clip and return their times, s since the first."""
    width, height = (round(capture.get(key)) for key in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT))
    check_side(width, height, where="")
    announced_s = _announced_s(capture)
    times = list[float]()
    while capture.grab():
        times.append(capture.get(cv2.CAP_PROP_POS_MSEC) / 1000)
        if len(times) > clip_limits.MAX_FRAMES or times[-1] - times[0] > clip_limits.MAX_SECONDS:
            raise too_long(where="")
        found, frame = capture.retrieve()
        if not found:
            raise malformed(f"frame {len(times)}", where="")
        check_side(frame.shape[1], frame.shape[0], where="")  # the coded size may be another than the container's
        kept.add(np.asarray(cv2.cvtColor(frame, cv2.COLOR_BGR2RGB), np.uint8), where="")
    if not times:
        raise malformed("no frame", where="")
    times_s = np.asarray(times, np.float64)
    check_times(times_s, where="")
    if announced_s - (times[-1] - times[0]) > max(1.0, 0.2 * announced_s):
        raise malformed("its end is missing", where="")
    times_s -= times_s[0]
    return times_s


def _announced_s(capture: cv2.VideoCapture) -> float:
    """Return the duration the container claims; 0 where it claims none, as a browser's recordings do."""
    fps, count = capture.get(cv2.CAP_PROP_FPS), capture.get(cv2.CAP_PROP_FRAME_COUNT)
    return count / fps if fps > 0 and count > 0 else 0.0


if __name__ == "__main__":
    main()
