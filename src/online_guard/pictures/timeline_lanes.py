"""The rows below the plot of a session's timeline: players, pop-ups, pictures, checks, arrivals, other sessions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log
from statistics import median, quantiles

from online_guard.pictures import svg
from online_guard.pictures.axis import clock
from online_guard.pictures.canvas import LEAST_PX, Canvas
from online_guard.pictures.facts import Away, Kind, Popup, SessionFacts, Track
from online_guard.pictures.timeline_legend import photo_name
from online_guard.pictures.words import length
from online_guard.terms import EventType, Outcome

MOST_LANES = 12
TOUCH_MS = 2_000
"""Players that follow each other so closely take turns: they share a lane."""
LEAST_REACTION_MS, MOST_REACTION_MS = 100, 60_000
"""The scale of reaction times is logarithmic between these."""
NUMBER_PX = 30.0
"""Reaction times are written where they stand so far from one another."""
CONTROLS = {EventType.PLAY: "▶", EventType.PAUSE: "‖", EventType.ENDED: "■"}
SIGN_PX = 9.0
"""Signs closer to one another are left out."""
MOST_ARRIVALS = 160
STEADY_RULES = frozenset({"OG803", "OG804", "OG805"})
THUMBNAIL_PX = 30.0


def lanes_of(tracks: Sequence[Track]) -> tuple[int, ...]:
    """Return the lane of each track: players that take turns share one, players at the same time don't."""
    ends: list[int] = []
    result = [0] * len(tracks)
    for place in sorted(range(len(tracks)), key=lambda place: tracks[place].first_ms):
        track = tracks[place]
        free = [lane for lane, end in enumerate(ends) if end <= track.first_ms + TOUCH_MS]
        lane = free[0] if free else min(len(ends), MOST_LANES - 1)
        if lane == len(ends):
            ends.append(track.last_ms)
        ends[lane] = max(ends[lane], track.last_ms)
        result[place] = lane
    return tuple(result)


