"""The evidence of a case verifies itself, and shows a change."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path

from simulated_platform import SimulatedPlatform
from studied_class import study

from online_guard.service.house import open_house
from online_guard.service.reviewing import case_evidence
from online_guard.settings import Settings
from online_guard.verdict import case_id


def test_the_evidence_of_a_case_verifies_itself(tmp_path: Path, sqlite_url: str) -> None:
    house = open_house(Settings(data_dir=tmp_path / "data", database_url=sqlite_url))
    session, *_ = study(SimulatedPlatform(house))
    content = case_evidence.package(house, case_id("session", session))
    house.engine.dispose()
    zipfile.ZipFile(io.BytesIO(content)).extractall(tmp_path)
    verify = [sys.executable, "verify_evidence.py", "evidence.ndjson", "--key", "key.json"]
    assert subprocess.run(verify, cwd=tmp_path, capture_output=True, check=False).returncode == 0
    assert json.loads((tmp_path / "case.json").read_text(encoding="utf-8"))["subject_id"] == session
    lines = (tmp_path / "evidence.ndjson").read_text(encoding="utf-8").splitlines()
    changed = json.loads(lines[-1]) | {"payload": "{}"}
    (tmp_path / "evidence.ndjson").write_text("\n".join([*lines[:-1], json.dumps(changed)]), encoding="utf-8")
    assert subprocess.run(verify, cwd=tmp_path, capture_output=True, check=False).returncode == 1
