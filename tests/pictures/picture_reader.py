"""Pictures as an auditor reads them: one line for each mark, and every word in them."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from online_guard.demo.run import judged
from online_guard.evidence import Evidence
from online_guard.pictures.facts import SessionFacts
from online_guard.pictures.session_facts import session_facts
from online_guard.pictures.session_timeline import session_timeline
from online_guard.policy import DEFAULT_POLICY, load_policy
from online_guard.simulate.course import write_rows
from online_guard.simulate.scene import honest_classes, plant
from online_guard.simulate.shapes import SHAPES
from online_guard.verdict import Finding

ALLOWED = {"svg", "title", "desc", "g", "path", "rect", "line", "text", "image"}


@dataclass(frozen=True)
class Scene:
    """A simulated class with one way of studying: its judgement, and the sessions of the lesson that is looked at."""

    evidence: Evidence
    findings: tuple[Finding, ...]
    keys: tuple[str, ...]

    def facts(self) -> SessionFacts:
        return session_facts(self.evidence, load_policy(DEFAULT_POLICY), self.findings, self.keys)


SCENES: dict[str, Scene] = {}


def scene(way: str) -> Scene:
    """Return a way of studying, simulated and judged once for all tests."""
    if way not in SCENES:
        SCENES[way] = _scene(way)
    return SCENES[way]


def _scene(way: str) -> Scene:
    if way in SHAPES:
        rows, planted = plant(SHAPES[way], SHAPES[way].parameters, "cheat-1", 3)
        sessions = planted.sessions
    else:
        rows, honest = honest_classes([way], "honest", 3)
        sessions = honest[0].sessions
    with TemporaryDirectory() as folder:
        write_rows(rows, Path(folder) / "bundle")
        evidence, judgement = judged(Path(folder) / "bundle", load_policy(DEFAULT_POLICY))
    table = evidence.sessions
    places = {
        str(key): (int(enrolment), int(lesson_no))
        for key, enrolment, lesson_no in zip(table.key, table.enrolment, table.lesson_no, strict=True)
    }
    keys = tuple(key for key in sessions if places[key] == places[sessions[0]])
    return Scene(evidence, judgement.findings, keys)


def drawn(way: str, **options: object) -> ET.Element:
    """Return the picture of a way of studying."""
    return read(session_timeline(scene(way).facts(), **options))  # type: ignore[arg-type]


def read(picture: str) -> ET.Element:
    """Return a picture that holds nothing that a strict page refuses.

    Raises:
        AssertionError: It does.
    """
    tree = ET.fromstring(picture)
    for one in tree.iter():
        assert one.tag in ALLOWED, one.tag
        assert not [name for name in one.attrib if name.startswith("on") or name == "style"], one.attrib
    assert tree.get("role") == "img"
    assert tree.get("aria-label") == tree.findtext("title")
    return tree


def classes(tree: ET.Element) -> set[str]:
    """Return every class of a picture."""
    return {one.get("class", "") for one in tree.iter()}


def words(tree: ET.Element) -> Iterator[str]:
    """Yield every text, title and description, and the label."""
    yield tree.get("aria-label", "")
    for one in tree.iter():
        if one.text:
            yield one.text


def marks(tree: ET.Element) -> Iterator[str]:
    """Yield a line for each thing that is drawn: its class, its places, what it says."""
    for one in tree.iter():
        tag, name = one.tag, one.get("class", "")
        if tag in ("path", "rect", "text") and name and "meaning" not in name:
            place = one.get("d") or " ".join(one.get(key, "") for key in ("x", "width") if one.get(key))
            said = one.text or one.findtext("title") or ""
            yield " | ".join((name, place[:60], said))
