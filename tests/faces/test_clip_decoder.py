"""The process that decodes clips: replaced when it dies or hangs, bounded in memory, and unharmed by damaged files."""

from __future__ import annotations

import os
import random
import resource
import signal
import struct
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from online_guard.errors import ErrorKind, GuardError
from online_guard.faces import clip_decoder, clip_worker, worker_process
from online_guard.faces.clip_decoder import ClipDecoderProcess
from online_guard.faces.clips import Clip, read_clip, write_clip

from .test_clips import moving, webm

DAMAGED = 300
KNOWN = {
    "clip.empty", "clip.unsupported_format", "clip.malformed", "clip.times", "clip.too_long", "clip.too_many_pixels",
    "clip.sizes", "clip.too_much_memory",
}  # fmt: skip
"""Neither `clip.decoder_stopped` nor `clip.too_slow`: none of the damaged files may stop it."""


@pytest.fixture
def process() -> Iterator[ClipDecoderProcess]:
    made = ClipDecoderProcess()
    yield made
    made.close()


@pytest.fixture(scope="module")
def small() -> bytes:
    return write_clip(Clip(moving(12), np.arange(12) / 12.5))


@pytest.fixture(scope="module")
def large() -> bytes:
    return write_clip(Clip(moving(60, 1080, 1920), np.arange(60) / 15))


def refusal_of(call: Callable[[], object]) -> GuardError:
    with pytest.raises(GuardError) as refusal:
        call()
    assert " / " in refusal.value.message
    return refusal.value


def process_id(process: ClipDecoderProcess) -> int:
    assert process.process is not None
    return process.process.pid


def memory_bytes(process_id: int | str, what: str) -> int:
    status = Path("/proc", str(process_id), "status").read_text(encoding="ascii")
    (line,) = (line for line in status.splitlines() if line.startswith(what))
    return int(line.split()[1]) * 1024


def memory_from_now_on() -> int:
    """Let this process's peak count from now on, and return what it has now."""
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    return memory_bytes("self", "VmRSS")


def test_one_process_serves_many_clips(process: ClipDecoderProcess, small: bytes) -> None:
    seen = set()
    for _ in range(3):
        frames, times_s = process.frames(small)
        assert frames.shape == (12, 48, 64, 3)
        assert (frames.dtype, times_s.dtype) == (np.uint8, np.float64)
        np.testing.assert_allclose(times_s, np.arange(12) / 12.5, atol=0.002)
        seen.add(process_id(process))
    assert len(seen) == 1


def test_a_process_killed_in_mid_clip_is_replaced(process: ClipDecoderProcess, small: bytes, large: bytes) -> None:
    process.frames(small)
    first = process_id(process)
    killer = threading.Timer(0.05, os.kill, (first, signal.SIGKILL))
    killer.start()
    refusal = refusal_of(lambda: process.frames(large))
    killer.join()
    assert (refusal.kind, refusal.code) == (ErrorKind.MALFORMED, "clip.decoder_stopped")
    assert len(process.frames(small)[0]) == 12
    assert process_id(process) != first


