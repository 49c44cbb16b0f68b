"""The manifest of an operator's own anti-spoofing models: a TOML file that lies beside the ONNX files it names."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from online_guard.errors import ErrorKind, Fault, GuardError

MAX_MANIFEST_BYTES = 64 * 1024
"""A manifest has some dozens of lines; the wrong file is told before TOML reads it."""

_Text = Annotated[str, Field(min_length=1, max_length=500, pattern=r"\S")]
_Channel = Annotated[float, Field(ge=-1000, le=1000, allow_inf_nan=False)]
_Spread = Annotated[float, Field(gt=1e-6, le=1000, allow_inf_nan=False)]
_Side = Annotated[int, Field(ge=16, le=1024)]


def _plain_name(name: str) -> str:
    if name != Path(name).name or "\\" in name or name in {".", ".."}:
        raise ValueError("须是清单同一文件夹内的文件名 / must be the name of a file beside the manifest")
    return name


class ModelEntry(BaseModel):
    """One network: where it lies, what may be done with it, and how a face must be laid before it.

    Attributes:
        name: For people.
        file: Name of the ONNX file, in the manifest's folder.
        sha256: Of that file, 64 lower-case hex digits.
        licence: Under which the operator may use the network.
        origin: Who made it, from what.
        input_px: Width and height of the input, px.
        crop_scale: Side of the square cut around the face, in widths of the face's box (brows to chin).
        least_crop_scale: The smallest such square that may stand in where the picture is too small for `crop_scale`; by
            default there is none, and such a face is not evaluable.
        colour_order: Of the input's three planes.
        value_max: What a pixel value of 255 becomes, before mean and spread: 1 or 255, mostly.
        mean: Taken off each plane, in the order of the planes.
        std: Divides each plane thereafter.
        output: Whether the outputs are `logits` (softmax follows) or `probabilities`.
        classes: What each output stands for, in order: exactly one is `live`, every other one is `attack`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    name: _Text
    file: Annotated[_Text, AfterValidator(_plain_name)]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    licence: _Text
    origin: _Text
    input_px: tuple[_Side, _Side]
    crop_scale: Annotated[float, Field(ge=1, le=8, allow_inf_nan=False)]
    least_crop_scale: Annotated[float, Field(ge=1, le=8, allow_inf_nan=False)] | None = None
    colour_order: Literal["RGB", "BGR"]
    value_max: Annotated[float, Field(gt=0, le=255, allow_inf_nan=False)]
    mean: tuple[_Channel, _Channel, _Channel] = (0.0, 0.0, 0.0)
    std: tuple[_Spread, _Spread, _Spread] = (1.0, 1.0, 1.0)
    output: Literal["logits", "probabilities"]
    classes: Annotated[tuple[Literal["live", "attack"], ...], Field(min_length=2, max_length=16)]

    @field_validator("input_px", "mean", "std", "classes", mode="before")
    @classmethod
    def _listed(cls, value: object) -> object:
        """Take TOML's list for the tuple it stands for."""
        return tuple(value) if isinstance(value, list) else value

    @field_validator("classes")
    @classmethod
    def _one_live(cls, classes: tuple[str, ...]) -> tuple[str, ...]:
        if classes.count("live") != 1:
            raise ValueError("须恰有一项为 live / exactly one must be live")
        return classes

    @model_validator(mode="after")
    def _crops_in_order(self) -> ModelEntry:
        if self.least_crop_scale is not None and self.least_crop_scale > self.crop_scale:
            raise ValueError("least_crop_scale 大于 crop_scale / least_crop_scale is above crop_scale")
        return self


class Manifest(BaseModel):
    """All networks of a deployment and the score from which on their average means an attack.

    Attributes:
        threshold: Mean share of the classes other than `live`, above 0, at most 1.
        model: One to eight networks, averaged.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    threshold: Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)]
    model: Annotated[list[ModelEntry], Field(min_length=1, max_length=8)]


def read_manifest(path: Path) -> Manifest:
    """Return what a manifest says.

    Raises:
        GuardError: `models.missing`; `models.manifest_malformed` (no TOML); `models.manifest_invalid`, whose `faults`
            name each key and reason.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MAX_MANIFEST_BYTES + 1)
    except OSError as fault:
        raise GuardError(
            ErrorKind.UNAVAILABLE,
            "models.missing",
            f"无法读取模型清单 / the manifest of models can't be read ({fault.strerror})",
            where=str(path),
            remedy="请检查设置 presented_attack_manifest / look at the setting presented_attack_manifest",
        ) from fault
    return _checked(_parsed(content, path), path)


def _parsed(content: bytes, path: Path) -> dict[str, Any]:
    """Return the tables of a TOML file."""
    try:
        if len(content) > MAX_MANIFEST_BYTES:
            raise ValueError(f"> {MAX_MANIFEST_BYTES} bytes")
        return tomllib.loads(content.decode("utf-8"))
    except (ValueError, RecursionError) as fault:
        raise GuardError(
            ErrorKind.MALFORMED,
            "models.manifest_malformed",
            f"模型清单不是合法的 TOML 文件 / the manifest of models isn't a TOML file ({fault})",
            where=str(path),
            remedy="示例见 models/README.md / models/README.md has an example",
        ) from fault


def _checked(tables: dict[str, Any], path: Path) -> Manifest:
    """Return the manifest in tables that hold what they must."""
    try:
        return Manifest.model_validate(tables)
    except ValidationError as wrong:
        faults = tuple(
            Fault(".".join(str(part) for part in error["loc"]) or "model", error["msg"]) for error in wrong.errors()
        )
        first = faults[0]
        raise GuardError(
            ErrorKind.INVALID,
            "models.manifest_invalid",
            f"模型清单有 {len(faults)} 处错误 / the manifest of models has {len(faults)} faults; "
            f"{first.where}: {first.reason}",
            where=str(path),
            remedy="示例见 models/README.md / models/README.md has an example",
            faults=faults,
        ) from wrong
