"""What a service logs of a class; that anything changed afterwards is found, in the house and outside it.

`ONLINE_GUARD_MUTATIONS` says how many of each kind are tried (`make bench-log`: 1 000).
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from random import Random
from types import ModuleType
from typing import Any

import log_mutations
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from posted import import_folder
from reviewers import UPHOLD, a_review
from simulated_platform import SimulatedPlatform
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from studied_class import COURSE, study

from online_guard.errors import GuardError
from online_guard.service.house import House, clock_ms, open_house
from online_guard.service.operating import evidence_export, evidence_log
from online_guard.service.reviewing import notices
from online_guard.settings import Settings
from online_guard.simulate import command
from online_guard.store import log_proofs, merkle, sealed_log
from online_guard.store.unit_of_work import reading, writing

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "verify_evidence.py"
HOW_MANY = int(os.environ.get("ONLINE_GUARD_MUTATIONS", "12"))
NO_EVIDENCE = (InvalidSignature, ValueError, LookupError, TypeError, AttributeError, StopIteration)


@pytest.fixture(scope="module")
def verifier() -> ModuleType:
    """Return the stand-alone verifier as a module."""
    spec = importlib.util.spec_from_file_location("verify_evidence", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def sessions(studied: House) -> list[str]:
    with reading(studied.engine) as database:
        return [
            f"{row.platform_id}/{row.session_id}" for row in log_proofs.sessions_of_class(database, COURSE.class_id)
        ]


@pytest.fixture(scope="module")
def studied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Return a house with a verified class and a log with several heads; tests leave it as it is."""
    folder = tmp_path_factory.mktemp("studied")
    house = open_house(Settings(data_dir=folder))
    simulated = SimulatedPlatform(house)
    evidence_log.sequence(house)
    study(simulated, lambda: evidence_log.sequence(house, at_once=True))
    yield house
    house.engine.dispose()


@pytest.fixture
def known(studied: House) -> list[dict[str, Any]]:
    """Return all heads that were told."""
    return evidence_log.heads(studied, 0, 1000)["heads"]


def faults(house: House, *known: Any) -> list[str]:
    return [f"{fault.where}: {fault.reason}" for fault in evidence_log.verify(house, known_heads=known).faults]


def leaves(house: House) -> list[str]:
    return [entry["leaf"] for entry in evidence_log.entries(house, 0, 1000)["entries"]]


def public(house: House) -> bytes:
    return evidence_log.log_key(house).public


def test_an_untouched_log_holds_and_covers_every_kind(studied: House, known: list[dict[str, Any]]) -> None:
    assert faults(studied, *known) == []
    assert len(known) > 4
    assert len(leaves(studied)) == evidence_log.head(studied)["size"]
    kinds = {json.loads(leaf)["kind"] for leaf in leaves(studied)}
    assert kinds == {"events", "snapshot", "liveness", "verdict", "claim", "application", "survey"}


def test_a_class_studied_on_postgresql_holds(tmp_path: Path, postgres_url: str) -> None:
    house = open_house(Settings(data_dir=tmp_path / "data", database_url=postgres_url))
    study(SimulatedPlatform(house), lambda: evidence_log.sequence(house, at_once=True))
    assert faults(house) == []
    assert len(leaves(house)) == evidence_log.head(house)["size"]
    house.engine.dispose()


