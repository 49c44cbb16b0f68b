import re
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from picture_reader import classes, drawn, marks, read, scene, words
from scenario_check import SCENARIOS, policy_of
from scenario_reader import Case, read_case, read_cases

from online_guard.judge import judge
from online_guard.pictures import stylesheet
from online_guard.pictures.facts import Kind, Mark, SessionFacts
from online_guard.pictures.session_facts import session_facts
from online_guard.pictures.session_timeline import session_timeline
from online_guard.pictures.timeline_legend import SIGNS, timeline_legend
from online_guard.pictures.words import SAID, Language
from online_guard.policy import DEFAULT_POLICY, load_policy
from online_guard.terms import Effect

GOLDEN = Path(__file__).with_name("small_timeline.txt")
SMALL = read_case(
    "OG102",
    {
        "name": "a lesson with a jump, an answered and an ignored pop-up, hidden playing, a photo and a check",
        "classes": {"c1": {"lessons": [["professional", 600, 1]]}},
        "events": [
            ["play", 0, 0, True],
            ["popup_shown", 40, 40, True, {"popup": "x"}],
            ["popup_answered", 43, 43, True, {"popup": "x"}],
            ["seek", 60, 300, True, {"from_s": 60}],
            ["hidden", 90, 330, True],
            ["visible", 100, 340, True],
            ["pause", 100, 340, False],
            ["play", 160, 340, True],
            ["popup_shown", 170, 350, True, {"popup": "y"}],
            ["ended", 200, 380, False],
        ],
        "snapshots": [{"id": "a", "at": 50}, {"id": "b", "at": 70, "asked": False}],
        "checks": [{"id": "k", "at": 20, "distance": 0.3}],
        "expect": [],
    },
)


def small() -> SessionFacts:
    policy = load_policy(DEFAULT_POLICY)
    return session_facts(SMALL.evidence, policy, judge(SMALL.evidence, policy).findings, ["p/s1"])


def test_a_small_timeline_looks_as_it_did() -> None:
    """Delete the file to have it written anew, and look at it before it is kept."""
    seen = "\n".join(marks(read(session_timeline(small(), legend=False)))) + "\n"
    if not GOLDEN.exists():
        GOLDEN.write_text(seen, encoding="utf-8")
        pytest.fail(f"{GOLDEN.name} was written; look at it and run again")
    assert seen == GOLDEN.read_text(encoding="utf-8")


SHOWS = {
    "fast_forward": {"ahead", "most", "way fast lane-0"},
    "slack_miner": {"ahead", "most"},
    "skip_ahead": {"jump leap", "jump leap landing"},
    "drag_swallower_paused": {"jump leap"},
    "clock_lead": {"not-yet", "fan early"},
    "timer_hook": {"not-yet", "fan early"},
    "hidden_playback": {"bar hidden", "dark"},
    "blinker": {"bar hidden", "dark"},
    "several_players": {"way play lane-1", "bar play lane-1"},
    "overlapping_sessions": {"bar together"},
    "parallel_platforms": {"bar together"},
    "scripted_answers": {"stem bad", "median"},
    "ignored_popups": {"bar bad"},
    "liveness_missing": {"said missing"},
    "liveness_failed": {"glyph mid bad"},
    "foreign_snapshots": {"glyph mid doubt"},
    "session_replay": {"beat"},
    "player_rotator": {"opening"},
    "proxy_learner": {"small bad"},
    "capture_pool": {"small bad"},
    "one_device": {"bar together"},
    "popup_remover": {"glyph bad"},
}
"""What gives each way of cheating away at a glance."""
ALARMS = frozenset.union(*map(frozenset, SHOWS.values())) - {"opening", "way play lane-1", "bar play lane-1"}


@pytest.mark.parametrize("way", SHOWS)
def test_each_cheat_leaps_to_the_eye(way: str) -> None:
    assert SHOWS[way] <= classes(drawn(way))


@pytest.mark.parametrize("way", ["plain", "lunch", "left_open", "late_phone"])
def test_honest_study_looks_harmless(way: str) -> None:
    assert not ALARMS & classes(drawn(way, legend=False))


