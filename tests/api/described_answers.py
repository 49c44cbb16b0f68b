"""Compares answers with what the OpenAPI document says of them."""

from __future__ import annotations

import re
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import jsonschema_rs

from online_guard.api.app import create_app
from online_guard.service.house import open_house
from online_guard.settings import Settings


@cache
def document() -> dict[str, Any]:
    """Return the OpenAPI document of the program as it is."""
    with tempfile.TemporaryDirectory() as folder:
        house = open_house(Settings(data_dir=Path(folder)))
        try:
            return create_app(house).openapi()
        finally:
            house.engine.dispose()


@cache
def operations() -> list[tuple[str, re.Pattern[str], dict[str, Any]]]:
    """Return method, path and what is said of every operation; paths without parameters first."""
    found = []
    for path, item in sorted(document()["paths"].items(), key=lambda one: ("{" in one[0], one[0])):
        pattern = re.compile(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(path)))
        found += [(method.upper(), pattern, operation) for method, operation in item.items()]
    return found


@cache
def validator(operation_id: str, status: int) -> jsonschema_rs.Validator | None:
    """Return what compares a JSON answer, None when it isn't JSON.

    Raises:
        AssertionError: The operation doesn't say that it answers so.
    """
    said = next(one for _, _, one in operations() if one["operationId"] == operation_id)["responses"]
    response = said.get(str(status)) or said.get(f"{status // 100}XX")
    assert response is not None, f"{operation_id} says nothing of {status}"
    content = response.get("content", {})
    media = content.get("application/json") or content.get("application/problem+json")
    if media is None:
        return None
    return jsonschema_rs.validator_for({"components": document()["components"], **media["schema"]})


def check_answer(answer: httpx.Response) -> None:
    """Refuse an answer that isn't what the document says.

    Raises:
        AssertionError: It has another status, or other keys.
    """
    path = answer.request.url.path
    for method, pattern, operation in operations():
        if method == answer.request.method and pattern.fullmatch(path):
            known = validator(operation["operationId"], answer.status_code)
            if known is not None and method != "HEAD":
                errors = [f"{one.instance_path}: {one.message}" for one in known.iter_errors(answer.json())]
                assert not errors, f"{method} {path}: {errors}"
            return