@dataclass(frozen=True)
class Lanes:
    """Draws one row after the other, each where the canvas stands."""

    canvas: Canvas
    facts: SessionFacts
    lanes: tuple[int, ...]
    thumbnails: Mapping[str, str]

    @property
    def rules(self) -> set[str]:
        """Return the rules that were found."""
        return {mark.rule for mark in self.facts.marks}

    def draw(self) -> None:
        """Draw all rows that have something to show, or that a control ought to fill."""
        for lane in range(max(self.lanes) + 1):
            self._player(lane)
        self._controls()
        self._popups()
        if any(popup.reaction_ms is not None for popup in self.facts.popups):
            self._reactions()
        self._photos()
        self._checks()
        self._arrivals()
        if STEADY_RULES & self.rules and len(self.facts.beats) > 1:
            self._beats()
        self._others()

    def _row(self, name: str, height: float, **values: object) -> float:
        """Begin a row and return its upper edge."""
        top = self.canvas.y
        self.canvas.label(top + height / 2 + 4, self.canvas.say(name, **values))
        self.canvas.rule(top + height)
        self.canvas.y = top + height
        return top

    def _player(self, lane: int) -> None:
        several = max(self.lanes) > 0
        top = self._row("lane_player", 20, number=lane + 1) if several else self._row("lane_play", 20)
        heights = {Kind.PAUSE: (7.0, 2.0), Kind.SILENT: (5.0, 6.0), Kind.PLAY: (3.0, 9.0), Kind.FAST: (3.0, 9.0)}
        for kind, (down, height) in heights.items():
            spans = [
                (self.canvas.x(piece.points[0][0]), self.canvas.x(piece.points[-1][0]))
                for piece in self.facts.pieces
                if piece.kind is kind and self.lanes[piece.track] == lane
            ]
            gap = 0.05 if len(spans) < 300 else 1.0
            places = svg.bars(svg.joined(spans, gap), top + down, height)
            self.canvas.zoomed.append(svg.path(places, f"bar {kind} lane-{lane % 4}"))
        starts = [
            self.canvas.x(track.first_ms)
            for track, own in zip(self.facts.tracks, self.lanes, strict=True)
            if own == lane
        ]
        if len(starts) > 1:
            self.canvas.zoomed.append(
                svg.path("".join(f"M{svg.number(x)} {svg.number(top)}v14" for x in starts), "opening")
            )
        for blurred in (True, False):
            found = [away for away in self.facts.away if away.blurred is blurred and self.lanes[away.track] == lane]
            self._away(found, top + 14, "blurred" if blurred else "hidden")

    def _away(self, found: Sequence[Away], y: float, kind: str) -> None:
        """Draw a stripe under the bars while a window was hidden or without focus."""
        if len(found) > 60:
            spans = [self.canvas.span(away.start_ms, away.end_ms) for away in found]
            self.canvas.zoomed.append(svg.path(svg.bars(svg.joined(spans, 0.2), y, 5), f"bar {kind}"))
            return
        for away in found:
            x1, x2 = self.canvas.span(away.start_ms, away.end_ms)
            played = length(self.canvas.language, away.played_ms / 1000)
            note = self.canvas.say("away", what=self.canvas.say(kind), length=played)
            self.canvas.zoomed.append(svg.bar(x1, y, x2 - x1, 5, f"bar {kind}", f"{clock(away.start_ms)} {note}"))

    def _nothing(self, y: float, rules: set[str]) -> None:
        """Write that there is none of it, in red where a rule says that there should be."""
        self.canvas.words(2, y, "said reject" if rules & self.rules else "said none", self.canvas.say("none"))

    def _controls(self) -> None:
        """Draw what players said of themselves: nobody plays who never said `play`."""
        top = self._row("lane_control", 16)
        last = -SIGN_PX
        for control in sorted(self.facts.controls, key=lambda control: control.at_ms):
            x = self.canvas.x(control.at_ms)
            if x - last >= SIGN_PX or control.type is EventType.ENDED:
                last = x
                note = f"{clock(control.at_ms)} {self.canvas.say(f'control_{control.type}')}"
                self.canvas.words(x, top + 12, "control mid", CONTROLS[control.type], note)
        if not self.facts.controls:
            self._nothing(top + 12, {"OG107"})

    def _popups(self) -> None:
        top = self._row("lane_popup", 18)
        for popup in self.facts.popups:
            x1, x2 = self.canvas.span(popup.shown_ms, popup.end_ms)
            kind, note = self._popup(popup)
            self.canvas.zoomed.append(svg.bar(x1, top + 3, max(x2 - x1, LEAST_PX + 1), 12, f"bar {kind}", note))
        for due in self.facts.due:
            if not due.came:
                self.canvas.words(
                    self.canvas.x(due.at_ms),
                    top + 14,
                    "glyph bad",
                    "○",
                    f"{clock(due.at_ms)} {self.canvas.say('not_shown')}",
                )
        if not self.facts.popups and all(due.came for due in self.facts.due):
            self._nothing(top + 13, {"OG301", "OG304", "OG305"})

    def _popup(self, popup: Popup) -> tuple[str, str]:
        """Return the class and the words of a pop-up."""
        name = "late" if not popup.controls else "left_open" if popup.reaction_ms is None else "answered"
        waited = popup.reaction_ms if popup.reaction_ms is not None else popup.end_ms - popup.shown_ms
        return "good" if popup.controls else "bad", (
            f"{clock(popup.shown_ms)} {self.canvas.say(name)} {length(self.canvas.language, waited / 1000)}"
        )

    def _reactions(self) -> None:
        """Draw how long each answer took, as stems; written where there is room."""
        top = self._row("lane_reaction", 40)
        foot, tall = top + 38, 24.0
        answered = [(popup.shown_ms, popup.reaction_ms) for popup in self.facts.popups if popup.reaction_ms is not None]

        def height(reaction_ms: float) -> float:
            within = min(max(reaction_ms, LEAST_REACTION_MS), MOST_REACTION_MS)
            return tall * log(within / LEAST_REACTION_MS) / log(MOST_REACTION_MS / LEAST_REACTION_MS)

        stems, last = [], -NUMBER_PX
        for shown, reaction in answered:
            x, y = self.canvas.x(shown), foot - height(reaction)
            stems.append(f"M{svg.number(x)} {svg.number(foot)}V{svg.number(y)}h0")
            if x - last >= NUMBER_PX:
                last = x
                self.canvas.words(x, y - 4, "small mid", f"{reaction / 1000:.1f}")
        kind = "stem bad" if "OG303" in self.rules else "stem"
        self.canvas.zoomed.append(svg.path("".join(stems), kind))
        if "OG303" in self.rules:
            y = foot - height(median(reaction for _, reaction in answered))
            self.canvas.zoomed.append(svg.line(0, y, self.canvas.axis.width, y, "median"))

    def _photos(self) -> None:
        with_images = any(photo.key in self.thumbnails for photo in self.facts.photos)
        height = THUMBNAIL_PX + 8 if with_images else 18.0
        top = self._row("lane_photo", height)
        for photo in self.facts.photos:
            name = photo_name(photo)
            sign, kind = {"photo_foreign": ("◇", "doubt"), "photo_good": ("◆", "good"), "photo_bad": ("✗", "bad")}[name]
            note = f"{clock(photo.at_ms)} {self.canvas.say(name)}"
            x = self.canvas.x(photo.at_ms)
            href = self.thumbnails.get(photo.key)
            if href is None:
                self.canvas.words(x, top + height / 2 + 5, f"glyph mid {kind}", sign, note)
            else:
                self.canvas.at(x, top + 4, _thumbnail(href, f"thumbnail {kind}", note))
        if not self.facts.photos:
            self._nothing(top + 13, {"OG601"})

    def _checks(self) -> None:
        top = self._row("lane_check", 18)
        signs = {Outcome.PASSED: ("✓", "good"), Outcome.FAILED: ("✗", "bad"), Outcome.INCONCLUSIVE: ("?", "doubt")}
        for check in self.facts.checks:
            sign, kind = signs[check.outcome]
            note = f"{clock(check.at_ms)} {self.canvas.say(f'check_{check.outcome}')}"
            self.canvas.words(self.canvas.x(check.at_ms), top + 14, f"glyph mid {kind}", sign, note)
        if not self.facts.checks:
            self._nothing(top + 13, {"OG401", "OG408"})

    def _arrivals(self) -> None:
        """Draw how events of some moments (above) reached the service together at another (below)."""
        top = self._row("lane_arrival", 26)
        every = max(1, len(self.facts.arrivals) // MOST_ARRIVALS)
        late: list[str] = []
        early: list[str] = []
        for arrival in self.facts.arrivals[::every]:
            x1, x2, x3 = (self.canvas.x(at) for at in (arrival.first_ms, arrival.last_ms, arrival.received_ms))
            fan = svg.polyline([(x1, top + 3), (max(x2, x1 + 0.7), top + 3), (x3, top + 23)]) + "z"
            (early if arrival.is_early else late).append(fan)
        self.canvas.zoomed.append(svg.path("".join(late), "fan", self.canvas.say("on_time")))
        self.canvas.zoomed.append(svg.path("".join(early), "fan early", self.canvas.say("future")))
        if early:
            self.canvas.words(self.canvas.axis.width - 2, top + 14, "label end", self.canvas.say("future"))

    def _beats(self) -> None:
        """Draw how much the time between heartbeats strays from its median: a forger's don't."""
        top = self._row("lane_beat", 30)
        middle = median(delta for _, delta in self.facts.beats)
        low, _, high = quantiles([delta for _, delta in self.facts.beats], n=4, method="inclusive")
        dots = dict.fromkeys(
            (round(self.canvas.x(at), 0), round(top + 15 - max(-12.0, min(12.0, (delta - middle) / 10)), 1))
            for at, delta in self.facts.beats
        )
        self.canvas.zoomed.append(svg.path("".join(f"M{svg.number(x)} {svg.number(y)}h0" for x, y in dots), "beat"))
        words = [self.canvas.say("milliseconds", count=count) for count in (middle, high - low)]
        self.canvas.words(
            self.canvas.axis.width - 2,
            top + 11,
            "label end",
            self.canvas.say("steady", median=words[0], spread=words[1]),
        )

    def _others(self) -> None:
        for other in self.facts.others:
            top = self._row("lane_other" if other.is_learners else "lane_device", 16)
            note = self.canvas.say("other", lesson_no=other.lesson_no, class_id=other.class_id, key=other.key)
            for spans, kind in ((other.played, "other"), (other.together, "together")):
                places = [(self.canvas.x(start), self.canvas.x(end)) for start, end in spans]
                self.canvas.zoomed.append(
                    svg.path(svg.bars(svg.joined(places, 0.05), top + 3, 10), f"bar {kind}", note)
                )
            ends = [self.canvas.x(at) for span in other.played for at in span] or [0.0]
            self.canvas.beside(min(ends), max(ends), top + 12, "small over", note)


def _thumbnail(href: str, kind: str, note: str) -> str:
    """Return a picture with a frame; `href` was given by the caller."""
    half = THUMBNAIL_PX / 2
    image = svg.element(
        "image", svg.title(note), href=href, x=-half, y=0.0, width=THUMBNAIL_PX, height=THUMBNAIL_PX,
        preserveAspectRatio="xMidYMid slice",
    )  # fmt: skip
    return image + svg.bar(-half, 0, THUMBNAIL_PX, THUMBNAIL_PX, kind)
