"""What the signs of a session's timeline mean."""

from __future__ import annotations

from collections.abc import Iterable

from online_guard.pictures import svg
from online_guard.pictures.canvas import Canvas
from online_guard.pictures.facts import Kind, Photo, SessionFacts
from online_guard.pictures.legend import legend
from online_guard.pictures.words import Language, say

BRIEF_MS = 5_000
"""A stretch too short to be seen needs no explanation."""
WAYS = {Kind.PLAY: "playing", Kind.FAST: "fast", Kind.SILENT: "silent", Kind.PAUSE: "paused"}
SIGNS: dict[str, str] = {
    "playing": '<path class="way play lane-0" d="M0 0h22"/>',
    "cone": '<path class="cone" d="M0 5L22 -6V5z"/><path class="ray" d="M0 5L22 -6"/>',
    "fast": '<path class="way fast" d="M0 0h22"/>',
    "most": '<path class="most" d="M0 0h22"/>',
    "paused": '<path class="way pause" d="M0 0h22"/>',
    "silent": '<path class="way silent" d="M0 0h22"/>',
    "seek": '<path class="jump" d="M11 -7V5"/><path class="jump landing" d="M11 -6h0"/>',
    "seek_ahead": '<path class="jump leap" d="M11 6V-6"/><path class="jump leap landing" d="M11 -6h0"/>',
    "control_play": '<text class="control mid" x="11" y="4">▶</text>',
    "control_pause": '<text class="control mid" x="11" y="4">‖</text>',
    "control_ended": '<text class="control mid" x="11" y="4">■</text>',
    "hidden": '<path class="bar hidden" d="M0 -3H22v6H0z"/>',
    "blurred": '<path class="bar blurred" d="M0 -3H22v6H0z"/>',
    "answered": '<path class="bar good" d="M8 -5H14v10H8z"/>',
    "late": '<path class="bar bad" d="M8 -5H14v10H8z"/>',
    "not_shown": '<text class="glyph bad mid" x="11" y="5">○</text>',
    "photo_good": '<text class="glyph good mid" x="11" y="5">◆</text>',
    "photo_bad": '<text class="glyph bad mid" x="11" y="5">✗</text>',
    "photo_foreign": '<text class="glyph doubt mid" x="11" y="5">◇</text>',
    "check_passed": '<text class="glyph good mid" x="11" y="5">✓</text>',
    "check_failed": '<text class="glyph bad mid" x="11" y="5">✗</text>',
    "check_inconclusive": '<text class="glyph doubt mid" x="11" y="5">?</text>',
    "distance": '<text class="small mid" x="11" y="4">0.31</text>',
    "on_time": '<path class="fan" d="M0 -6H8L14 6z"/>',
    "future": '<path class="fan early" d="M10 -6H22L4 6z"/>',
    "together": '<path class="bar together" d="M0 -4H22v8H0z"/>',
    "cut": '<path class="cut" d="M4 -7H18V7H4z"/>',
    "reject": '<g class="finding reject"><path class="where" d="M0 -6H22V6H0z"/></g>',
    "review": '<g class="finding review"><path class="where" d="M0 -6H22V6H0z"/></g>',
    "note": '<g class="finding note"><path class="where" d="M0 -6H22V6H0z"/></g>',
}
"""A small example of each sign, 22 px wide around a line's middle; the names are those of its words."""


def used(facts: SessionFacts) -> list[str]:
    """Return the names of the signs that a picture uses, in the order of `SIGNS`."""
    names = {mark.effect.value for mark in facts.marks} | {f"check_{check.outcome}" for check in facts.checks}
    names |= {f"control_{control.type}" for control in facts.controls}
    names |= {WAYS[piece.kind] for piece in facts.pieces if piece.points[-1][0] - piece.points[0][0] > BRIEF_MS}
    names |= {"seek_ahead" if jump.ahead else "seek" for jump in facts.jumps}
    names |= {"blurred" if away.blurred else "hidden" for away in facts.away}
    names |= {"answered" if popup.controls else "late" for popup in facts.popups}
    names |= {photo_name(photo) for photo in facts.photos}
    names |= {"future" if arrival.is_early else "on_time" for arrival in facts.arrivals}
    found = {
        "cone": facts.cones,
        "most": facts.wedges,
        "distance": [one for of in (facts.photos, facts.checks) for one in of if one.distance is not None],
        "not_shown": [due for due in facts.due if not due.came],
        "together": [other for other in facts.others if other.together],
    }
    names |= {name for name, there in found.items() if there}
    return [name for name in SIGNS if name in names]


def photo_name(photo: Photo) -> str:
    """Return which sign a snapshot has."""
    return "photo_foreign" if not photo.asked else "photo_good" if photo.good else "photo_bad"


def explain(canvas: Canvas, names: Iterable[str]) -> None:
    """Draw signs with their meaning below what is drawn already."""
    items = ((SIGNS[name], canvas.say(name)) for name in names)
    parts, canvas.y = legend(items, canvas.y, canvas.left + canvas.axis.width)
    canvas.fixed += parts


def timeline_legend(language: Language = Language.ZH, width: int = 860) -> str:
    """Return a picture that explains every sign of a session's timeline."""
    parts, height = legend(((sign, say(language, name)) for name, sign in SIGNS.items()), 0, width)
    return svg.picture("legend", width, height, say(language, "legend"), [], parts)
