"""Sample pictures and hand-made files for the tests of faces."""

from __future__ import annotations

import io
import json
import os
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
SAMPLE_MEDIA = ROOT / "sample_media"
SHARED = Path(os.environ.get("ONLINE_GUARD_SHARED", ROOT.parent / "shared"))


@pytest.fixture(scope="session")
def catalogue() -> dict[str, Any]:
    """Return the list of sample pictures."""
    listing: dict[str, Any] = json.loads((SAMPLE_MEDIA / "catalogue.json").read_text())
    return listing


@pytest.fixture(scope="session")
def sample() -> Callable[[str], bytes]:
    """Return a function that reads one sample picture by its name in the catalogue."""
    return lambda name: (SAMPLE_MEDIA / name).read_bytes()


@pytest.fixture(scope="session")
def identity_photos() -> list[Path]:
    """Return real photos of eleven people, or skip."""
    folder = SHARED / "media" / "identity"
    if not folder.is_dir():
        pytest.skip(f"no real photos: {folder} does not exist (set ONLINE_GUARD_SHARED)")
    return sorted(folder.iterdir())


@pytest.fixture(scope="session")
def picture() -> NDArray[np.uint8]:
    """Return 40 rows × 60 columns without any symmetry: red grows to the right, green downwards, blue is noise."""
    rows, columns = np.mgrid[0:40, 0:60]
    noise = np.random.default_rng(3).integers(0, 60, (40, 60))
    return np.dstack([columns * 4, rows * 6, noise]).astype(np.uint8)


@pytest.fixture(scope="session")
def encoded(picture: NDArray[np.uint8]) -> Callable[..., bytes]:
    """Return a function that encodes the picture, or another one, with Pillow."""

    def encode(kind: str, image: Image.Image | None = None, **options: Any) -> bytes:
        out = io.BytesIO()
        (Image.fromarray(picture) if image is None else image).save(out, kind, **options)
        return out.getvalue()

    return encode


def png_chunk(kind: bytes, body: bytes) -> bytes:
    """Return one PNG chunk."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


@pytest.fixture(scope="session")
def png_of_size() -> Callable[[int, int], bytes]:
    """Return a function that makes a tiny, complete PNG file that claims a size."""

    def make(width: int, height: int) -> bytes:
        header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
        return b"\x89PNG\r\n\x1a\n" + header + png_chunk(b"IDAT", zlib.compress(b"")) + png_chunk(b"IEND", b"")

    return make
