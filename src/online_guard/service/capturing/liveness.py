"""Liveness checks: a challenge is drawn, a clip answers it once and in time, and its judgement is kept (SPEC 7, 8).

A check is `inconclusive` from the moment its challenge is drawn until a clip was judged. So a challenge that nobody
answers, and one answered too late, count as attempted checks without a verdict (OG403): asking again and again for an
order that one has a recording of leaves a row each time, while one waits a new one isn't drawn, and after
`MOST_UNANSWERED` the session gets no more.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from typing import Any, NamedTuple, NoReturn

from online_guard.errors import ErrorKind, GuardError
from online_guard.faces.challenge import CHALLENGE_LIFETIME_MS, draw_challenge
from online_guard.service.capturing import judged_clips
from online_guard.service.capturing.capture import reference_vector, verify_if_closed
from online_guard.service.capturing.judged_clips import JudgedClip
from online_guard.service.capturing.kept_pictures import keep_picture, shown_picture
from online_guard.service.capturing.sent_clips import Sent
from online_guard.service.house import House
from online_guard.store import batch_rows, capture_rows, queries, sealed_log
from online_guard.store.logged_rows import liveness_entries, session_key
from online_guard.store.person_keys import PersonKeys
from online_guard.store.tables import CheckRecord, DeadLetterRecord, SessionRecord
from online_guard.store.unit_of_work import reading, writing
from online_guard.terms import LABELS, Action, Outcome

ASKED_FPS, LEAST_FPS = 15, 8
"""Frames a second that a player is asked for, and below which no verdict is given (SPEC 7)."""


MOST_UNANSWERED = 5
"""Challenges of a session that nobody answered. Five draws of 54 orders show a given one with a chance of 9 %."""


class Refusal(NamedTuple):
    """Why a clip may not answer a challenge."""

    kind: ErrorKind
    code: str
    message: str
    where: str = ""


USED = Refusal(ErrorKind.CONFLICT, "used", "该比对已用过 / the challenge was answered already")


def draw(house: House, session_id: str, platform_id: str | None, now_ms: int) -> tuple[bool, dict[str, Any]]:
    """Draw a challenge for a session, or tell again the one that still waits; return whether it is new.

    Raises:
        GuardError: Unknown session, a closed one, or one that left too many challenges unanswered.
    """
    with writing(house.engine) as database:
        session = queries.find_session(database, session_id, platform_id)
        if session.closed_received_ms is not None:
            raise GuardError(ErrorKind.CONFLICT, "session.closed", "会话已关闭 / the session is closed")
        PersonKeys(database, house.vault).of_enrolment(session.enrolment_id)
        waiting = capture_rows.open_check(database, session.row_id, now_ms)
        if waiting is not None:
            return False, _challenge(waiting, session)
        if capture_rows.unanswered_checks(database, session.row_id) >= MOST_UNANSWERED:
            raise GuardError(
                ErrorKind.CONFLICT,
                "liveness.too_many_unanswered",
                f"已有 {MOST_UNANSWERED} 次质询未作答 / {MOST_UNANSWERED} challenges were left unanswered",
                remedy="请检查摄像头后打开新会话 / see to the camera and open another session.",
            )
        check = CheckRecord(
            session_row=session.row_id,
            check_id=f"check-{secrets.token_hex(12)}",
            at_ms=now_ms - session.opened_received_ms + session.opened_at_ms,
            outcome=str(Outcome.INCONCLUSIVE),
            actions=json.dumps(draw_challenge()),
            nonce=secrets.token_urlsafe(16),
            issued_ms=now_ms,
            expires_ms=now_ms + CHALLENGE_LIFETIME_MS,
        )
        database.add(check)
        for directive in queries.directives(database, session.row_id):
            if directive.kind == "liveness" and directive.issued_ms and not directive.used_ms:
                directive.used_ms = now_ms
        batch_rows.touch(database, session.row_id)
        return True, _challenge(check, session)


def _challenge(check: CheckRecord, session: SessionRecord) -> dict[str, Any]:
    return {
        "check_id": check.check_id,
        "session_id": session.session_id,
        "actions": [_action(name) for name in json.loads(check.actions or "[]")],
        "nonce": check.nonce,
        "issued_ms": check.issued_ms,
        "expires_ms": check.expires_ms,
        "asked_fps": ASKED_FPS,
        "least_fps": LEAST_FPS,
    }


def _action(name: str) -> dict[str, str]:
    zh, en = LABELS[Action(name)]
    return {"action": name, "zh": zh, "en": en}


def answer(house: House, check_id: str, platform_id: str | None, sent: Sent) -> dict[str, Any]:
    """Judge the clip that answers a challenge, and return what was found; the same clip again has the same answer.

    The first clip in time that can be read takes the challenge. A clip that can't be read leaves it open.

    Raises:
        GuardError: No such check; a wrong nonce, another clip than the first, one that comes too late, or bytes that
            aren't a clip: these leave a dead letter.
    """
    with reading(house.engine) as database:
        check, session = capture_rows.find_check(database, check_id, platform_id)
        reference = reference_vector(house, database, session.enrolment_id)
    known = _known_answer(house, check, sent)
    if known is not None:
        return known
    try:
        clip = sent.clip()
    except GuardError as refusal:
        if refusal.kind is not ErrorKind.UNAVAILABLE:  # then it's the service's fault, and the sender tries again
            _leave_dead_letter(house, check, refusal.code, sent.received_ms)
        raise
    if not take(house, check, sent):
        _refuse(house, check, sent, USED)
    judged = judged_clips.judge(house, clip, _actions(check), reference)
    return keep(house, check, judged)


def _actions(check: CheckRecord) -> tuple[Action, ...]:
    return tuple(map(Action, json.loads(check.actions or "[]")))


def _known_answer(house: House, check: CheckRecord, sent: Sent) -> dict[str, Any] | None:
    """Return the answer that the clip got already, None for one that is still to be judged.

    Raises:
        GuardError: The clip may not answer the challenge.
    """
    if not secrets.compare_digest(sent.nonce.encode(), (check.nonce or "").encode()):
        refusal = Refusal(ErrorKind.FORBIDDEN, "wrong_nonce", "随机数有误 / the nonce is wrong", "?nonce")
        _refuse(house, check, sent, refusal)
    if check.clip_sha256 is not None and check.clip_sha256 != sent.sha256:
        _refuse(house, check, sent, USED)
    if check.clip_sha256 is None and sent.received_ms > (check.expires_ms or 0):
        with writing(house.engine) as database:
            late = database.get_one(CheckRecord, (check.session_row, check.check_id))
            late.received_ms = sent.received_ms
        refusal = Refusal(ErrorKind.CONFLICT, "late", "已超过 60 秒 / more than 60 s have passed")
        _refuse(house, check, sent, refusal)
    return None if check.report is None else dict(json.loads(check.report))


def _refuse(house: House, check: CheckRecord, sent: Sent, why: Refusal) -> NoReturn:
    code = f"liveness.{why.code}"
    _leave_dead_letter(house, check, code, sent.received_ms)
    remedy = "请重新发起比对 / ask for a new challenge."
    raise GuardError(why.kind, code, why.message, where=why.where, remedy=remedy)


def _leave_dead_letter(house: House, check: CheckRecord, reason: str, now_ms: int) -> None:
    with writing(house.engine) as database:
        database.add(
            DeadLetterRecord(
                session_row=check.session_row,
                kind="liveness",
                received_ms=now_ms,
                reason=reason,
                content=check.check_id,
            )
        )


def take(house: House, check: CheckRecord, sent: Sent) -> bool:
    """Give the challenge to a clip; return whether it has it now, as when its judgement was cut short before."""
    with writing(house.engine) as database:
        known = database.get_one(CheckRecord, (check.session_row, check.check_id))
        if known.clip_sha256 is None:
            known.clip_sha256, known.received_ms, known.at_ms = sent.sha256, sent.received_ms, sent.at_ms
        return known.clip_sha256 == sent.sha256


def keep(house: House, check: CheckRecord, judged: JudgedClip) -> dict[str, Any]:
    """Keep a judgement and return it; where another worker was quicker with the same clip, return that one's."""
    with reading(house.engine) as database:
        last = house.seen.catch_up(database, house.vault)
        session = database.get_one(SessionRecord, check.session_row)
        found = judged_clips.search(house, database, session, check.check_id, judged)
    for picture in (judged.strip, judged.plot):
        keep_picture(house, session.enrolment_id, hashlib.sha256(picture).hexdigest(), picture)
    with writing(house.engine) as database:
        known = database.get_one(CheckRecord, (check.session_row, check.check_id))
        if known.report is not None:
            return dict(json.loads(known.report))
        house.seen.catch_up(database, house.vault)
        found += judged_clips.search(house, database, session, check.check_id, judged, after=last)
        seen = judged_clips.was_seen(house, database, known, found)
        outcome, told = judged_clips.told(known, judged, seen)
        known.outcome, known.distance = str(outcome), judged.report.distance
        known.presented_attack = judged.presented_attack
        known.report = json.dumps(told, ensure_ascii=False)
        known.strip_sha256, known.plot_sha256 = (hashlib.sha256(one).hexdigest() for one in (judged.strip, judged.plot))
        judged_clips.keep_frames(house, database, session, check.check_id, judged, found)
        sealed_log.append_all(database, liveness_entries(session_key(session), known))
        batch_rows.touch(database, session.row_id)
        verify_if_closed(house, database, session)
    return told


def picture_of_check(house: House, check_id: str, platform_id: str | None, what: str) -> bytes:
    """Return the strip (JPEG) or the plot (PNG) of a judged check.

    Raises:
        GuardError: No such check, no clip of it was judged, or the picture expired or was erased.
    """
    with reading(house.engine) as database:
        check, session = capture_rows.find_check(database, check_id, platform_id)
    sha256 = check.strip_sha256 if what == "strip" else check.plot_sha256
    if sha256 is None:
        raise queries.not_found("已判定的比对 judged check", check_id)
    return shown_picture(house, session.enrolment_id, sha256)