def test_a_clip_that_takes_too_long_is_refused(
    process: ClipDecoderProcess, small: bytes, large: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    process.frames(small)
    first = process_id(process)
    monkeypatch.setattr(clip_decoder, "TIME_LIMIT_S", 0.05)
    refusal = refusal_of(lambda: process.frames(large))
    assert (refusal.kind, refusal.code) == (ErrorKind.MALFORMED, "clip.too_slow")
    monkeypatch.undo()
    assert len(process.frames(small)[0]) == 12
    assert process_id(process) != first


def test_memory_beyond_the_limit_is_refused_and_the_process_lives(
    process: ClipDecoderProcess, small: bytes, large: bytes
) -> None:
    process.frames(small)
    alive = process_id(process)
    # No clip within the limits needs all the memory allowed, so less is allowed here: 24 MB. This one takes 36.
    less = memory_bytes(alive, "VmSize") + 24_000_000
    resource.prlimit(alive, resource.RLIMIT_AS, (less, less))
    assert refusal_of(lambda: process.frames(large)).code == "clip.too_much_memory"
    assert len(process.frames(small)[0]) == 12
    assert process_id(process) == alive


def test_the_service_takes_no_more_memory_than_the_frames_kept(process: ClipDecoderProcess, large: bytes) -> None:
    process.frames(large)
    before = memory_from_now_on()
    frames, _ = process.frames(large)
    assert frames.nbytes == 60 * 360 * 640 * 3
    assert memory_bytes("self", "VmHWM") - before < frames.nbytes + 8_000_000
    # 41 MB were kept; 60 frames of 1920 × 1080 px as decoded have 373.
    assert memory_bytes(process_id(process), "VmPeak") < clip_worker.MEMORY_LIMIT_BYTES * 3 // 4


@pytest.mark.parametrize("side", [12_000, 16_383])
def test_a_stream_larger_than_its_container_says_hurts_nobody(
    process: ClipDecoderProcess, small: bytes, tmp_path: Path, side: int
) -> None:
    content = webm(tmp_path / "clip.webm", moving(30))
    at = content.index(b"\x9d\x01\x2a") + 3  # of VP8's key frame (RFC 6386, 9.1): width and height follow
    bomb = content[:at] + struct.pack("<HH", side, side) + content[at + 4 :]
    process.frames(small)
    alive = process_id(process)
    before = memory_from_now_on()
    assert refusal_of(lambda: process.frames(bomb)).code in {"clip.malformed", "clip.too_much_memory"}
    assert memory_bytes("self", "VmHWM") - before < 8_000_000
    assert memory_bytes(alive, "VmPeak") <= clip_worker.MEMORY_LIMIT_BYTES
    assert len(process.frames(small)[0]) == 12
    assert process_id(process) == alive


def test_a_decoder_that_cannot_start_is_the_services_fault(
    process: ClipDecoderProcess, small: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_process.sys, "executable", "/nowhere/python")
    refusal = refusal_of(lambda: process.frames(small))
    assert (refusal.kind, refusal.code) == (ErrorKind.UNAVAILABLE, "clip.no_decoder")


def test_the_process_knows_no_secret_and_may_write_nothing(
    process: ClipDecoderProcess, small: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ONLINE_GUARD_TEST_CLIENT_TOKEN", "a-secret")
    process.frames(small)
    folder = Path("/proc") / str(process_id(process))
    assert b"a-secret" not in (folder / "environ").read_bytes()
    limits = {line[:26].strip(): line[26:].split()[0] for line in (folder / "limits").read_text().splitlines()}
    assert limits["Max file size"] == limits["Max processes"] == limits["Max core file size"] == "0"
    assert int(limits["Max address space"]) == clip_worker.MEMORY_LIMIT_BYTES


def test_no_clip_is_left_open(process: ClipDecoderProcess, small: bytes) -> None:
    process.frames(small)
    open_before = [len(list(Path("/proc", str(one), "fd").iterdir())) for one in ("self", process_id(process))]
    process.frames(small)
    refusal_of(lambda: process.frames(small[:200]))
    assert open_before == [len(list(Path("/proc", str(one), "fd").iterdir())) for one in ("self", process_id(process))]


def test_shared_memory_is_given_back(process: ClipDecoderProcess, large: bytes, tmp_path: Path) -> None:
    whole = webm(tmp_path / "clip.webm", moving(60))
    process.frames(large)
    assert os.fstat(process._memory).st_blocks == 0
    assert refusal_of(lambda: process.frames(whole[: len(whole) // 2])).code == "clip.malformed"
    assert os.fstat(process._memory).st_blocks == 0


def test_other_containers_are_not_looked_at(process: ClipDecoderProcess, tmp_path: Path) -> None:
    avi = tmp_path / "clip.avi"
    writer = cv2.VideoWriter(str(avi), cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*"MJPG"), 15, (64, 48))
    for frame in moving(5):
        writer.write(frame)
    writer.release()
    assert cv2.VideoCapture(str(avi), cv2.CAP_FFMPEG).isOpened()
    assert refusal_of(lambda: process.frames(avi.read_bytes())).code == "clip.malformed"


def damaged(chance: random.Random, sound: bytes) -> bytes:
    content = bytearray(sound)
    at = chance.randrange(len(content))
    match chance.randrange(5):
        case 0:
            for _ in range(chance.choice([1, 4, 40])):
                content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
        case 1:
            del content[at:]
        case 2:
            del content[at : at + chance.randrange(1, 400)]
        case 3:
            content[at : at + 4] = chance.choice([b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\0\0\0\0"])
        case 4:  # in the headers, where sizes and counts stand
            for _ in range(3):
                content[chance.choice([1, -1]) * chance.randrange(900) % len(content)] = chance.randrange(256)
    return bytes(content)


def test_damaged_clips_never_hurt(small: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clip_decoder, "TIME_LIMIT_S", 60.0)  # a busy computer is no fault of theirs
    chance = random.Random(17)
    sound = [small, webm(tmp_path / "clip.webm", moving(12))]
    read_clip(small)
    processes = {made.process.pid for made in clip_decoder._lent.made if made.process is not None}
    found = Counter[str]()
    for index in range(DAMAGED):
        try:
            clip = read_clip(damaged(chance, sound[index % 2]))
        except GuardError as refusal:
            found[refusal.code] += 1
        else:
            found["frames"] += 1
            assert len(clip.frames) == len(clip.times_s) <= 900
    assert set(found) - {"frames"} <= KNOWN, found
    assert found["frames"] > 30, found
    assert found["clip.malformed"] > 50, found
    assert {made.process.pid for made in clip_decoder._lent.made if made.process is not None} == processes
    for one in processes:
        assert memory_bytes(one, "VmPeak") < clip_worker.MEMORY_LIMIT_BYTES
