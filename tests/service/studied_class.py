"""A class of two learners with every kind of row that the evidence log speaks of."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from random import Random

from simulated_platform import SimulatedPlatform

from online_guard.service import claims
from online_guard.service.assessing import applications, satisfaction
from online_guard.service.assessing.applications import Filing
from online_guard.service.house import House, clock_ms
from online_guard.service.receiving import sessions
from online_guard.simulate.course import Course
from online_guard.simulate.learner import Learner
from online_guard.terms import Outcome, Paper

COURSE = Course()
NAMES = ("one", "other")


def study(simulated: SimulatedPlatform, between: Callable[[], object] = bool) -> list[str]:
    """Register, sit, photograph, check, close, verify and claim; return the sessions' names.

    `between` is called now and then: to sign a head, say.
    """
    simulated.register(COURSE)
    names = []
    for person, enrolment_id in enumerate(NAMES):
        simulated.enrol(COURSE, enrolment_id, person)
        desk = COURSE.desk(simulated, enrolment_id, Random(enrolment_id))
        learner = desk.sit(1)
        learner.watch(200 - 100 * person)
        opening = learner.sitting.opening
        names.append(f"{opening.platform_id}/{opening.session_id}")
        simulated.snapshot(opening, learner.sitting.at_ms, "good", None, learner.sitting.arrival_ms())
        simulated.judged(opening, learner.sitting.at_ms, Outcome.PASSED, learner.sitting.arrival_ms())
        desk.leave(learner)
        between()
        _rewrite(simulated, learner)
        between()
    simulated.verify()
    between()
    claims.claim(simulated.house, "one", None, None, {1: 1.0}, 5)
    between()
    _apply(simulated.house)
    simulated.verify()
    between()
    return names


def _apply(house: House) -> None:
    """Let the class apply for an assessment, and record a survey of its institution."""
    days = {name: date.fromisoformat(COURSE.application_row()[name]) for name in ("applied_on", "assessment_on")}
    filing = Filing(COURSE.class_id, "2021-08", **days, papers=frozenset({Paper.ROSTER}), task_row=9)
    applications.apply(house, filing, None, clock_ms())
    satisfaction.record_survey(house, COURSE.class_row()["institution"], date(2021, 7, 1), 0.9, 40, clock_ms())


def _rewrite(simulated: SimulatedPlatform, learner: Learner) -> None:
    """Send events under used numbers: some later, and two at one moment of which the second gives way or takes over."""
    opening, now_ms = learner.sitting.opening, learner.sitting.arrival_ms()
    row = {"seq": 3, "type": "heartbeat", "at_ms": learner.sitting.at_ms, "position_s": 1.5, "playing": True}
    for seq, position_s in ((3, 1.25), (3, 2.0), (9000, 5.0), (9000, 4.0), (9000, 6.0), (9000, 4.0)):
        event = row | {"seq": seq, "rate": 1.1, "player": "p 一", "position_s": position_s}
        body = json.dumps({"events": [event]}).encode()
        sessions.add_events(simulated.house, opening.session_id, opening.platform_id, body, now_ms)
