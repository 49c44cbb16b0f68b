"""Model files: found without importing their package, checked, loaded once."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from online_guard.errors import ErrorKind, GuardError
from online_guard.faces import models
from online_guard.faces.models import IDENTITY, MODEL_FILES, ModelFile, checked_path, face_models

MANIFEST = Path(__file__).resolve().parents[2] / "models" / "manifest.toml"


def test_manifest_and_code_name_the_same_files() -> None:
    manifest = tomllib.loads(MANIFEST.read_text(encoding="utf-8"))
    assert [(entry["file"], entry["sha256"]) for entry in manifest["model"]] == [
        (model.name, model.sha256) for model in MODEL_FILES
    ]


def test_manifest_says_everything_about_each_model() -> None:
    manifest = tomllib.loads(MANIFEST.read_text(encoding="utf-8"))
    entries = manifest["model"] + manifest["built_in"]
    assert len(entries) == 4
    for entry in entries:
        assert all(entry[key] for key in ("name", "package", "licence", "origin", "input", "output", "threshold"))


def test_the_installed_files_are_the_ones_on_record() -> None:
    assert [checked_path(model).name for model in MODEL_FILES] == [model.name for model in MODEL_FILES]


def test_models_are_loaded_once() -> None:
    assert face_models() is face_models()


def test_a_changed_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / IDENTITY.name).write_bytes(b"other weights")
    monkeypatch.setattr(models, "_folder", lambda: tmp_path)
    with pytest.raises(GuardError, match="SHA-256") as refusal:
        checked_path(IDENTITY)
    assert (refusal.value.kind, refusal.value.code) == (ErrorKind.UNAVAILABLE, "models.changed")
    assert refusal.value.where == str(tmp_path / IDENTITY.name)


def test_a_missing_file_is_refused() -> None:
    with pytest.raises(GuardError) as refusal:
        checked_path(ModelFile("absent.dat", "0" * 64))
    assert (refusal.value.kind, refusal.value.code) == (ErrorKind.UNAVAILABLE, "models.missing")


def test_a_missing_package_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models, "_PACKAGE", "no_such_package_here")
    with pytest.raises(GuardError, match="缺少") as refusal:
        checked_path(IDENTITY)
    assert refusal.value.where == "no_such_package_here"


def test_importing_the_package_loads_no_model_and_no_foreign_code() -> None:
    program = (
        "import sys, online_guard.faces.pipeline, online_guard.faces.models as models\n"
        "from PIL import ImageFile\n"
        "assert not models._loaded\n"
        "before = sorted(set(sys.modules) & {'face_recognition', 'face_recognition_models', 'pkg_resources'})\n"
        "models.face_models()\n"
        "after = sorted(set(sys.modules) & {'face_recognition', 'face_recognition_models', 'pkg_resources'})\n"
        "print(before, after, ImageFile.LOAD_TRUNCATED_IMAGES)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[] [] False"
