"""An import judges as a batch does, never changes what is kept, and is visible whole or not at all."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest
from both_ways import judged_in_batch, judged_live, ordered
from posted import (
    NOON_MS,
    a_bundle,
    an_event,
    import_folder,
    imported,
    judged,
    post,
    verify,
    write_bundle_rows,
    zipped,
)
from simulated_platform import SimulatedPlatform
from sqlalchemy import func, select

from online_guard.demo.people import identity_number
from online_guard.errors import ErrorKind, GuardError
from online_guard.ingest import archives
from online_guard.policy import load_policy
from online_guard.service import registration
from online_guard.service.house import House, open_house
from online_guard.service.importing import import_sources, import_work, imports
from online_guard.service.operating.export import export
from online_guard.service.verification import ledger_of, session_verdict
from online_guard.settings import Settings
from online_guard.simulate import command
from online_guard.simulate.course import Course
from online_guard.store import import_rows, jobs
from online_guard.store.import_tables import ImportedEnrolmentRecord
from online_guard.store.tables import Base, ClassRecord, ConflictRecord, EnrolmentRecord, SessionRecord
from online_guard.store.unit_of_work import reading

DAY_MS = 86_400_000
Rows = dict[str, list[dict[str, Any]]]
FOREIGN = Path(__file__).parents[1] / "ingest" / "foreign"
PUBLISHED = (
    "a-bad_rows_are_reported_and_good_ones_kept-00",
    "a-e08_each_earlier_project-00",
)


@pytest.fixture
def house(tmp_path: Path, sqlite_url: str) -> Iterator[House]:
    """Return an open, empty house on SQLite."""
    opened = open_house(Settings(data_dir=tmp_path / "data", database_url=sqlite_url))
    yield opened
    opened.engine.dispose()


@pytest.fixture
def either(tmp_path: Path, database_url: str) -> Iterator[House]:
    """Return an open, empty house on SQLite and on PostgreSQL."""
    opened = open_house(Settings(data_dir=tmp_path / "data", database_url=database_url))
    yield opened
    opened.engine.dispose()


def rows_in(house: House) -> dict[str, int]:
    """Return the number of rows of every table that evidence stands in."""
    bookkeeping = {"log_import", "log_import_page", "job", "finding", "result"}
    with reading(house.engine) as database:
        return {
            name: database.scalar(select(func.count()).select_from(table)) or 0
            for name, table in Base.metadata.tables.items()
            if name not in bookkeeping
        }


def write(tmp_path: Path, rows: Rows, name: str = "bundle") -> Path:
    return write_bundle_rows(tmp_path / name / "rows", rows)


def body_of(tmp_path: Path, rows: Rows, name: str = "bundle") -> bytes:
    return zipped(write(tmp_path, rows, name), tmp_path / f"{name}.zip").read_bytes()


def judges_alike(house: House, folder: Path, platform_id: str) -> None:
    told = import_folder(house, platform_id, folder)
    assert told["state"] == "done", told["problem"]
    expected, refused = judged(folder, house.policy)
    found = judged_live(house)
    for name, rows in expected.items():
        assert found[name] == ordered(rows), name
    assert sum(row["refused"] for row in told["counts"].values()) == refused


def test_a_simulated_bundle_is_judged_as_a_batch_judges_it(either: House, tmp_path: Path) -> None:
    cheats = command.chosen(["fast_forward", "popup_remover", "rewritten_events", "equal_steps"], ())
    command.simulate_bundle(tmp_path / "bundle", 7, 2, ("left_open",), cheats)
    expected, _ = judged(tmp_path / "bundle", either.policy)
    classes = json.loads((tmp_path / "bundle" / "classes.json").read_text("utf-8"))
    platforms = {row["platform_id"] for row in classes}
    for platform_id in sorted(platforms):  # each brings its own classes, the others' rows are refused
        import_folder(either, platform_id, tmp_path / "bundle")
    assert len(platforms) > 1
    found = judged_live(either)
    for name, rows in expected.items():
        assert found[name] == ordered(rows), name
    with reading(either.engine) as database:
        assert set(database.scalars(select(SessionRecord.provenance))) == {"import"}
        assert database.scalar(select(func.count()).select_from(ConflictRecord)), "some events contradict each other"


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_published_bundle_is_judged_as_a_batch_judges_it(
    name: str, house: House, shared: Path, tmp_path: Path
) -> None:
    with tarfile.open(shared / "conformance" / "small.tar.gz") as archive:
        archive.extractall(tmp_path, [m for m in archive if m.name.startswith(f"{name}/")], filter="data")
    without_tools = replace(house, policy=load_policy("huangchuan-2021", ["known_tools.signatures=[]"]))
    judges_alike(without_tools, tmp_path / name / "bundle", "P")


def test_an_export_of_what_was_imported_is_judged_the_same(house: House, tmp_path: Path) -> None:
    told = import_folder(house, "P", write(tmp_path, a_bundle()))
    assert told["counts"]["events"]["accepted"] == 30
    assert judged_live(house) == judged_in_batch(house, tmp_path / "export")
    session = json.loads((tmp_path / "export" / "sessions.ndjson").read_text("utf-8"))
    assert session["provenance"] == "import"


def test_verdict_findings_and_ledger_say_where_a_session_comes_from(house: House, tmp_path: Path) -> None:
    import_folder(house, "P", write(tmp_path, a_bundle()))
    verdict = session_verdict(house, "s", "P")
    assert verdict["provenance"] == "import"
    assert {finding["provenance"] for finding in verdict["findings"]} == {"import"}
    ledger = ledger_of(house, "C-E", "P")
    assert [lesson["provenance"] for lesson in ledger["lessons"]] == ["import", None]


def test_the_same_body_again_is_the_same_import(house: House, tmp_path: Path) -> None:
    body = body_of(tmp_path, a_bundle())
    first = imported(house, "P", body)
    before = rows_in(house)
    again = imported(house, "P", body)
    assert again["import_id"] == first["import_id"]
    assert again["counts"] == first["counts"]
    assert rows_in(house) == before
    assert imported(house, "Q", body)["import_id"] != first["import_id"]


def test_another_body_with_the_same_rows_doubles_nothing(either: House, tmp_path: Path) -> None:
    imported(either, "P", body_of(tmp_path, a_bundle()))
    before = rows_in(either)
    rows = a_bundle(events=33)
    told = imported(either, "P", body_of(tmp_path, rows, "again"))
    assert told["counts"]["events"] == {"sent": 33, "accepted": 3, "duplicate": 30, "refused": 0, "conflict": 0}
    assert told["counts"]["sessions"]["duplicate"] == 1
    assert told["duplicate_rows"][-1] == {"table": "events", "key": "P/s", "number": 30} or {
        "table": "events", "key": "P/s", "number": 30,
    } in told["duplicate_rows"]  # fmt: skip
    after = rows_in(either)
    assert {name for name in after if after[name] != before[name]} == {"event_chunk", "log_entry"}


def test_parts_in_any_order_are_judged_as_their_union(house: House, tmp_path: Path) -> None:
    whole = a_bundle(events=60)
    whole["events"].append(an_event(7, position_s=500.0, received_ms=NOON_MS + 10_000))
    order = list(range(61))
    Random(1).shuffle(order)
    for number, chosen in enumerate((order[:25], order[15:45], order[40:])):
        part = whole | {"events": [whole["events"][place] for place in chosen]}
        import_folder(house, "P", write(tmp_path, part, f"part-{number}"))
    expected, _ = judged(write(tmp_path, whole, "whole"), house.policy)
    found = judged_live(house)
    for name, rows in expected.items():
        assert found[name] == ordered(rows), name
    assert "OG105" in {row["rule"] for row in found["findings"]}


def test_rows_of_other_platforms_are_refused_with_their_reason(either: House, tmp_path: Path) -> None:
    rows, other = a_bundle(), a_bundle("s2", "Q", "D")
    both = {name: rows[name] + other[name] for name in rows}
    both["decisions"] = [
        {"rule": "OG401", "subject": "session", "subject_id": "P/s", "decision": "dismiss", "reason": "我们同意",
         "decided_ms": NOON_MS, "reviewer": "P"}
    ]  # fmt: skip
    told = import_folder(either, "P", write(tmp_path, both))
    refused = {(row["file"], row["line"]) for row in told["refused_rows"]}
    named = {("classes.json", 2), ("enrolments.ndjson", 2), ("sessions.ndjson", 2), ("decisions.ndjson", 1)}
    assert refused == named | {("events.ndjson", line) for line in range(31, 61)}
    assert all(" / " in row["reason"] or "unknown" in row["reason"] for row in told["refused_rows"])
    with reading(either.engine) as database:
        assert set(database.scalars(select(SessionRecord.platform_id))) == {"P"}
    assert "OG401" in {finding["rule"] for finding in session_verdict(either, "s", "P")["findings"]}


def test_a_platform_can_not_claim_anothers_class_or_enrolment(house: House, tmp_path: Path) -> None:
    import_folder(house, "P", write(tmp_path, a_bundle()))
    before = rows_in(house)
    stolen = a_bundle("s9", "Q")
    told = import_folder(house, "Q", write(tmp_path, stolen, "stolen"))
    assert told["counts"]["classes"]["refused"] == 1
    borrowed = a_bundle("s9", "Q", "D")
    borrowed["enrolments"][0]["enrolment_id"] = borrowed["sessions"][0]["enrolment_id"] = "C-E"
    told = import_folder(house, "Q", write(tmp_path, borrowed, "borrowed"))
    assert told["counts"]["enrolments"]["refused"] == 1
    assert told["counts"]["sessions"]["refused"] == 1
    after = rows_in(house)
    assert {name for name in after if after[name] != before[name]} == {"training_class"}


def test_a_likeness_to_another_platforms_capture_is_refused(house: House, tmp_path: Path) -> None:
    import_folder(house, "Q", write(tmp_path, a_bundle("q", "Q", "D"), "other"))
    rows = a_bundle()
    rows["snapshots"] = [
        {"platform_id": "P", "session_id": "s", "snapshot_id": "x", "at_ms": NOON_MS, "received_ms": NOON_MS,
         "asked": True, "good": True, "sha256": "0" * 64, "phash": "0" * 16}
    ]  # fmt: skip
    likeness = {"platform_id": "P", "session_id": "s", "snapshot_id": "x", "phash_distance": 0, "residual": 0.0}
    rows["likenesses"] = [
        likeness | {"other_kind": "snapshot", "other_id": "Q/q/1"},
        likeness | {"other_kind": "reference", "other_id": "D-E"},
        likeness | {"other_kind": "reference", "other_id": "C-E"},
    ]
    told = import_folder(house, "P", write(tmp_path, rows))
    assert [(row["file"], row["line"]) for row in told["refused_rows"]] == [
        ("likenesses.ndjson", 1), ("likenesses.ndjson", 2),
    ]  # fmt: skip
    assert {"OG604"} <= {finding["rule"] for finding in session_verdict(house, "s", "P")["findings"]}


def live_session(simulated: SimulatedPlatform) -> tuple[Course, str, int]:
    """Return a course with one closed session that was received live, its id, and when it was closed."""
    course = Course(class_id="C", platform_id="P", duration_s=600)
    simulated.register(course)
    simulated.enrol(course, "C-E", 0)
    desk = course.desk(simulated, "C-E", Random("live"))
    learner = desk.sit(1)
    learner.watch(300)
    desk.leave(learner)
    return course, learner.sitting.opening.session_id, desk.now_ms


def exported_rows(folder: Path) -> Rows:
    rows: Rows = {"classes": json.loads((folder / "classes.json").read_text("utf-8"))}
    for path in folder.glob("*.ndjson"):
        rows[path.stem] = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    return rows


@pytest.mark.parametrize(("late_ms", "accepted"), [(DAY_MS // 2, 1), (2 * DAY_MS, 0)])
def test_an_import_over_a_live_session_is_at_most_a_late_batch(
    late_ms: int, accepted: int, simulated: SimulatedPlatform, house: House, tmp_path: Path
) -> None:
    _, session_id, closed_ms = live_session(simulated)
    simulated.verify()
    before = judged_live(house)
    export(house, tmp_path / "export")
    import pyarrow.parquet as pq

    events = pq.read_table(tmp_path / "export" / "events.parquet").to_pylist()
    sent = [{name: value for name, value in event.items() if value is not None} for event in events]
    rows = exported_rows(tmp_path / "export") | {"events": sent}
    told = import_folder(house, "P", write(tmp_path, rows, "same"), closed_ms + late_ms)
    assert told["counts"]["events"]["duplicate"] == len(sent)
    assert all(row["accepted"] == row["refused"] == row["conflict"] == 0 for row in told["counts"].values())
    assert judged_live(house) == before
    last = sent[-1]
    forged = [last | {"seq": last["seq"] + 1, "received_ms": 0}, last | {"seq": last["seq"] + 2, "at_ms": 1}]
    photo = {"platform_id": "P", "session_id": session_id, "snapshot_id": "forged", "at_ms": last["at_ms"],
             "received_ms": 0, "asked": True, "good": True, "sha256": "0" * 64, "phash": "0" * 16}  # fmt: skip
    rows |= {"events": [*sent, *forged], "snapshots": [*rows.get("snapshots", []), photo]}
    told = import_folder(house, "P", write(tmp_path, rows, "more"), closed_ms + late_ms)
    assert told["counts"]["events"]["accepted"] == accepted
    assert told["counts"]["events"]["refused"] == 2 - accepted
    assert told["counts"]["snapshots"]["refused"] == 1
    verdict = session_verdict(house, session_id, "P")
    assert verdict["provenance"] == "live"
    if not accepted:
        assert judged_live(house) == before


def test_an_imported_learner_becomes_the_registered_one(either: House, tmp_path: Path) -> None:
    two = {name: a_bundle()[name] + a_bundle("s2", "P", "D")[name] for name in a_bundle()}
    import_folder(either, "P", write(tmp_path, two))
    verify(either)
    with reading(either.engine) as database:
        (pseudonym,) = set(database.scalars(select(EnrolmentRecord.learner_id)))
        assert pseudonym != "L"
    assert "OG201" in {finding["rule"] for finding in session_verdict(either, "s", "P")["findings"]}

    def enrol(number: int) -> dict[str, Any]:
        return registration.put_enrolment(
            either, "C", "C-E", "P", name="王秀兰", identity_number=identity_number(number), applicant=None,
            face_checks="required", leave=(),
        )[1]  # fmt: skip

    learner_id = enrol(1)["learner_id"]
    with reading(either.engine) as database:
        assert set(database.scalars(select(EnrolmentRecord.learner_id))) == {learner_id}
        assert database.get_one(ImportedEnrolmentRecord, "C-E").is_registered
    with pytest.raises(GuardError) as refusal:
        enrol(2)
    assert refusal.value.code == "enrolment.other"
    third = a_bundle("s3", "P", "F")
    import_folder(either, "P", write(tmp_path, third, "third"))
    with reading(either.engine) as database:
        assert database.get_one(EnrolmentRecord, "F-E").learner_id == learner_id


def test_equal_pseudonyms_of_two_platforms_are_two_learners(house: House, tmp_path: Path) -> None:
    import_folder(house, "P", write(tmp_path, a_bundle()))
    import_folder(house, "Q", write(tmp_path, a_bundle("s", "Q", "D"), "other"))
    with reading(house.engine) as database:
        assert len(set(database.scalars(select(EnrolmentRecord.learner_id)))) == 2


def test_a_reading_that_is_killed_leaves_nothing_and_begins_anew(
    either: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty = rows_in(either)
    import_id = post(either, "P", body_of(tmp_path, a_bundle()))["import_id"]

    class Killed(BaseException):
        pass

    def die(*_: Any) -> None:
        raise Killed

    # the last: everything is written, nothing committed
    for module, name in ((import_work, "write_ready"), (import_work, "admit"), (import_rows, "put_pages")):
        with monkeypatch.context() as patched:
            patched.setattr(module, name, die)
            with pytest.raises(Killed):
                import_work.import_once(either, import_id)
        assert rows_in(either) == empty
        assert imports.told(either, import_id, "P")["state"] == "reading"
    import_work.import_once(either, import_id)
    told = imports.told(either, import_id, "P")
    assert (told["state"], told["counts"]["events"]["accepted"]) == ("done", 30)
    assert not import_work.folder_of(either, import_id).exists()


def test_an_import_that_nobody_may_see_is_as_if_absent(house: House, tmp_path: Path) -> None:
    import_id = imported(house, "P", body_of(tmp_path, a_bundle()))["import_id"]
    with pytest.raises(GuardError) as refusal:
        imports.told(house, import_id, "Q")
    assert refusal.value.kind is ErrorKind.NOT_FOUND
    assert imports.listed(house, "Q", None)["imports"] == []
    assert [row["import_id"] for row in imports.listed(house, None, None)["imports"]] == [import_id]


@pytest.mark.parametrize("name", ["statements.ndjson", "events.json", "tracking.log"])
def test_a_log_of_another_system_is_an_import(name: str, house: House) -> None:
    told = imported(house, "P", (FOREIGN / name).read_bytes())
    assert told["state"] == "done", told["problem"]
    records = told["counts"]["records"]
    assert records["sent"] == sum(records[kind] for kind in records if kind != "sent")
    assert told["counts"]["sessions"]["accepted"] >= 1
    again = imported(house, "P", (FOREIGN / name).read_bytes() + b"\n")
    assert again["counts"]["events"]["accepted"] == 0
    assert again["counts"]["events"]["duplicate"] == told["counts"]["events"]["accepted"]


def test_a_log_with_its_course_meets_registered_enrolments(house: House, tmp_path: Path) -> None:
    import zipfile

    with zipfile.ZipFile(tmp_path / "logs.zip", "w") as archive:
        for name in ("course.toml", "statements.ndjson"):
            archive.write(FOREIGN / name, name)
    told = imported(house, "P", (tmp_path / "logs.zip").read_bytes())
    assert told["counts"]["enrolments"]["accepted"] == 1
    with reading(house.engine) as database:
        assert set(database.scalars(select(SessionRecord.enrolment_id))) == {"E1"}


def test_a_body_that_is_nothing_known_fails_with_its_reason(house: House) -> None:
    told = imported(house, "P", b"hello\n")
    assert (told["state"], told["problem"]["code"]) == ("failed", "ingest.unknown_format")
    assert imported(house, "P", b"hello\n")["import_id"] == told["import_id"]


@pytest.fixture
def paged(house: House, tmp_path: Path) -> Callable[[], dict[str, Any]]:
    rows = a_bundle(events=1)
    rows["events"] += [an_event(seq, "nobody") for seq in range(1_234)]
    return lambda: imported(house, "P", body_of(tmp_path, rows))


def test_refused_rows_are_told_page_by_page(paged: Callable[[], dict[str, Any]], house: House) -> None:
    told = paged()
    lines, pages = [row["line"] for row in told["refused_rows"]], 1
    while (cursor := told["cursors"]["refused"]) is not None:
        told = imports.told(house, told["import_id"], "P", "refused", int(cursor.partition(".")[2]))
        lines += [row["line"] for row in told["refused_rows"]]
        pages += 1
    assert (lines, pages) == (list(range(2, 1_236)), 3)
    assert told["duplicate_rows"] == []


def test_a_disk_without_room_takes_no_body(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = type("Usage", (), {"free": 2 * archives.MOST_BYTES - 1})
    monkeypatch.setattr(archives.shutil, "disk_usage", lambda _: usage)
    with pytest.raises(GuardError) as refusal:
        imports.new_file(house)
    assert refusal.value.kind is ErrorKind.UNAVAILABLE


def test_what_a_killed_process_left_of_a_body_is_removed_after_a_day(house: House) -> None:
    old, young = imports.new_file(house), imports.new_file(house)
    os.utime(old, (0, 0))
    imports.new_file(house)
    assert (old.exists(), young.exists()) == (False, True)


def test_a_reading_that_fails_again_and_again_is_told(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import_id = post(house, "P", body_of(tmp_path, a_bundle()))["import_id"]
    monkeypatch.setattr(import_work, "write_ready", lambda *_: 1 / 0)
    monkeypatch.setattr(jobs, "MOST_ATTEMPTS", 1)
    verify(house)
    told = imports.told(house, import_id, "P")
    assert (told["state"], told["problem"]["code"]) == ("reading", "import.parked")


def test_a_course_derived_from_logs_grows_with_the_logs_of_another_day(house: House) -> None:
    log = (FOREIGN / "statements.ndjson").read_bytes()
    first = imported(house, "P", log)
    other = (
        log.replace(b"/video/1", b"/video/2").replace(b"wang.xiaoming", b"li.hong").replace(b"2021-07-0", b"2021-08-0")
    )
    second = imported(house, "P", other)
    assert second["state"] == "done", second["problem"]
    assert second["counts"]["sessions"]["accepted"] == first["counts"]["sessions"]["accepted"]
    with reading(house.engine) as database:
        (record,) = database.scalars(select(ClassRecord))
        lessons = json.loads(record.body)["lessons"]
        assert len(set(database.scalars(select(SessionRecord.lesson_no)))) == len(lessons)
    assert [row["lesson_no"] for row in lessons] == list(range(1, len(lessons) + 1))
    assert imported(house, "P", log + b"\n")["counts"]["events"]["accepted"] == 0


KILLED = """
import os, signal, sys
from pathlib import Path
from online_guard.service.importing import import_work
from online_guard.service.house import open_house
from online_guard.settings import Settings
house = open_house(Settings(data_dir=Path(sys.argv[1])))
whole = import_work.import_rows.put_pages
def die(*arguments):
    whole(*arguments)
    os.kill(os.getpid(), signal.SIGKILL)
