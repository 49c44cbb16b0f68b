"""Made-up learners: names, identity numbers with a right check digit, and pictures from the sample media."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from online_guard.errors import ErrorKind, GuardError

REGION = "411526"
"""潢川县 (Huangchuan County)."""
WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
CHECK_DIGITS = "10X98765432"
SURNAMES = "王李张刘陈杨赵黄周吴徐孙马朱胡林郭何高罗郑梁谢宋唐许韩冯邓曹"
GIVEN = ("秀兰", "建国", "伟", "敏", "静", "磊", "丽", "涛", "强", "霞", "刚", "艳", "超")


def name_of(number: int) -> str:
    """Return the made-up name of the n-th learner, from 0."""
    return SURNAMES[number % len(SURNAMES)] + GIVEN[number % len(GIVEN)]


def identity_number(number: int) -> str:
    """Return the made-up identity number of the n-th learner, with the check digit of GB 11643-1999."""
    body = f"{REGION}{1970 + number % 30}{1 + number % 12:02}{1 + number % 28:02}{900 + number % 100:03}"
    total = sum(int(digit) * weight for digit, weight in zip(body, WEIGHTS, strict=True))
    return body + CHECK_DIGITS[total % 11]


@dataclass
class Album:
    """Pictures by enrolment and kind, each kind's pictures one after another.

    Args:
        folder: Of the sample media, with `catalogue.json`.
    """

    folder: Path
    _people: list[dict[str, Any]] = field(default_factory=list)
    _special: dict[str, str] = field(default_factory=dict)
    _taken: dict[tuple[int, str], int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Read the catalogue."""
        catalogue = self.folder / "catalogue.json"
        if not catalogue.exists():
            raise GuardError(
                ErrorKind.NOT_FOUND,
                "demo.no_sample_media",
                "找不到示例照片 / the sample media are missing",
                where=str(catalogue),
                remedy="请在源代码目录中运行演示 / run the demo from a checkout of the source",
            )
        listing = json.loads(catalogue.read_text(encoding="utf-8"))
        self._people = listing["learners"]
        self._special = {Path(row["file"]).stem.replace("-", "_"): row["file"] for row in listing["specials"]}

    def reference(self, number: int) -> bytes:
        """Return the reference photo of the n-th learner."""
        return self._read(self._people[number]["reference"])

    def picture(self, number: int, kind: str) -> bytes:
        """Return the next picture of a kind (`good`, `wrong_person`, `no_face` …) of the n-th learner."""
        files = self._people[number]["snapshots"] if kind == "good" else [self._special[kind]]
        taken = self._taken.get((number, kind), 0)
        self._taken[number, kind] = taken + 1
        content = self._read(files[taken % len(files)])
        return content if taken < len(files) else another_moment(content, taken)

    def _read(self, name: str) -> bytes:
        return (self.folder / name).read_bytes()


def another_moment(content: bytes, number: int) -> bytes:
    """Return a picture as the same camera would have taken it later: the head moved a little, the light changed."""
    picture = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    if picture is None:
        raise GuardError(
            ErrorKind.MALFORMED, "demo.unreadable_picture", "示例照片无法读取 / a sample picture is unreadable"
        )
    rows, columns = np.indices(picture.shape[:2], np.float32)
    shift_x = 5 * np.sin(rows / 37 + number) + 0.05 * (columns - picture.shape[1] / 2)
    shift_y = 4 * np.cos(columns / 41 + 2 * number)
    moved = cv2.remap(picture, columns + shift_x, rows + shift_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    light = 1 + 0.25 * np.cos(columns / 90 + number)
    lit = np.clip(moved * light[..., None], 0, 255).astype(np.uint8)
    return bytes(cv2.imencode(".jpg", lit, [cv2.IMWRITE_JPEG_QUALITY, 88])[1])


def sample_media() -> Path:
    """Return the folder of the sample media in a checkout of the source."""
    return Path(__file__).resolve().parents[3] / "sample_media"
