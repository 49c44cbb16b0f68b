"""The rows of a session's timeline that show its controls: what players said, pop-ups, snapshots, liveness checks."""

from __future__ import annotations

from collections.abc import Mapping
from math import log
from statistics import median

from online_guard.pictures import svg
from online_guard.pictures.axis import clock
from online_guard.pictures.canvas import LEAST_PX, Canvas
from online_guard.pictures.facts import Popup, SessionFacts
from online_guard.pictures.timeline_legend import photo_name
from online_guard.pictures.words import length
from online_guard.terms import EventType, Outcome

LEAST_REACTION_MS, MOST_REACTION_MS = 100, 60_000
"""The scale of reaction times is logarithmic between these."""
NUMBER_PX = 30.0
"""Numbers are written where they stand so far from one another."""
CONTROLS = {EventType.PLAY: "▶", EventType.PAUSE: "‖", EventType.ENDED: "■"}
SIGN_PX = 9.0
"""Signs closer to one another are left out."""
THUMBNAIL_PX = 30.0


def draw(canvas: Canvas, facts: SessionFacts, thumbnails: Mapping[str, str]) -> None:
    """Draw a row for each control, also where there is nothing of it."""
    _controls(canvas, facts)
    _popups(canvas, facts)
    if any(popup.reaction_ms is not None for popup in facts.popups):
        _reactions(canvas, facts)
    _photos(canvas, facts, thumbnails)
    _checks(canvas, facts)


def _controls(canvas: Canvas, facts: SessionFacts) -> None:
    """Draw what players said of themselves: nobody plays who never said `play`."""
    top = canvas.row("lane_control", 16)
    last = -SIGN_PX
    for control in sorted(facts.controls, key=lambda control: control.at_ms):
        x = canvas.x(control.at_ms)
        if x - last >= SIGN_PX or control.type is EventType.ENDED:
            last = x
            note = f"{clock(control.at_ms)} {canvas.say(f'control_{control.type}')}"
            canvas.words(x, top + 12, "control mid", CONTROLS[control.type], note)
    if not facts.controls:
        _nothing(canvas, facts, top + 12, {"OG107"})


def _popups(canvas: Canvas, facts: SessionFacts) -> None:
    top = canvas.row("lane_popup", 18)
    for popup in facts.popups:
        x1, x2 = canvas.span(popup.shown_ms, popup.end_ms)
        kind, note = _popup(canvas, popup)
        canvas.zoomed.append(svg.bar(x1, top + 3, max(x2 - x1, LEAST_PX + 1), 12, f"bar {kind}", note))
    for due in facts.due:
        if not due.came:
            canvas.words(
                canvas.x(due.at_ms),
                top + 14,
                "glyph bad",
                "○",
                f"{clock(due.at_ms)} {canvas.say('not_shown')}",
            )
    if not facts.popups and all(due.came for due in facts.due):
        _nothing(canvas, facts, top + 13, {"OG301", "OG304", "OG305"})


def _popup(canvas: Canvas, popup: Popup) -> tuple[str, str]:
    """Return the class and the words of a pop-up."""
    name = "late" if not popup.controls else "left_open" if popup.reaction_ms is None else "answered"
    waited = popup.reaction_ms if popup.reaction_ms is not None else popup.end_ms - popup.shown_ms
    return "good" if popup.controls else "bad", (
        f"{clock(popup.shown_ms)} {canvas.say(name)} {length(canvas.language, waited / 1000)}"
    )


def _reactions(canvas: Canvas, facts: SessionFacts) -> None:
    """Draw how long each answer took, as stems; written where there is room."""
    top = canvas.row("lane_reaction", 40)
    foot, tall = top + 38, 24.0
    answered = [(popup.shown_ms, popup.reaction_ms) for popup in facts.popups if popup.reaction_ms is not None]

    def height(reaction_ms: float) -> float:
        within = min(max(reaction_ms, LEAST_REACTION_MS), MOST_REACTION_MS)
        return tall * log(within / LEAST_REACTION_MS) / log(MOST_REACTION_MS / LEAST_REACTION_MS)

    stems, last = [], -NUMBER_PX
    for shown, reaction in answered:
        x, y = canvas.x(shown), foot - height(reaction)
        stems.append(f"M{svg.number(x)} {svg.number(foot)}V{svg.number(y)}h0")
        if x - last >= NUMBER_PX:
            last = x
            canvas.words(
                x,
                y - 4,
                "small mid",
                f"{reaction / 1000:.1f}" if reaction >= LEAST_REACTION_MS else f"{reaction / 1000:.3f}",
            )
    kind = "stem bad" if "OG303" in facts.rules else "stem"
    canvas.zoomed.append(svg.path("".join(stems), kind))
    if "OG303" in facts.rules:
        y = foot - height(median(reaction for _, reaction in answered))
        canvas.zoomed.append(svg.line(0, y, canvas.axis.width, y, "median"))


