"""The border: limits, formats, orientation, conversions, refusals."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image, ImageFile

from online_guard.errors import ErrorKind, GuardError
from online_guard.faces.decode import MAX_BYTES, MAX_PIXELS, check_header, decode

Encoder = Callable[..., bytes]
Png = Callable[[int, int], bytes]


def refusal_of(content: bytes) -> GuardError:
    with pytest.raises(GuardError) as refusal:
        decode(content)
    return refusal.value


@pytest.mark.parametrize(("kind", "options"), [("PNG", {}), ("WEBP", {"lossless": True})])
def test_lossless_formats_give_back_every_pixel(
    encoded: Encoder, picture: NDArray[np.uint8], kind: str, options: dict[str, Any]
) -> None:
    pixels = decode(encoded(kind, **options))
    assert pixels.dtype == np.uint8
    np.testing.assert_array_equal(pixels, picture)


@pytest.mark.parametrize("kind", ["JPEG", "WEBP"])
def test_lossy_formats_come_as_rgb(encoded: Encoder, picture: NDArray[np.uint8], kind: str) -> None:
    smooth = cv2.GaussianBlur(picture, (0, 0), 3)
    pixels = decode(encoded(kind, Image.fromarray(smooth), quality=95))
    assert np.abs(pixels.astype(int) - smooth).mean() < 6


@pytest.mark.parametrize("mode", ["1", "L", "P", "LA", "RGBA", "CMYK"])
def test_every_mode_becomes_rgb(encoded: Encoder, picture: NDArray[np.uint8], mode: str) -> None:
    image = Image.fromarray(picture).convert(mode)
    pixels = decode(encoded("JPEG" if mode == "CMYK" else "PNG", image))
    assert pixels.shape == (40, 60, 3)
    assert np.abs(pixels.astype(int) - np.asarray(image.convert("RGB"))).max() <= (0 if mode != "CMYK" else 40)


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_transparency_lies_on_white(encoded: Encoder, kind: str) -> None:
    image = Image.new("RGBA", (8, 8), (0, 0, 0, 0))
    image.paste((10, 20, 30, 255), (0, 0, 4, 8))
    pixels = decode(encoded(kind, image, **({"lossless": True} if kind == "WEBP" else {})))
    assert pixels[0, 0].tolist() == [10, 20, 30]
    assert pixels[0, 7].tolist() == [255, 255, 255]


def test_a_transparent_palette_colour_lies_on_white(encoded: Encoder) -> None:
    image = Image.new("P", (4, 4), 1)
    image.putpalette([0, 0, 0, 200, 0, 0])
    assert decode(encoded("PNG", image, transparency=1))[0, 0].tolist() == [255, 255, 255]


@pytest.mark.parametrize("channels", [1, 3])
def test_sixteen_bits_keep_their_upper_byte(channels: int) -> None:
    deep = np.full((5, 7, channels), 0x8040, np.uint16)
    pixels = decode(cv2.imencode(".png", deep)[1].tobytes())
    assert pixels.shape == (5, 7, 3)
    assert set(np.unique(pixels)) == {0x80}


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize(
    ("orientation", "upright"),
    [
        (1, lambda p: p),
        (2, lambda p: p[:, ::-1]),
        (3, lambda p: p[::-1, ::-1]),
        (4, lambda p: p[::-1]),
        (5, lambda p: p.transpose(1, 0, 2)),
        (6, lambda p: np.rot90(p, -1)),
        (7, lambda p: np.rot90(p, -1)[::-1]),
        (8, lambda p: np.rot90(p, 1)),
    ],
)
def test_exif_orientation_turns_the_picture_upright(
    encoded: Encoder, kind: str, orientation: int, upright: Callable[[NDArray[np.uint8]], NDArray[np.uint8]]
) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    options: dict[str, Any] = {"lossless": True} if kind == "WEBP" else {}
    stored = decode(encoded(kind, **options))
    turned = decode(encoded(kind, exif=exif, **options))
    np.testing.assert_array_equal(turned, upright(stored))


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")  # Pillow says that the metadata is corrupt
@pytest.mark.parametrize("exif", [b"Exif\x00\x00garbage", b"Exif\x00\x00MM\x00*\xff\xff\xff\xff"])
def test_unreadable_exif_is_ignored(encoded: Encoder, exif: bytes) -> None:
    assert decode(encoded("JPEG", exif=exif)).shape == (40, 60, 3)


def test_empty_bytes_are_refused() -> None:
    refusal = refusal_of(b"")
    assert (refusal.kind, refusal.code) == (ErrorKind.MALFORMED, "image.empty")


def test_bytes_beyond_the_limit_are_refused(encoded: Encoder) -> None:
    content = encoded("JPEG")
    padding = bytes(MAX_BYTES - len(content))
    assert decode(content + padding).shape == (40, 60, 3)
    refusal = refusal_of(content + padding + b"\x00")
    assert (refusal.kind, refusal.code) == (ErrorKind.TOO_LARGE, "image.too_many_bytes")


def bombs(encoded: Encoder, png_of_size: Png) -> dict[str, bytes]:
    """Return small files that claim 256 megapixels."""
    jpeg = bytearray(encoded("JPEG"))
    at = jpeg.index(b"\xff\xc0")
    jpeg[at + 5 : at + 9] = struct.pack(">HH", 16000, 16000)
    lossy = bytearray(encoded("WEBP"))
    lossy[26:30] = struct.pack("<HH", 16000, 16000)
    lossless = bytearray(encoded("WEBP", lossless=True))
    lossless[21:25] = struct.pack("<I", 15999 | 15999 << 14)
    extended = bytearray(encoded("WEBP", exif=b"Exif\x00\x00MM\x00*\x00\x00\x00\x08\x00\x00"))
    extended[24:30] = (15999).to_bytes(3, "little") * 2
    return {
        "png": png_of_size(16000, 16000),
        "jpeg": bytes(jpeg),
        "lossy": bytes(lossy),
        "lossless": bytes(lossless),
        "extended": bytes(extended),
    }


@pytest.mark.parametrize("name", ["png", "jpeg", "lossy", "lossless", "extended"])
def test_a_decompression_bomb_is_refused_before_pillow_sees_it(
    encoded: Encoder, png_of_size: Png, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    content = bombs(encoded, png_of_size)[name]

    def opened(*_: object, **__: object) -> None:
        pytest.fail("Pillow was asked to open a bomb")

    monkeypatch.setattr(Image, "open", opened)
    refusal = refusal_of(content)
    assert (refusal.kind, refusal.code) == (ErrorKind.TOO_LARGE, "image.too_many_pixels")
    assert "16000×16000" in refusal.message


def test_sixteen_megapixels_are_the_last_that_pass(png_of_size: Png) -> None:
    assert MAX_PIXELS == 4000 * 4000
    assert check_header(png_of_size(4000, 4000)).width == 4000
    with pytest.raises(GuardError, match="4000×4001"):
        check_header(png_of_size(4000, 4001))


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_animations_are_refused(encoded: Encoder, kind: str) -> None:
    frames = [Image.new("RGB", (20, 20), (90 * index, 0, 50)) for index in range(3)]
    refusal = refusal_of(encoded(kind, frames[0], save_all=True, append_images=frames[1:]))
    assert (refusal.kind, refusal.code) == (ErrorKind.UNSUPPORTED, "image.several_frames")


FORMATS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("JPEG", {}),
    ("JPEG", {"progressive": True}),
    ("PNG", {}),
    ("WEBP", {}),
    ("WEBP", {"lossless": True}),
)


@pytest.mark.parametrize("tolerant", [False, True])
@pytest.mark.parametrize(("kind", "options"), FORMATS)
def test_every_truncated_file_is_refused(
    encoded: Encoder, monkeypatch: pytest.MonkeyPatch, kind: str, options: dict[str, Any], tolerant: bool
) -> None:
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", tolerant)  # as importing face_recognition would
    content = encoded(kind, **options)
    for end in range(30, len(content), 7):
        assert refusal_of(content[:end]).code in {"image.truncated", "image.malformed"}
    assert refusal_of(content[:-1]).code == "image.truncated"


def test_a_png_whose_pixels_end_early_is_refused(png_of_size: Png) -> None:
    refusal = refusal_of(png_of_size(50, 50))
    assert (refusal.kind, refusal.code) == (ErrorKind.MALFORMED, "image.truncated")


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")  # Pillow says that the metadata is corrupt
@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_damaged_bytes_give_a_picture_or_a_refusal(encoded: Encoder, data: st.DataObject) -> None:
    kind, options = data.draw(st.sampled_from(FORMATS))
    content = bytearray(encoded(kind, **options))
    for _ in range(data.draw(st.integers(1, 6))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    outcome: NDArray[np.uint8] | str
    try:
        outcome = decode(bytes(content))
    except GuardError as refusal:
        outcome = refusal.code
    if isinstance(outcome, str):
        assert outcome.startswith("image.")
    else:
        assert outcome.dtype == np.uint8
        assert outcome.shape[2:] == (3,)


def test_refusals_speak_chinese_first() -> None:
    message = refusal_of(b"GIF89a").message
    chinese, english = message.split(" / ")
    assert "图片" in chinese
    assert english.isascii()
