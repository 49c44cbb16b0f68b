"""Where a bundle or its results lie: a local folder, or a URL of a store that fsspec has a driver for."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from upath import UPath
from upath.implementations.local import FilePath

from online_guard.errors import ErrorKind, GuardError

Location = Path | UPath
"""A plain `Path` for whatever is local, so that local files stay as fast as they are."""


def locate(place: str | Location) -> Location:
    """Return the location that a path or URL (`s3://…`, `memory://…`, `file://…`) names.

    Raises:
        GuardError: fsspec knows no such kind of URL, or its driver isn't installed.
    """
    if not isinstance(place, str):
        return place
    if "://" not in place:
        return Path(place)
    with _reachable(place):
        try:
            location = UPath(place)
            location.fs  # noqa: B018 - asks for the driver here, where its absence can be told from other errors
        except (ImportError, ValueError) as error:
            raise GuardError(
                ErrorKind.UNSUPPORTED,
                "url.no_driver",
                f"不能打开此类网址（{error}）/ no driver for this kind of URL ({error})",
                where=place,
                remedy="安装其 fsspec 驱动（如 pip install s3fs）或改用本地文件夹 / install its fsspec driver "
                "(such as pip install s3fs), or use a local folder",
            ) from error
    return Path(location.path) if isinstance(location, FilePath) else location


def exists(location: Location) -> bool:
    """Return whether something is there.

    Raises:
        GuardError: the store can't be asked.
    """
    with _reachable(str(location)):
        return location.exists()


def parquet_source(location: Location) -> tuple[Path | str, Any]:
    """Return a file and its file system (None: local) for pyarrow, which fetches only the parts that it needs."""
    return (location, None) if isinstance(location, Path) else (location.path, location.fs)


def state_of(location: Location) -> str:
    """Return what changes when a file does, without reading it: size and time, or what its store says (ETag).

    Raises:
        OSError: there is no such file, or it can't be asked for.
    """
    if isinstance(location, Path):
        status = location.stat()
        return f"{status.st_size} {status.st_mtime_ns}"
    with store_errors(location):
        return str(location.fs.ukey(location.path))


def digest_of(location: Location) -> str:
    """Return the SHA-256 of a file's content.

    Raises:
        OSError: there is no such file, or it can't be read.
    """
    with open_file(location) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def open_file(location: Location) -> io.BufferedReader | io.BytesIO:
    """Return a file opened to be read from its beginning to its end; one in a store is fetched at once.

    Raises:
        OSError: there is no such file, or it can't be read.
    """
    return location.open("rb") if isinstance(location, Path) else io.BytesIO(content_of(location))


def content_of(location: Location) -> bytes:
    """Return a file's content.

    Raises:
        OSError: there is no such file, or it can't be read.
    """
    with store_errors(location):
        return location.read_bytes()


def make_folder(location: Location) -> None:
    """Make a folder if there is none; at a store only itself, since what is above it may be a bucket misspelt.

    Raises:
        OSError: it can't be made.
    """
    with store_errors(location):
        location.mkdir(parents=isinstance(location, Path), exist_ok=True)


def put(location: Location, content: bytes) -> None:
    """Write a file, which appears whole or not at all; its folder is made where there is none.

    Raises:
        OSError: it can't be written.
    """
    make_folder(location.parent)
    with store_errors(location):
        if isinstance(location, Path):
            part = location.with_name(f".{location.name}.part")
            part.write_bytes(content)
            part.replace(location)
        else:
            location.write_bytes(content)  # stores show an object once it is whole


@contextmanager
def store_errors(location: Location | str) -> Iterator[None]:
    """Turn the errors of a store's driver, which have no class in common, into OSError; local ones pass."""
    try:
        yield
    except (OSError, GuardError):
        raise
    except Exception as error:
        if isinstance(location, Path):
            raise
        raise OSError(f"{type(error).__name__}: {error}") from error


@contextmanager
def _reachable(place: str) -> Iterator[None]:
    try:
        with store_errors(place):
            yield
    except OSError as error:
        raise GuardError(
            ErrorKind.UNAVAILABLE,
            "url.unreachable",
            f"无法访问（{error}）/ can't be reached ({error})",
            where=place,
            remedy="请检查网址、网络与访问权限 / check the address, the network and the access rights",
        ) from error