@pytest.mark.parametrize(
    ("way", "label"),
    [
        ("fast_forward", "2 倍速 · 多走 19.6 分"),
        ("skip_ahead", "跳过 20 分"),
        ("declared_rate", "声明 1.5 倍速"),
        ("session_replay", "间隔 1000 毫秒，波动 0 毫秒"),
        ("fine_slicer", "72 次会话"),
        ("proxy_learner", "0.80"),
        ("reference_photo", "0.04 就是登记照片"),
        ("capture_pool", "0.25 用过的照片"),
        ("one_face", "1 OG801 两名学员同一张脸：与另一学员的人脸距离仅 0.32（不大于 0.40 疑为同一人）"),
    ],
)
def test_labels_say_how_much(way: str, label: str) -> None:
    assert label in list(words(drawn(way)))


def test_what_ran_ahead_is_what_the_rule_measured() -> None:
    for way in ("fast_forward", "slack_miner", "same_millisecond", "drag_swallower"):
        facts = scene(way).facts()
        drawn_s = max(
            real[1] - most[1] for wedge in facts.wedges for real, most in zip(wedge.real, wedge.most, strict=True)
        )
        measured = [finding.evidence["value"] for finding in scene(way).findings if finding.rule == "OG101"]
        assert drawn_s == pytest.approx(max(measured), abs=0.001)


@cache
def some_cases() -> tuple[Case, ...]:
    """Return cases of rules that look at every kind of event."""
    files = ("og102_skip_ahead", "og107_impossible_order", "og202_several_players", "og302_ignored_pop_up")
    return tuple(case for name in files for case in read_cases(SCENARIOS / f"{name}.yaml")[::6])


@pytest.mark.parametrize("language", list(Language))
@pytest.mark.parametrize("width", [860, 400])
def test_every_scenario_can_be_drawn(language: Language, width: int) -> None:
    for case in some_cases():
        policy = policy_of(case.overrides)
        findings = judge(case.evidence, policy).findings
        for row in dict.fromkeys(case.evidence.events.session.tolist()):
            facts = session_facts(case.evidence, policy, findings, [case.evidence.sessions.key[row]])
            picture = session_timeline(facts, language, width=width)
            tree = read(picture)
            assert not re.search(r'="[^"]*\b(nan|inf)\b', picture)
            _findings_are_inside(tree, facts)
            break


def _findings_are_inside(tree: object, facts: SessionFacts) -> None:
    """See that each finding has its place within the plot, its number, and words that name its rule."""
    width = float(tree.get("data-width"))  # type: ignore[attr-defined]
    found = {one.get("id"): one for one in tree.iter("g") if one.get("data-finding")}  # type: ignore[attr-defined]
    assert set(found) == {f"finding-{mark.number}" for mark in facts.marks}
    for mark in facts.marks:
        one = found[f"finding-{mark.number}"]
        x1, x2 = float(one.get("data-x1")), float(one.get("data-x2"))
        assert 0 <= x1 < x2 <= width
        assert facts.start_ms <= int(one.get("data-start")) <= int(one.get("data-end")) <= facts.end_ms
        assert one.findtext("title").startswith(f"{mark.number} {mark.rule} ")
        for bar in one.iter("rect"):
            assert float(bar.get("x")) + float(bar.get("width")) <= width + 0.02
    told = "\n".join(words(tree))  # type: ignore[arg-type]
    assert all(f" {mark.rule} " in told for mark in facts.marks)


@settings(max_examples=25)
@given(
    st.lists(st.tuples(st.integers(0, 200_000), st.integers(0, 200_000), st.sampled_from(Effect)), max_size=12),
    st.sampled_from([400, 860]),
)
def test_every_finding_lies_inside_and_is_labelled(places: list[tuple[int, int, Effect]], width: int) -> None:
    facts = small()
    facts = replace(
        facts,
        marks=tuple(
            Mark(
                number, f"f{number}", f"OG{100 + number}", effect, False,
                min(facts.start_ms + min(a, b), facts.end_ms), min(facts.start_ms + max(a, b), facts.end_ms),
                False, ("名", "name"), ("说" * (a % 90), "said " * (a % 40)),
            )
            for number, (a, b, effect) in enumerate(places, 1)
        ),
    )  # fmt: skip
    _findings_are_inside(read(session_timeline(facts, width=width)), facts)


