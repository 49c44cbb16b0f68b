"""`ingest` from file to bundle: every record is accounted for, nothing depends on the order, nobody is named."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

import pytest
from typer.testing import CliRunner

from online_guard.batch import revalidate
from online_guard.cli import app
from online_guard.errors import GuardError
from online_guard.ingest.bundle import open_bundle, read_block
from online_guard.ingest.course import read_course
from online_guard.ingest.intake import Intake, take_in, write
from online_guard.ingest.intake_report import as_markdown, as_values
from online_guard.ingest.pseudonyms import Pseudonyms
from online_guard.policy import Policy
from online_guard.simulate.course import Plan, simulate, write_rows
from online_guard.simulate.ways import HONEST_WAYS

FOREIGN = Path(__file__).parent / "foreign"
LOGS = ("statements.ndjson", "tracking.log", "events.json")
UNJUST = {"OG101", "OG102", "OG103", "OG104", "OG105", "OG107", "OG201", "OG202", "OG501", "OG703", "OG802"}
"""Rules that accuse a learner of what a log without controls doesn't show."""
VIDEO = "https://w3id.org/xapi/video/"


def files_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def assert_accounted(taken: Intake) -> None:
    values = as_values(taken)
    parts = ("kept", "duplicates", "not_playback", "refused")
    assert values["counts"]["sent"] == sum(values["counts"][part] for part in parts)
    assert len(values["refused_rows"]) == values["counts"]["refused"]
    for report in taken.inputs:
        assert report.sent == report.kept + report.duplicates + report.not_playback.total() + report.refused
        assert taken.course is None or report.refused == sum(row.file == report.file for row in taken.refused)


def refused_when_opened(folder: Path) -> list[Any]:
    bundle = open_bundle(folder)
    return bundle.refused + [row for block in bundle.blocks() for row in read_block(block, bundle.index).refused]


@pytest.mark.parametrize(
    ("name", "sent", "kept", "duplicates", "not_playback", "lines"),
    [
        ("statements.ndjson", 17, 10, 1, 2, [14, 15, 16, 17]),
        ("tracking.log", 14, 7, 0, 4, [12, 13, 14]),
        ("events.json", 11, 8, 0, 2, [11]),
    ],
)
def test_every_record_ends_as_exactly_one_thing(
    name: str,
    sent: int,
    kept: int,
    duplicates: int,
    not_playback: int,
    lines: list[int],
    policy: Policy,
    tmp_path: Path,
) -> None:
    taken = take_in([FOREIGN / name], policy)
    (report,) = taken.inputs
    assert (report.sent, report.kept, report.duplicates) == (sent, kept, duplicates)
    assert report.not_playback.total() == not_playback
    assert [row.line for row in taken.refused] == lines
    assert_accounted(taken)
    write(taken, tmp_path / "bundle")
    assert refused_when_opened(tmp_path / "bundle") == []


def test_the_play_after_a_seek_that_repeats_the_old_position_accuses_nobody(policy: Policy, tmp_path: Path) -> None:
    write(take_in([FOREIGN / name for name in LOGS[:2]], policy), tmp_path / "bundle")
    found = {(row.rule, row.subject_id) for row in revalidate(tmp_path / "bundle", policy).judgement.findings}
    assert not {rule for rule, _ in found} & {"OG101", "OG102", "OG103", "OG104", "OG105", "OG107", "OG201", "OG501"}


@pytest.mark.parametrize("seed", [1, 2])
def test_shuffled_and_repeated_lines_give_the_same_bytes(seed: int, policy: Policy, tmp_path: Path) -> None:
    lines = (FOREIGN / "statements.ndjson").read_bytes().splitlines()
    mixed = lines + lines[seed::3]
    Random(seed).shuffle(mixed)
    half = len(mixed) // 2
    pieces = [tmp_path / "a.json", tmp_path / "b.ndjson.gz"]
    pieces[0].write_bytes(b"\n".join(mixed[:half]))
    pieces[1].write_bytes(gzip.compress(b"\n".join(mixed[half:])))
    taken = take_in(pieces, policy)
    assert_accounted(taken)
    write(taken, tmp_path / "mixed")
    write(take_in([FOREIGN / "statements.ndjson"], policy), tmp_path / "plain")
    assert files_of(tmp_path / "mixed") == files_of(tmp_path / "plain")


