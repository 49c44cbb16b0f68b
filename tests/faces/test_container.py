"""What the container says, before anything is decoded."""

from __future__ import annotations

import struct
from collections.abc import Callable

import pytest
from PIL import Image

from online_guard.errors import ErrorKind, GuardError
from online_guard.faces.container import MAX_JPEG_SCANS, Header, ImageFormat, read_header

Encoder = Callable[..., bytes]


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("JPEG", {}),
        ("JPEG", {"progressive": True}),
        ("PNG", {}),
        ("WEBP", {"lossless": True}),
        ("WEBP", {"quality": 50}),
        ("WEBP", {"quality": 50, "exif": b"Exif\x00\x00MM\x00*\x00\x00\x00\x08\x00\x00"}),
    ],
)
def test_size_is_read_from_each_kind_of_header(encoded: Encoder, kind: str, options: dict[str, object]) -> None:
    assert read_header(encoded(kind, **options)) == Header(ImageFormat(kind), 60, 40, 1)


@pytest.mark.parametrize(
    "content",
    [
        b"GIF89a" + bytes(40),
        b"BM" + bytes(60),
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"<!doctype html><img src=x>",
        b"II*\x00" + bytes(40),
        b"%PDF-1.7",
        b"\x00\x00\x00\x20ftypavif" + bytes(40),
        b"RIFF\x00\x00\x00\x00WAVE" + bytes(40),
        b"\xff\xd8",
        b"not a picture",
    ],
)
def test_other_formats_are_refused_by_their_bytes(content: bytes) -> None:
    with pytest.raises(GuardError) as refusal:
        read_header(content)
    assert (refusal.value.kind, refusal.value.code) == (ErrorKind.UNSUPPORTED, "image.unsupported_format")


def frames_of(encoded: Encoder, kind: str, count: int) -> int:
    pictures = [Image.new("RGB", (20, 20), (90 * index, 0, 50)) for index in range(count)]
    return read_header(encoded(kind, pictures[0], save_all=True, append_images=pictures[1:])).frames


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_animations_show_more_than_one_frame(encoded: Encoder, kind: str) -> None:
    assert frames_of(encoded, kind, 3) > 1


def test_further_pictures_after_the_end_of_a_jpeg_do_not_count(encoded: Encoder) -> None:
    second = Image.new("RGB", (500, 400))
    content = encoded("MPO", save_all=True, append_images=[second])
    assert read_header(content) == Header(ImageFormat.JPEG, 60, 40, 1)


def test_size_of_a_jpeg_is_not_taken_from_its_thumbnail(encoded: Encoder) -> None:
    thumbnail = encoded("JPEG", Image.new("RGB", (9, 9)))
    segment = b"\xff\xe2" + struct.pack(">H", len(thumbnail) + 2) + thumbnail
    content = encoded("JPEG")
    assert read_header(content[:2] + segment + content[2:]).width == 60


def test_a_second_frame_header_is_refused(encoded: Encoder) -> None:
    content = encoded("JPEG")
    at = content.index(b"\xff\xc0")
    frame = content[at : at + 19]
    with pytest.raises(GuardError, match="several frame headers"):
        read_header(content[:at] + frame + content[at:])


def test_thousands_of_tiny_scans_are_refused(encoded: Encoder) -> None:
    content = encoded("JPEG", progressive=True)
    last = content.rindex(b"\xff\xda")
    scan, end = content[last:-2], content[-2:]
    assert read_header(content[:last] + scan * 5 + end).width == 60
    with pytest.raises(GuardError, match="scans"):
        read_header(content[:last] + scan * MAX_JPEG_SCANS + end)


def test_a_second_ihdr_is_refused(png_of_size: Callable[[int, int], bytes]) -> None:
    content = png_of_size(20, 20)
    with pytest.raises(GuardError, match="IHDR"):
        read_header(content[:33] + content[8:])


@pytest.mark.parametrize("size", [(0, 5), (5, 0)])
def test_a_picture_without_pixels_is_refused(png_of_size: Callable[[int, int], bytes], size: tuple[int, int]) -> None:
    with pytest.raises(GuardError, match="no picture"):
        read_header(png_of_size(*size))


def test_an_unknown_first_chunk_of_webp_is_refused(encoded: Encoder) -> None:
    with pytest.raises(GuardError, match="first chunk"):
        read_header(encoded("WEBP").replace(b"VP8 ", b"VP9 "))
