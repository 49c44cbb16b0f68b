"""A bundle at a URL gives the bytes that it gives as a folder; results can go to a URL; errors say what to do."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from fsspec.implementations.memory import MemoryFile, MemoryFileSystem
from upath import UPath

from online_guard.batch import revalidate, write
from online_guard.errors import GuardError
from online_guard.ingest.bundle import content_key, open_bundle, read_block
from online_guard.ingest.locations import locate, put
from online_guard.policy import Policy


@pytest.fixture
def store() -> Iterator[UPath]:
    """Return an empty store in memory."""
    root = UPath("memory://store")
    yield root
    if root.exists():
        root.fs.rm(root.path, recursive=True)


def upload(folder: Path, target: UPath) -> str:
    for path in folder.iterdir():
        put(target / path.name, path.read_bytes())
    return str(target)


@pytest.mark.parametrize("form", ["bundle", "ndjson_bundle"])
def test_a_store_gives_the_bytes_of_a_folder(
    form: str, store: UPath, expected: dict[str, bytes], policy: Policy, request: pytest.FixtureRequest
) -> None:
    address = upload(request.getfixturevalue(form), store / "in")
    out = str(store / "out")
    write(revalidate(address, policy, block_rows=300, workers=2, out=out), out)
    assert {path.name: path.read_bytes() for path in UPath(out).iterdir()} == expected


def test_a_file_url_is_the_local_folder(
    bundle: Path, expected: dict[str, bytes], policy: Policy, tmp_path: Path
) -> None:
    assert type(locate(bundle.as_uri())) is type(tmp_path)
    out = (tmp_path / "results of a run").as_uri()
    write(revalidate(bundle.as_uri(), policy, out=out), out)
    results = locate(out)
    assert {path.name: path.read_bytes() for path in results.iterdir()} == expected


def test_a_block_fetches_its_part_of_a_file_only(bundle: Path, store: UPath, monkeypatch: pytest.MonkeyPatch) -> None:
    address = upload(bundle, store / "in")
    with (store / "in" / "events.parquet").open("wb") as file:  # larger than the 64 KiB read to find the footer
        table = pq.read_table(bundle / "events.parquet")
        pq.write_table(table, file, row_group_size=500, compression="none", use_dictionary=False)
    size = (store / "in" / "events.parquet").stat().st_size
    opened = open_bundle(address)
    blocks = opened.blocks(500)
    fetched: list[int] = []
    read = MemoryFile.read

    def counted(self: MemoryFile, *arguments: Any) -> bytes:
        content: bytes = read(self, *arguments)
        fetched.append(len(content))
        return content

    monkeypatch.setattr(MemoryFile, "read", counted)
    read_block(blocks[len(blocks) // 2], opened.index)
    assert len(blocks) >= 5
    assert 0 < sum(fetched) < 2 * 65_536 + 2 * size / len(blocks) < 0.6 * size, "the footer, twice, and its part"


@pytest.mark.parametrize(
    ("place", "code"),
    [
        ("memory://nothing-there", "bundle.not_found"),
        ("nosuchstore://bucket/x", "url.no_driver"),
        ("file:///nothing/there", "bundle.not_found"),
    ],
)
def test_a_url_that_cannot_be_read_is_refused(place: str, code: str, policy: Policy) -> None:
    with pytest.raises(GuardError) as caught:
        revalidate(place, policy)
    assert caught.value.code == code
    assert caught.value.remedy


def test_what_a_driver_raises_becomes_a_clear_error(
    store: UPath, bundle: Path, policy: Policy, monkeypatch: pytest.MonkeyPatch
) -> None:
    class NoCredentialsError(Exception):
        pass

    def refuse(*arguments: Any, **options: Any) -> None:
        raise NoCredentialsError("no key")

    address = upload(bundle, store / "in")
    result = revalidate(bundle, policy)
    monkeypatch.setattr(MemoryFileSystem, "pipe_file", refuse)
    monkeypatch.setattr(MemoryFileSystem, "open", refuse)
    for attempt in (
        lambda: write(result, str(store / "out")),
        lambda: revalidate(bundle, policy, out=str(store / "out")),
    ):
        with pytest.raises(GuardError, match="NoCredentialsError: no key") as caught:
            attempt()
        assert caught.value.code == "out.not_writable"
    monkeypatch.setattr(MemoryFileSystem, "cat_file", refuse)
    with pytest.raises(GuardError, match="NoCredentialsError: no key") as caught:
        open_bundle(address)
    assert caught.value.code == "bundle.unreadable"
    monkeypatch.setattr(MemoryFileSystem, "exists", refuse)
    with pytest.raises(GuardError, match="NoCredentialsError: no key") as caught:
        open_bundle(address)
    assert caught.value.code == "url.unreachable"


def test_an_output_folder_that_cannot_be_written_is_refused_before_the_work_is_done(
    bundle: Path, policy: Policy, tmp_path: Path
) -> None:
    (tmp_path / "file").write_bytes(b"")
    steps: list[int] = []
    with pytest.raises(GuardError) as caught:
        revalidate(
            bundle,
            policy,
            out=tmp_path / "file" / "out",
            block_rows=300,
            progress=lambda done, total: steps.append(done),
        )
    assert caught.value.code == "out.not_writable"
    assert steps == []


def test_a_store_whose_events_cannot_be_read_is_refused(
    bundle: Path, store: UPath, policy: Policy, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*arguments: Any) -> None:
        raise RuntimeError("connection lost")

    opened = open_bundle(upload(bundle, store / "in"))
    blocks = opened.blocks()
    monkeypatch.setattr(MemoryFile, "read", refuse)
    for attempt in (opened.blocks, lambda: read_block(blocks[0], opened.index)):
        with pytest.raises(GuardError, match="connection lost") as caught:
            attempt()
        assert caught.value.code == "bundle.unreadable"


@pytest.mark.parametrize("file", ["sessions.ndjson", "events.parquet"])
def test_the_key_of_a_bundle_changes_with_its_content(file: str, bundle: Path, store: UPath, tmp_path: Path) -> None:
    for path in bundle.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    upload(bundle, store / "in")
    for folder in (tmp_path, store / "in"):
        before = content_key(folder)
        assert content_key(folder) == before
        content = (folder / file).read_bytes()
        put(folder / file, content[:-1] + bytes([content[-1] ^ 1]))
        assert content_key(folder) != before
