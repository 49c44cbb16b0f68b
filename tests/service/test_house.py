"""A house opens with everything that its settings name, or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from online_guard.errors import GuardError
from online_guard.service.house import open_house
from online_guard.settings import Settings

MANIFEST = """
threshold = 0.5
[[model]]
name = "own"
file = "own.onnx"
sha256 = "{sha256}"
licence = "MIT"
origin = "made here"
input_px = [80, 80]
crop_scale = 2.7
colour_order = "BGR"
value_max = 255.0
output = "logits"
classes = ["attack", "live"]
"""


@pytest.mark.parametrize("content", [None, b"another network"], ids=["missing", "changed"])
def test_an_operators_model_that_is_missing_or_changed_refuses_to_start(tmp_path: Path, content: bytes | None) -> None:
    manifest = tmp_path / "manifest.toml"
    manifest.write_text(MANIFEST.format(sha256="0" * 64), encoding="utf-8")
    if content is not None:
        (tmp_path / "own.onnx").write_bytes(content)
    settings = Settings(data_dir=tmp_path / "data", presented_attack_manifest=manifest)
    with pytest.raises(GuardError) as refused:
        open_house(settings)
    assert refused.value.code == ("models.missing" if content is None else "models.changed")
    assert not (tmp_path / "data" / "online-guard.sqlite3").exists()


def test_without_a_manifest_there_is_no_operators_model(tmp_path: Path) -> None:
    house = open_house(Settings(data_dir=tmp_path))
    assert house.passive_check is None
    house.engine.dispose()
