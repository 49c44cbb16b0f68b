"""The process that decodes the pictures of strangers: `python -m online_guard.faces.decode_worker`, run by `decoder`.

A picture that brings Pillow down brings down nothing else. `worker_loop` says how it is bounded.
"""

from __future__ import annotations

import io
import mmap
import socket
import struct
import sys
import warnings

from PIL import Image, JpegImagePlugin, PngImagePlugin, WebPImagePlugin

from .worker_loop import Decoded, receive_bytes, serve

REQUEST = struct.Struct("!4sIII")
"""Format in four letters, width and height from the container's header, number of bytes; the bytes follow."""

MEMORY_LIMIT_BYTES = 768 * 1024 * 1024
"""Of address space. The dearest accepted picture, a transparent one of 16 megapixels that is turned by its EXIF
orientation, needs 510 MB."""

READERS = {b"JPEG": JpegImagePlugin, b"PNG ": PngImagePlugin, b"WEBP": WebPImagePlugin}
"""Pillow's only readers here; importing one registers it."""

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

_HIGHEST_BYTE_OF_16 = 1 if sys.byteorder == "little" else 2


def main() -> None:
    """Decode pictures until the other end of standard input closes."""
    warnings.simplefilter("ignore")
    Image.preinit()
    serve(_receive, _decode, MEMORY_LIMIT_BYTES)


def _receive(parent: socket.socket) -> tuple[bytes, str, tuple[int, int]] | None:
    """Return a picture's bytes, format and size, None when the parent is gone."""
    request = receive_bytes(parent, REQUEST.size)
    if not request:
        return None
    kind, width, height, size = REQUEST.unpack(request)
    return receive_bytes(parent, size), kind.decode().strip(), (width, height)


def _decode(request: tuple[bytes, str, tuple[int, int]], shared: mmap.mmap) -> Decoded:
    picture = _upright(*request)
    pixels = picture.tobytes()
    shared[: len(pixels)] = pixels
    return Decoded(1, picture.height, picture.width)


def _upright(image_bytes: bytes, kind: str, size: tuple[int, int]) -> Image.Image:
    """Return a picture in RGB, upright; `size` is what its header was checked for."""
    with Image.open(io.BytesIO(image_bytes), formats=[kind]) as image:
        if image.size != size:
            raise ValueError(f"two different sizes: {size} and {image.size}")
        image.load()
        turn = _UPRIGHT.get(_orientation(image))
        return _rgb(image if turn is None else image.transpose(turn))


def _orientation(image: Image.Image) -> int:
    """Return the EXIF orientation, 1 where there is none; like any viewer, ignore metadata that can't be read."""
    try:
        value = image.getexif().get(_ORIENTATION_TAG, 1)
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001  as above
        return 1
    return value if isinstance(value, int) else 1


def _rgb(image: Image.Image) -> Image.Image:
    """Return an image of any mode as RGB."""
    if image.mode.startswith("I"):
        # Pillow's own conversion of 16-bit grey clips everything above 255 to white.
        upper = image.convert("I").tobytes()[_HIGHEST_BYTE_OF_16::4]
        image = Image.frombytes("L", image.size, upper)
    elif "A" in image.getbands() or "transparency" in image.info:
        layer = image.convert("RGBA")
        paper = Image.new("RGBA", layer.size, "white")
        image = Image.alpha_composite(paper, layer)
    return image if image.mode == "RGB" else image.convert("RGB")


if __name__ == "__main__":
    main()
