"""`ingest`: a bundle, or logs of other systems → one bundle, and a report in which every record is accounted for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from online_guard.errors import ErrorKind, GuardError
from online_guard.ingest.bundle_intake import event_reader, good_rows
from online_guard.ingest.bundle_writer import write_bundle
from online_guard.ingest.collected import Collector, watched_videos
from online_guard.ingest.course import Course
from online_guard.ingest.derived_course import derive_course
from online_guard.ingest.duties import DutyReport, Facts, six_duties
from online_guard.ingest.foreign_files import ForeignLog, open_log
from online_guard.ingest.identity import take
from online_guard.ingest.media import NotPlayback
from online_guard.ingest.pseudonyms import Pseudonyms
from online_guard.ingest.refusals import Refusal, RefusedRow
from online_guard.ingest.rows import ID_PATTERN, ClassRow
from online_guard.ingest.sittings import first_of_each, settle_sittings
from online_guard.policy import Policy

Told = Callable[[int], None]
"""Called now and then with the number of records read."""
_TELL_EVERY = 10_000


@dataclass
class InputReport:
    """What became of the records of one file or bundle: sent = events or rows + duplicates + not playback + refused."""

    file: str
    format: str
    sent: int = 0
    kept: int = 0
    duplicates: int = 0
    not_playback: Counter[str] = field(default_factory=Counter)
    refused: int = 0
    unstored: int = 0
    unnamed: int = 0
    facts: Facts = field(default_factory=Facts)
    duties: list[DutyReport] = field(default_factory=list)


@dataclass
class Intake:
    """What was read: ready to be written, with its report."""

    inputs: list[InputReport]
    refused: list[RefusedRow]
    tables: dict[str, Any]
    course: Course | None = None
    keyed: bool = False


def take_in(
    paths: Sequence[Path],
    policy: Policy,
    *,
    course: Course | None = None,
    pseudonyms: Pseudonyms | None = None,
    platform_id: str = "third-party",
    derived: ClassRow | None = None,
    told: Told | None = None,
) -> Intake:
    """Return what a bundle, or one or more foreign logs, hold.

    Args:
        paths: one folder of a bundle, or files; the order has no influence on the bundle written.
        policy: tells the longest silence and the like, for the report.
        course: classes, enrolments, and what the log's names mean; derived from the logs when None.
        pseudonyms: turns the names of people and sessions into pseudonyms.
        platform_id: of a derived class.
        derived: the class that was derived from earlier logs of the platform, which grows.
        told: told of progress.

    Raises:
        GuardError: a file can't be read or has no known format, or bundle and files are mixed.
    """
    if not ID_PATTERN.match(platform_id):
        raise _bad_use("platform_id", "平台标识不合规 / not an id (1 to 128 characters, no `/`)")
    if any(path.is_dir() for path in paths):
        if len(paths) > 1 or course:
            raise _bad_use(str(paths[0]), "数据包须单独导入,且自带课程 / a bundle comes alone, and has its own classes")
        return _take_bundle(paths[0], policy)
    if len({path.resolve() for path in paths}) < len(paths):
        raise _bad_use("", "同一文件给了两次 / a file is named twice")
    derive = partial(derive_course, pseudonyms=pseudonyms or Pseudonyms(), platform_id=platform_id, known=derived)
    return _take_logs(paths, policy, course, derive, pseudonyms or Pseudonyms(), told or (lambda _: None))


def write(intake: Intake, out: Path) -> None:
    """Write the bundle, whole or not at all.

    Raises:
        GuardError: the folder holds something already, or can't be written.
    """
    write_bundle(out, **intake.tables)


def _take_bundle(path: Path, policy: Policy) -> Intake:
    bundle, read_events = event_reader(path)
    tables: dict[str, Any] = good_rows(bundle)
    report = InputReport(str(path), "数据包 bundle", facts=Facts(foreign=False))
    report.facts.take_captures(bundle.evidence)
    refused = list(bundle.refused)
    report.kept = sum(map(len, tables.values()))
    for block in read_events():
        report.facts.count(block.counting, policy)
        report.kept += len(block.counting) + len(block.counting.conflicts)
        report.duplicates += block.duplicates
        refused += block.refused
    report.refused = len(refused)
    report.sent = report.kept + report.duplicates + report.refused
    report.duties = six_duties(report.facts, policy)
    tables["events"] = (block.to_write for block in read_events())
    return Intake([report], sorted(refused), tables)


def _take_logs(
    paths: Sequence[Path],
    policy: Policy,
    course: Course | None,
    derive: Callable[..., Course],
    pseudonyms: Pseudonyms,
    told: Told,
) -> Intake:
    logs = [open_log(path) for path in paths]
    collector, reports, refused = Collector(pseudonyms), [], list[RefusedRow]()
    for number, log in enumerate(logs):
        reports.append(_collect(log, number, collector, refused, told))
    said, sittings = collector.finish()
    if course is None:
        videos = watched_videos(said.take(first_of_each(said)[0]), sittings)
        course = derive(videos, {sitting.actor for sitting in sittings})
    places = [course.place(sitting.actor, sitting.video, pseudonyms) for sitting in sittings]
    settled = settle_sittings(said, sittings, places, pseudonyms)
    for row, reason in settled.refused:
        report = reports[said.file[row]]
        refused.append(reason.of(report.file, int(said.line[row])))
        report.refused += 1
    for number, report in enumerate(reports):
        report.kept = int(np.count_nonzero(settled.source == number))
        report.duplicates = int(np.count_nonzero(said.file[settled.duplicates] == number))
        report.facts.course_derived = course.derived
        report.facts.count(take(settled.events, settled.source == number), policy)
        report.duties = six_duties(report.facts, policy)
    tables: dict[str, Any] = {
        "classes": sorted(course.classes, key=lambda row: row.class_id),
        "enrolments": sorted(course.enrolments, key=lambda row: row.enrolment_id),
        "sessions": settled.sessions,
        "events": settled.events,
    }
    return Intake(reports, sorted(refused), tables, course, pseudonyms.keyed)


def _collect(log: ForeignLog, number: int, collector: Collector, refused: list[RefusedRow], told: Told) -> InputReport:
    """Read one log; every record becomes a statement, something else or a refusal."""
    report = InputReport(str(log.path), log.format.name)
    unstored, unnamed = collector.unstored, collector.unnamed
    for line, record in log.records():
        reading = log.format.read(record) if isinstance(record, bytes) else record
        report.sent += 1
        if isinstance(reading, Refusal):
            refused.append(reading.of(report.file, line))
            report.refused += 1
        elif isinstance(reading, NotPlayback):
            report.not_playback[reading.name] += 1
        else:
            collector.add(reading, number, line)
        if report.sent % _TELL_EVERY == 0:
            told(report.sent)
    report.unstored, report.unnamed = collector.unstored - unstored, collector.unnamed - unnamed
    return report


def _bad_use(where: str, message: str) -> GuardError:
    return GuardError(ErrorKind.INVALID, "ingest.bad_use", message, where=where)
