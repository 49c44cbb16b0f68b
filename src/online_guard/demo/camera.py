"""What stands before a camera when the service asks for a liveness check: the learner, or something held before it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from online_guard.faces.clips import write_clip
from online_guard.simulate.face_attacks import bent_photo
from online_guard.simulate.head_clips import painted_clip
from online_guard.terms import Action

FPS = 15
SLOW_FPS = 6
"""Below 8 frames a second there is no verdict."""
STAND_IN = 12
"""The learner whose face answers for others: one who cheats too."""
GENUINE, SLOW, REPLAY = "genuine", "slow_camera", "replay"
ATTACKS = (REPLAY, "bent_photo", "stand_in", "wrong_order")
LABELS: dict[str, tuple[str, str]] = {
    GENUINE: ("本人按要求做动作", "the learner does what is asked"),
    SLOW: ("摄像头太慢", "a camera that is too slow"),
    "bent_photo": ("举着本人照片弯动", "a photo of the learner, bent to and fro"),
    "stand_in": ("他人代做", "another person"),
    "wrong_order": ("本人按别的顺序做动作", "the learner, in another order"),
    REPLAY: ("重放以前通过的视频", "a clip that passed before, sent again"),
}
"""Each kind of clip in Chinese and English."""


@dataclass
class Camera:
    """Clips of learners by their number, from 0; each genuine one is another sitting."""

    _sittings: int = 0
    _passed: dict[int, bytes] = field(default_factory=dict)
    _shown: Counter[tuple[int, str]] = field(default_factory=Counter)

    def genuine(self, number: int, actions: Sequence[Action], fps: float = FPS) -> bytes:
        """Return an MP4 of a learner who does the actions."""
        self._sittings += 1
        return write_clip(painted_clip(number + 1, actions, self._sittings, fps))

    def keep(self, number: int, clip: bytes) -> None:
        """Remember a clip of a learner that passed."""
        self._passed[number] = clip

    def attack(self, number: int, actions: Sequence[Action]) -> tuple[str, bytes]:
        """Return kind and MP4 of the attack that was shown least for a learner; a replay needs a clip that passed."""
        kind = min(
            (kind for kind in ATTACKS if kind != REPLAY or number in self._passed),
            key=lambda kind: self._shown[number, kind],
        )
        self._shown[number, kind] += 1
        return kind, self._makers()[kind](number, actions)

    def _makers(self) -> dict[str, Callable[[int, Sequence[Action]], bytes]]:
        return {
            "bent_photo": lambda number, _: self._bent_photo(number),
            "stand_in": lambda _, actions: self.genuine(STAND_IN - 1, actions),
            "wrong_order": lambda number, actions: self.genuine(number, tuple(reversed(actions))),
            REPLAY: lambda number, _: self._passed[number],
        }

    def _bent_photo(self, number: int) -> bytes:
        self._sittings += 1
        photo = painted_clip(number + 1, (), self._sittings, FPS).frames[0]
        return write_clip(bent_photo(photo, self._sittings, FPS))
