from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from online_guard.demo.report import Person, Refused, Report, build_report, render
from online_guard.demo.roster import PLANS, expected, person
from online_guard.demo.run import judged
from online_guard.policy import DEFAULT_POLICY, load_policy
from online_guard.simulate.cheats import CHEATS
from online_guard.simulate.course import simulate, write_rows

IDS = [f"2021-ds-01-{number:03}" for number in range(1, len(PLANS) + 1)]


@cache
def report() -> Report:
    policy = load_policy(DEFAULT_POLICY)
    with TemporaryDirectory() as folder:
        write_rows(simulate(PLANS, 5), Path(folder))
        evidence, judgement = judged(Path(folder), policy)
    people = {name: person(number, PLANS[number]) for number, name in enumerate(IDS)}
    refused = [Refused("坏<b>", "bad", 422, "标题", "/x: 说明")]
    return build_report(evidence, judgement, policy, people, refused)


def test_the_plans_hold_every_cheat_once() -> None:
    planted = [way for plan in PLANS for way in plan.cheats.values()]
    assert sorted(planted) == sorted(CHEATS)


def test_findings_stand_at_the_lessons_where_they_were_planted() -> None:
    for learner, plan in zip(report().learners, PLANS, strict=True):
        for lesson in learner.lessons:
            found = {line.rule for line in lesson.findings if line.effect != "note"}
            must, may = expected(plan, lesson.lesson_no)
            assert must <= found <= must | may


def test_honest_learners_may_sit_the_assessment_and_the_others_know_why_not() -> None:
    for learner, plan in zip(report().learners, PLANS, strict=True):
        if plan.cheats:
            assert learner.state in ("refused", "waiting")
            assert learner.failed[0][0] == "E03"
        else:
            assert (learner.state, learner.failed, learner.hours) == ("eligible", (), 3.0)


def test_many_bad_pictures_are_one_line() -> None:
    lines = [line for lesson in report().learners[10].lessons for line in lesson.findings if line.rule == "OG405"]
    assert len(lines) == 1
    assert lines[0].zh.endswith(" 张）")


def test_the_page_stands_alone_and_says_everything() -> None:
    page = render(report())
    assert page.lstrip().startswith("<!doctype html>")
    for alien in ("<script", "http://", "https://", "@import", "url("):
        assert alien not in page
    for cheat in CHEATS.values():
        assert cheat.rule in page
    for part in ("prefers-color-scheme: dark", "2021-08", "E03", "(四)21(2)", "坏&lt;b&gt;", "电子商务师"):
        assert part in page
    assert page.count('class="picture timeline"') == 2 * sum(
        1 for learner in report().learners for lesson in learner.lessons
    )


def test_names_can_not_become_markup() -> None:
    learner = replace(report().learners[0], person=Person("<i>张", "<b>", "&"))
    page = render(replace(report(), learners=(learner,)))
    assert "<i>张" not in page
    assert "&lt;i&gt;张" in page


@pytest.mark.parametrize("width", [860, 400])
def test_pictures_exist_for_wide_and_narrow_screens(width: int) -> None:
    lesson = report().learners[3].lessons[1]
    assert f'viewBox="0 0 {width} ' in (lesson.wide if width == 860 else lesson.narrow)
