"""The border where image bytes of strangers become pixels, or are refused with a named reason.

Size, format and frames are read from the container's own header by `container`, before Pillow sees a byte; Pillow then
decodes in a process of its own (`decoder`, `decode_worker`) with a limit of memory and of time.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from online_guard.errors import ErrorKind, GuardError

from .container import Header, read_header
from .decoder import MAX_PIXELS, decoded

RgbPixels = NDArray[np.uint8]
"""A picture: rows × columns × 3 (red, green, blue), 0 to 255, row 0 at the top, upright."""

MAX_BYTES = 4 * 1024 * 1024


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
            `image.several_frames`, `image.truncated`, `image.malformed`, `image.too_much_memory`, `image.too_slow`,
            `image.decoder_stopped`; or `image.no_decoder` when its process can't be started.

    Source: SPEC section 8 (JPEG, PNG or WebP, ≤ 4 MiB, ≤ 16 MP).
    """
    return decoded(image_bytes, check_header(image_bytes))


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
