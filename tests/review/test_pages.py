"""What every page keeps: both languages, accessibility, filters and zoom; a proof that the browser checks itself."""

from __future__ import annotations

import json
import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from browsing import Console
from playwright.sync_api import Page, expect

from online_guard.service.operating import evidence_log
from online_guard.store import sealed_log
from online_guard.store.unit_of_work import writing

CHINESE = "[\u3400-\u9fff]"
PAGES = (
    "sign-in", "cases", "case", "together", "classes", "class", "assessments", "log", "rules", "rules/OG101", "nothing",
)  # fmt: skip
LEVELS = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"], "resultTypes": ["violations"]}
TEXTS = """() => { const page = document.body.cloneNode(true);
  page.querySelectorAll('[lang="zh-Hans"], .who, .name, #words, template').forEach(one => one.remove());
  return page.textContent; }"""


def first_case(page: Page, class_id: str, rule: str = "") -> str:
    page.goto(f"/console/cases?class_id={class_id}&rule={rule}")
    return str(page.locator("[data-row]").first.get_attribute("data-row"))


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_page_is_accessible_and_speaks_one_language(console: Console, cheats: str, language: str) -> None:
    page, serious = console.signed_in("甲", bypass_csp=True), []
    first = first_case(page, cheats)
    paths = {"case": f"cases/{first}", "together": f"together?case={first}", "class": f"classes/{cheats}"}
    for name in PAGES:
        path = paths.get(name, name)
        page.goto(f"/console/{path}{'&' if '?' in path else '?'}lang={language}")
        if name == "case":
            page.locator("summary").first.click()
        found = Axe().run(page, options=LEVELS).response["violations"]
        serious += [
            (name, one["id"], one["nodes"][0]["html"]) for one in found if one["impact"] in ("serious", "critical")
        ]
        text = page.evaluate(TEXTS)
        assert bool(re.search(CHINESE, text)) is (language == "zh"), (name, re.findall(f"{CHINESE}+", text))
        assert page.locator("html").get_attribute("lang") == {"zh": "zh-Hans", "en": "en"}[language]
    assert serious == []


def test_the_zoom_stays_from_case_to_case_and_the_filters_in_the_address(console: Console, cheats: str) -> None:
    page = console.signed_in("丙")
    page.goto(f"/console/cases?class_id={cheats}&subject=session")
    page.keyboard.press("Enter")
    page.wait_for_selector("svg.zoomed")
    whole = page.locator("svg.zoomed").first.get_attribute("viewBox")
    page.keyboard.press("+")
    page.keyboard.press("ArrowRight")
    part = page.evaluate("sessionStorage['online-guard zoom']")
    assert page.locator("svg.zoomed").first.get_attribute("viewBox") != whole
    here = page.locator(".case").get_attribute("data-case")
    page.keyboard.press("Enter")
    page.wait_for_function("id => document.querySelector('.case').dataset.case !== id", arg=here)
    assert page.evaluate("sessionStorage['online-guard zoom']") == part
    assert page.locator("svg.zoomed").first.get_attribute("viewBox") not in (None, whole)
    assert page.url.endswith(f"?class_id={cheats}&subject=session")
    page.keyboard.press("q")
    page.wait_for_url(f"**/console/cases?class_id={cheats}&subject=session")
    page.goto(f"/console/cases?class_id={cheats}&rule=OG303")
    page.get_by_placeholder("视图名称").fill("脚本")
    page.keyboard.press("Enter")
    expect(page.locator(".view a[aria-current]")).to_have_text("脚本")


def test_the_browser_verifies_the_log_and_finds_a_changed_payload(console: Console, cheats: str) -> None:
    page = console.signed_in("甲")
    first = first_case(page, cheats, "OG303")
    page.goto(f"/console/cases/{first}")
    page.locator("[data-act=prove]").click()
    expect(page.locator("[data-slot=proof]")).to_have_attribute("data-holds", "true")
    told = page.request.get(f"/console/cases/{first}/log").json()
    told["entries"][0]["payload"] += " "
    page.route("**/log", lambda route: route.fulfill(json=told))
    page.locator("[data-act=prove]").click()
    expect(page.locator("[data-slot=proof]")).to_have_attribute("data-holds", "false")
    expect(page.locator(".broken")).to_have_count(1)


def test_the_browser_verifies_that_the_log_only_grew(console: Console, cheats: str) -> None:
    page = console.signed_in("乙")
    page.goto("/console/log")
    proof = page.locator("[data-slot=proof]")
    page.locator("[data-act=prove-head]").click()
    expect(proof).to_have_attribute("data-holds", "true")
    before = json.loads(page.evaluate("localStorage['online-guard log head']"))
    for payload in ({"name": "decision x/1"}, {"name": "decision x/2"}, {"name": "decision x/3"}):
        with writing(console.house.engine) as database:
            sealed_log.append(database, "decision", "session/none/none", payload)
    evidence_log.sequence(console.house, at_once=True)
    page.locator("[data-act=prove-head]").click()
    expect(proof).to_contain_text(f"{before['size']} → {before['size'] + 3}: 证明成立")
    forged = json.dumps(before | {"root": "00" + before["root"][2:]})
    page.evaluate("head => { localStorage['online-guard log head'] = head; }", forged)
    page.locator("[data-act=prove-head]").click()
    expect(proof).to_have_attribute("data-holds", "false")


def test_whoever_only_reads_sees_no_faces_and_decides_nothing(console: Console, cheats: str) -> None:
    page = console.signed_in("读")
    page.goto(f"/console/cases/{first_case(page, cheats, 'OG303')}")
    expect(page.locator("h1")).to_be_visible()
    assert page.locator("[data-decide], [data-act=next], .faces, svg image").count() == 0


def test_what_a_dismissal_would_change(console: Console, cheats: str) -> None:
    page = console.signed_in("甲")
    page.goto(f"/console/cases/{first_case(page, cheats, 'OG303')}")
    page.keyboard.press("w")
    expect(page.locator(".changes").first).to_contain_text("待复核 → 通过")
