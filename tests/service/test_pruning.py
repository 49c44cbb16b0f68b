"""A past month's events leave the database, and everything that is judged or exported stays what it was."""

from __future__ import annotations

import sys
from pathlib import Path
from random import Random

import pytest
from simulated_platform import SimulatedPlatform
from sqlalchemy import func, select

from online_guard.cli import main
from online_guard.errors import GuardError
from online_guard.ingest.live import DAY_MS
from online_guard.service.house import House
from online_guard.service.operating import evidence_log
from online_guard.service.operating.export import Selection, export
from online_guard.service.operating.pruning import Pruned, prune
from online_guard.service.verification import verify_class
from online_guard.simulate.course import Course
from online_guard.store.chunk_tables import EventChunkRecord
from online_guard.store.tables import FindingRecord, ResultRecord, SessionRecord
from online_guard.store.unit_of_work import reading, writing

COURSE = Course(duration_s=600)
MONTH = "2021-06"
SETTLED_MS = 2_000_000_000_000


@pytest.fixture
def studied(simulated: SimulatedPlatform, house: House) -> House:
    """Return a house with two closed, verified sessions; one of the learners cheated."""
    simulated.register(COURSE)
    for number, enrolment_id in enumerate(("a", "b")):
        simulated.enrol(COURSE, enrolment_id, number)
        desk = COURSE.desk(simulated, enrolment_id, Random(enrolment_id))
        learner = desk.sit(1)
        learner.watch(100)
        if number:
            learner.skip(500)
        desk.finish(learner)
    simulated.verify()
    with writing(house.engine) as database:
        for record in database.scalars(select(SessionRecord)):
            record.opened_received_ms = 1_622_600_000_000
    verify_class(house, COURSE.class_id)
    return house


def judged(house: House) -> list[str]:
    verify_class(house, COURSE.class_id)
    with reading(house.engine) as database:
        results = [f"{row.kind} {row.owner} {row.body}" for row in database.scalars(select(ResultRecord))]
        found = [f"{row.rule} {row.subject_id} {row.evidence}" for row in database.scalars(select(FindingRecord))]
    return sorted(results + found)


def exported(house: House, folder: Path) -> dict[str, bytes]:
    export(house, folder, Selection(closed_only=True))
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def size(house: House) -> int:
    with reading(house.engine) as database:
        return int(database.scalar(select(func.sum(func.length(EventChunkRecord.columns)))) or 0)


def files(house: House) -> list[Path]:
    return sorted(house.settings.events.rglob("*.events"))


def test_what_is_judged_and_exported_is_the_same_and_the_database_is_smaller(studied: House, tmp_path: Path) -> None:
    before, bundle, full = judged(studied), exported(studied, tmp_path / "before"), size(studied)
    assert any("rejected" in line for line in before)
    verified = evidence_log.verify(studied).faults
    done = prune(studied, MONTH, SETTLED_MS)
    assert done == Pruned(sessions=2, size=full, left=0)
    assert size(studied) < full / 3
    assert evidence_log.verify(studied).faults == verified, "the log still speaks of the same events"
    assert judged(studied) == before
    assert exported(studied, tmp_path / "after") == bundle
    assert [file.stat().st_size for file in files(studied)] == [full]
    assert prune(studied, MONTH, SETTLED_MS) == Pruned(sessions=2, size=0, left=0), "a second time"


def test_what_may_still_change_stays(studied: House) -> None:
    with reading(studied.engine) as database:
        last_ms = max(closed_ms or 0 for closed_ms in database.scalars(select(SessionRecord.closed_received_ms)))
    assert prune(studied, MONTH, last_ms + DAY_MS).left > 0, "the last one is open to late batches"
    assert prune(studied, MONTH, last_ms + DAY_MS + 1).left == 0


def test_another_month_stays(studied: House) -> None:
    assert prune(studied, "2021-07", SETTLED_MS) == Pruned(sessions=0, size=0, left=0)
    assert files(studied) == []


@pytest.mark.parametrize("harm", ["altered", "cut short", "gone"])
def test_a_file_that_is_not_what_was_written_is_an_error_and_no_empty_session(studied: House, harm: str) -> None:
    before = judged(studied)
    prune(studied, MONTH, SETTLED_MS)
    (file,) = files(studied)
    content = file.read_bytes()
    if harm == "gone":
        file.unlink()
    else:
        file.write_bytes(content[:-1] + (bytes([content[-1] ^ 1]) if harm == "altered" else b""))
    assert any("can't be read" in fault.reason for fault in evidence_log.verify(studied).faults)
    with pytest.raises(GuardError) as refusal:
        judged(studied)
    assert (refusal.value.code, refusal.value.where) == ("events.cold_file", f"{MONTH}/{file.name}")
    file.write_bytes(content)
    assert judged(studied) == before


def test_killed_before_the_database_let_go_it_is_done_again(studied: House, monkeypatch: pytest.MonkeyPatch) -> None:
    before = judged(studied)
    with monkeypatch.context() as killed:
        killed.setattr("online_guard.store.cold_events.let_go", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            prune(studied, MONTH, SETTLED_MS)
    (file,) = files(studied)
    assert judged(studied) == before
    prune(studied, MONTH, SETTLED_MS)
    assert files(studied) == [file], "the same file again"
    assert judged(studied) == before


def test_the_command_says_what_it_did(
    studied: House, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ONLINE_GUARD_DATABASE_URL", studied.settings.database)
    words = ["prune", "--month", "2021-6-1", "--data-dir", str(studied.settings.data_dir)]
    monkeypatch.setattr(sys, "argv", ["online-guard", *words])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    words[2] = MONTH
    monkeypatch.setattr(sys, "argv", ["online-guard", *words])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 0
    assert "会话 sessions: 2" in capsys.readouterr().out
