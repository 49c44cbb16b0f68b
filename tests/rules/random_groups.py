"""Random groups of learners, classes and sessions in the form of a scenario, for the laws that hold for every rule."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from hypothesis import strategies as st
from scenario_reader import read_case

from online_guard.evidence import Evidence

POLICY = ("control.min_sessions=2", "control.min_controls=3", "device.max_learners=3", "snapshot.per_class_hour=1")
STEPS_S = (0, 0.5, 4, 10.001, 15, 15, 29.9, 31, 50, 59.999, 60.5, 290, -3)
KINDS = (
    *("play", "play", "play", "heartbeat", "heartbeat", "heartbeat", "heartbeat", "heartbeat", "heartbeat"),
    *("pause", "seek", "hidden", "visible", "blur", "focus"),
    *("popup_shown", "popup_answered", "popup_expired", "ended", "player_opened", "player_closed"),
)
Group = dict[str, Any]


@st.composite
def events(draw: st.DrawFn, begin: float) -> list[list[Any]]:
    """Return the events of a session, mostly plausible; all begin at `begin` seconds after the opening."""
    at, position, playing = begin, draw(st.sampled_from((0.0, 0.0, 30.0))), False
    rows = []
    for _ in range(draw(st.sampled_from((0, 1, 5, 9, 14, 18)))):
        kind, step = draw(st.sampled_from(KINDS)), draw(st.sampled_from(STEPS_S))
        marks: dict[str, Any] = {"player": draw(st.sampled_from(("t", "t", "t", "t", "t", "u")))}
        at, left = round(at + step, 3), position
        if playing and step > 0:
            left = round(position + step * draw(st.sampled_from((1, 1, 1, 0.5, 2))), 3)
        position = left
        if kind == "seek":
            position = draw(st.sampled_from((0.0, 20.0, 60.0, 99.0)))
            marks |= draw(st.sampled_from(({}, {"from_s": left})))
        if kind.startswith("popup_"):
            marks["popup"] = draw(st.sampled_from(("p1", "p2", "p3")))
        if draw(st.integers(0, 12)) == 0:
            marks |= draw(st.sampled_from(({"rate": 2.0}, {"arrives": 1}, {"late": 1800}, {"seq": 1})))
        playing = {"play": True, "pause": False, "ended": False, "player_opened": False}.get(kind, playing)
        rows.append([kind, at, min(position, 150.0), playing, marks])
    return rows


@st.composite
def sessions(draw: st.DrawFn, prefix: str, begin: float) -> list[Group]:
    """Return one to five sessions of two learners, two lessons and two devices, often over each other."""
    made = []
    for number in range(draw(st.integers(1, 5))):
        one: Group = {"session": f"{prefix}{number}", "events": draw(events(begin))}
        one["learner"] = prefix + draw(st.sampled_from(("li", "li", "wang")))
        one["class"] = prefix + draw(st.sampled_from(("c", "c", "d")))
        one["lesson"] = draw(st.sampled_from((1, 1, 2)))
        one["device"] = prefix + draw(st.sampled_from(("pc", "phone")))
        one["opened"] = draw(st.sampled_from((0, 0, 20, 60, 100, 350, 4000, 2_000_000)))
        one["skew"] = draw(st.sampled_from((0, 0, 600, -45)))
        one["opening_late"] = draw(st.sampled_from((0, 0, 40)))
        one["snapshots"] = [draw(_snapshot(prefix, name)) for name in draw(_names("ab"))]
        one["checks"] = [draw(_check(name)) for name in draw(_names("kl"))]
        due = [{"id": name, "issued": 1, "due": 30} for name in draw(_names(("p1", "x")))]
        one["directives"] = due
        made.append(one)
    return made


def _names(given: Sequence[str]) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(given), unique=True, max_size=len(given))


def _snapshot(prefix: str, name: str) -> st.SearchStrategy[Group]:
    return st.fixed_dictionaries(
        {
            "id": st.just(name),
            "at": st.sampled_from((5, 40, 300)),
            "asked": st.sampled_from((True, True, False)),
            "good": st.sampled_from((True, True, True, False)),
            "sha256": st.sampled_from((None, None, f"{prefix}photo")),
            "phash": st.sampled_from((None, None, f"{ord(prefix):016x}")),
            "distance": st.sampled_from((None, 0.3, 0.6, 0.8)),
            "attack": st.sampled_from((None, False, True)),
        }
    )


def _check(name: str) -> st.SearchStrategy[Group]:
    outcome = st.sampled_from(("passed", "passed", "failed", "inconclusive"))
    return st.fixed_dictionaries({"id": st.just(name), "at": st.sampled_from((2, 500)), "outcome": outcome})


@st.composite
def groups(draw: st.DrawFn, prefix: str = "a", begin: float = 0.0) -> Group:
    """Return a group whose ids all begin with `prefix`, and whose timelines no group of another `begin` shares."""
    made = draw(sessions(prefix, begin))
    captures = [f"{one['session']}/{row['id']}" for one in made for row in (*one["snapshots"], *one["checks"])]
    likenesses, pairs = [], st.tuples(st.sampled_from(captures), st.sampled_from(captures)) if captures else st.none()
    for _ in range(draw(st.integers(0, 3)) if captures else 0):
        left, right = draw(pairs)
        row = {"residual": draw(st.sampled_from((None, 0.01, 0.3))), "distance": draw(st.sampled_from((0.2, 0.7)))}
        row |= {"of": left, "phash_distance": draw(st.sampled_from((2, 12)))}
        by_owner = draw(st.booleans())
        row |= {"reference": made[0]["learner"] + "-" + made[0]["class"]} if by_owner else {"to": right}
        if by_owner or left != right:
            likenesses.append(row)
    decided = st.sampled_from(("OG101", "OG103", "OG401", "OG203", "OG603"))
    return {
        "classes": {
            f"{prefix}c": {"lessons": [["professional", 100, 1], ["professional", 100, 2]]},
            f"{prefix}d": {"lessons": [["general", 100, 1], ["professional", 3000, 1]]},
        },
        "sessions": made,
        "likenesses": likenesses,
        "decisions": [
            {"rule": draw(decided), "subject": one["session"], "decision": "dismiss", "reviewers": ["x", "y"]}
            for one in made
            if draw(st.integers(0, 4)) == 0
        ],
    }


def joined(*parts: Group) -> Group:
    """Return one group of several."""
    return {
        "classes": {name: row for part in parts for name, row in part["classes"].items()},
        **{key: [row for part in parts for row in part[key]] for key in ("sessions", "likenesses", "decisions")},
    }


def renamed(value: Any, mark: str) -> Any:
    """Return a group with `mark` before every id of a class, learner, session, device and capture."""
    ids = ("session", "learner", "class", "device", "of", "to", "reference", "subject", "id", "player", "popup")
    if isinstance(value, Mapping):
        return {
            key: {mark + name: row for name, row in item.items()}
            if key == "classes"
            else re.sub(r"[^/-]+", lambda part: mark + part[0], item)
            if key in ids and isinstance(item, str)
            else renamed(item, mark)
            for key, item in value.items()
        }
    return [renamed(item, mark) for item in value] if isinstance(value, list) else value


def evidence_of(group: Group) -> Evidence:
    """Return the evidence of a group; the reader's own class c1 has no enrolment in it."""
    return read_case("OG101", {"name": "random", "expect": [], **group}).evidence
