"""Dry runs: what a changed threshold would change in 30 days of study. No verdict, ledger or eligibility is touched."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from functools import partial
from typing import Any, NamedTuple

from sqlalchemy.orm import Session

from online_guard.errors import ErrorKind, GuardError
from online_guard.evidence import DAY_MS
from online_guard.policy import Policy, load_policy
from online_guard.policy.document import did_you_mean
from online_guard.policy.listing import PolicyLine, describe
from online_guard.service.house import House, clock_ms
from online_guard.service.reviewing.law_comparison import compared, judged_parts
from online_guard.store import dry_runs, jobs
from online_guard.store.dry_runs import DONE, DUTY, FAILED, JUDGING, WAITING, DryRunPartRecord, DryRunRecord
from online_guard.store.unit_of_work import reading, writing
from online_guard.terms import Subject
from online_guard.verdict import case_id

DAYS = 30
"""So far back from the newest session: a county's courses may have ended before today."""
MOST_UNFINISHED = 3
"""Dry runs that wait: each takes a worker for as long as verifying its classes twice."""
MOST_TOLD = 50
CATALOGUES = frozenset({"known_tools.signatures", "occupations.blended", "occupations.online", "tasks.rows"})
"""Keys that hold no one value."""
NEVER_JUDGED = frozenset({"class.learners_per_teacher", "retention.media_days"})
"""Keys that no verdict, hour or eligibility depends on."""
WHEN_RECORDED = frozenset(
    {
        "liveness.match_distance",
        "liveness.shared_face_distance",
        "snapshot.phash_distance",
        "snapshot.same_picture_residual",
    }
)
"""Keys that are also applied when a picture arrives: what was found then is stored, and isn't searched for again."""


class Wish(NamedTuple):
    """Which value is to be tried.

    Attributes:
        key: Of the policy pack, such as `popup.max_gap_s`.
        value: As TOML has it; a word needs no quotes.
        asked_by: Name of the account.
        now_ms: The service's clock.
    """

    key: str
    value: str
    asked_by: str
    now_ms: int


def ask(house: House, wish: Wish) -> dict[str, Any]:
    """Have a changed threshold tried; return the dry run, which a worker fills.

    Raises:
        GuardError: No such key, or none that can be tried; the value is impossible or the one in force; others wait.
    """
    line = _line(house.policy, wish.key)
    override = _override(line, wish.value)
    changed = load_policy(house.settings.policy, (override,))
    if changed.sha256 == house.policy.sha256:
        raise _refused("dry_run.same", "与现行值相同 / this is the value in force", "value", ErrorKind.INVALID)
    with writing(house.engine) as database:
        if dry_runs.unfinished(database) >= MOST_UNFINISHED:
            raise _refused("dry_run.busy", "已有试算在进行 / other dry runs are waiting", "", ErrorKind.CONFLICT)
        until_ms = dry_runs.newest_session_ms(database, wish.now_ms)
        record = DryRunRecord(
            dry_run_id=f"dry-{secrets.token_hex(12)}",
            state=WAITING,
            asked_ms=wish.now_ms,
            asked_by=wish.asked_by,
            policy_key=wish.key,
            value=override.partition("=")[2],
            old_value=json.dumps(line.value, ensure_ascii=False),
            old_sha256=house.policy.sha256,
            new_sha256=changed.sha256,
            since_ms=until_ms - DAYS * DAY_MS,
            until_ms=until_ms,
            judged=0,
        )
        database.add(record)
        database.flush()
        jobs.ask(database, DUTY, record.dry_run_id, clock_ms())
        answer = _told(database, record)
    house.work.set()
    return answer


def judge_once(house: House, dry_run_id: str) -> None:
    """Judge the next class of a dry run by both laws, or compare them after the last; a finished one stays as it is.

    After each class other jobs have their turn, and a worker may stop: the rest is asked for again.
    """
    with reading(house.engine) as database:
        record = dry_runs.find(database, dry_run_id)
        class_ids = dry_runs.classes_between(database, record.since_ms, record.until_ms)
        judged = dry_runs.judged_classes(database, dry_run_id)
    if record.finished_ms is not None:
        return
    waiting = [class_id for class_id in class_ids if class_id not in judged]
    try:
        laws = _laws(house, record)
        if waiting:
            _judge(house, dry_run_id, laws, waiting[0], len(class_ids))
            return
        told, state = _result(house, dry_run_id, laws), DONE
    except GuardError as error:
        told, state = {"code": error.code, "detail": f"{error.message} {error.remedy}".rstrip()}, FAILED
    with writing(house.engine) as database:
        values = {"state": state, "told": json.dumps(told, ensure_ascii=False), "finished_ms": clock_ms()}
        dry_runs.move(database, dry_run_id, classes=len(class_ids), **values)
        dry_runs.drop_parts(database, dry_run_id)


