"""The process that decodes: replaced when it dies or hangs, bounded, and no secret in its environment."""

from __future__ import annotations

import multiprocessing
import os
import resource
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from online_guard.errors import ErrorKind, GuardError
from online_guard.faces import decoder, worker_process
from online_guard.faces.container import Header, ImageFormat
from online_guard.faces.decode import decode
from online_guard.faces.decoder import DecoderProcess

Encoder = Callable[..., bytes]
SMALL = Header(ImageFormat.PNG, 60, 40, frames=1)


@pytest.fixture
def process() -> Iterator[DecoderProcess]:
    made = DecoderProcess()
    yield made
    made.close()


@pytest.fixture
def png(encoded: Encoder) -> bytes:
    return encoded("PNG")


def refusal_of(call: Callable[[], object]) -> GuardError:
    with pytest.raises(GuardError) as refusal:
        call()
    return refusal.value


def process_id(process: DecoderProcess) -> int:
    assert process.process is not None
    return process.process.pid


def test_one_process_serves_many_pictures(process: DecoderProcess, png: bytes, picture: NDArray[np.uint8]) -> None:
    seen = set()
    for _ in range(3):
        pixels = process.pixels(png, SMALL)
        np.testing.assert_array_equal(pixels, picture)
        assert pixels.flags.writeable
        seen.add(process_id(process))
    assert len(seen) == 1


def test_a_process_killed_in_mid_decode_is_replaced(process: DecoderProcess, encoded: Encoder, png: bytes) -> None:
    side = 3900
    slow = encoded("PNG", Image.effect_noise((60, 60), 90).resize((side, side)), compress_level=1)
    process.pixels(png, SMALL)
    first = process_id(process)
    killer = threading.Timer(0.04, os.kill, (first, signal.SIGKILL))
    killer.start()
    refusal = refusal_of(lambda: process.pixels(slow, Header(ImageFormat.PNG, side, side, frames=1)))
    killer.join()
    assert (refusal.kind, refusal.code) == (ErrorKind.MALFORMED, "image.decoder_stopped")
    assert process.pixels(png, SMALL).shape == (40, 60, 3)
    assert process_id(process) != first


def test_a_process_that_died_between_pictures_is_replaced_unnoticed(process: DecoderProcess, png: bytes) -> None:
    process.pixels(png, SMALL)
    assert process.process is not None
    process.process.kill()
    process.process.wait()
    assert process.pixels(png, SMALL).shape == (40, 60, 3)


def test_a_process_that_hangs_is_replaced(process: DecoderProcess, png: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    process.pixels(png, SMALL)
    hung = process_id(process)
    os.kill(hung, signal.SIGSTOP)
    monkeypatch.setattr(decoder, "TIME_LIMIT_S", 0.2)
    started = time.monotonic()
    refusal = refusal_of(lambda: process.pixels(png, SMALL))
    assert time.monotonic() - started < 2
    assert (refusal.kind, refusal.code) == (ErrorKind.MALFORMED, "image.too_slow")
    monkeypatch.undo()
    assert process.pixels(png, SMALL).shape == (40, 60, 3)
    assert process_id(process) != hung


def test_memory_beyond_the_limit_is_refused_and_the_process_lives(
    process: DecoderProcess, png_of_size: Callable[[int, int], bytes], png: bytes
) -> None:
    process.pixels(png, SMALL)
    # No picture that `decode` lets in needs all the memory allowed, so less is allowed here.
    resource.prlimit(process_id(process), resource.RLIMIT_AS, (100_000_000, 100_000_000))
    side = 8000
    content = png_of_size(side, side)
    refusal = refusal_of(lambda: process.pixels(content, Header(ImageFormat.PNG, side, side, frames=1)))
    assert refusal.code == "image.too_much_memory"
    alive = process_id(process)
    assert process.pixels(png, SMALL).shape == (40, 60, 3)
    assert process_id(process) == alive


def test_a_decoder_that_cannot_start_is_the_services_fault(
    process: DecoderProcess, png: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_process.sys, "executable", "/nowhere/python")
    refusal = refusal_of(lambda: process.pixels(png, SMALL))
    assert (refusal.kind, refusal.code) == (ErrorKind.UNAVAILABLE, "image.no_decoder")
    monkeypatch.undo()
    assert process.pixels(png, SMALL).shape == (40, 60, 3)


def test_the_process_knows_no_secret_and_may_start_nothing(
    process: DecoderProcess, png: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ONLINE_GUARD_TEST_CLIENT_TOKEN", "a-secret")
    process.pixels(png, SMALL)
    folder = Path("/proc") / str(process_id(process))
    assert b"a-secret" not in (folder / "environ").read_bytes()
    limits = {line[:26].strip(): line[26:].split()[0] for line in (folder / "limits").read_text().splitlines()}
    assert limits["Max file size"] == limits["Max processes"] == limits["Max core file size"] == "0"
    assert int(limits["Max address space"]) == decoder.decode_worker.MEMORY_LIMIT_BYTES
    assert b"numpy" not in (folder / "maps").read_bytes()


def test_threads_get_their_own_pictures(encoded: Encoder) -> None:
    colours = [(index * 5 % 256, index * 11 % 256, index * 17 % 256) for index in range(40)]
    files = [encoded("PNG", Image.new("RGB", (50 + index, 30), colour)) for index, colour in enumerate(colours)]
    with ThreadPoolExecutor(8) as threads:
        for index, pixels in enumerate(threads.map(decode, files)):
            assert pixels.shape == (30, 50 + index, 3)
            assert (pixels == colours[index]).all()
    assert len([made for made in decoder._lent.made if made.process is not None]) <= 2


def _decode_in_a_fork(content: bytes, answers: multiprocessing.SimpleQueue) -> None:  # type: ignore[type-arg]
    answers.put((decode(content).shape, [process_id(made) for made in decoder._lent.made]))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Python warns of forks beside threads: this is one
def test_a_forked_process_has_a_decoder_of_its_own(png: bytes) -> None:
    decode(png)
    mine = {process_id(made) for made in decoder._lent.made if made.process is not None}
    context = multiprocessing.get_context("fork")
    answers = context.SimpleQueue()
    forked = context.Process(target=_decode_in_a_fork, args=(png, answers))
    forked.start()
    shape, theirs = answers.get()
    forked.join()
    assert shape == (40, 60, 3)
    assert theirs
    assert not mine & set(theirs)
    decode(png)
    assert mine & {process_id(made) for made in decoder._lent.made if made.process is not None}


def test_the_process_ends_with_its_parent(process: DecoderProcess, png: bytes) -> None:
    process.pixels(png, SMALL)
    assert process.process is not None
    process._socket.close()
    assert process.process.wait(timeout=5) == 0