def _photos(canvas: Canvas, facts: SessionFacts, thumbnails: Mapping[str, str]) -> None:
    with_images = any(photo.key in thumbnails for photo in facts.photos)
    height = THUMBNAIL_PX + 8 if with_images else 18.0
    top = canvas.row("lane_photo", height)
    places = [canvas.x(photo.at_ms) for photo in facts.photos]
    for photo, x in zip(facts.photos, places, strict=True):
        name = photo_name(photo)
        sign, kind = {"photo_foreign": ("◇", "doubt"), "photo_good": ("◆", "good"), "photo_bad": ("✗", "bad")}[name]
        note = f"{clock(photo.at_ms)} {canvas.say(name)}"
        href = thumbnails.get(photo.key)
        if href is None:
            canvas.words(x, top + height / 2 + 5, f"glyph mid {kind}", sign, note)
        else:
            canvas.at(x, top + 4, _thumbnail(href, f"thumbnail {kind}", note))
        same = canvas.say(f"same_as_{photo.same_as}") if photo.same_as else ""
        aside = 7.0 if href is None else THUMBNAIL_PX / 2 + 3
        if same or not any(0 < other - x < NUMBER_PX for other in places) or _is_far(facts, photo.distance):
            _distance(canvas, facts, (x, top + height / 2 + 4, aside), photo.distance, same)
    if not facts.photos:
        _nothing(canvas, facts, top + 13, {"OG601"})


def _checks(canvas: Canvas, facts: SessionFacts) -> None:
    top = canvas.row("lane_check", 18)
    signs = {Outcome.PASSED: ("✓", "good"), Outcome.FAILED: ("✗", "bad"), Outcome.INCONCLUSIVE: ("?", "doubt")}
    for check in facts.checks:
        sign, kind = signs[check.outcome]
        note = f"{clock(check.at_ms)} {canvas.say(f'check_{check.outcome}')}"
        x = canvas.x(check.at_ms)
        canvas.words(x, top + 14, f"glyph mid {kind}", sign, note)
        _distance(canvas, facts, (x, top + 13, 7.0), check.distance)
    if not facts.checks:
        _nothing(canvas, facts, top + 13, {"OG401", "OG408"})


def _is_far(facts: SessionFacts, distance: float | None) -> bool:
    """Return whether a distance to the reference is another person's."""
    return distance is not None and distance > facts.limits.reject


def _distance(
    canvas: Canvas, facts: SessionFacts, place: tuple[float, float, float], distance: float | None, same: str = ""
) -> None:
    """Write, beside a capture, how far it is from the reference, and what it is the same picture as."""
    x, y, right = place
    far = _is_far(facts, distance)
    doubtful = distance is not None and distance > facts.limits.match
    kind = "small bad" if far or same else "small doubt" if doubtful else "small"
    words = " ".join(([] if distance is None else [f"{distance:.2f}"]) + ([same] if same else []))
    if words:
        canvas.words(x, y, kind, words, right=right)


def _nothing(canvas: Canvas, facts: SessionFacts, y: float, rules: set[str]) -> None:
    """Write that there is none of it, in red where a rule says that there should be."""
    canvas.pinned(2, y, "said missing" if rules & facts.rules else "said none", canvas.say("none"))


def _thumbnail(href: str, kind: str, note: str) -> str:
    """Return a picture with a frame; `href` was given by the caller."""
    half = THUMBNAIL_PX / 2
    image = svg.element(
        "image", svg.title(note), href=href, x=-half, y=0.0, width=THUMBNAIL_PX, height=THUMBNAIL_PX,
        preserveAspectRatio="xMidYMid slice",
    )  # fmt: skip
    return image + svg.bar(-half, 0, THUMBNAIL_PX, THUMBNAIL_PX, kind)