def told(house: House, dry_run_id: str) -> dict[str, Any]:
    """Return a dry run: how far it is, then its `result`, or the `problem`.

    Raises:
        GuardError: There is none.
    """
    with reading(house.engine) as database:
        record = dry_runs.find(database, dry_run_id)
        content: dict[str, Any] = json.loads(record.told or "{}")
        if record.state == DONE:
            _name_cases(database, content["listed"])
        answer = _told(database, record)
    result, problem = (content if record.state == state else None for state in (DONE, FAILED))
    return answer | {"result": result, "problem": problem}


def listed(house: House) -> list[dict[str, Any]]:
    """Return the newest 50 dry runs, without their results."""
    with reading(house.engine) as database:
        return [_told(database, record) for record in dry_runs.newest(database, MOST_TOLD)]


def can_be_tried(line: PolicyLine) -> bool:
    """Return whether another value of a key can be tried."""
    return line.key not in CATALOGUES | NEVER_JUDGED


def _laws(house: House, record: DryRunRecord) -> dict[str, Policy]:
    """Return the law in force as `old`, the changed one as `new`.

    Raises:
        GuardError: Another law is in force than when the dry run was asked for.
    """
    changed = load_policy(house.settings.policy, (f"{record.policy_key}={record.value}",))
    if (house.policy.sha256, changed.sha256) != (record.old_sha256, record.new_sha256):
        raise _refused("dry_run.law", "政策包已更换,请重新试算 / the policy pack has changed: ask again", "policy")
    return {"old": house.policy, "new": changed}


def _judge(house: House, dry_run_id: str, laws: Mapping[str, Policy], class_id: str, classes: int) -> None:
    """Judge a class by both laws, keep what they give, and ask for the next one."""
    given = {side: judged_parts(house, law, class_id) for side, law in laws.items()}
    with writing(house.engine) as database:
        if class_id in dry_runs.judged_classes(database, dry_run_id):
            return  # by another worker, which took over
        named = {"dry_run_id": dry_run_id, "class_id": class_id}
        for side, tables in given.items():
            database.add_all(DryRunPartRecord(**named, side=side, name=name, body=tables[name]) for name in tables)
        database.flush()
        judged = len(dry_runs.judged_classes(database, dry_run_id))
        dry_runs.move(database, dry_run_id, state=JUDGING, classes=classes, judged=judged)
        jobs.ask(database, DUTY, dry_run_id, clock_ms())


def _result(house: House, dry_run_id: str, laws: Mapping[str, Policy]) -> dict[str, Any]:
    """Return the comparison in numbers, and its changed rows."""
    with reading(house.engine) as database:
        old, new = (partial(dry_runs.parts, database, dry_run_id, side) for side in ("old", "new"))
        return compared(laws["old"], old, laws["new"], new)


def _line(policy: Policy, key: str) -> PolicyLine:
    lines = {line.key: line for line in describe(policy)}
    if key not in lines:
        hint = did_you_mean(key, lines)
        raise GuardError(ErrorKind.INVALID, "policy.unknown_key", "未知的键 / unknown key", where="key", remedy=hint)
    if not can_be_tried(lines[key]):
        raise _refused("dry_run.key", "该键不能试算 / this key can't be tried", "key", ErrorKind.INVALID)
    return lines[key]


def _override(line: PolicyLine, value: str) -> str:
    """Return `KEY=VALUE` as TOML has it: a word gets its quotes."""
    is_word = isinstance(line.value, str) and not value.startswith(("'", '"'))
    return f"{line.key}={json.dumps(value, ensure_ascii=False) if is_word else value}"


def _name_cases(database: Session, listed: dict[str, Any]) -> None:
    """Name the case of each row, null for one that has none: what nothing was found about hasn't."""
    named = [(row, case_id(*_subject(kind, row))) for kind, part in listed.items() for row in part["rows"]]
    there = dry_runs.cases_among(database, [name for _, name in named])
    for row, name in named:
        row["case_id"] = name if name in there else None


def _subject(kind: str, row: dict[str, Any]) -> tuple[str, str]:
    """Return subject and subject id of a row of `sessions`, `lessons` or `learners`."""
    match kind:
        case "sessions":
            return Subject.SESSION, row["session_id"]
        case "lessons":
            return Subject.LESSON, f"{row['enrolment_id']}/{row['lesson_no']}"
    return Subject.ENROLMENT, row["enrolment_id"]


def _told(database: Session, record: DryRunRecord) -> dict[str, Any]:
    gave_up = record.finished_ms is None and dry_runs.is_parked(database, record.dry_run_id)
    return {
        "dry_run_id": record.dry_run_id,
        "state": "parked" if gave_up else record.state,
        "key": record.policy_key,
        "value": record.value,
        "old_value": json.loads(record.old_value),
        "asked_ms": record.asked_ms,
        "asked_by": record.asked_by,
        "since_ms": record.since_ms,
        "until_ms": record.until_ms,
        "classes": record.classes,
        "judged": record.judged,
        "finished_ms": record.finished_ms,
        "policy_sha256": record.new_sha256,
    }


def _refused(code: str, message: str, where: str, kind: ErrorKind = ErrorKind.CONFLICT) -> GuardError:
    return GuardError(kind, code, message, where=where)
