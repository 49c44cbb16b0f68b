"""Clips: read with the times of their container, held to limits, and refused with a named reason."""

from __future__ import annotations

import io
import json
import struct
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from online_guard.errors import GuardError
from online_guard.faces import clip_limits
from online_guard.faces.clips import Clip, clip_of_frames, read_clip, read_frames, write_clip
from online_guard.faces.kept_frames import KeptFrames, fitted

from .conftest import SHARED


def moving(frames: int, height: int = 48, width: int = 64) -> tuple[np.ndarray, ...]:
    """Return a bright block that walks to the right; red at the left of the picture, blue at the right."""
    pictures = []
    for number in range(frames):
        picture = np.full((height, width, 3), 60, np.uint8)
        picture[:, : width // 2, 0], picture[:, width // 2 :, 2] = 200, 200
        picture[8:24, 2 + number % (width - 20) : 18 + number % (width - 20)] = 250
        pictures.append(picture)
    return tuple(pictures)


def jpeg(picture: np.ndarray) -> bytes:
    out = io.BytesIO()
    Image.fromarray(picture).save(out, "JPEG", quality=95)
    return out.getvalue()


def webm(path: Path, frames: tuple[np.ndarray, ...], fps: float = 12.5) -> bytes:
    height, width = frames[0].shape[:2]
    writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*"VP80"), fps, (width, height))
    for frame in frames:
        writer.write(cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))
    writer.release()
    return path.read_bytes()


@pytest.fixture(scope="module")
def mp4() -> bytes:
    return write_clip(Clip(moving(30), np.arange(30) / 12.5))


def code(refused: Callable[[], object]) -> str:
    with pytest.raises(GuardError) as caught:
        refused()
    assert " / " in caught.value.message
    return caught.value.code


def frames_or_code(data: bytes) -> int | str:
    try:
        return len(read_clip(data).frames)
    except GuardError as refusal:
        return refusal.code


def test_a_written_clip_is_read_again(mp4: bytes, tmp_path: Path) -> None:
    file = tmp_path / "named.wrongly"
    file.write_bytes(mp4)
    for clip in (read_clip(mp4), read_clip(file)):
        assert len(clip.frames) == 30
        np.testing.assert_allclose(clip.times_s, np.arange(30) / 12.5, atol=0.002)
        assert clip.fps == pytest.approx(12.5, abs=0.01)
        for seen, shown in zip(clip.frames, moving(30), strict=True):
            assert np.abs(seen.astype(int) - shown).mean() < 6  # RGB stays RGB: swapped channels differ by 70


def test_webm_is_read(tmp_path: Path) -> None:
    clip = read_clip(webm(tmp_path / "clip.webm", moving(20)))
    np.testing.assert_allclose(clip.times_s, np.arange(20) / 12.5, atol=0.002)
    assert np.abs(clip.frames[7].astype(int) - moving(20)[7]).mean() < 8


def test_rotation_in_the_container_is_honoured(mp4: bytes) -> None:
    # The matrix of tkhd (ISO/IEC 14496-12, 8.3.2) turned by 90 degrees: x' = y, y' = width - x.
    at = mp4.index(b"tkhd") + 4 + 4 + 20 + 16
    turned = struct.pack(">9i", 0, 1 << 16, 0, -(1 << 16), 0, 0, 48 << 16, 0, 1 << 30)
    clip = read_clip(mp4[:at] + turned + mp4[at + 36 :])
    assert clip.frames[0].shape == (64, 48, 3)
    assert np.abs(clip.frames[0].astype(int) - np.rot90(moving(1)[0], -1)).mean() < 6


def test_frames_with_uneven_times() -> None:
    clip = clip_of_frames([jpeg(picture) for picture in moving(4)], [1000, 1040, 1200, 1210])
    np.testing.assert_allclose(clip.times_s, [0, 0.04, 0.2, 0.21])
    assert np.abs(clip.frames[3].astype(int) - moving(4)[3]).mean() < 6


@pytest.mark.parametrize(
    ("at_ms", "expected"),
    [
        ([0, 40], "clip.times"),
        ([0, 40, 40], "clip.times"),
        ([0, 40, 30], "clip.times"),
        ([0, 40, 60_001], "clip.too_long"),
    ],
)
def test_bad_times_are_refused(at_ms: list[int], expected: str) -> None:
    images = [jpeg(picture) for picture in moving(3)]
    assert code(lambda: clip_of_frames(images, at_ms)) == expected
    assert len(clip_of_frames(images, [0, 40, 60_000]).frames) == 3


def test_a_bad_frame_is_named() -> None:
    with pytest.raises(GuardError) as caught:
        clip_of_frames([jpeg(moving(1)[0]), b"nothing"], [0, 40])
    assert (caught.value.code, caught.value.where) == ("image.unsupported_format", "/frames/1")
    other = [jpeg(moving(1)[0]), jpeg(moving(1, 40)[0])]
    assert code(lambda: clip_of_frames(other, [0, 40])) == "clip.sizes"
    assert code(lambda: clip_of_frames([], [])) == "clip.empty"


