"""Thousands of damaged files: each gives pixels or a refusal with a known code; the decoder stays small and alive."""

from __future__ import annotations

import io
import random
import struct
import zlib
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from online_guard.errors import GuardError
from online_guard.faces import decoder
from online_guard.faces.decode import MAX_PIXELS, decode
from online_guard.faces.decode_worker import MEMORY_LIMIT_BYTES

FILES = 2400
KNOWN = {
    "image.empty", "image.too_many_bytes", "image.unsupported_format", "image.too_many_pixels", "image.several_frames",
    "image.truncated", "image.malformed", "image.too_much_memory",
}  # fmt: skip
"""Neither `image.decoder_stopped` nor `image.too_slow`: none of these files may stop it."""

Mutation = Callable[[random.Random, bytearray, list[bytes]], bytes]


def flip_bits(chance: random.Random, content: bytearray, _: list[bytes]) -> bytes:
    for _bit in range(chance.choice([1, 2, 8, 60])):
        content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    return bytes(content)


def truncate(chance: random.Random, content: bytearray, _: list[bytes]) -> bytes:
    return bytes(content[: chance.randrange(len(content))])


def splice(chance: random.Random, content: bytearray, others: list[bytes]) -> bytes:
    other = chance.choice(others)
    return (
        bytes(content[: chance.randrange(1, min(len(content), 400))]) + other[chance.randrange(min(len(other), 400)) :]
    )


def repeat_a_piece(chance: random.Random, content: bytearray, _: list[bytes]) -> bytes:
    start = chance.randrange(len(content))
    piece = content[start : start + chance.randrange(1, 300)]
    at = chance.randrange(len(content))
    return bytes(content[:at] + piece * chance.choice([1, 3, 200]) + content[at:])


def blank_a_piece(chance: random.Random, content: bytearray, _: list[bytes]) -> bytes:
    start, size = chance.randrange(len(content)), chance.randrange(1, 60)
    filling = chance.choice([0x00, 0xFF])
    return bytes(content[:start]) + bytes([filling]) * size + bytes(content[start + size :])


def claim_a_size(chance: random.Random, content: bytearray, _: list[bytes]) -> bytes:
    """Write a size, near the limit or far beyond, where the header has its own."""
    width, height = chance.choice([(65_535, 65_535), (4001, 4000), (1, 60_000), (30_000, 9), (0, 9), (61, 40)])
    if chance.random() < 0.03:
        width, height = 4000, 4000  # just allowed, and half a second each
    if content[:2] == b"\xff\xd8":
        at = next(at for at in range(2, len(content)) if content[at] == 0xFF and content[at + 1] in {0xC0, 0xC2})
        struct.pack_into(">HH", content, at + 5, height, width)
    elif content[:4] == b"\x89PNG":
        struct.pack_into(">II", content, 16, width, height)
    elif content[12:16] == b"VP8X":
        content[24:30] = max(width - 1, 0).to_bytes(3, "little") + max(height - 1, 0).to_bytes(3, "little")
    else:
        struct.pack_into("<HH", content, 26, width & 0x3FFF, height & 0x3FFF)
    return mend_checksums(content)


def flip_under_a_right_checksum(chance: random.Random, content: bytearray, others: list[bytes]) -> bytes:
    flip_bits(chance, content, others)
    return mend_checksums(content)


def mend_checksums(content: bytearray) -> bytes:
    """Return a PNG file with the right CRC in each chunk, so that its reader looks further; any other file as it is."""
    at = 8
    while content[:8] == b"\x89PNG\r\n\x1a\n" and at + 12 <= len(content):
        size = struct.unpack_from(">I", content, at)[0]
        if at + 12 + size > len(content):
            break
        struct.pack_into(">I", content, at + 8 + size, zlib.crc32(content[at + 4 : at + 8 + size]))
        at += 12 + size
    return bytes(content)


MUTATIONS: tuple[Mutation, ...] = (
    *(flip_bits, truncate, splice, repeat_a_piece, blank_a_piece, claim_a_size, flip_under_a_right_checksum),
)


def sound_files(picture: NDArray[np.uint8], encoded: Callable[..., bytes]) -> list[bytes]:
    """Return one file of every kind that the door must cope with."""
    image = Image.fromarray(picture)
    clear = image.convert("RGBA")
    clear.putalpha(120)
    exif = Image.Exif()
    exif[0x0112] = 6
    frames: dict[str, Any] = {"save_all": True, "append_images": [image.rotate(90), image.rotate(180)]}
    deep = cv2.imencode(".png", picture.astype(np.uint16) * 257)[1].tobytes()
    return [
        encoded("JPEG", image, exif=exif), encoded("JPEG", image, progressive=True),
        encoded("JPEG", image.convert("L")),
        encoded("JPEG", image.convert("CMYK")), encoded("PNG", image), encoded("PNG", clear), deep,
        cv2.imencode(".png", picture[..., 0].astype(np.uint16) * 257)[1].tobytes(),
        encoded("PNG", image.convert("P"), transparency=1), encoded("PNG", image.convert("1")),
        encoded("PNG", image, **frames), encoded("WEBP", image), encoded("WEBP", clear, lossless=True, exif=exif),
        encoded("WEBP", clear, quality=20), encoded("WEBP", image, **frames),
    ]  # fmt: skip


def outcome_of(content: bytes) -> str:
    try:
        pixels = decode(content)
    except GuardError as refusal:
        return refusal.code
    assert pixels.dtype == np.uint8
    assert pixels.ndim == 3
    assert pixels.shape[2] == 3
    assert 0 < pixels.shape[0] * pixels.shape[1] <= MAX_PIXELS
    return "pixels"


def highest_memory_bytes(process_id: int) -> int:
    status = Path("/proc", str(process_id), "status").read_text(encoding="ascii")
    (line,) = (line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


def test_damaged_files_never_hurt(
    picture: NDArray[np.uint8], encoded: Callable[..., bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decoder, "TIME_LIMIT_S", 60.0)  # a busy computer is no fault of theirs
    chance = random.Random(41)
    sound = sound_files(picture, encoded)
    decode(sound[0])
    processes = {made.process.pid for made in decoder._lent.made if made.process is not None}
    found = {mutation.__name__: Counter[str]() for mutation in MUTATIONS}
    for index in range(FILES):
        mutation = MUTATIONS[index % len(MUTATIONS)]
        content = mutation(chance, bytearray(sound[index // len(MUTATIONS) % len(sound)]), sound)
        found[mutation.__name__][outcome_of(content)] += 1
    codes = sum(found.values(), Counter[str]())
    assert set(codes) - {"pixels"} <= KNOWN, codes
    assert codes["pixels"] > 150, codes
    assert {"image.truncated", "image.malformed", "image.too_many_pixels", "image.several_frames"} <= set(codes)
    assert found["claim_a_size"]["image.too_many_pixels"] > 50
    for process_id in processes:
        assert highest_memory_bytes(process_id) < MEMORY_LIMIT_BYTES
    assert {made.process.pid for made in decoder._lent.made if made.process is not None} == processes


def test_a_bomb_of_256_megapixels_is_refused_by_its_header(monkeypatch: pytest.MonkeyPatch) -> None:
    image = Image.new("1", (16_000, 16_000))
    bomb = io.BytesIO()
    image.save(bomb, "PNG")
    assert len(bomb.getvalue()) < 100_000
    monkeypatch.setattr(decoder, "_lent", None)  # no decoder may be asked
    assert outcome_of(bomb.getvalue()) == "image.too_many_pixels"
