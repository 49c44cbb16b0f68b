"""A training platform that talks to a running service over HTTP, as its developer would write it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx

from online_guard.demo.camera import GENUINE, SLOW, SLOW_FPS, Camera
from online_guard.demo.people import Album
from online_guard.errors import ErrorKind, Fault, GuardError
from online_guard.simulate.recorder import Directive, Opening, TelemetryEvent
from online_guard.terms import Action, Outcome

Json = dict[str, Any]
Body = Json | list[Json] | bytes
TOKEN_HEADER = "Online-Guard-Test-Client"  # noqa: S105 - the name of a header
NOW_HEADER = "Online-Guard-Test-Now-Ms"
TRIES = 3
"""A learner whose check didn't pass is asked again, as any player does; so is one who tries to deceive it."""
ANSWER_MS, TRY_MS = 8_000, 15_000
"""How long a clip is under way, and until the next try."""


@dataclass(frozen=True)
class PictureAnswer:
    """What the service said of one picture."""

    enrolment_id: str
    kind: str
    asked: bool
    good: bool
    reasons: tuple[str, ...]
    faces: int
    distance: float | None


@dataclass(frozen=True)
class CheckAnswer:
    """What the service said of one clip: `kind` as `camera.LABELS` has it, reasons and asked actions in words."""

    check_id: str
    enrolment_id: str
    lesson_no: int
    kind: str
    asked: tuple[Action, ...]
    outcome: Outcome
    reasons: tuple[tuple[str, str], ...]
    fps: float
    distance: float | None


