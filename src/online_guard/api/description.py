"""The OpenAPI document: what FastAPI knows of the routes, the schemas of their answers, and what can be called next."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from online_guard.api.answers import ANSWERS, COMPONENTS

SESSION = {"session_id": "$response.body#/session_id"}
ENROLLED = {"enrolment_id": "$response.body#/enrolment_id"}
LINKS: Mapping[str, Mapping[str, Mapping[str, str]]] = {
    "POST /v1/sessions": {
        "POST /v1/sessions/{session_id}/events": SESSION,
        "POST /v1/sessions/{session_id}/snapshots": SESSION,
        "POST /v1/sessions/{session_id}/liveness": SESSION,
        "POST /v1/sessions/{session_id}/close": SESSION,
    },
    "POST /v1/sessions/{session_id}/events": {
        "POST /v1/sessions/{session_id}/close": {"session_id": "$request.path.session_id"}
    },
    "POST /v1/sessions/{session_id}/close": {"GET /v1/sessions/{session_id}/verdict": SESSION},
    "POST /v1/sessions/{session_id}/liveness": {
        "POST /v1/liveness/{check_id}/frames": {
            "check_id": "$response.body#/check_id",
            "nonce": "$response.body#/nonce",
        }
    },
    "PUT /v1/classes/{class_id}": {
        "PUT /v1/classes/{class_id}/enrolments/{enrolment_id}": {"class_id": "$response.body#/class_id"},
        "POST /v1/classes/{class_id}/practice": {"class_id": "$response.body#/class_id"},
    },
    "PUT /v1/classes/{class_id}/enrolments/{enrolment_id}": {
        "PUT /v1/enrolments/{enrolment_id}/reference-photo": ENROLLED,
        "GET /v1/enrolments/{enrolment_id}/ledger": ENROLLED,
        "GET /v1/enrolments/{enrolment_id}/eligibility": ENROLLED,
        "POST /v1/enrolments/{enrolment_id}/claims": ENROLLED,
    },
    "POST /v1/assessments/{window}/applications": {
        "GET /v1/assessments/{window}/candidates": {"window": "$response.body#/window"}
    },
}
"""What can be called next with what an answer says: operation → operation → parameters."""


def described(app: FastAPI) -> dict[str, Any]:
    """Return the OpenAPI document of an application, with the schemas of its answers and the links between calls."""
    if app.openapi_schema is None:
        document = get_openapi(
            title=app.title, version=app.version, summary=app.summary, openapi_version="3.1.0", routes=app.routes
        )
        operations = {
            f"{method.upper()} {path}": operation
            for path, item in document["paths"].items()
            for method, operation in item.items()
        }
        document.setdefault("components", {}).setdefault("schemas", {}).update(COMPONENTS)
        for name, operation in operations.items():
            _describe(name, operation, operations)
        app.openapi_schema = document
    return app.openapi_schema


def _describe(name: str, operation: dict[str, Any], operations: Mapping[str, dict[str, Any]]) -> None:
    links = {
        operations[then]["operationId"]: {"operationId": operations[then]["operationId"], "parameters": dict(given)}
        for then, given in LINKS.get(name, {}).items()
    }
    for status, sent in ANSWERS.get(name, {}).items():
        response = operation["responses"].setdefault(str(status), {"description": "成功 / success"})
        response["content"] = (
            {kind: {} for kind in sent} if isinstance(sent, tuple) else {"application/json": {"schema": sent}}
        )
        if links:
            response["links"] = links