def test_a_machine_with_another_key_says_so_once_and_signs_nothing(
    studied: House, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    other = replace(studied, settings=studied.settings.model_copy(update={"log_key_file": tmp_path / "other.key"}))
    head = evidence_log.head(studied)
    with writing(studied.engine) as database:
        sealed_log.append(database, "roster", "roster/1", {})
    later = clock_ms() + 10_000
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(evidence_log, "clock_ms", lambda: later)
        evidence_log.keep_up(other)
        evidence_log.keep_up(other)
    assert len([record for record in caplog.records if "log.key" in record.getMessage()]) == 1
    assert evidence_log.head(studied) == head
    with pytest.raises(GuardError, match="another key"):
        evidence_log.public_key(other)
    with writing(studied.engine) as database:
        database.execute(log_mutations.text("DELETE FROM log_entry WHERE kind = 'roster'"))


@pytest.fixture
def empty(tmp_path: Path, sqlite_url: str) -> Iterator[House]:
    """Return an empty house on SQLite."""
    house = open_house(Settings(data_dir=tmp_path / "data", database_url=sqlite_url))
    yield house
    house.engine.dispose()


def test_an_empty_log_has_a_head_as_soon_as_somebody_asks(empty: House) -> None:
    assert evidence_log.consistency(empty, 0, None)["root"] == merkle.EMPTY_ROOT.hex()
    head = evidence_log.head(empty)
    assert (head["size"], head["root"]) == (0, merkle.EMPTY_ROOT.hex())
    assert faults(empty, head) == []


def test_decisions_appeals_and_notices_are_logged(empty: House) -> None:
    review = a_review(empty)
    found = review.finding("OG102")
    review.appeals(found)
    for one in review.findings():
        if one.enrolment_id == found.enrolment_id and one.effect != "note":
            review.two_say(UPHOLD, one)
    notices.issue(empty, str(found.enrolment_id), "丙", clock_ms())
    evidence_log.sequence(empty, at_once=True)
    kinds = {json.loads(leaf)["kind"] for leaf in leaves(empty)}
    assert kinds == {"verdict", "decision"}
    # the sessions were put there past the service, and that is what is found
    assert all(fault.startswith(("session/", "snapshot", "liveness", "application")) for fault in faults(empty))


def test_an_import_is_logged(empty: House, tmp_path: Path) -> None:
    cheats = command.chosen(["popup_remover", "rewritten_events"], ())
    command.simulate_bundle(tmp_path / "bundle", 7, 2, ("left_open",), cheats)
    classes = json.loads((tmp_path / "bundle" / "classes.json").read_text("utf-8"))
    platforms = sorted({row["platform_id"] for row in classes})
    for platform_id in platforms:
        import_folder(empty, platform_id, tmp_path / "bundle")
    assert faults(empty) == []
    evidence_log.sequence(empty, at_once=True)
    kinds = {json.loads(leaf)["kind"] for leaf in leaves(empty)}
    assert kinds == {"events", "snapshot", "liveness", "verdict", "application"}
    with Session(empty.engine) as database:
        database.execute(log_mutations.text("UPDATE session SET provenance = 'live' WHERE row_id = 1"))
        assert evidence_log.verify_within(database, public(empty)).faults


def test_an_untouched_log_holds_from_within_a_transaction_too(studied: House) -> None:
    with reading(studied.engine) as database:
        assert evidence_log.verify_within(database, public(studied)).faults == ()


@pytest.mark.parametrize("kind", log_mutations.DATABASE)
def test_every_change_of_the_database_is_found(studied: House, kind: str) -> None:
    rng = Random(kind)
    mutate, missed, done = log_mutations.DATABASE[kind], [], 0
    while done < HOW_MANY:
        with Session(studied.engine) as database:
            try:
                what = mutate(database, rng)
            except IntegrityError:  # the database itself refuses it
                continue
            if what is None:
                continue
            database.expunge_all()
            if not evidence_log.verify_within(database, public(studied)).faults:
                missed.append(what)
            done += 1
    assert missed == []


@pytest.mark.parametrize("kind", ["old backup", "split view"])
def test_an_old_backup_and_a_split_view_are_found_by_a_head_kept_elsewhere(
    studied: House, known: list[dict[str, Any]], kind: str
) -> None:
    rng, key, missed = Random(kind), evidence_log.log_key(studied), 0
    for _ in range(HOW_MANY):
        with Session(studied.engine) as database:
            if kind == "old backup":
                log_mutations.old_backup(database, rng)
            else:
                log_mutations.split_view(database, rng, key)
            database.expunge_all()
            alone = [*evidence_log.log_check.check_log(database, key.public)]
            assert alone == [], "by itself the other log is whole"
            missed += not [*evidence_log.log_check.check_log(database, key.public, known[-1:])]
    assert missed == 0


def exported(house: House, session: str, out: Path, known: Any = ()) -> list[str]:
    evidence_export.export_session(house, session, out, known)
    return out.read_text("utf-8").splitlines()


@pytest.mark.parametrize("kind", ["bit", "field", "delete", "insert", "reorder", "truncate"])
def test_every_change_of_an_evidence_file_is_found(
    studied: House, sessions: list[str], verifier: ModuleType, tmp_path: Path, kind: str
) -> None:
    rng, missed, done = Random(kind), [], 0
    lines, other = (exported(studied, one, tmp_path / "evidence") for one in sessions)
    key, every = Ed25519PublicKey.from_public_bytes(public(studied)), leaves(studied)
    verifier.verify(iter(lines), key, (), every)
    while done < HOW_MANY:
        changed = log_mutations.mutated_lines(kind, lines, other, rng)
        if changed is None:
            continue
        done += 1
        try:
            verifier.verify(iter(changed), key, (), every)
        except (*NO_EVIDENCE, verifier.struct.error):
            continue
        missed.append([(a, b) for a, b in zip(lines, changed, strict=False) if a != b][:1])
    assert missed == []


def test_evidence_of_a_session_and_of_a_class_is_verified_outside(
    studied: House, sessions: list[str], known: list[dict[str, Any]], tmp_path: Path
) -> None:
    early, key, entries = tmp_path / "head.json", tmp_path / "key.json", tmp_path / "entries"
    early.write_text(json.dumps(known[2]))
    key.write_text(json.dumps(evidence_log.public_key(studied)))
    entries.write_text("\n".join(json.dumps(one) for one in evidence_log.entries(studied, 0, 1000)["entries"]))
    exported(studied, sessions[0], tmp_path / "session", known[2:3])
    evidence_export.export_class(studied, COURSE.class_id, tmp_path / "class", known[2:3])
    options = ["--key", str(key), "--known-head", str(early), "--entries", str(entries)]
    for name in ("session", "class"):
        command = [sys.executable, str(SCRIPT), str(tmp_path / name), *options]
        told = subprocess.run(command, capture_output=True, text=True, check=False)
        assert told.returncode == 0, told.stdout + told.stderr
        assert "holds" in told.stdout
    assert sum(len(line) > 0 for line in SCRIPT.read_text("utf-8").splitlines()) < 200
    other = evidence_log.public_key(studied) | {"public_key": "A" * 43 + "="}
    key.write_text(json.dumps(other))
    told = subprocess.run([*command[:3], *options], capture_output=True, text=True, check=False)
    assert told.returncode == 1


def test_a_split_view_is_found_outside(
    studied: House, sessions: list[str], known: list[dict[str, Any]], verifier: ModuleType, tmp_path: Path
) -> None:
    key = Ed25519PublicKey.from_public_bytes(public(studied))
    lines = exported(studied, sessions[0], tmp_path / "evidence", known)
    for head in known:
        verifier.verify(iter(lines), key, [head])
    for seed in range(20):
        with Session(studied.engine) as database:
            log_mutations.split_view(database, Random(seed), evidence_log.log_key(studied))
            forked = log_proofs.current_head(database)
            database.rollback()
        with pytest.raises(ValueError, match=r"split view|roll-back|proof"):
            verifier.verify(iter(lines), key, [forked])


def test_a_change_is_told_by_its_row(studied: House, sessions: list[str]) -> None:
    with Session(studied.engine) as database:
        database.execute(log_mutations.text("UPDATE result SET body = replace(body, 'accepted', 'held')"))
        database.execute(log_mutations.text("UPDATE snapshot SET at_ms = at_ms + 1 WHERE session_row = 1"))
        told = [fault.where for fault in evidence_log.verify_within(database, public(studied)).faults]
    assert any(where.startswith(f"snapshot session/{sessions[0]} ") for where in told)


def test_proofs_are_told_for_every_entry_and_tree(studied: House) -> None:
    size = evidence_log.head(studied)["size"]
    for entry in evidence_log.entries(studied, 0, 1000)["entries"]:
        proof = evidence_log.inclusion(studied, entry["entry_id"], None, None)
        assert proof == evidence_log.inclusion(studied, None, entry["leaf_hash"], size)
        path = [bytes.fromhex(step) for step in proof["audit_path"]]
        found = merkle.root_by_inclusion(bytes.fromhex(entry["leaf_hash"]), proof["leaf_index"], size, path)
        assert found is not None
        assert found.hex() == proof["root"] == evidence_log.head(studied)["root"]
    for first in range(size + 1):
        proof = evidence_log.consistency(studied, first, None)
        roots = (bytes.fromhex(proof[name]) for name in ("first_root", "root"))
        old, new = roots
        path = [bytes.fromhex(step) for step in proof["consistency_path"]]
        assert merkle.is_consistent(first, old, size, new, path)


def test_no_proof_of_what_is_not_there(studied: House) -> None:
    size = evidence_log.head(studied)["size"]
    for ask in (
        lambda: evidence_log.inclusion(studied, 10**6, None, None),
        lambda: evidence_log.inclusion(studied, None, "00" * 32, None),
        lambda: evidence_log.inclusion(studied, 1, None, size + 1),
        lambda: evidence_log.inclusion(studied, 1, None, 0),
        lambda: evidence_log.consistency(studied, size + 1, None),
        lambda: evidence_log.consistency(studied, 3, 2),
    ):
        with pytest.raises(GuardError):
            ask()


def test_pages_of_entries_and_heads_are_the_whole(studied: House) -> None:
    for name, ask in (("entries", evidence_log.entries), ("heads", evidence_log.heads)):
        whole, pages, cursor = ask(studied, 0, 1000)[name], [], 0
        while cursor is not None:
            page = ask(studied, cursor, 7)
            pages += page[name]
            cursor = page["next"]
        assert pages == whole
