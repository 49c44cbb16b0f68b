"""The overviews in a browser: one language each, accessible, and nothing wider than a phone."""

from __future__ import annotations

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from browsing import Console
from test_pages import CHINESE, TEXTS

PAGES = ("overview", "overview/rules/OG102", "platforms/hc-online", "learners/learner-looked-at-003")


@pytest.mark.parametrize("language", ["zh", "en"])
def test_overviews_are_accessible_and_speak_one_language(console: Console, cheats: str, language: str) -> None:
    page = console.signed_in("读", bypass_csp=True, viewport={"width": 390, "height": 800})
    for name in PAGES:
        answer = page.goto(f"/console/{name}?lang={language}")
        assert answer is not None
        assert answer.status == 200, name
        if language == "zh":  # what is said doesn't matter to it, and it takes its time
            found = Axe().run(page).response["violations"]
            assert [one["id"] for one in found if one["impact"] in ("serious", "critical")] == [], name
        text = page.evaluate(TEXTS)
        assert bool(re.search(CHINESE, text)) is (language == "zh"), (name, re.findall(f"{CHINESE}+", text))
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, name


def test_a_learner_is_reached_from_a_case_and_a_case_from_a_learner(console: Console, cheats: str) -> None:
    page = console.signed_in("读")
    page.goto(f"/console/cases?class_id={cheats}&rule=OG102")
    page.locator("a.open").first.click()
    page.locator("a[href*='/learners/']").click()
    page.locator("svg.heat").wait_for()
    assert page.locator("svg.heat .cell.refused").count() >= 1
    page.locator("a[href*='/console/cases/']").first.click()
    page.wait_for_url("**/console/cases/*")
