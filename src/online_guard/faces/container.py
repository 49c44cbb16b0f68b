"""Reads format, size, frames and completeness of JPEG, PNG and WebP from their structure; decodes nothing.

Sources: JPEG ITU-T T.81 annex B; PNG (W3C, third edition) sections 5 and 11; WebP container, RFC 9649.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import NoReturn

from online_guard.errors import ErrorKind, GuardError

MAX_JPEG_SCANS = 64
"""A usual progressive JPEG has about ten; thousands of tiny scans over a large picture cost minutes to decode."""


class ImageFormat(StrEnum):
    """The accepted formats, by Pillow's name."""

    JPEG = "JPEG"
    PNG = "PNG"
    WEBP = "WEBP"


@dataclass(frozen=True)
class Header:
    """What a container says about its picture: stored size in px (before orientation) and number of frames."""

    format: ImageFormat
    width: int
    height: int
    frames: int


def read_header(image_bytes: bytes) -> Header:
    """Return the header of a complete JPEG, PNG or WebP file.

    Raises:
        GuardError: `image.unsupported_format`, `image.truncated` or `image.malformed`.
    """
    for magic, read in _READERS:
        if magic.match(image_bytes):
            return read(image_bytes)
    raise GuardError(
        ErrorKind.UNSUPPORTED,
        "image.unsupported_format",
        "只接受 JPEG、PNG 或 WebP 图片 / only JPEG, PNG or WebP images are accepted",
        remedy="请转换为 JPEG、PNG 或 WebP / convert the picture to JPEG, PNG or WebP",
    )


def _truncated() -> NoReturn:
    raise GuardError(
        ErrorKind.MALFORMED,
        "image.truncated",
        "图片不完整，结尾缺失 / the image is truncated: its end is missing",
        remedy="请重新上传完整图片 / upload the whole file again",
    )


def _malformed(reason: str) -> NoReturn:
    raise GuardError(
        ErrorKind.MALFORMED,
        "image.malformed",
        f"图片结构错误 / the image structure is wrong ({reason})",
        remedy="请重新拍摄或重新导出该图片 / take or export the picture again",
    )


_MARKER = re.compile(rb"\xff([^\x00\xff\xd0-\xd7])")
"""The next JPEG marker that isn't a restart and isn't a stuffed byte of coded data; more bytes 0xFF may precede it."""
_SOI, _EOI, _SOS = 0xD8, 0xD9, 0xDA
_START_OF_FRAME = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_WITHOUT_LENGTH = frozenset({0x01, _SOI})


def _read_jpeg(data: bytes) -> Header:
    """Return the header of the first picture in a JPEG file."""
    scans, size = 0, (0, 0)
    for marker, at, length in _jpeg_segments(data):
        if marker in _START_OF_FRAME:
            if length < 8:
                _malformed("frame header")
            if scans or size != (0, 0):
                _malformed("several frame headers")
            height, width = struct.unpack_from(">HH", data, at + 3)
            size = (width, height)
        scans += marker == _SOS
        if scans > MAX_JPEG_SCANS:
            _malformed(f"more than {MAX_JPEG_SCANS} scans")
    if not scans or 0 in size:
        _malformed("no picture")
    return Header(ImageFormat.JPEG, *size, frames=1)


def _jpeg_segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Yield marker, offset and length of each segment up to the end marker of the first picture.

    Offset and length count from the length field; coded data between segments are skipped.
    """
    at = 2
    while found := _MARKER.search(data, at):
        marker, at = found[1][0], found.end()
        if marker == _EOI:
            return
        if marker in _WITHOUT_LENGTH:
            continue
        if at + 2 > len(data):
            break
        length = struct.unpack_from(">H", data, at)[0]
        if length < 2:
            _malformed("segment length")
        if at + length > len(data):
            break
        yield marker, at, length
        at += length
    _truncated()


def _read_png(data: bytes) -> Header:
    """Return the header of a PNG file, walked chunk by chunk to IEND."""
    at, size, frames = 8, (0, 0), 1
    while at + 12 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        if at + 12 + length > len(data):
            _truncated()
        if (kind == b"IHDR") != (at == 8) or (kind == b"IHDR" and length != 13):
            _malformed("IHDR")
        if kind == b"IHDR":
            size = struct.unpack_from(">II", data, at + 8)
        elif kind == b"acTL" and length == 8:
            frames = struct.unpack_from(">I", data, at + 8)[0]
        elif kind == b"IEND":
            if 0 in size:
                _malformed("no picture")
            return Header(ImageFormat.PNG, *size, frames=frames)
        at += 12 + length
    _truncated()


def _read_webp(data: bytes) -> Header:
    """Return the header of a WebP file from its first chunk; `frames` is 2 for any animation."""
    if len(data) < 30 or struct.unpack_from("<I", data, 4)[0] + 8 > len(data):
        _truncated()
    kind, frames = data[12:16], 1
    if kind == b"VP8X":
        width, height = (int.from_bytes(data[at : at + 3], "little") + 1 for at in (24, 27))
        frames = 2 if data[20] & 0b10 else 1
    elif kind == b"VP8L":
        bits = struct.unpack_from("<I", data, 21)[0]
        width, height = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    elif kind == b"VP8 ":
        width, height = (side & 0x3FFF for side in struct.unpack_from("<HH", data, 26))
    else:
        _malformed("first chunk")
    if not width or not height:
        _malformed("no picture")
    return Header(ImageFormat.WEBP, width, height, frames=frames)


_READERS: tuple[tuple[re.Pattern[bytes], Callable[[bytes], Header]], ...] = (
    (re.compile(rb"\xff\xd8\xff"), _read_jpeg),
    (re.compile(rb"\x89PNG\r\n\x1a\n"), _read_png),
    (re.compile(rb"RIFF....WEBP", re.DOTALL), _read_webp),
)
"""Each format by its first bytes."""
