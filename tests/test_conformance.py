"""The published bundles with results: every finding, verdict, hour and eligibility row is the expected one."""

from __future__ import annotations

import importlib.util
import json
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from online_guard.batch import revalidate
from online_guard.policy import DEFAULT_POLICY, Policy, load_policy

PARTS = 20
TABLES = ("findings", "sessions", "ledger", "eligibility")
Differences = Callable[[Path, Path, set[str]], Iterator[str]]


@pytest.fixture(scope="session")
def cases(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Return the folders that hold `bundle/` and `expected/`, unpacked once."""
    root = tmp_path_factory.mktemp("conformance")
    for archive in sorted((shared / "conformance").glob("*.tar.gz")):
        with tarfile.open(archive) as packed:
            packed.extractall(root / archive.name.removesuffix(".tar.gz"), filter="data")
    return sorted(bundle.parent for bundle in root.rglob("bundle"))


@pytest.fixture(scope="session")
def differences(shared: Path) -> Differences:
    """Return the published comparison."""
    spec = importlib.util.spec_from_file_location("conformance_check", shared / "conformance" / "check.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.differences


@pytest.fixture(scope="session")
def no_tools() -> Policy:
    """Return the policy of the expected results, which know no tool signatures."""
    return load_policy(DEFAULT_POLICY, ["known_tools.signatures=[]"])


def write_tables(case: Path, out: Path, policy: Policy) -> None:
    """Judge a bundle and write the tables that are compared."""
    judged = revalidate(case / "bundle", policy, workers=1).judgement
    out.mkdir()
    for name in TABLES:
        rows = [json.dumps(row.as_row(), ensure_ascii=False) + "\n" for row in getattr(judged, name)]
        (out / f"{name}.ndjson").write_text("".join(rows), encoding="utf-8")


@pytest.mark.parametrize("part", range(PARTS))
def test_results_are_the_published_ones(
    part: int, cases: list[Path], differences: Differences, no_tools: Policy, tmp_path: Path
) -> None:
    chosen = cases[part::PARTS]
    assert chosen
    wrong = {}
    for number, case in enumerate(chosen):
        out = tmp_path / str(number)
        write_tables(case, out, no_tools)
        found = list(differences(out, case / "expected", set()))
        if found:
            title = case / "title.txt"
            wrong[case.name] = [title.read_text("utf-8").strip() if title.exists() else "", *found[:12]]
    assert wrong == {}


def test_the_comparison_notices_a_difference(
    cases: list[Path], differences: Differences, no_tools: Policy, tmp_path: Path
) -> None:
    """Control: a wrong verdict, a missing finding and one second of credit too much are told."""
    case = next(case for case in cases if (case / "expected" / "findings.ndjson").read_text("utf-8").strip())
    out = tmp_path / "out"
    write_tables(case, out, no_tools)
    for name, change in {
        "findings": lambda lines: lines[1:],
        "sessions": lambda lines: [json.dumps({**json.loads(lines[0]), "verdict": "none"}), *lines[1:]],
        "ledger": lambda lines: [json.dumps({**json.loads(lines[0]), "credited_s": 99_999.0}), *lines[1:]],
    }.items():
        path = out / f"{name}.ndjson"
        kept = path.read_text("utf-8")
        path.write_text("\n".join(change(kept.splitlines())), "utf-8")
        assert len(list(differences(out, case / "expected", set()))) == 1, name
        path.write_text(kept, "utf-8")
    assert list(differences(out, case / "expected", set())) == []