LATIN = re.compile(r"[A-Za-z]{2,}")
HAN = re.compile(r"[\u4e00-\u9fff]")
IDS = re.compile(r"OG\d+|\bcheat[\w/-]*|\bplatform[\w/-]*|\d×")


@pytest.mark.parametrize("way", [*SHOWS, "never_answers", "bulk_heartbeats_rising", "rewritten_events"])
def test_no_language_leaks_into_the_other(way: str) -> None:
    for text in words(drawn(way, language=Language.ZH)):
        assert not LATIN.search(IDS.sub("", text)), text
    for text in words(drawn(way, language=Language.EN)):
        assert not HAN.search(text), text


def test_every_word_is_there_in_both_languages() -> None:
    for name, (zh, en) in SAID.items():
        assert set(re.findall(r"{(\w+)", zh)) == set(re.findall(r"{(\w+)", en)), name
        assert not HAN.search(en)
    for language in Language:
        assert len(read(timeline_legend(language)).findall("g")) == len(SIGNS)


def test_a_long_session_with_a_heartbeat_a_second_stays_small() -> None:
    for way, most in (("session_replay", 40_000), ("slack_miner", 100_000), ("fine_slicer", 100_000)):
        assert len(session_timeline(scene(way).facts()).encode()) < most


def test_thumbnails_stand_where_snapshots_were_taken_and_can_not_become_markup() -> None:
    facts = small()
    tree = read(session_timeline(facts, thumbnails={facts.photos[0].key: '/a"><script>'}, prefix="case-"))
    (image,) = tree.iter("image")
    assert image.get("href") == '/a"><script>'
    assert "thumbnail good" in classes(tree)
    assert all(one.get("id", "case-").startswith("case-") for one in tree.iter())


def test_dismissed_findings_are_told_as_such() -> None:
    facts = small()
    marks_ = tuple(replace(mark, dismissed=True) for mark in facts.marks)
    tree = read(session_timeline(replace(facts, marks=marks_)))
    assert "finding reject dismissed" in classes(tree)
    assert any(text.endswith("已排除") for text in words(tree))


def test_an_unexplained_first_place_is_a_jump_only_where_the_rule_says_so() -> None:
    facts = scene("fine_slicer").facts()
    assert len(facts.keys) > 50
    assert not [jump for jump in facts.jumps if jump.ahead]


def test_sessions_without_events_are_refused() -> None:
    with pytest.raises(ValueError, match="no events of p/nobody"):
        session_facts(SMALL.evidence, load_policy(DEFAULT_POLICY), (), ["p/nobody"])


def test_pieces_follow_the_players_way() -> None:
    facts = small()
    kinds = [(piece.kind, piece.points[0][1], piece.points[-1][1]) for piece in facts.pieces]
    assert kinds == [(Kind.PLAY, 0, 60), (Kind.PLAY, 300, 340), (Kind.PAUSE, 340, 340), (Kind.PLAY, 340, 380)]


def test_what_can_be_zoomed_has_its_place() -> None:
    tree = drawn("skip_ahead")
    left, width = float(tree.get("data-left", "")), float(tree.get("data-width", ""))
    for one in tree.iter():
        if one.get("data-x") is not None:
            x, y = float(one.get("data-x", "")), float(one.get("data-y", ""))
            assert one.get("transform") == f"translate({_short(left + x)} {_short(y)})"
    _, inner = tree.iter("svg")
    assert inner.get("preserveAspectRatio") == "none"
    assert inner.get("viewBox") == f"0 0 {_short(width)} {inner.get('data-height')}"


def _short(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")


def test_every_class_that_is_drawn_has_a_look() -> None:
    css = stylesheet()
    for way in (
        "bulk_heartbeats_rising",
        "skip_ahead",
        "several_players",
        "foreign_snapshots",
        "blinker",
        "one_device",
    ):
        for name in {word for names in classes(drawn(way)) for word in names.split()} - {
            "picture",
            "at",
            "hour",
            "lane-0",
        }:
            assert f".{name}" in css, name
