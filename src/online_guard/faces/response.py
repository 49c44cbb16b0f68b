"""Compares what the person did with what was asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from online_guard.terms import Action

from .actions import ActionEvent

ACTION_WINDOW_S = 12.0
"""An action begins within this time after the one before has ended, the first after the clip's begin."""
UNASKED_STRENGTH = 1.5
"""An action that was not asked for counts against the person when it is this far over its threshold."""
_ECHO_S = 0.8
_ECHO_SHARE = 0.7
"""Weaker movement during an action, or this soon after it, belongs to it: a nod within a turn, swinging back."""


@dataclass(frozen=True)
class ActionFound:
    """One asked action and where it was done; all but `action` are None, and `found` false, where it wasn't.

    Attributes:
        action: What was asked.
        found: Whether it was done in its turn.
        start_s: When it began, s of the clip.
        end_s: When it ended.
        at_s: When it was at its most.
        peak: The signal at its most (`Signals` says in which unit).
        baseline: The person's own value before.
        strength: Height over the threshold.
        frame: Index of the frame at its most.
    """

    action: Action
    found: bool = False
    start_s: float | None = None
    end_s: float | None = None
    at_s: float | None = None
    peak: float | None = None
    baseline: float | None = None
    strength: float | None = None
    frame: int | None = None


def match_actions(events: Sequence[ActionEvent], asked: Sequence[Action]) -> tuple[tuple[ActionFound, ...], list[str]]:
    """Return each asked action with its evidence, and what is wrong with the answer.

    Blinks that weren't asked for are no fault: everybody blinks. Repeating the action just done isn't either.

    Returns:
        Actions in the asked order; codes among `nothing_asked`, `nothing_done`, `action_missing`, `wrong_order`,
        `unasked_action`.
    """
    if not asked:
        return (), ["nothing_asked"]
    in_order = sorted(events, key=lambda one: one.at_s)
    clear = [event for event in in_order if event.action is Action.BLINK or event.strength >= UNASKED_STRENGTH]
    done, stray = _answered(clear, asked)  # a slight turn before the real one is not taken for it
    if stray or len(done) < len(asked):
        done, stray = _answered(in_order, asked)
    return _found(asked, done), _faults(in_order, asked, done, stray)


def _answered(
    events: Sequence[ActionEvent], asked: Sequence[Action]
) -> tuple[Sequence[ActionEvent], Sequence[ActionEvent]]:
    """Return the first events that are the asked actions in order, and what was done meanwhile without being asked."""
    done: list[ActionEvent] = []
    unasked: list[ActionEvent] = []
    for event in events:
        if len(done) == len(asked):
            break
        if event.action == asked[len(done)] and _in_time(event, done):
            done.append(event)
        elif event.action is not Action.BLINK and event.strength >= UNASKED_STRENGTH:
            unasked.append(event)
    return done, [event for event in unasked if not _belongs(event, done)]


def _in_time(event: ActionEvent, done: Sequence[ActionEvent]) -> bool:
    return event.start_s - (done[-1].end_s if done else 0.0) <= ACTION_WINDOW_S


def _belongs(event: ActionEvent, done: Sequence[ActionEvent]) -> bool:
    """Tell whether a movement is part, echo or repetition of an action that was asked for."""
    before = [one for one in done if one.at_s <= event.at_s]
    if before and before[-1].action == event.action:
        return True
    return any(
        event.start_s <= one.end_s + _ECHO_S
        and event.end_s >= one.start_s
        and event.strength < _ECHO_SHARE * one.strength
        for one in done
    )


def _faults(
    events: Sequence[ActionEvent], asked: Sequence[Action], done: Sequence[ActionEvent], stray: Sequence[ActionEvent]
) -> list[str]:
    missing = asked[len(done) :]
    if not missing:
        return ["unasked_action"] if stray else []
    if not done and all(event.action is Action.BLINK for event in events):
        return ["nothing_done", "action_missing"]
    early = [event for event in events if not done or event.at_s < done[-1].at_s or event.action != missing[0]]
    if {event.action for event in early} >= set(missing):
        return ["wrong_order"]
    return ["action_missing", *(["unasked_action"] if stray else [])]


def _found(asked: Sequence[Action], done: Sequence[ActionEvent]) -> tuple[ActionFound, ...]:
    found = [
        ActionFound(one.action, True, one.start_s, one.end_s, one.at_s, one.peak, one.baseline, one.strength, one.at)
        for one in done
    ]
    return (*found, *(ActionFound(action) for action in asked[len(done) :]))
