"""The sample pictures: listed, small, and made by their script."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from online_guard.faces.decode import decode

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "sample_media"
PICTURES = {".jpg", ".png", ".webp"}


@pytest.fixture(scope="module")
def script() -> ModuleType:
    """Return the script that makes the pictures, or skip where scikit-image isn't installed."""
    pytest.importorskip("skimage", reason="scikit-image is a development dependency")
    spec = importlib.util.spec_from_file_location("make_sample_media", ROOT / "scripts" / "make_sample_media.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def on_disk() -> set[str]:
    return {path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*") if path.suffix in PICTURES}


def test_the_catalogue_lists_exactly_the_pictures_there_are(catalogue: dict[str, Any]) -> None:
    listed = [entry["file"] for entry in catalogue["specials"]]
    for person in catalogue["learners"]:
        listed += [person["reference"], *person["snapshots"]]
    assert len(listed) == len(set(listed))
    assert set(listed) == on_disk()


def test_pictures_are_small_and_of_all_three_formats() -> None:
    sizes = {name: (FOLDER / name).stat().st_size for name in on_disk()}
    assert max(sizes.values()) <= 40_000
    assert sum(sizes.values()) < 1_000_000
    assert {Path(name).suffix for name in sizes} == PICTURES


@pytest.mark.parametrize(("learner", "take"), [(1, 1), (5, 0)])
def test_the_script_paints_the_same_picture_again(script: ModuleType, learner: int, take: int) -> None:
    pose = (script.REFERENCE, *script.SNAPSHOTS)[take]
    name, size_px = ("reference", script.REFERENCE_PX) if take == 0 else (f"snapshot-{take}", script.SNAPSHOT_PX)
    stored = decode((FOLDER / f"learner-{learner:02d}" / f"{name}.jpg").read_bytes())
    painted = script.capture(learner, pose, size_px)
    assert np.abs(stored.astype(int) - painted).mean() < 4  # what JPEG loses
    np.testing.assert_array_equal(painted, script.capture(learner, pose, size_px))
