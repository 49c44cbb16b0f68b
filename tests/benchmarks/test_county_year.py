"""The benchmark's year: honest learners stay clean, cheats are found, and the peers say what we say."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from collections import Counter
from fractions import Fraction
from pathlib import Path
from types import ModuleType

import pytest

from online_guard.batch import Revalidation, revalidate, write
from online_guard.policy import load_policy
from online_guard.terms import Effect, Subject

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
SCALE = Fraction(1, 200)


@pytest.fixture(scope="module", autouse=True)
def _importable():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(BENCHMARKS))
        yield


@pytest.fixture(scope="module")
def county_year(_importable) -> ModuleType:
    import county_year

    return county_year


@pytest.fixture(scope="module")
def bundle(county_year, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("year") / "bundle"
    county_year.write_year(folder, SCALE, directives=True)
    return folder


@pytest.fixture(scope="module")
def judged(bundle) -> Revalidation:
    return revalidate(bundle, load_policy("huangchuan-2021"), workers=1)


@pytest.fixture(scope="module")
def findings(judged, tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("out")
    write(judged, out)
    return out / "findings.ndjson"


def ways_of(county_year) -> dict[str, int]:
    plans = county_year._plans(round(county_year.LEARNERS * SCALE), 2021)
    return {
        f"{plan.platform_id}/{name}": way
        for plan in plans
        for name, way in zip(plan.session_ids(), plan.way.tolist(), strict=True)
    }


def test_a_year_has_the_promised_number_of_events_and_no_bad_row(judged):
    assert len(judged.judgement.sessions) == 40 * 40
    assert 281.25 * 1600 < judged.events < 295 * 1600
    assert judged.refused == []


def test_honest_sessions_have_notes_at_most(judged, county_year):
    from class_plan import LESSONS, Way

    ways = ways_of(county_year)
    named = {
        row.subject_id
        for row in judged.judgement.findings
        if row.subject is Subject.SESSION and row.effect is not Effect.NOTE
    }
    overlapped = {  # the session before, that an overlapping one lies over
        name
        for (name, _), (_, way) in zip(list(ways.items())[:-1], list(ways.items())[1:], strict=True)
        if way == Way.OVERLAPPING
    }
    honest = {name for name, way in ways.items() if way == Way.HONEST} - overlapped
    assert len(honest) > 0.95 * len(ways)
    assert len(ways) == 40 * LESSONS
    assert not named & honest
    assert not [row for row in judged.judgement.findings if row.subject in (Subject.CLASS, Subject.ENROLMENT)]


def test_every_way_of_cheating_is_found_by_its_rule(judged, county_year):
    from class_plan import Way

    ways = ways_of(county_year)
    by_rule = {
        Way.OVERLAPPING: "OG201",
        Way.POPUP_REMOVED: "OG301",
        Way.POPUP_IGNORED: "OG301",
        Way.HIDDEN: "OG203",
    }
    found = {(row.rule, row.subject_id) for row in judged.judgement.findings}
    missed = Counter(way for name, way in ways.items() if way in by_rule and (by_rule[Way(way)], name) not in found)
    assert set(ways.values()) == set(Way)
    assert not missed
    assert {"OG101", "OG103", "OG702"} <= {rule for rule, _ in found}


def test_the_same_seed_gives_the_same_bundle_and_another_seed_another(county_year, tmp_path):
    for name, seed in (("one", 1), ("again", 1), ("other", 2)):
        county_year.write_year(tmp_path / name, Fraction(1, 4000), seed)
    content = {
        name: {file.name: file.read_bytes() for file in (tmp_path / name).iterdir()}
        for name in ("one", "again", "other")
    }
    assert content["one"] == content["again"]
    assert content["one"]["events.parquet"] != content["other"]["events.parquet"]


@pytest.mark.parametrize("peer", ["duckdb", "polars"])
def test_a_peer_gives_our_answers(peer, bundle, findings):
    if importlib.util.find_spec(peer) is None:
        pytest.skip(f"{peer} isn't installed")
    command = [sys.executable, str(BENCHMARKS / "peers.py"), peer, str(bundle), "--compare", str(findings)]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (run.stdout.strip(), run.returncode) == ("same answers", 0), run.stderr


def test_a_wrong_answer_of_a_peer_is_named(findings, tmp_path):
    from peers import differences, read_findings

    ours = read_findings(findings)
    lines = findings.read_text(encoding="utf-8").splitlines()
    lost = next(line for line in lines if json.loads(line)["rule"] == "OG301")
    fewer = tmp_path / "findings.ndjson"
    fewer.write_text("\n".join(line for line in lines if line != lost), encoding="utf-8")
    (said,) = differences(ours, read_findings(fewer))
    assert said.startswith("OG301: 1 missing, 0 too many")
    assert differences(ours, ours) == []
