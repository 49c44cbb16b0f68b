"""What a platform sends as the answer to a challenge: a video, or frames with times; hostile until it was decoded."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import BinaryIO

import msgspec

from online_guard.errors import ErrorKind, GuardError
from online_guard.faces.clips import Clip, clip_of_frames, read_clip


class Frame(msgspec.Struct, forbid_unknown_fields=True):
    """A picture of a clip, and when it was taken, ms since some moment."""

    at_ms: int
    image: bytes


class Frames(msgspec.Struct, forbid_unknown_fields=True):
    """A clip as single pictures."""

    frames: list[Frame]


@dataclass(frozen=True)
class Sent:
    """What answers a challenge: a video, or frames as JSON; `at_ms` is its start on the client's clock."""

    body: BinaryIO
    is_frames: bool
    nonce: str
    at_ms: int
    received_ms: int

    @cached_property
    def content(self) -> bytes:
        """Return the bytes."""
        self.body.seek(0)
        return self.body.read()

    @cached_property
    def sha256(self) -> str:
        """Return the SHA-256 of the bytes and of the moment that is claimed for them."""
        return hashlib.sha256(self.content + b"@%d" % self.at_ms).hexdigest()

    def clip(self) -> Clip:
        """Return the clip in the bytes.

        Raises:
            GuardError: They aren't a clip within the limits.
        """
        if not self.is_frames:
            return read_clip(self.content)
        try:
            frames = msgspec.json.decode(self.content, type=Frames).frames
        except msgspec.DecodeError as fault:
            raise GuardError(
                ErrorKind.MALFORMED,
                "liveness.bad_frames",
                f"不是带时间的画面 / not frames with times: {fault}",
                remedy="每帧给出 at_ms 与 base64 编码的 image / give each frame at_ms and an image in base64.",
            ) from fault
        return clip_of_frames([one.image for one in frames], [one.at_ms for one in frames])