def test_no_name_mailbox_or_session_of_the_log_enters_the_bundle(policy: Policy, tmp_path: Path) -> None:
    write(take_in([FOREIGN / name for name in LOGS], policy), tmp_path / "bundle")
    everything = b"".join(files_of(tmp_path / "bundle").values()).lower()
    for word in (b"wang", b"li.hua", b"mailto", b"zhang", b"zhao", b"sitting-1", b"5e55"):
        assert word not in everything, word


def test_another_key_gives_other_pseudonyms_for_the_same_events(policy: Policy) -> None:
    plain, keyed = (
        take_in([FOREIGN / LOGS[0]], policy, pseudonyms=names) for names in (Pseudonyms(), Pseudonyms(b"k" * 16))
    )
    ids = [{row.session_id for row in taken.tables["sessions"]} for taken in (plain, keyed)]
    assert not ids[0] & ids[1]
    assert plain.inputs[0].kept == keyed.inputs[0].kept


def test_a_course_file_gives_class_and_enrolment_and_refuses_who_isnt_in_it(policy: Policy, tmp_path: Path) -> None:
    taken = take_in([FOREIGN / LOGS[0]], policy, course=read_course(FOREIGN / "course.toml"))
    assert_accounted(taken)
    assert {row.enrolment_id for row in taken.tables["sessions"]} == {"E1"}
    assert [row.line for row in taken.refused if row.field == "actors"] == [9, 10, 11]
    assert {duty.duty for duty in taken.inputs[0].duties if duty.provable} == {"lesson_order"}
    write(taken, tmp_path / "bundle")
    assert [row.class_id for row in open_bundle(tmp_path / "bundle").evidence.classes] == ["C1"]


