"""Bundles as plain rows: drawn by Hypothesis, written to a folder, judged into the bytes of the output files."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

from evidence_builder import START_MS
from hypothesis import Phase, settings
from hypothesis import strategies as st
from messy_sessions import POPUP_NAMES, messy_events

from online_guard.batch import revalidate, write
from online_guard.policy import Policy
from online_guard.simulate.course import WAYS, Plan, simulate

FEWER = settings(max_examples=settings.get_profile(settings.get_current_profile_name()).max_examples // 3)
"""A law judges whole folders several times, so that fewer examples have to do."""
UNSHRUNK = settings(FEWER, phases=(Phase.explicit, Phase.generate))
"""A failing course is shown as it was drawn: shrinking it takes minutes."""
Row = dict[str, Any]
Rows = dict[str, list[Row]]
DURATIONS_S = {1: 2_400.0, 2: 100.0}
PLATFORMS = {"c1": "p", "c2": "q"}
ENROLMENTS = {"e1": ("c1", "l1"), "e2": ("c1", "l2"), "e3": ("c2", "l1"), "e4": ("c2", "l4")}
DECIDED = ("OG101", "OG102", "OG107", "OG301", "OG401", "OG403", "OG601", "OG702", "OG901")
SUBJECTS = {"OG601": "lesson", "OG702": "lesson", "OG901": "class"}


def class_row(class_id: str) -> Row:
    """Return a class of two lessons: forty minutes for one class hour, and a very short one."""
    lessons = [
        {"lesson_no": 1, "title": "一", "kind": "professional", "duration_s": DURATIONS_S[1], "class_hours": 1},
        {"lesson_no": 2, "title": "二", "kind": "professional", "duration_s": DURATIONS_S[2], "class_hours": 0.05},
    ]
    return {
        "class_id": class_id,
        "platform_id": PLATFORMS[class_id],
        "institution": "某职业培训学校",
        "applicant_kind": "enterprise",
        "applicant": "某企业",
        "occupation": "电子商务师",
        "mode": "online",
        "certificate_route": "skill_level",
        "starts_on": "2021-03-01",
        "ends_on": "2021-03-31",
        "required_online_hours": 0.05,
        "teachers": 1,
        "lessons": lessons,
    }


def event_row(session: Row, seq: int, event: SimpleNamespace) -> Row:
    """Return the row of an event of a session, kept within the lesson."""
    most = DURATIONS_S[session["lesson_no"]] + 50
    row = {
        **{name: session[name] for name in ("platform_id", "session_id")},
        "seq": seq,
        "type": str(event.type),
        "at_ms": event.at_ms,
        "received_ms": event.received_ms,
        "position_s": min(event.position_s, most),
        "playing": event.playing,
        "rate": event.rate,
        "player": event.player,
    }
    if event.from_s is not None:
        row["from_s"] = min(event.from_s, most)
    return row if event.popup is None else {**row, "popup": event.popup}


@st.composite
def bundles(
    draw: st.DrawFn, classes: Sequence[str] = ("c1", "c2"), enrolments: Mapping[str, tuple[str, str]] = ENROLMENTS
) -> Rows:
    """Return a bundle of a few messy sessions with facts and decisions about them."""
    owners = {name: who for name, who in enrolments.items() if who[0] in classes}
    sessions: list[Row] = []
    events: list[Row] = []
    for number in range(draw(st.integers(1, 4))):
        owner = draw(st.sampled_from(sorted(owners)))
        opened_ms = START_MS + draw(st.sampled_from([0, 100_000]))
        session = {
            "platform_id": PLATFORMS[owners[owner][0]],
            "session_id": f"s{number}",
            "enrolment_id": owner,
            "lesson_no": draw(st.sampled_from([1, 2])),
            "opened_at_ms": opened_ms,
            "opened_received_ms": opened_ms + draw(st.sampled_from([500, -20_000])),
            "device_id": draw(st.sampled_from(["d1", "d2"])),
        }
        sessions.append(session)
        events += [event_row(session, seq, one) for seq, one in enumerate(draw(messy_events(most=14)))]
    for row in draw(st.lists(st.sampled_from(events), max_size=3)) if events else ():
        moved = {"position_s": draw(st.sampled_from([0.0, 7.0])), "playing": not row["playing"]}
        events.append({**row, **moved, "received_ms": row["received_ms"] + draw(st.sampled_from([-1, 0, 900]))})
    keys = st.sampled_from([{name: row[name] for name in ("platform_id", "session_id")} for row in sessions])
    snapshots = [_snapshot(draw, key) for key in draw(st.lists(keys, max_size=4))]
    checks = [_check(draw, key) for key in draw(st.lists(keys, max_size=3))]
    return {
        "classes": [class_row(class_id) for class_id in classes],
        "enrolments": [
            {"enrolment_id": name, "class_id": class_id, "learner_id": learner}
            for name, (class_id, learner) in owners.items()
        ],
        "sessions": sessions,
        "events": events,
        "snapshots": _unique(snapshots, "snapshot_id"),
        "liveness": _unique(checks, "check_id"),
        "directives": _unique([_directive(draw, key) for key in draw(st.lists(keys, max_size=3))], "directive_id"),
        "likenesses": _unique([_likeness(draw, row) for row in snapshots], "snapshot_id", "other_kind", "other_id"),
        "applications": [
            {"class_id": class_id, "window": "2021-04", "applied_on": "2021-04-01", "assessment_on": "2021-04-10"}
            for class_id in draw(st.lists(st.sampled_from(classes), unique=True))
        ],
        "decisions": _decisions(draw, sessions),
    }


def _snapshot(draw: st.DrawFn, key: Row) -> Row:
    at_ms = START_MS + draw(st.sampled_from([5_000, 20_000, 100_000]))
    return {
        **key,
        "snapshot_id": draw(st.sampled_from(["n1", "n2"])),
        "at_ms": at_ms,
        "received_ms": at_ms + draw(st.sampled_from([0, 500])),
        "asked": draw(st.booleans()),
        "good": draw(st.sampled_from([True, True, False])),
        "sha256": draw(st.sampled_from(["a" * 64, "b" * 64])) if key["platform_id"] == "p" else "c" * 64,
        "phash": ("0" if key["platform_id"] == "p" else "f") * 16,
        "distance": draw(st.sampled_from([0.3, 0.6, 0.8])),
    }


def _check(draw: st.DrawFn, key: Row) -> Row:
    return {
        **key,
        "check_id": draw(st.sampled_from(["k1", "k2"])),
        "at_ms": START_MS + 10_000,
        "outcome": draw(st.sampled_from(["passed", "failed", "inconclusive"])),
        "distance": draw(st.sampled_from([0.3, 0.8])),
    }


def _directive(draw: st.DrawFn, key: Row) -> Row:
    return {
        **key,
        "directive_id": draw(st.sampled_from(POPUP_NAMES)),
        "kind": "popup",
        "issued_ms": START_MS,
        "due_playing_ms": draw(st.sampled_from([10_000, 60_000])),
    }


def _likeness(draw: st.DrawFn, snapshot: Row) -> Row:
    key = {name: snapshot[name] for name in ("platform_id", "session_id", "snapshot_id")}
    to_reference = draw(st.booleans())
    other = draw(st.sampled_from(["e1", "e2"])) if to_reference else f"{key['platform_id']}/elsewhere/n1"
    return {
        **key,
        "other_kind": "reference" if to_reference else "snapshot",
        "other_id": other,
        "phash_distance": draw(st.sampled_from([2, 20])),
        "residual": draw(st.sampled_from([0.01, 0.2])),
        "distance": draw(st.sampled_from([0.2, 0.6])),
    }


def _decisions(draw: st.DrawFn, sessions: Sequence[Row]) -> list[Row]:
    rows = []
    for rule in draw(st.lists(st.sampled_from(DECIDED), max_size=3)):
        one, subject = draw(st.sampled_from(sessions)), SUBJECTS.get(rule, "session")
        names = {"session": f"{one['platform_id']}/{one['session_id']}", "class": "c1"}
        name = names.get(subject, f"{one['enrolment_id']}/{one['lesson_no']}")
        kind = draw(st.sampled_from(["dismiss", "dismiss", "uphold"]))
        rows += [
            {"rule": rule, "subject": subject, "subject_id": name, "decision": kind, "reason": "看过", "decided_ms": 1}
            | {"reviewer": reviewer}
            for reviewer in draw(st.sampled_from([("甲", "乙"), ("甲",)]))
        ]
    return rows


def _unique(rows: Sequence[Row], *own: str) -> list[Row]:
    key = ("platform_id", "session_id", *own)
    return list({tuple(row[name] for name in key): row for row in rows}.values())


class Simulated(NamedTuple):
    """A simulated class by what it is made of: how each learner studies, and the seed. (Rows are too long to show.)"""

    ways: list[str]
    seed: int


simulated = st.builds(Simulated, st.lists(st.sampled_from(WAYS), min_size=1, max_size=2), st.integers(0, 99))


def rows_of(drawn: Rows | Simulated) -> Rows:
    """Return the rows of what was drawn."""
    return simulate([Plan.of(way) for way in drawn.ways], drawn.seed) if isinstance(drawn, Simulated) else drawn


def write_folder(rows: Rows, folder: Path) -> None:
    """Write rows as a bundle, in the order given."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in rows.items():
        lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in table)
        if name == "classes":
            (folder / "classes.json").write_text(json.dumps(table, ensure_ascii=False), "utf-8")
        elif table:
            (folder / f"{name}.ndjson").write_text(lines, "utf-8")


def files_of(bundle: Path, policy: Policy, *, workers: int = 1, block_rows: int = 1_000_000) -> dict[str, bytes]:
    """Return the output files of a bundle folder."""
    with tempfile.TemporaryDirectory() as out:
        write(revalidate(bundle, policy, workers=workers, block_rows=block_rows), Path(out))
        return files_in(Path(out))


def files_in(folder: Path) -> dict[str, bytes]:
    """Return the content of each file of a folder."""
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def results_of(rows: Rows, policy: Policy, *, workers: int = 1, block_rows: int = 1_000_000) -> dict[str, bytes]:
    """Return the output files of rows."""
    with tempfile.TemporaryDirectory() as folder:
        write_folder(rows, Path(folder))
        return files_of(Path(folder), policy, workers=workers, block_rows=block_rows)


def ndjson(content: bytes) -> list[Row]:
    """Return the rows of an NDJSON file."""
    return [json.loads(line) for line in content.splitlines()]