@dataclass
class Platform:
    """The service as a simulated sitting sees it (`recorder.Service`), and the calls that a platform makes besides.

    Args:
        http: Client with the service's base address.
        token: Of the trusted test client, which may set the service's clock.
        album: Pictures of the learners.
        numbers: Number of each enrolment in the album.
    """

    http: httpx.Client
    token: str
    album: Album
    numbers: Mapping[str, int]
    requests: int = 0
    events: int = 0
    conflicts: int = 0
    openings: list[Opening] = field(default_factory=list)
    pictures: list[PictureAnswer] = field(default_factory=list)
    checks: list[CheckAnswer] = field(default_factory=list)
    camera: Camera = field(default_factory=Camera)

    def open(self, opening: Opening, now_ms: int) -> Sequence[Directive]:
        """Open a session and return the first directives."""
        body = {name: getattr(opening, name) for name in Opening.__dataclass_fields__}
        self.openings.append(opening)
        return _directives(self.call("POST", "/v1/sessions", body, now_ms=now_ms))

    def post(self, opening: Opening, events: Sequence[TelemetryEvent], now_ms: int) -> Sequence[Directive]:
        """Deliver a batch and return the directives due soon."""
        body = {"events": [event.as_row() for event in events]}
        answer = self.call("POST", f"/v1/sessions/{opening.session_id}/events", body, now_ms=now_ms)
        refused = [result for result in answer["results"] if result["status"] == "refused"]
        if refused:
            raise _unexpected(f"{len(refused)} 个正确的事件被拒绝 / good events were refused: {refused[0]}")
        self.events += len(events)
        self.conflicts += sum(result["status"] == "conflict" for result in answer["results"])
        return _directives(answer)

    def snapshot(self, opening: Opening, at_ms: int, picture: str, asked_by: Directive | None, now_ms: int) -> None:
        """Deliver one camera image."""
        content = self.album.picture(self.numbers[opening.enrolment_id], picture)
        parameters = {"at_ms": str(at_ms), "snapshot_id": f"photo-{len(self.pictures) + 1:06}"}
        if asked_by is not None:
            parameters["nonce"] = asked_by.nonce
        answer = self.call(
            "POST", f"/v1/sessions/{opening.session_id}/snapshots", content, now_ms=now_ms, parameters=parameters
        )
        self.pictures.append(
            PictureAnswer(
                opening.enrolment_id,
                picture,
                answer["asked"],
                answer["good"],
                tuple(answer["reasons"]),
                answer["faces"],
                answer.get("distance"),
            )
        )

    def check(self, opening: Opening, at_ms: int, outcome: Outcome, now_ms: int) -> None:
        """Go through liveness checks until one comes out as the learner's habits say, three at most."""
        number = self.numbers[opening.enrolment_id]
        for attempt in range(TRIES):
            moment_ms = attempt * TRY_MS
            challenge = self.call("POST", f"/v1/sessions/{opening.session_id}/liveness", now_ms=now_ms + moment_ms)
            actions = tuple(Action(row["action"]) for row in challenge["actions"])
            kind, clip = self._shown(number, actions, outcome)
            answer = self.call(
                "POST",
                f"/v1/liveness/{challenge['check_id']}/frames",
                clip,
                now_ms=now_ms + moment_ms + ANSWER_MS,
                parameters={"nonce": challenge["nonce"], "at_ms": str(at_ms + moment_ms)},
            )
            self.checks.append(_check_answer(opening, kind, actions, answer))
            if answer["outcome"] == outcome:
                break
        if answer["outcome"] == Outcome.PASSED:
            self.camera.keep(number, clip)

    def _shown(self, number: int, actions: Sequence[Action], outcome: Outcome) -> tuple[str, bytes]:
        if outcome is Outcome.FAILED:
            return self.camera.attack(number, actions)
        if outcome is Outcome.INCONCLUSIVE:
            return SLOW, self.camera.genuine(number, actions, SLOW_FPS)
        return GENUINE, self.camera.genuine(number, actions)

    def strip(self, check: CheckAnswer) -> bytes:
        """Return the telling frames of a check as JPEG."""
        answer = self.send("GET", f"/v1/liveness/{check.check_id}/strip")
        if answer.is_success:
            return answer.content
        raise _unexpected(f"strip: {answer.status_code} {answer.text[:500]}")

    def close(self, opening: Opening, now_ms: int) -> None:
        """Close the session."""
        self.call("POST", f"/v1/sessions/{opening.session_id}/close", now_ms=now_ms)

    def call(
        self,
        method: str,
        path: str,
        body: Body | None = None,
        *,
        now_ms: int | None = None,
        parameters: Mapping[str, str] | None = None,
    ) -> Json:
        """Return the answer of a request that must succeed.

        Args:
            method: Of the request.
            path: Of the request.
            body: JSON, or the bytes of a picture.
            now_ms: What the service's clock shall show.
            parameters: Of the query.

        Raises:
            GuardError: The service refused, or can't be reached.
        """
        answer = self.send(method, path, body, now_ms=now_ms, parameters=parameters)
        if answer.is_success:
            return dict(answer.json())
        raise _unexpected(f"{method} {path}: {answer.status_code} {answer.text[:500]}")

    def send(
        self,
        method: str,
        path: str,
        body: Body | None = None,
        *,
        now_ms: int | None = None,
        parameters: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """Return the answer of a request, whatever it is; see `call`."""
        headers = {TOKEN_HEADER: self.token}
        if now_ms is not None:
            headers[NOW_HEADER] = str(now_ms)
        self.requests += 1
        picture = isinstance(body, bytes)
        return self.http.request(
            method,
            path,
            params=parameters,
            headers=headers | ({"Content-Type": "application/octet-stream"} if picture else {}),
            content=body if isinstance(body, bytes) else None,
            json=None if picture else body,
        )


def _check_answer(opening: Opening, kind: str, actions: tuple[Action, ...], answer: Json) -> CheckAnswer:
    return CheckAnswer(
        check_id=answer["check_id"],
        enrolment_id=opening.enrolment_id,
        lesson_no=opening.lesson_no,
        kind=kind,
        asked=actions,
        outcome=Outcome(answer["outcome"]),
        reasons=tuple((row["zh"], row["en"]) for row in answer["reasons"]),
        fps=answer["fps"],
        distance=answer["distance"],
    )


def _directives(answer: Json) -> list[Directive]:
    """Return the directives of an answer."""
    return [
        Directive(row["directive_id"], row["kind"], row["due_playing_ms"], row.get("nonce") or "")
        for row in answer["directives"]
    ]


def _unexpected(message: str) -> GuardError:
    """Return the error for an answer that the demonstration can't go on with."""
    return GuardError(
        ErrorKind.UNAVAILABLE,
        "demo.unexpected_answer",
        f"服务的答复不符合预期 / the service did not answer as expected: {message}",
        faults=(Fault("service", message),),
    )
