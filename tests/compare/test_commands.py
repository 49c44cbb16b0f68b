import json
import shutil
import sys
from pathlib import Path

import pytest
from result_folders import results

from online_guard.cli import main
from online_guard.simulate.course import Plan, simulate, write_rows


def run(monkeypatch: pytest.MonkeyPatch, *words: object) -> int:
    """Run the command line and return its exit status."""
    monkeypatch.setattr(sys, "argv", ["online-guard", *map(str, words)])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


def test_exit_status_says_whether_anything_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    old = results(tmp_path / "old", sessions=[{"session_id": "p/s"}])
    new = results(tmp_path / "new", sessions=[{"session_id": "p/s", "verdict": "held"}])
    assert run(monkeypatch, "compare", old, old) == 0
    assert "没有任何变化" in capsys.readouterr().out
    assert run(monkeypatch, "compare", old, new, "--json", "--out", tmp_path / "out") == 1
    printed = json.loads(capsys.readouterr().out)
    assert printed == json.loads((tmp_path / "out" / "comparison.json").read_text("utf-8"))
    assert printed["sessions"]["flow"] == [{"old": "accepted", "new": "held", "sessions": 1}]
    shutil.rmtree(new)
    assert run(monkeypatch, "compare", old, new) == 2
    assert "summary.json" in capsys.readouterr().err


def test_a_revalidation_against_earlier_results(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle, old, new = tmp_path / "bundle", tmp_path / "old", tmp_path / "new"
    write_rows(simulate([Plan.of("plain")], 3), bundle)
    assert run(monkeypatch, "revalidate", bundle, "--out", old) == 0
    assert run(monkeypatch, "revalidate", bundle, "--out", new, "--against", old) == 0
    assert not json.loads((new / "comparison" / "comparison.json").read_text("utf-8"))["changed"]
    capsys.readouterr()
    stricter = ("--set", "popup.max_gap_s=240", "--against", old, "--json")
    assert run(monkeypatch, "revalidate", bundle, "--out", new, *stricter) == 1
    assert json.loads(capsys.readouterr().out)["comparison"]["hours"]["lost"] > 0


def test_nothing_is_judged_or_written_against_a_damaged_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bundle, old = tmp_path / "bundle", results(tmp_path / "old")
    write_rows(simulate([Plan.of("plain")], 3), bundle)
    (old / "ledger.parquet").write_bytes(b"no")
    assert run(monkeypatch, "revalidate", bundle, "--out", tmp_path / "new", "--against", old) == 2
    assert not (tmp_path / "new").exists()