def test_hostile_bytes_are_refused(mp4: bytes, tmp_path: Path) -> None:
    cases = {
        b"": "clip.empty",
        b"no clip at all, only text" * 40: "clip.unsupported_format",
        b"\x1a\x45\xdf\xa3matroska" + b"\0" * 99: "clip.unsupported_format",
        b"\0\0\0\x18ftypmp42" + b"\0" * 4000: "clip.malformed",
        b"\x1a\x45\xdf\xa3\x01webm" + b"\0" * 4000: "clip.malformed",
        mp4[: len(mp4) // 2]: "clip.malformed",
        mp4[: mp4.index(b"mdat") + 4] + b"\xaa" * 9000: "clip.malformed",
    }
    for data, expected in cases.items():
        assert code(lambda data=data: read_clip(data)) == expected
    assert code(lambda: read_clip(tmp_path / "absent.mp4")) == "clip.missing"


def test_a_webm_without_its_end_is_refused(tmp_path: Path) -> None:
    whole = webm(tmp_path / "clip.webm", moving(60))
    assert len(read_clip(whole).frames) == 60
    assert code(lambda: read_clip(whole[: len(whole) // 2])) == "clip.malformed"


def test_limits_below_and_above(mp4: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    walk = moving(901, 16, 32)
    for frames, expected in ((900, 900), (901, "clip.too_long")):
        assert frames_or_code(write_clip(Clip(walk[:frames], np.arange(frames) / 30))) == expected
    for frames, expected in ((61, 61), (62, "clip.too_long")):  # the last one is shown at 60 s, at 61 s
        assert frames_or_code(write_clip(Clip(walk[:frames], np.arange(frames, dtype=float)))) == expected
    monkeypatch.setattr(clip_limits, "MAX_BYTES", len(mp4))
    assert frames_or_code(mp4) == 30
    monkeypatch.setattr(clip_limits, "MAX_BYTES", len(mp4) - 1)
    assert frames_or_code(mp4) == "clip.too_many_bytes"


def test_a_side_beyond_the_limit_is_refused_before_decoding() -> None:
    wide = write_clip(Clip(moving(2, 16, 1936), np.arange(2) / 15))
    assert code(lambda: read_clip(wide)) == "clip.too_many_pixels"


def test_a_stream_wider_than_its_container_says_is_refused() -> None:
    wide = bytearray(write_clip(Clip(moving(2, 16, 1936), np.arange(2) / 15)))
    # ISO/IEC 14496-12: width and height in stsd (12.1.3) and, as 16.16, in tkhd (8.3.2).
    entry, track = wide.index(b"mp4v", wide.index(b"stsd")) + 28, wide.index(b"tkhd") + 80
    assert wide[entry : entry + 4] == struct.pack(">HH", 1936, 16)
    assert wide[track : track + 8] == struct.pack(">II", 1936 << 16, 16 << 16)
    wide[entry : entry + 4], wide[track : track + 8] = (
        struct.pack(">HH", 64, 16),
        struct.pack(">II", 64 << 16, 16 << 16),
    )
    assert code(lambda: read_clip(bytes(wide))) == "clip.too_many_pixels"


def test_large_frames_are_kept_small() -> None:
    large = write_clip(Clip(moving(4, 720, 1280), np.arange(4) / 15))
    assert read_clip(large).frames[0].shape == (360, 640, 3)


@pytest.mark.parametrize(("room_for", "side"), [(4, 640), (3, 320)])
def test_all_frames_are_halved_when_there_is_no_room(room_for: int, side: int) -> None:
    kept = KeptFrames(np.empty(room_for * 360 * 640 * 3, np.uint8))
    shown = moving(4, 720, 1280)
    for picture in shown:
        kept.add(picture, where="")
    assert kept.frames().shape == (4, side * 9 // 16, side, 3)
    for seen, picture in zip(kept.frames(), shown, strict=True):
        assert np.abs(seen.astype(int) - fitted(picture, side)).mean() < 1


def test_a_folder_of_frames_with_times(tmp_path: Path) -> None:
    for number, picture in enumerate(moving(3)):
        (tmp_path / f"{number}.jpg").write_bytes(jpeg(picture))
    assert code(lambda: read_frames(tmp_path)) == "clip.times"
    times = tmp_path / "times.json"
    times.write_text(json.dumps([0, 50, 150]))
    np.testing.assert_allclose(read_frames(tmp_path).times_s, [0, 0.05, 0.15])
    times.write_text(json.dumps({"2.jpg": 10, "0.jpg": 60, "1.jpg": 80}))
    clip = read_frames(tmp_path)
    np.testing.assert_allclose(clip.times_s, [0, 0.05, 0.07])
    assert np.abs(clip.frames[0].astype(int) - moving(3)[2]).mean() < 6
    for wrong in ([0, 50], {"0.jpg": 0, "1.jpg": 1}, 7, {"0.jpg": 0, "1.jpg": 1, "3.jpg": 2}):
        times.write_text(json.dumps(wrong))
        assert code(lambda: read_frames(tmp_path)) == "clip.times"


def test_a_real_clip_is_read_with_its_times() -> None:
    file = SHARED / "media" / "live" / "DinoMan_blink-detector__example_example.mp4"
    if not file.is_file():
        pytest.skip(f"no real clips: {file} does not exist (set ONLINE_GUARD_SHARED)")
    clip = read_clip(file)
    assert (len(clip.frames), clip.frames[0].shape) == (75, (128, 96, 3))
    assert clip.fps == pytest.approx(25, abs=0.01)
    assert code(lambda: read_clip(file.read_bytes()[:6000])) == "clip.malformed"
