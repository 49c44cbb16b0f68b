"""What OpenAPI says of the answers: which keys a success has.

Answers are made by `service` as plain values; for speed nobody checks them on their way out, but tests do.
"""

from __future__ import annotations

from collections.abc import Mapping

from online_guard.api.problems import PROBLEM_SCHEMA
from online_guard.api.schemas import (
    ANYTHING,
    COUNT,
    DAY,
    FACTS,
    FLAG,
    HASH,
    LIST,
    MS,
    NUMBER,
    TEXT,
    Schema,
    having,
    keys,
    many,
    one_of,
    or_null,
    ref,
)
from online_guard.assessment.documents import FILES
from online_guard.ingest.live import Status
from online_guard.terms import Answer, CertificateRoute, Outcome, Paper, Verdict

IN_WORDS = keys(zh=TEXT, en=TEXT)
STATE = one_of("open", "pending", "verified")
PROVENANCE = {"anyOf": [one_of("live", "import", "mixed"), {"type": "null"}]}
ACTION = keys(action=TEXT, zh=TEXT, en=TEXT)
COMPONENTS: Mapping[str, Schema] = {
    "Problem": PROBLEM_SCHEMA,
    "Directive": keys(
        directive_id=TEXT, kind=one_of("popup", "snapshot", "liveness"), due_playing_ms=COUNT, nonce=TEXT
    ),
    "EventResult": keys("reason", index=COUNT, seq=or_null({"type": "integer"}), status=one_of(*Status), reason=TEXT),
    "Finding": having(rule=TEXT, subject=TEXT, subject_id=TEXT, effect=TEXT, evidence=FACTS),
    "Policy": keys(id=TEXT, version=TEXT, sha256=HASH),
    "LedgerLesson": keys(
        "provenance",
        provenance=PROVENANCE,
        enrolment_id=TEXT,
        lesson_no=COUNT,
        hours=NUMBER,
        credited_s=NUMBER,
        coverage=NUMBER,
        refused_by=many(TEXT),
    ),
    "Eligibility": keys(
        "provenance",
        "settled",
        "admitted",
        "updated_ms",
        provenance=PROVENANCE,
        class_id=TEXT,
        window=or_null(TEXT),
        enrolment_id=TEXT,
        eligible=FLAG,
        failed=many(TEXT),
        unconfirmed=many(TEXT),
        evidence=FACTS,
        tests={"type": "object", "additionalProperties": ref("FailedTest")},
        settled=ref("Settled"),
        admitted=FLAG,
        updated_ms=MS,
    ),
    "FailedTest": keys("answer", zh=TEXT, en=TEXT, clause=TEXT, cure=many(ref("Cure")), answer=one_of(*Answer)),
    "Cure": keys(
        "lessons",
        "from_on",
        "until_on",
        "window",
        zh=TEXT,
        en=TEXT,
        lessons=many(COUNT),
        from_on=DAY,
        until_on=DAY,
        window=TEXT,
    ),
    "Settled": keys(eligible=FLAG, failed=many(TEXT), unconfirmed=many(TEXT)),
}
CLASS = having(class_id=TEXT, platform_id=TEXT, lessons=many(having(lesson_no=COUNT, class_hours=NUMBER)))
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
JUDGED = having(
    check_id=TEXT,
    outcome=one_of(*Outcome),
    reasons=many(having(reason=TEXT, zh=TEXT, en=TEXT)),
    fps=NUMBER,
    distance=or_null(NUMBER),
    actions=many(having(action=TEXT, found=FLAG)),
    events=many(keys(action=TEXT, at_s=NUMBER)),
    strip=TEXT,
    plot=TEXT,
)
LEAF = {"entry_id": COUNT, "leaf_index": or_null(COUNT), "leaf": TEXT, "leaf_hash": or_null(HASH)}
"""An entry of the evidence log; without a place in the tree yet, its index and hash are null."""
HEAD = {
    "v": {"const": 1},
    "key_id": TEXT,
    "previous": or_null(HASH),
    "root": HASH,
    "size": COUNT,
    "time_ms": MS,
    "body": TEXT,
    "signature": TEXT,
}
INCLUSION = keys(**LEAF, tree_size=COUNT, root=HASH, audit_path=many(HASH))
CONSISTENCY = keys(first=COUNT, first_root=HASH, tree_size=COUNT, root=HASH, consistency_path=many(HASH))
MESSAGE = keys(
    message_id=TEXT,
    endpoint_id=TEXT,
    platform_id=TEXT,
    type=TEXT,
    subject=TEXT,
    state=one_of("waiting", "delivered", "parked"),
    attempts=COUNT,
    created_ms=MS,
    next_ms=or_null(MS),
    last_error=or_null(TEXT),
)
VERDICT = keys(
    "provenance",
    "rules",
    "log",
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
    provenance=PROVENANCE,
    rules=ANYTHING,
    log=or_null(keys(**LEAF)),
)
CLAIMED = keys(
    lesson_no=COUNT,
    claimed=NUMBER,
    earned=NUMBER,
    accepted=FLAG,
    refused_by=many(TEXT),
    findings=many(ref("Finding")),
)
APPLICATION = keys(
    "certificate_route",
    "task_row",
    "papers",
    "missing_papers",
    "failed",
    "evidence",
    "tests",
    "refused",
    "pending",
    class_id=TEXT,
    window=TEXT,
    applied_on=DAY,
    assessment_on=DAY,
    certificate_route=one_of(*CertificateRoute),
    task_row=COUNT,
    papers=many(one_of(*Paper)),
    missing_papers=many(keys(paper=one_of(*Paper), zh=TEXT, en=TEXT)),
    failed=many(TEXT),
    evidence=FACTS,
    tests={"type": "object", "additionalProperties": ref("FailedTest")},
    refused=many(ref("Eligibility")),
    pending=FLAG,
)
CONFIRMATION = keys(
    class_id=TEXT,
    number=COUNT,
    enrolment_id=or_null(TEXT),
    code=TEXT,
    answer=one_of(*Answer),
    reason=TEXT,
    reviewer=TEXT,
    role=TEXT,
    said_ms=MS,
)
SUSPENSION = keys(surveyed_on=DAY, score=NUMBER, from_on=DAY, until_on=DAY)
SURVEY = {"surveyed_on": DAY, "score": NUMBER, "asked": or_null(COUNT)}
SURVEYED = keys(institution=TEXT, **SURVEY, suspension=or_null(SUSPENSION), judged_again=many(TEXT))
SHEET_REPORT: dict[str, Schema] = {
    "dry_run": FLAG,
    "counts": keys(accepted=COUNT, duplicate=COUNT, conflict=COUNT, refused=COUNT),
    "remarks": {"type": "object", "additionalProperties": COUNT},
    "rows": many(
        keys(
            file=TEXT,
            sheet=TEXT,
            row=COUNT,
            status=one_of("accepted", "duplicate", "conflict", "refused"),
            enrolment_id=or_null(TEXT),
            column=TEXT,
            field=TEXT,
            reason=TEXT,
            remarks=many(keys(code=TEXT, zh=TEXT, en=TEXT)),
        )
    ),
}
"""What became of a sheet's rows; `row` counts from 1, `column` are the sheet's letters."""
PRACTICE_DAY = keys(enrolment_id=TEXT, on=DAY, class_hours=NUMBER, video_minutes=or_null(NUMBER), remarks=many(TEXT))
FIGURES = keys(called=COUNT, absent=COUNT, assessed=COUNT, passed=COUNT, certified=COUNT)
RESULT = keys(
    "certificate_number",
    class_id=TEXT,
    enrolment_id=TEXT,
    version=COUNT,
    absent=FLAG,
    assessed_on=or_null(DAY),
    theory_mark=or_null(NUMBER),
    practice_mark=or_null(NUMBER),
    passed=FLAG,
    certificate_route=TEXT,
    has_certificate=FLAG,
    recorded_ms=MS,
    certificate_number=or_null(TEXT),
)
DRY_RUN = having(
    dry_run_id=TEXT,
    state=one_of("waiting", "judging", "done", "failed", "parked"),
    key=TEXT,
    value=TEXT,
    old_value=ANYTHING,
    asked_ms=MS,
    asked_by=TEXT,
    since_ms=MS,
    until_ms=MS,
    classes=or_null(COUNT),
    judged=COUNT,
    finished_ms=or_null(MS),
    policy_sha256=HASH,
)
LOGIN = keys(name=TEXT, role=TEXT, csrf_token=TEXT)
DECISION = having(finding_id=TEXT, number=COUNT, decision=TEXT, reason=TEXT, reviewer=or_null(TEXT), decided_ms=MS)
APPEAL = having(finding_id=TEXT, number=COUNT, appellant=TEXT, reason=TEXT, opened_ms=MS, outcome=TEXT)
CASE = having(
    case_id=TEXT,
    subject=TEXT,
    subject_id=TEXT,
    class_id=TEXT,
    platform_id=TEXT,
    state=TEXT,
    priority=COUNT,
    findings=LIST,
)
CASE_TAKEN = having(case_id=TEXT, state=TEXT, taken_by=or_null(TEXT))
NOTICE = having(notice_id=TEXT, enrolment_id=TEXT, issued_by=TEXT, issued_ms=MS, lessons=LIST)
IMPORT = having(
    import_id=TEXT,
    platform_id=TEXT,
    state=TEXT,
    received_bytes=COUNT,
    created_ms=MS,
    finished_ms=or_null(MS),
    progress=keys(read=COUNT, total=or_null(COUNT)),
    counts=FACTS,
    provenance={"const": "import"},
)
VENUES = keys(version=COUNT, stated_ms=MS, stated_by=TEXT, sha256=HASH, venues=having(sites=LIST, examiners=LIST))
PLAN = having(
    plan_id=TEXT,
    window=TEXT,
    state=one_of("planning", "planned", "blocked", "failed"),
    seed=COUNT,
    asked_ms=MS,
    finished_ms=or_null(MS),
    progress=or_null(keys(objective=or_null(NUMBER), bound=NUMBER)),
    candidates=COUNT,
    pending=many(TEXT),
    unconfirmed=FACTS,
    plan=or_null(having(sittings=LIST, duties=LIST, objective=NUMBER, bound=NUMBER)),
    blocked=or_null(having(reasons=LIST, remedies=LIST)),
    problem=or_null(having(code=TEXT, detail=TEXT)),
    difference=keys(version=or_null(COUNT), changes=LIST),
)
ROSTER_VERSION = keys(window=TEXT, version=COUNT, plan_id=TEXT, published_ms=MS, published_by=TEXT, sha256=HASH)
CHANGED = many(having(enrolment_id=TEXT, class_id=TEXT, platform_id=TEXT, why=LIST))
ROSTER = having(
    window=TEXT,
    version=COUNT,
    newest_version=COUNT,
    published_ms=MS,
    published_by=or_null(TEXT),
    sha256=HASH,
    candidates=LIST,
    plan=having(sittings=LIST, duties=LIST),
    changes=LIST,
    pending=many(TEXT),
    outdated=or_null(keys(added=CHANGED, removed=CHANGED, changed=CHANGED)),
)
LETTER = having(letter_id=COUNT, kind=TEXT, received_ms=MS, reason=TEXT, content=TEXT, state=TEXT)
ANSWERS: Mapping[str, Mapping[int, Schema | tuple[str, ...]]] = {
    "GET /healthz": {200: keys(status={"const": "ok"})},
    "GET /readyz": {200: keys(status={"const": "ready"})},
    "GET /metrics": {200: ("text/plain",)},
    "PUT /v1/classes/{class_id}": {200: CLASS, 201: CLASS},
    "PUT /v1/classes/{class_id}/enrolments/{enrolment_id}": {200: ENROLMENT, 201: ENROLMENT},
    "POST /v1/classes/{class_id}/practice": {
        200: {"anyOf": [keys(class_id=TEXT, recorded=COUNT, known=COUNT), keys(class_id=TEXT, **SHEET_REPORT)]}
    },
    "POST /v1/classes/{class_id}/practice/sheet": {200: keys(class_id=TEXT, **SHEET_REPORT)},
    "GET /v1/classes/{class_id}/practice": {
        200: keys(
            class_id=TEXT,
            days=COUNT,
            class_hours=NUMBER,
            remarks={"type": "object", "additionalProperties": COUNT},
            practice=many(PRACTICE_DAY),
            next_cursor=or_null(TEXT),
        )
    },
    "POST /v1/assessments/{window}/results": {200: keys(window=TEXT, **SHEET_REPORT)},
    "POST /v1/assessments/{window}/results/sheet": {200: keys(window=TEXT, **SHEET_REPORT)},
    "GET /v1/assessments/{window}/results": {
        200: keys(
            window=TEXT,
            figures={"type": "object", "additionalProperties": FIGURES},
            certified=COUNT,
            results=many(RESULT),
            next_cursor=or_null(TEXT),
        )
    },
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
        200: keys(
            enrolment_id=TEXT, state=STATE, provenance=PROVENANCE, hours=NUMBER, lessons=many(ref("LedgerLesson"))
        )
    },
    "GET /v1/enrolments/{enrolment_id}/eligibility": {
        200: keys(enrolment_id=TEXT, state=STATE, provenance=PROVENANCE, rows=many(ref("Eligibility")))
    },
    "POST /v1/enrolments/{enrolment_id}/claims": {
        200: keys(claim_id=TEXT, accepted_hours=NUMBER, lessons=many(CLAIMED))
    },
    "POST /v1/assessments/{window}/applications": {200: APPLICATION, 201: APPLICATION},
    "GET /v1/assessments/{window}/candidates": {
        200: {
            "anyOf": [
                keys(
                    window=TEXT,
                    pending=many(TEXT),
                    candidates=many(ref("Eligibility")),
                    refused=many(ref("Eligibility")),
                ),
                keys(window=TEXT, rows=many(ref("Eligibility")), next_cursor=or_null(TEXT)),
            ]
        }
    },
    "POST /v1/enrolments/{enrolment_id}/confirmations": {200: CONFIRMATION, 201: CONFIRMATION},
    "POST /v1/classes/{class_id}/confirmations": {200: CONFIRMATION, 201: CONFIRMATION},
    "GET /v1/classes/{class_id}/confirmations": {200: keys(class_id=TEXT, confirmations=many(CONFIRMATION))},
    "POST /v1/surveys": {200: SURVEYED, 201: SURVEYED},
    "GET /v1/surveys": {
        200: keys(institution=TEXT, minimum=NUMBER, surveys=many(keys(**SURVEY)), suspensions=many(SUSPENSION))
    },
    "PUT /v1/venues": {200: VENUES, 201: VENUES},
    "GET /v1/venues": {200: VENUES},
    "POST /v1/assessments/{window}/plans": {202: PLAN},
    "GET /v1/assessments/{window}/plans/{plan_id}": {200: PLAN},
    "POST /v1/assessments/{window}/roster": {200: ROSTER_VERSION, 201: ROSTER_VERSION},
    "GET /v1/assessments/{window}/roster": {200: ROSTER},
    "GET /v1/assessments/{window}/roster/versions": {200: keys(window=TEXT, versions=many(ROSTER_VERSION))},
    "GET /v1/assessments/{window}/roster/files/{name}": {200: tuple(media.split(";")[0] for media in FILES.values())},
    "POST /v1/imports": {201: IMPORT, 202: IMPORT},
    "GET /v1/imports": {200: keys(imports=many(IMPORT), next_cursor=or_null(TEXT))},
    "GET /v1/imports/{import_id}": {200: IMPORT},
    "HEAD /v1/imports/{import_id}": {200: ()},
    "PATCH /v1/imports/{import_id}": {204: ()},
    "GET /v1/cases": {200: keys(cases=many(CASE), next=or_null(TEXT))},
    "GET /v1/cases/{case_id}": {200: CASE},
    "POST /v1/cases/next": {200: keys(case=or_null(CASE_TAKEN))},
    "PUT /v1/cases/{case_id}/assignment": {200: CASE_TAKEN},
    "DELETE /v1/cases/{case_id}/assignment": {200: CASE_TAKEN},
    "POST /v1/decisions": {
        200: keys(results=many(keys(finding_id=TEXT, decided=or_null(FACTS), problem=or_null(ref("Problem")))))
    },
    "GET /v1/views": {200: keys(views=many(keys(name=TEXT, query=TEXT)))},
    "PUT /v1/views/{name}": {200: keys(name=TEXT, query=TEXT)},
    "DELETE /v1/views/{name}": {200: keys(name=TEXT, query=or_null(TEXT))},
    "POST /v1/findings/{finding_id}/decisions": {200: FACTS, 201: FACTS},
    "GET /v1/findings/{finding_id}/decisions": {
        200: having(finding_id=TEXT, exists=FLAG, case_id=TEXT, decisions=many(DECISION), appeals=many(APPEAL))
    },
    "POST /v1/findings/{finding_id}/appeals": {200: APPEAL, 201: APPEAL},
    "POST /v1/enrolments/{enrolment_id}/notices": {200: NOTICE, 201: NOTICE},
    "GET /v1/enrolments/{enrolment_id}/notices": {
        200: keys(enrolment_id=TEXT, finally_refused=many(COUNT), notices=many(NOTICE))
    },
    "GET /v1/notices/{notice_id}/document": {200: ("application/pdf",)},
    "DELETE /v1/learners/{learner_id}": {200: having(learner_id=TEXT, erased_ms=or_null(MS))},
    "GET /v1/dead-letters": {200: keys(dead_letters=many(LETTER), next_cursor=or_null(TEXT))},
    "GET /v1/dead-letters/{letter_id}": {200: LETTER},
    "PUT /v1/dead-letters/{letter_id}/content": {200: LETTER},
    "POST /v1/dead-letters/{letter_id}/replay": {200: LETTER},
    "GET /v1/log/head": {200: keys(**HEAD)},
    "GET /v1/log/heads": {200: keys(heads=many(keys(number=COUNT, **HEAD)), next=or_null(COUNT))},
    "GET /v1/log/key": {200: keys(algorithm={"const": "Ed25519"}, key_id=TEXT, public_key=TEXT)},
    "GET /v1/log/entries": {200: keys(entries=many(keys(**LEAF)), next=or_null(COUNT))},
    "GET /v1/log/proof": {200: {"anyOf": [INCLUSION, CONSISTENCY]}},
    "GET /v1/webhooks/messages": {200: keys(messages=many(MESSAGE), next=or_null(COUNT))},
    "POST /v1/webhooks/messages/{message_id}/replay": {200: MESSAGE},
    "GET /v1/jobs": {200: FACTS},
    "POST /v1/jobs/{job_id}/replay": {200: FACTS, 202: FACTS},
    "POST /v1/dry-runs": {202: DRY_RUN},
    "GET /v1/dry-runs": {200: keys(dry_runs=many(DRY_RUN))},
    "GET /v1/dry-runs/{dry_run_id}": {200: DRY_RUN},
    "POST /v1/people/{person}/disable": {200: keys(name=TEXT, state={"const": "disabled"})},
    "POST /v1/people/{person}/unlock": {200: keys(name=TEXT, state={"const": "unlocked"})},
    "POST /v1/keys/{key_id}/revoke": {200: keys(key_id=TEXT, state={"const": "revoked"})},
    "POST /v1/login": {200: LOGIN},
    "GET /v1/login/oidc": {303: ()},
    "GET /v1/login/oidc/callback": {200: LOGIN},
    "POST /v1/logout": {200: keys(state={"const": "logged_out"})},
    "GET /v1/whoami": {200: keys("csrf_token", "platform_id", role=TEXT, name=TEXT, csrf_token=TEXT, platform_id=TEXT)},
}
"""Schemas of successes by operation and status, or the media types of what isn't JSON."""
