"""The findings on top of a session's timeline: one row for each rule, each place with its number, in words."""

from __future__ import annotations

from itertools import groupby

from online_guard.pictures import svg
from online_guard.pictures.axis import clock
from online_guard.pictures.canvas import Canvas
from online_guard.pictures.facts import Mark
from online_guard.pictures.words import Language, pair, say
from online_guard.terms import Effect

TOP_PX, ROW_PX = 4.0, 19.0
BROAD_SHARE = 0.7
"""A broader band is shown for the finding looked at only: it would hide more than it tells."""
SEVERITY = (Effect.REJECT, Effect.REVIEW, Effect.NOTE)


def rows(marks: tuple[Mark, ...]) -> list[list[Mark]]:
    """Return the findings by rule, the gravest first."""
    ordered = sorted(marks, key=lambda mark: (SEVERITY.index(mark.effect), mark.rule, mark.number))
    return [list(group) for _, group in groupby(ordered, key=lambda mark: (mark.effect, mark.rule))]


def in_words(canvas: Canvas, mark: Mark) -> str:
    """Return a finding as a sentence."""
    language = Language.EN if canvas.language is Language.EN else Language.ZH
    name, said = pair(language, mark.name), pair(language, mark.said)
    return say(language, "finding", number=mark.number, rule=mark.rule, name=name, said=said)


def foot(marks: tuple[Mark, ...]) -> float:
    """Return where the rows end."""
    return TOP_PX + len(rows(marks)) * ROW_PX


def draw(canvas: Canvas, marks: tuple[Mark, ...], prefix: str) -> None:
    """Draw the rows, and a band from each place down to what is drawn already; `prefix` stands before the ids."""
    for number, row in enumerate(rows(marks)):
        y = TOP_PX + number * ROW_PX
        for mark in row:
            canvas.behind.append(_mark(canvas, mark, y, canvas.y, prefix))
        _words(canvas, row, y)


def _mark(canvas: Canvas, mark: Mark, y: float, foot: float, prefix: str) -> str:
    """Return a finding's place: a bar in its row, and a band below unless it is about the whole session."""
    x1, x2 = canvas.span(mark.start_ms, mark.end_ms)
    kind = " ".join(
        ("finding", str(mark.effect), *(["whole"] if mark.whole else []), *(["dismissed"] if mark.dismissed else []))
    )
    name = "band broad" if x2 - x1 > BROAD_SHARE * canvas.axis.width else "band"
    band = "" if mark.whole else svg.bar(x1, y + ROW_PX - 3, x2 - x1, foot - y - ROW_PX + 3, name)
    place = (
        canvas.say("whole") if mark.whole else canvas.say("span", first=clock(mark.start_ms), last=clock(mark.end_ms))
    )
    return svg.element(
        "g", svg.title(f"{in_words(canvas, mark)} {place}") + svg.bar(x1, y, x2 - x1, ROW_PX - 3, "where") + band,
        id=f"{prefix}finding-{mark.number}", class_=kind, data_finding=mark.finding_id, data_start=mark.start_ms,
        data_end=mark.end_ms, data_x1=x1, data_x2=x2,
    )  # fmt: skip


def _words(canvas: Canvas, row: list[Mark], y: float) -> None:
    """Write what a row's first finding says, beside its place where there is room, else upon it."""
    first = row[0]
    said = in_words(canvas, first)
    if len(row) > 1:
        said += f" · {canvas.say('times', count=len(row))}"
    if first.dismissed:
        said += f" · {canvas.say('dismissed')}"
    places = [canvas.span(mark.start_ms, mark.end_ms) for mark in row]
    canvas.beside(places[0][0], max(end for _, end in places), y + 12, f"said {first.effect}", said)
