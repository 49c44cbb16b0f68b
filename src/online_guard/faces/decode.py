"""The border where image bytes of strangers become pixels, or are refused with a named reason.

Size, format and frames are read from the container's own header by `container`, before Pillow sees a byte; Pillow then
decodes. This process must not import `face_recognition`: it makes Pillow accept truncated images everywhere, so the
container's end is checked here as well.
"""

from __future__ import annotations

import io
import struct

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from online_guard.errors import ErrorKind, GuardError

from .container import Header, read_header

RgbPixels = NDArray[np.uint8]
"""A picture: rows × columns × 3 (red, green, blue), 0 to 255, row 0 at the top, upright."""

MAX_BYTES = 4 * 1024 * 1024
MAX_PIXELS = 16_000_000

_ORIENTATION_TAG = 0x0112
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""EXIF orientation → what turns the stored picture upright (EXIF 2.32, tag 274)."""

_DECODER_FAULTS = (
    *(OSError, SyntaxError, ValueError, IndexError, TypeError, KeyError, OverflowError, struct.error),
    Image.DecompressionBombError,
)
"""What Pillow raises on bytes it can't make sense of."""


def decode(image_bytes: bytes) -> RgbPixels:
    """Return the upright RGB pixels of one JPEG, PNG or WebP picture.

    The format is told from the bytes, never from a claimed type. Metadata is dropped; the EXIF orientation is honoured
    first. Grey, palette and CMYK pictures become RGB, transparent ones lie on white, 16-bit ones keep their upper byte.
    Of a JPEG that carries further pictures (gain map, stereo) the first is read, as every viewer does.

    Args:
        image_bytes: The whole file, at most `MAX_BYTES` and `MAX_PIXELS`.

    Returns:
        uint8 array, rows × columns × 3.

    Raises:
        GuardError: `image.empty`, `image.too_many_bytes`, `image.unsupported_format`, `image.too_many_pixels`,
            `image.several_frames`, `image.truncated` or `image.malformed`.

    Source: SPEC section 8 (JPEG, PNG or WebP, ≤ 4 MiB, ≤ 16 MP).
    """
    header = check_header(image_bytes)
    try:
        return _pixels(image_bytes, header)
    except _DECODER_FAULTS as fault:
        code = "image.truncated" if "truncated" in str(fault) else "image.malformed"
        raise GuardError(
            ErrorKind.MALFORMED,
            code,
            f"图片数据损坏，无法解码 / the image data is damaged and can't be decoded ({fault})",
            remedy="请重新拍摄或重新导出该图片 / take or export the picture again",
        ) from fault


def check_header(image_bytes: bytes) -> Header:
    """Return format, size and frames of a picture within the limits, without decoding a pixel.

    Raises:
        GuardError: As `decode`, except for faults that only show in the pixel data.
    """
    if not image_bytes:
        raise GuardError(ErrorKind.MALFORMED, "image.empty", "图片为空 / the image is empty")
    if len(image_bytes) > MAX_BYTES:
        raise GuardError(
            ErrorKind.TOO_LARGE,
            "image.too_many_bytes",
            f"图片为 {len(image_bytes)} 字节，超过上限 {MAX_BYTES} 字节 / "
            f"the image has {len(image_bytes)} bytes, more than {MAX_BYTES}",
            remedy="请缩小图片后重试 / send a smaller picture",
        )
    header = read_header(image_bytes)
    if header.width * header.height > MAX_PIXELS:
        raise GuardError(
            ErrorKind.TOO_LARGE,
            "image.too_many_pixels",
            f"图片为 {header.width}×{header.height} 像素，超过上限 {MAX_PIXELS} 像素 / "
            f"the image is {header.width}×{header.height} px, more than {MAX_PIXELS} px",
            remedy="请缩小图片后重试 / send a smaller picture",
        )
    if header.frames != 1:
        raise GuardError(
            ErrorKind.UNSUPPORTED,
            "image.several_frames",
            "不接受动图或多帧图片 / animated or multi-frame images are not accepted",
            remedy="请发送单张静态图片 / send one still picture",
        )
    return header


def _pixels(image_bytes: bytes, header: Header) -> RgbPixels:
    """Return upright RGB pixels of a picture whose header was checked."""
    with Image.open(io.BytesIO(image_bytes), formats=[header.format.value]) as image:
        if image.size != (header.width, header.height):
            raise ValueError(f"two different sizes: {header.width}×{header.height} and {image.width}×{image.height}")
        image.load()
        turn = _UPRIGHT.get(_orientation(image))
        return _rgb(image if turn is None else image.transpose(turn))


def _orientation(image: Image.Image) -> int:
    """Return the EXIF orientation, 1 where there is none; like any viewer, ignore metadata that can't be read."""
    try:
        value = image.getexif().get(_ORIENTATION_TAG, 1)
    except _DECODER_FAULTS:
        return 1
    return value if isinstance(value, int) else 1


def _rgb(image: Image.Image) -> RgbPixels:
    """Return an image of any mode as RGB."""
    if image.mode.startswith("I"):
        # Pillow's own conversion of 16-bit grey clips everything above 255 to white.
        grey = (np.asarray(image).astype(np.int64) >> 8).clip(0, 255).astype(np.uint8)
        return np.ascontiguousarray(np.broadcast_to(grey[..., None], (*grey.shape, 3)))
    if "A" in image.getbands() or "transparency" in image.info:
        layer = image.convert("RGBA")
        paper = Image.new("RGBA", layer.size, "white")
        image = Image.alpha_composite(paper, layer)
    return np.array(image.convert("RGB"), dtype=np.uint8)
