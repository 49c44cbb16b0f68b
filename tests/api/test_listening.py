"""The command that serves: beyond the machine it doesn't listen, and says so with exit status 2."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from online_guard.demo.service import COMMAND


def test_serving_beyond_the_machine_is_bad_use(tmp_path: Path) -> None:
    command = [*COMMAND, "serve", "--host", "0.0.0.0", "--data-dir", str(tmp_path / "data")]
    environment = os.environ | {"COLUMNS": "200"}
    ended = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60, env=environment)
    assert ended.returncode == 2
    assert "serve.not_loopback" in ended.stderr
    assert "0.0.0.0" in ended.stderr
    assert not (tmp_path / "data").exists()
