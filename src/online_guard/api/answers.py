"""What OpenAPI says of the answers: which keys a success has.

Answers are made by `service` as plain values; for speed nobody checks them on their way out, but tests do.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from online_guard.api.problems import PROBLEM_SCHEMA
from online_guard.ingest.live import Status
from online_guard.terms import Outcome, Verdict

Schema = dict[str, Any]
TEXT: Schema = {"type": "string"}
NUMBER: Schema = {"type": "number"}
COUNT: Schema = {"type": "integer", "minimum": 0}
MS: Schema = {"type": "integer", "minimum": 0, "description": "毫秒 / ms since the epoch"}
FLAG: Schema = {"type": "boolean"}
DAY: Schema = {"type": "string", "format": "date"}
HASH: Schema = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
FACTS: Schema = {"type": "object", "description": "逐项证据 / facts by name"}


def one_of(*words: object) -> Schema:
    """Return the schema of a word out of a few."""
    return {"enum": [str(word) for word in words]}


def or_null(schema: Schema) -> Schema:
    """Return a schema that may be null."""
    return {"anyOf": [schema, {"type": "null"}]}


def many(schema: Schema) -> Schema:
    """Return the schema of a list."""
    return {"type": "array", "items": schema}


def keys(*optional: str, **properties: Schema) -> Schema:
    """Return the schema of an object with these keys and no others; the `optional` ones may be missing."""
    required = [name for name in properties if name not in optional]
    return {"type": "object", "additionalProperties": False, "required": required, "properties": properties}


def ref(name: str) -> Schema:
    """Return a reference to one of `COMPONENTS`."""
    return {"$ref": f"#/components/schemas/{name}"}


IN_WORDS = keys(zh=TEXT, en=TEXT)
STATE = one_of("open", "pending", "verified")
ACTION = keys(action=TEXT, zh=TEXT, en=TEXT)
COMPONENTS: Mapping[str, Schema] = {
    "Problem": PROBLEM_SCHEMA,
    "Directive": keys(
        directive_id=TEXT, kind=one_of("popup", "snapshot", "liveness"), due_playing_ms=COUNT, nonce=TEXT
    ),
    "EventResult": keys("reason", index=COUNT, seq=or_null({"type": "integer"}), status=one_of(*Status), reason=TEXT),
    "Finding": {
        "type": "object",
        "required": ["rule", "subject", "subject_id", "effect", "evidence"],
        "properties": {"rule": TEXT, "subject": TEXT, "subject_id": TEXT, "effect": TEXT, "evidence": FACTS},
    },
    "Policy": keys(id=TEXT, version=TEXT, sha256=HASH),
    "LedgerLesson": keys(
        enrolment_id=TEXT, lesson_no=COUNT, hours=NUMBER, credited_s=NUMBER, coverage=NUMBER, refused_by=many(TEXT)
    ),
    "Eligibility": keys(
        class_id=TEXT,
        window=or_null(TEXT),
        enrolment_id=TEXT,
        eligible=FLAG,
        failed=many(TEXT),
        unconfirmed=many(TEXT),
        evidence=FACTS,
        tests={"type": "object", "additionalProperties": keys(zh=TEXT, en=TEXT, clause=TEXT)},
    ),
}
CLASS: Schema = {"type": "object", "required": ["class_id", "platform_id", "lessons"], "properties": {"class_id": TEXT}}
ENROLMENT = keys(enrolment_id=TEXT, class_id=TEXT, learner_id=TEXT, face_checks=one_of("required", "declined"))
REFERENCE = keys(
    enrolment_id=TEXT, faces=COUNT, sha256=HASH, phash=TEXT, brightness=NUMBER, sharpness=NUMBER, face_size_px=NUMBER
)
OPENED = keys(session_id=TEXT, opened_received_ms=MS, next_seq=COUNT, directives=many(ref("Directive")))
BATCH = keys(
    received_ms=MS,
    results=many(ref("EventResult")),
    counts={"type": "object", "additionalProperties": COUNT},
    next_seq=COUNT,
    directives=many(ref("Directive")),
)
SNAPSHOT = keys(
    snapshot_id=TEXT,
    asked=FLAG,
    good=FLAG,
    reasons=many(TEXT),
    faces=COUNT,
    distance=or_null(NUMBER),
    sha256=HASH,
    phash=TEXT,
)
CHALLENGE = keys(
    check_id=TEXT,
    session_id=TEXT,
    actions=many(ACTION),
    nonce=TEXT,
    issued_ms=MS,
    expires_ms=MS,
    asked_fps=NUMBER,
    least_fps=NUMBER,
)
JUDGED: Schema = {
    "type": "object",
    "required": ["check_id", "outcome", "reasons", "fps", "distance", "actions", "events", "strip", "plot"],
    "properties": {
        "outcome": one_of(*Outcome),
        "distance": or_null(NUMBER),
        "fps": NUMBER,
        "strip": TEXT,
        "plot": TEXT,
    },
}
VERDICT = keys(
    "playing_ms",
    "watched_s",
    "policy",
    session_id=TEXT,
    platform_id=TEXT,
    state=STATE,
    verdict=or_null(one_of(*Verdict)),
    findings=many(ref("Finding")),
    playing_ms=COUNT,
    watched_s=NUMBER,
    policy=ref("Policy"),
)
CLAIMED = keys(
    lesson_no=COUNT,
    claimed=NUMBER,
    earned=NUMBER,
    accepted=FLAG,
    refused_by=many(TEXT),
    findings=many(ref("Finding")),
)
APPLICATION = keys(class_id=TEXT, window=TEXT, applied_on=DAY, assessment_on=DAY)
LOGIN = keys(name=TEXT, role=TEXT, csrf_token=TEXT)
ANSWERS: Mapping[str, Mapping[int, Schema | tuple[str, ...]]] = {
    "GET /healthz": {200: keys(status={"const": "ok"})},
    "GET /readyz": {200: keys(status={"const": "ready"})},
    "GET /metrics": {200: ("text/plain",)},
    "PUT /v1/classes/{class_id}": {200: CLASS, 201: CLASS},
    "PUT /v1/classes/{class_id}/enrolments/{enrolment_id}": {200: ENROLMENT, 201: ENROLMENT},
    "POST /v1/classes/{class_id}/practice": {200: keys(class_id=TEXT, recorded=COUNT, known=COUNT)},
    "PUT /v1/enrolments/{enrolment_id}/reference-photo": {200: REFERENCE, 201: REFERENCE},
    "POST /v1/sessions": {200: OPENED, 201: OPENED},
    "POST /v1/sessions/{session_id}/events": {200: BATCH},
    "POST /v1/sessions/{session_id}/snapshots": {200: SNAPSHOT, 201: SNAPSHOT},
    "POST /v1/sessions/{session_id}/liveness": {200: CHALLENGE, 201: CHALLENGE},
    "POST /v1/liveness/{check_id}/frames": {200: JUDGED},
    "GET /v1/liveness/{check_id}/{evidence}": {200: ("image/jpeg", "image/png")},
    "POST /v1/sessions/{session_id}/close": {202: keys(session_id=TEXT, state={"const": "closed"})},
    "GET /v1/sessions/{session_id}/verdict": {200: VERDICT},
    "GET /v1/enrolments/{enrolment_id}/ledger": {
        200: keys(enrolment_id=TEXT, state=STATE, hours=NUMBER, lessons=many(ref("LedgerLesson")))
    },
    "GET /v1/enrolments/{enrolment_id}/eligibility": {
        200: keys(enrolment_id=TEXT, state=STATE, rows=many(ref("Eligibility")))
    },
    "POST /v1/enrolments/{enrolment_id}/claims": {
        200: keys(claim_id=TEXT, accepted_hours=NUMBER, lessons=many(CLAIMED))
    },
    "POST /v1/assessments/{window}/applications": {200: APPLICATION, 201: APPLICATION},
    "GET /v1/assessments/{window}/candidates": {
        200: keys(
            window=TEXT, pending=many(TEXT), candidates=many(ref("Eligibility")), refused=many(ref("Eligibility"))
        )
    },
    "POST /v1/login": {200: LOGIN},
    "GET /v1/login/oidc": {303: ()},
    "GET /v1/login/oidc/callback": {200: LOGIN},
    "POST /v1/logout": {200: keys(state={"const": "logged_out"})},
    "GET /v1/whoami": {200: keys("csrf_token", "platform_id", role=TEXT, name=TEXT, csrf_token=TEXT, platform_id=TEXT)},
}
"""Schemas of successes by operation and status, or the media types of what isn't JSON."""
