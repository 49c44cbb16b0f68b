"""Results of finished blocks on disk, so that a run that was interrupted goes on where it was.

What is read is data, never code: MessagePack with NumPy's own array format, without pickle. Whoever can write there
could as well write the results themselves, which lie beside it.
"""

from __future__ import annotations

import hashlib
import io
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import msgspec
import numpy as np

from online_guard.errors import ErrorKind, GuardError
from online_guard.ingest.locations import Location, content_of, make_folder, put

FOLDER = ".blocks"
SUFFIX = ".block"
Result = TypeVar("Result")
_ARRAY, _NAMES = 1, 2


@dataclass(frozen=True)
class FinishedBlocks(Generic[Result]):
    """The finished blocks of one run.

    folder: where they lie. run: names all that a result follows from, block apart. kind: type of a result, of
    dataclasses, named tuples and NumPy arrays.
    """

    folder: Location
    run: str
    kind: type[Result]

    def get(self, block: str) -> Result | None:
        """Return the result of a block, None if it isn't there or its file isn't as it was written."""
        key = self._key(block)
        try:
            content = content_of(self._path(key))
        except OSError:
            return None
        check, packed = content[:32], content[32:]
        if check != _check(key, packed):
            return None
        try:
            return msgspec.msgpack.decode(packed, type=self.kind, ext_hook=_unpack)
        except (msgspec.MsgspecError, ValueError):
            return None

    def put(self, block: str, result: Result) -> None:
        """Keep the result of a block.

        Raises:
            GuardError: the folder can't be written.
        """
        key, packed = self._key(block), msgspec.msgpack.encode(result, enc_hook=_pack)
        try:
            make_folder(self.folder.parent)
            put(self._path(key), _check(key, packed) + packed)
        except OSError as error:
            raise not_writable(self.folder.parent, error) from error

    def _key(self, block: str) -> str:
        return hashlib.sha256(f"{self.run}\n{block}".encode()).hexdigest()

    def _path(self, key: str) -> Location:
        return self.folder / f"{key}{SUFFIX}"


def forget(folder: Location) -> None:
    """Remove all finished blocks, of whatever run, and the folder if nothing else is in it.

    Raises:
        OSError: they can't be removed.
    """
    if not folder.is_dir():
        return
    for path in folder.iterdir():
        if path.name.endswith((SUFFIX, f"{SUFFIX}.part")):
            path.unlink()
    with suppress(OSError):  # holds something else, or is no folder of its own in the store
        folder.rmdir()


def not_writable(out: Location, error: OSError) -> GuardError:
    """Return the error for a folder of results that can't be written."""
    return GuardError(
        ErrorKind.INVALID,
        "out.not_writable",
        f"不能写入输出文件夹 / can't write the output folder: {error.strerror or error}",
        where=str(out),
        remedy="换一个可写的 --out / choose another --out.",
    )


def _check(key: str, packed: bytes) -> bytes:
    """Return the SHA-256 that stands before a result: of its content, and of the block that it is of."""
    return hashlib.sha256(key.encode() + packed).digest()


def _pack(value: Any) -> msgspec.msgpack.Ext:
    """Return an array or NumPy scalar with its type; columns of names are lists of text."""
    array = np.asarray(value)
    if array.dtype == object:
        return msgspec.msgpack.Ext(_NAMES, msgspec.msgpack.encode(array.tolist(), enc_hook=_pack))
    file = io.BytesIO()
    np.save(file, array, allow_pickle=False)
    return msgspec.msgpack.Ext(_ARRAY, file.getvalue())


def _unpack(code: int, data: memoryview) -> Any:
    if code == _NAMES:
        names = msgspec.msgpack.decode(data, ext_hook=_unpack)
        array = np.empty(len(names), object)
        array[:] = names
        return array
    return np.load(io.BytesIO(data), allow_pickle=False)[()]  # a scalar comes back as one