def as_statements(rows: dict[str, list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """Return what a player of the video profile would have said in simulated sessions, with its usual quirk."""
    verbs = {
        "play": f"{VIDEO}verbs/played",
        "pause": f"{VIDEO}verbs/paused",
        "seek": f"{VIDEO}verbs/seeked",
        "rate": "http://adlnet.gov/expapi/verbs/interacted",
        "heartbeat": "http://adlnet.gov/expapi/verbs/interacted",
        "ended": "http://adlnet.gov/expapi/verbs/completed",
        "player_opened": "http://adlnet.gov/expapi/verbs/initialized",
        "player_closed": "http://adlnet.gov/expapi/verbs/terminated",
    }
    sessions = {row["session_id"]: row for row in rows["sessions"]}
    statements = []
    for event in rows["events"]:
        session, name = sessions[event["session_id"]], f"{event['session_id']}-{event['seq']}"
        verb = verbs.get(event["type"])
        if verb is None:
            continue
        times = {"time": event["position_s"]}
        if event["type"] == "seek":
            times = {"time-from": event["from_s"], "time-to": event["position_s"]}
        moments = [(event["at_ms"], verb, times, name)]
        if event["type"] == "seek" and event["playing"]:
            moments.append((event["at_ms"] + 5, verbs["play"], {"time": event["from_s"]}, f"{name}-play"))
        statements += [
            {
                "id": identity,
                "actor": {"account": {"homePage": "h", "name": session["enrolment_id"]}},
                "verb": {"id": word},
                "object": {
                    "id": f"v{session['lesson_no']}",
                    "definition": {"type": f"{VIDEO}activity-type/video"},
                },
                "context": {
                    "extensions": {
                        f"{VIDEO}extensions/session-id": event["session_id"],
                        f"{VIDEO}extensions/length": 2400,
                        f"{VIDEO}extensions/speed": f"{event['rate']}x",
                    }
                },
                "result": {"extensions": {f"{VIDEO}extensions/{key}": value for key, value in said.items()}},
                "timestamp": datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(),
                "stored": datetime.fromtimestamp(event["received_ms"] / 1000, UTC).isoformat(),
            }
            for at_ms, word, said, identity in moments
        ]
    return statements


def test_honest_learners_stay_honest_as_statements_of_another_system(policy: Policy, tmp_path: Path) -> None:
    rows = simulate([Plan(way) for way in HONEST_WAYS], 5)
    write_rows(rows, tmp_path / "original")
    played = {row.session_id: row.watched_s for row in revalidate(tmp_path / "original", policy).judgement.sessions}
    statements = as_statements(rows)
    assert any(row["verb"]["id"].endswith("seeked") for row in statements)
    silent = [row for row in statements if "interacted" not in row["verb"]["id"]]
    for name, said in (("reporting", statements), ("silent", silent)):
        path = tmp_path / f"{name}.ndjson"
        path.write_text("\n".join(map(json.dumps, said)), "utf-8")
        taken = take_in([path], policy)
        assert taken.refused == []
        write(taken, tmp_path / name)
        judged = revalidate(tmp_path / name, policy).judgement
        assert [row.as_row() for row in judged.findings if row.rule in UNJUST] == []
        watched = {row.session_id: row.watched_s for row in judged.sessions}
        for session in rows["sessions"]:
            names = (f"h|{session['enrolment_id']}", f"v{session['lesson_no']}", session["session_id"])
            before, after = (
                played[f"hc-online/{names[2]}"],
                watched[f"third-party/{Pseudonyms().of('session', *names)}"],
            )
            assert after == pytest.approx(before, abs=3) if name == "reporting" else after <= before + 3


def tampered_bundle(folder: Path) -> Path:
    """Write a bundle with cheats, a bad row in two files, a repeated event and one that was sent with other content."""
    write_rows(simulate([Plan(), Plan.of("hidden_playback")], 3), folder)
    lines = (folder / "events.ndjson").read_text("utf-8").splitlines()
    changed = json.loads(lines[40]) | {"position_s": 1.5}
    lines += [lines[7], json.dumps(changed), json.dumps(json.loads(lines[9]) | {"seq": -1})]
    (folder / "events.ndjson").write_text("\n".join(lines) + "\n", "utf-8")
    with (folder / "sessions.ndjson").open("a", encoding="utf-8") as file:
        file.write('{"platform_id": "hc-online"}\n')
    return folder


def test_a_bundle_comes_out_sorted_and_judged_as_it_went_in(policy: Policy, tmp_path: Path) -> None:
    source = tampered_bundle(tmp_path / "source")
    taken = take_in([source], policy)
    assert_accounted(taken)
    (report,) = taken.inputs
    lines = sum(path.read_bytes().count(b"\n") for path in source.glob("*.ndjson"))
    assert report.sent == lines + 1  # and one class
    assert [(row.file, row.field) for row in taken.refused] == [
        ("events.ndjson", "seq"),
        ("sessions.ndjson", "session_id"),
    ]
    write(taken, tmp_path / "out")
    before, after = (revalidate(folder, policy) for folder in (source, tmp_path / "out"))
    assert "OG105" in {row.rule for row in before.judgement.findings}
    assert [row.as_row() for row in after.judgement.findings] == [row.as_row() for row in before.judgement.findings]
    assert after.judgement.ledger == before.judgement.ledger
    assert after.judgement.eligibility == before.judgement.eligibility
    assert (after.refused, len(before.refused)) == ([], 2)
    again = take_in([tmp_path / "out"], policy)
    write(again, tmp_path / "again")
    assert files_of(tmp_path / "again") == files_of(tmp_path / "out")


def test_a_platform_that_reports_everything_can_prove_all_six(policy: Policy, tmp_path: Path) -> None:
    taken = take_in([tampered_bundle(tmp_path / "source")], policy)
    assert [duty for duty in taken.inputs[0].duties if not duty.provable] == []


@pytest.mark.parametrize("folder", ["xapi", "edx", "caliper"])
def test_real_logs_are_accounted_for_line_by_line(folder: str, shared: Path, policy: Policy, tmp_path: Path) -> None:
    paths = sorted((shared / "telemetry" / folder).iterdir())
    for chosen in ([paths], [[path] for path in paths]):
        for number, group in enumerate(chosen):
            taken = take_in(group, policy)
            assert_accounted(taken)
            for report in taken.inputs:
                content = Path(report.file).read_bytes()
                content = gzip.decompress(content) if report.file.endswith(".gz") else content
                whole = report.file.endswith(".json")
                assert report.sent == (1 if whole else content.count(b"\n") + (not content.endswith(b"\n")))
            out = tmp_path / f"{len(group)}-{number}"
            write(taken, out)
            assert refused_when_opened(out) == []


def test_the_real_statements_of_a_mooc(shared: Path, policy: Policy) -> None:
    taken = take_in([shared / "telemetry" / "xapi" / "fun-mooc-video-statements.ndjson.gz"], policy)
    (report,) = taken.inputs
    assert (report.sent, report.kept, report.refused) == (10_582, 10_549, 0)
    assert report.not_playback == {"http://id.tincanapi.com/verb/downloaded": 33}
    assert len(taken.tables["classes"][0].lessons) == 10
    assert {duty.duty for duty in report.duties if duty.provable} == set()


def test_the_real_timeline_of_open_edx(shared: Path, policy: Policy) -> None:
    (report,) = take_in([shared / "telemetry" / "edx" / "video_timeline.log"], policy).inputs
    assert (report.sent, report.kept, report.not_playback.total()) == (29, 18, 11)


def run(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["ingest", *map(str, arguments)])
    if isinstance(result.exception, GuardError):
        return 2, str(result.exception)
    return result.exit_code, result.stdout


def test_exit_status_and_report(tmp_path: Path) -> None:
    good = tmp_path / "good.json"
    good.write_text(json.dumps(as_statements(simulate([Plan()], 1))[:5]), "utf-8")
    status, text = run(good, "--out", tmp_path / "out", "--report", tmp_path / "report.md")
    assert status == 0
    assert (tmp_path / "report.md").read_text("utf-8") == text
    assert "DERIVED from the log" in text
    assert (tmp_path / "out" / "classes.json").exists()
    status, text = run(FOREIGN / LOGS[0], "--json")
    assert status == 1
    values = json.loads(text)
    assert values["course_derived"]
    assert [row["line"] for row in values["refused_rows"]] == [14, 15, 16, 17]
    assert len(values["inputs"][0]["duties"]) == 6


def test_bad_use_is_exit_status_2_and_writes_nothing(tmp_path: Path) -> None:
    bundle, (short, junk) = tampered_bundle(tmp_path / "bundle"), (tmp_path / "key", tmp_path / "junk")
    short.write_text("short", "utf-8")
    junk.write_text("junk", "utf-8")
    log = FOREIGN / LOGS[0]
    for arguments in (
        [tmp_path / "nowhere"],
        [junk],
        [bundle, log],
        [bundle, "--course", FOREIGN / "course.toml"],
        [log, log],
        [log, "--key-file", short],
        [log, "--key-file", tmp_path / "nowhere"],
        [log, "--course", junk],
        [log, "--platform", "a/b"],
        [log, "--report", tmp_path / "no" / "report.md"],
    ):
        assert run(*arguments, "--out", tmp_path / "out")[0] == 2, arguments
        assert not (tmp_path / "out").exists(), arguments
    assert run(log, "--out", bundle)[0] == 2


def test_the_markdown_limits_refusals_and_json_has_all(policy: Policy, tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes((FOREIGN / LOGS[1]).read_bytes() + b"no JSON\n" * 30)
    taken = take_in([path], policy)
    assert as_markdown(taken).count(f"`{path}:") == 20
    assert len(as_values(taken)["refused_rows"]) == 33
