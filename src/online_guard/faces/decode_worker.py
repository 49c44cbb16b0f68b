"""The process that decodes the pictures of strangers: `python -m online_guard.faces.decode_worker`, run by `decoder`.

It has no key, no database and no more memory than the largest accepted picture needs; it can't write a file, start a
process or leave a core dump. A picture that brings Pillow down brings down nothing else. Standard input is a socket:
requests come in and answers go out on it until it closes. Pixels lie in memory shared with the parent, whose descriptor
is the only argument.
"""

from __future__ import annotations

import io
import mmap
import resource
import socket
import struct
import sys
import warnings
from enum import IntEnum

from PIL import Image, JpegImagePlugin, PngImagePlugin, WebPImagePlugin

REQUEST = struct.Struct("!4sIII")
"""Format in four letters, width and height from the container's header, number of bytes; the bytes follow."""

ANSWER = struct.Struct("!BII")
"""`Outcome` and two numbers. `DECODED`: rows and columns of the RGB pixels, which lie in the shared memory. Else: the
length of the reason, 0; the reason follows in UTF-8. `READY`, once at the start: 0, 0."""

MAX_REASON_BYTES = 200

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


class Outcome(IntEnum):
    """What became of a picture."""

    READY = 0
    DECODED = 1
    DAMAGED = 2
    OUT_OF_MEMORY = 3


def main() -> None:
    """Decode pictures until the other end of standard input closes."""
    shared = mmap.mmap(int(sys.argv[1]), 0)
    _limit_itself()
    with socket.socket(fileno=sys.stdin.fileno()) as parent:
        parent.sendall(ANSWER.pack(Outcome.READY, 0, 0))
        while request := _receive(parent, REQUEST.size):
            kind, width, height, size = REQUEST.unpack(request)
            _answer(parent, shared, _receive(parent, size), kind.decode().strip(), (width, height))


def _limit_itself() -> None:
    warnings.simplefilter("ignore")
    Image.preinit()
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT_BYTES, MEMORY_LIMIT_BYTES))
    for what in (resource.RLIMIT_FSIZE, resource.RLIMIT_CORE, resource.RLIMIT_NPROC):
        resource.setrlimit(what, (0, 0))


def _receive(parent: socket.socket, size: int) -> bytes:
    """Return so many bytes, or none when the parent is gone."""
    content = bytearray(size)
    view = memoryview(content)
    while view:
        got = parent.recv_into(view)
        if not got:
            return b""
        view = view[got:]
    return bytes(content)


def _answer(parent: socket.socket, shared: mmap.mmap, image_bytes: bytes, kind: str, size: tuple[int, int]) -> None:
    try:
        picture = _upright(image_bytes, kind, size)
        pixels = picture.tobytes()
        shared[: len(pixels)] = pixels
    except MemoryError:
        _refuse(parent, Outcome.OUT_OF_MEMORY, "")
    except Exception as fault:  # noqa: BLE001  Pillow's readers raise whatever damaged bytes lead them to
        _refuse(parent, Outcome.DAMAGED, f"{fault}" or type(fault).__name__)
    else:
        parent.sendall(ANSWER.pack(Outcome.DECODED, picture.height, picture.width))


def _refuse(parent: socket.socket, outcome: Outcome, reason: str) -> None:
    words = reason.encode()[:MAX_REASON_BYTES]
    parent.sendall(ANSWER.pack(outcome, len(words), 0) + words)


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
