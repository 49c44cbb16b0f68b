"""A platform inside the process: simulated learners talk to the service's functions, and what they are told is kept."""

from __future__ import annotations

import io
import itertools
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from online_guard.api.bodies import ClassBody
from online_guard.demo.people import Album, identity_number, name_of
from online_guard.faces.likeness import Capture
from online_guard.faces.liveness import LivenessReport
from online_guard.service import registration
from online_guard.service.capturing import capture, liveness
from online_guard.service.capturing.judged_clips import JudgedClip
from online_guard.service.capturing.sent_clips import Sent
from online_guard.service.house import House
from online_guard.service.receiving import sessions
from online_guard.simulate.course import Course
from online_guard.simulate.recorder import Directive, Opening, TelemetryEvent
from online_guard.store.capture_rows import find_check
from online_guard.store.unit_of_work import reading
from online_guard.terms import Outcome
from online_guard.worker import work_once

SAMPLE_MEDIA = Path(__file__).resolve().parents[2] / "sample_media"
OBSERVED_MS = 60_000
Told = tuple[str, int, int]
"""Kind of a directive, the playing clock at which it is due, and the playing clock when it was first told."""


@dataclass
class SimulatedPlatform:
    """What simulated sittings talk to. `told` keeps, by session, each directive when it was told first."""

    house: House
    told: dict[str, dict[str, Told]] = field(default_factory=dict)
    people: dict[str, int] = field(default_factory=dict)
    _album: Album = field(default_factory=lambda: Album(SAMPLE_MEDIA))
    _said: dict[str, dict[int, TelemetryEvent]] = field(default_factory=dict)
    _captures: int = 0

    def register(self, course: Course, **changes: Any) -> None:
        """Register the class of a course."""
        body = ClassBody.model_validate(course.class_row() | changes)
        registration.put_class(self.house, body.typed(course.class_id, body.platform_id or ""))

    def enrol(self, course: Course, enrolment_id: str, person: int, *, photo: bool = False) -> None:
        """Enrol the n-th made-up person."""
        self.people[enrolment_id] = person
        registration.put_enrolment(
            self.house,
            course.class_id,
            enrolment_id,
            None,
            name=name_of(person),
            identity_number=identity_number(person),
            applicant=None,
            face_checks="required",
            leave=(),
        )
        if photo:
            registration.put_reference_photo(self.house, enrolment_id, None, self._album.reference(person))

    def open(self, opening: Opening, now_ms: int) -> Sequence[Directive]:
        """Open a session and return the first directives."""
        _, answer = sessions.open_session(self.house, sessions.Opening(**vars(opening)), now_ms)
        self._said[opening.session_id] = {}
        return self._take(opening, answer)

    def post(self, opening: Opening, events: Sequence[TelemetryEvent], now_ms: int) -> Sequence[Directive]:
        """Deliver a batch and return the directives due soon."""
        body = json.dumps({"events": [event.as_row() for event in events]}).encode()
        answer = sessions.add_events(self.house, opening.session_id, opening.platform_id, body, now_ms)
        for event in events:
            self._said[opening.session_id].setdefault(event.seq, event)
        return self._take(opening, answer)

    def snapshot(self, opening: Opening, at_ms: int, picture: str, asked_by: Directive | None, now_ms: int) -> None:
        """Deliver one camera image."""
        content = self._album.picture(self.people[opening.enrolment_id], picture)
        self.show(opening, at_ms, content, now_ms, asked_by)

    def show(
        self, opening: Opening, at_ms: int, content: bytes, now_ms: int, asked_by: Directive | None = None
    ) -> dict[str, Any]:
        """Deliver a picture, and return the answer."""
        return capture.add_snapshot(
            self.house,
            opening.session_id,
            opening.platform_id,
            content,
            snapshot_id=self._next("photo"),
            at_ms=at_ms,
            nonce=asked_by.nonce if asked_by else None,
            now_ms=now_ms,
        )[1]

    def check(self, opening: Opening, at_ms: int, outcome: Outcome, now_ms: int) -> None:
        """Go through one liveness check whose clip needn't be judged: what comes of it is given."""
        self.judged(opening, at_ms, outcome, now_ms)

    def judged(
        self, opening: Opening, at_ms: int, outcome: Outcome, now_ms: int, pictures: tuple[Capture, ...] = ()
    ) -> dict[str, Any]:
        """Return the answer to a clip whose judgement and telling frames are given."""
        _, told = liveness.draw(self.house, opening.session_id, opening.platform_id, now_ms)
        with reading(self.house.engine) as database:
            check, _ = find_check(database, told["check_id"], None)
        clip = io.BytesIO(b"a clip")
        sent = Sent(clip, is_frames=False, nonce=told["nonce"], at_ms=at_ms, received_ms=now_ms)
        assert liveness.take(self.house, check, sent)
        report = LivenessReport(outcome, (), 15.0, 0.3, (), (), None, ())
        return liveness.keep(self.house, check, JudgedClip(report, 0, None, pictures, b"strip", b"plot"))

    def close(self, opening: Opening, now_ms: int) -> None:
        """Close the session."""
        sessions.close_session(self.house, opening.session_id, opening.platform_id, now_ms)

    def verify(self) -> None:
        """Do every waiting job."""
        while work_once(self.house):
            pass

    def playing_ms(self, session_id: str) -> int:
        """Return the playing clock of a session with one player, from what the service has heard of it."""
        said = [event for _, event in sorted(self._said[session_id].items())]
        steps = [(one, other.at_ms - one.at_ms) for one, other in itertools.pairwise(said)]
        return sum(step for one, step in steps if one.playing and 0 < step <= OBSERVED_MS)

    def _take(self, opening: Opening, answer: dict[str, Any]) -> Sequence[Directive]:
        known = self.told.setdefault(opening.session_id, {})
        clock_ms = self.playing_ms(opening.session_id)
        for row in answer["directives"]:
            known.setdefault(row["directive_id"], (row["kind"], row["due_playing_ms"], clock_ms))
        return [Directive(**row) for row in answer["directives"]]

    def _next(self, what: str) -> str:
        self._captures += 1
        return f"{what}-{self._captures:04}"
