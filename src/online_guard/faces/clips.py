"""The border where the bytes of a clip become pictures with times, or are refused with a named reason.

A clip is WebM or MP4, or JPEG frames with their times. The container is told from the first bytes, never from a name.
OpenCV's FFmpeg decodes in a process of its own (`clip_decoder`, `clip_worker`) with a limit of memory and of time;
size, number of frames and duration are held to their limits there, while frames are read. No clip touches a disk.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from online_guard.errors import ErrorKind, GuardError

from .clip_decoder import decoded
from .clip_limits import bad_times, check_bytes, check_times, malformed
from .decode import RgbPixels, decode
from .kept_frames import MAX_KEPT_BYTES, KeptFrames

PICTURE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp"})
TIMES_FILE = "times.json"


@dataclass(frozen=True)
class Clip:
    """Pictures in the order of time.

    Attributes:
        frames: RGB, all of one size, upright.
        times_s: When each was shown, seconds since the first; strictly increasing, float64.
    """

    frames: tuple[RgbPixels, ...]
    times_s: NDArray[np.float64]

    @property
    def fps(self) -> float:
        """Return the mean number of frames a second; 0 for a single frame."""
        return clip_fps(self.times_s)


def clip_fps(times_s: NDArray[np.float64]) -> float:
    """Return frames a second over the whole clip, 0 for fewer than two frames."""
    span = float(times_s[-1] - times_s[0]) if len(times_s) > 1 else 0.0
    return (len(times_s) - 1) / span if span > 0 else 0.0


def read_clip(source: Path | str | bytes) -> Clip:
    """Return the frames of a WebM or MP4 file with the times its container gives them.

    Rotation noted in the container is honoured, sound and metadata are dropped, the picture rate may vary.

    Args:
        source: A file, or its bytes: within the limits of `clip_limits`.

    Raises:
        GuardError: `clip.missing`, `clip.empty`, `clip.too_many_bytes`, `clip.unsupported_format`,
            `clip.too_many_pixels`, `clip.too_long`, `clip.times`, `clip.sizes`, `clip.malformed`,
            `clip.too_much_memory`, `clip.too_slow`, `clip.decoder_stopped`; or `clip.no_decoder` when its process can't
            be started.
    """
    if isinstance(source, bytes):
        return _decoded(source, where="")
    path = Path(source)
    if not path.is_file():
        raise GuardError(ErrorKind.NOT_FOUND, "clip.missing", "没有这个文件 / there is no such file", where=str(path))
    check_bytes(path.stat().st_size, where=str(path))
    return _decoded(path.read_bytes(), where=str(path))


def clip_of_frames(images: Sequence[bytes], at_ms: Sequence[int]) -> Clip:
    """Return a clip of single pictures.

    Args:
        images: JPEG, PNG or WebP files of one size; together within the limits of `clip_limits`.
        at_ms: When each was taken, ms, strictly increasing; over at most a minute.

    Raises:
        GuardError: `clip.empty`, `clip.too_many_bytes`, `clip.too_long`, `clip.times`, `clip.sizes`, or one of
            `decode`'s with the number of the frame in `where`.
    """
    check_bytes(sum(map(len, images)), where="")
    if len(images) != len(at_ms):
        raise bad_times(f"{len(images)} frames, {len(at_ms)} times", where="")
    times_s = np.asarray(at_ms, np.float64) / 1000
    check_times(times_s, where="")
    kept = KeptFrames(np.empty(MAX_KEPT_BYTES, np.uint8))
    for number, image in enumerate(images):
        try:
            kept.add(decode(image), where=f"/frames/{number}")
        except GuardError as refusal:
            refusal.where = refusal.where or f"/frames/{number}"
            raise
    return Clip(tuple(kept.frames()), times_s - times_s[0])


def read_frames(folder: Path) -> Clip:
    """Return the clip of a folder of pictures whose times stand in its `times.json`.

    Args:
        folder: Pictures, and `times.json`: `{"file": ms, …}`, or `[ms, …]` in the order of the files' names.

    Raises:
        GuardError: `clip.times` when `times.json` is missing or doesn't fit the pictures; else as `clip_of_frames`.
    """
    files = sorted(path for path in folder.iterdir() if path.suffix.lower() in PICTURE_SUFFIXES)
    given = folder / TIMES_FILE
    try:
        times = json.loads(given.read_bytes())
        named = times if isinstance(times, dict) else dict(zip((path.name for path in files), times, strict=True))
        at_ms = sorted((int(at), name) for name, at in named.items())
    except (OSError, ValueError, TypeError, OverflowError) as fault:
        raise bad_times(f"{TIMES_FILE}: {fault}", where=str(given)) from fault
    if {path.name for path in files} != set(named):
        raise bad_times(f"{TIMES_FILE} doesn't name the pictures there are", where=str(given))
    check_bytes(sum(path.stat().st_size for path in files), where=str(folder))
    return clip_of_frames([(folder / name).read_bytes() for _, name in at_ms], [at for at, _ in at_ms])


def write_clip(clip: Clip) -> bytes:
    """Return a clip as MP4 (MPEG-4 part 2) at its mean picture rate; times that vary are evened out.

    Raises:
        GuardError: `clip.malformed` when this build of OpenCV can't encode it.
    """
    height, width = clip.frames[0].shape[:2]
    with tempfile.TemporaryDirectory(prefix="online-guard-") as folder:
        path = Path(folder) / "clip.mp4"
        fourcc = cv2.VideoWriter.fourcc(*"mp4v")
        writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, fourcc, round(clip.fps, 3) or 15.0, (width, height))
        try:
            for frame in clip.frames:
                writer.write(cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))
        finally:
            writer.release()
        if not path.is_file() or not path.stat().st_size:
            raise malformed("no encoder", where="")
        return path.read_bytes()


def _decoded(data: bytes, where: str) -> Clip:
    """Return the clip in the bytes of a video file."""
    if not data:
        raise GuardError(ErrorKind.MALFORMED, "clip.empty", "视频为空 / the clip is empty", where=where)
    check_bytes(len(data), where)
    _check_container(data, where)
    try:
        frames, times_s = decoded(data)
    except GuardError as refusal:
        refusal.where = where
        raise
    return Clip(tuple(frames), times_s)


def _check_container(data: bytes, where: str) -> None:
    """Refuse what is neither MP4 nor WebM."""
    if data[4:8] != b"ftyp" and not (data[:4] == b"\x1a\x45\xdf\xa3" and b"webm" in data[:64]):
        raise GuardError(
            ErrorKind.UNSUPPORTED,
            "clip.unsupported_format",
            "只接受 WebM 或 MP4 视频 / only WebM or MP4 clips are accepted",
            where=where,
            remedy="请录制为 WebM 或 MP4 / record as WebM or MP4",
        )