import_work.import_rows.put_pages = die
import_work.import_once(house, sys.argv[2])
"""


def test_a_process_that_is_killed_in_the_last_transaction_leaves_nothing(sqlite_url: str, tmp_path: Path) -> None:
    house = open_house(Settings(data_dir=tmp_path / "data", database_url=sqlite_url))
    empty = rows_in(house)
    import_id = post(house, "P", body_of(tmp_path, a_bundle()))["import_id"]
    command_line = [sys.executable, "-c", KILLED, str(tmp_path / "data"), import_id]
    killed = subprocess.run(command_line, check=False, timeout=60)
    assert killed.returncode == -signal.SIGKILL
    assert rows_in(house) == empty
    verify(house)  # the job that was asked for with the import still waits
    assert imports.told(house, import_id, "P")["counts"]["events"]["accepted"] == 30
    assert session_verdict(house, "s", "P")["state"] == "verified"
    house.engine.dispose()


def test_real_logs_are_imports(house: House, shared: Path) -> None:
    logs = sorted((shared / "telemetry").rglob("*_video*.*"))[:4] + sorted(
        (shared / "telemetry").rglob("video_timeline.log")
    )
    assert logs
    for log in logs:
        told = imported(house, "P", log.read_bytes())
        assert told["state"] == "done", (log.name, told["problem"])
        records = told["counts"]["records"]
        assert records["sent"] == sum(records[kind] for kind in records if kind != "sent") > 0


def test_a_few_bytes_that_stand_for_thousands_of_millions_of_rows(house: House, tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    folder = write(tmp_path, {name: rows for name, rows in a_bundle().items() if name != "events"})
    rows = import_sources.MOST_GROUP_ROWS + 1
    table = pa.table({"seq": pa.array([0] * rows, pa.int32())})
    pq.write_table(table, folder / "events.parquet", row_group_size=rows, compression="zstd")
    told = imported(house, "P", zipped(folder, tmp_path / "zip").read_bytes())
    assert told["problem"]["code"] == "import.too_many_events"
