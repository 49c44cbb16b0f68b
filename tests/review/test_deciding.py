"""An auditor decides by keyboard alone, may undo for ten seconds, and loses nothing."""

from __future__ import annotations

import os

from browsing import Console
from playwright.sync_api import Page, expect
from stored_class import cheat

from online_guard.service.house import clock_ms
from online_guard.service.reviewing import appeals

LEARNERS = int(os.environ.get("ONLINE_GUARD_KEYBOARD_LEARNERS", "1"))
"""Each pair has five cases; 20 make a hundred."""
SENT = "() => !Object.keys(localStorage).some(key => key.includes('outbox') && localStorage[key] !== '[]')"


def press(page: Page, key: str) -> int:
    page.keyboard.press(key)
    return 1


def at_a_case(console: Console, name: str, class_id: str, rule: str = "") -> Page:
    """Return the page of the first case of a class that a person takes, with a finding of a rule."""
    page = console.signed_in(name)
    page.goto(f"/console/cases?class_id={class_id}&rule={rule}")
    page.keyboard.press("Enter")
    page.wait_for_selector("article[aria-current]")
    return page


def send(page: Page) -> None:
    """Send what waits, and wait until it is there."""
    while page.locator("[data-act=send]").count():
        page.locator("[data-act=send]").first.click()
    page.wait_for_function(SENT)


def test_cases_are_decided_by_keyboard_alone_with_three_keys_each(console: Console) -> None:
    class_id = console.a_class("by-keyboard", [cheat("skip_ahead"), cheat("scripted_answers", 2)] * LEARNERS)
    page = at_a_case(console, "甲", class_id)
    keys, findings, seen = 0, 0, []
    while True:
        case_id = page.locator(".case").get_attribute("data-case")
        seen.append(case_id)
        for _ in range(page.locator("article[data-mine]").count()):
            keys += press(page, "u" if findings % 3 else "d") + press(page, str(1 + findings % 9))
            findings += 1
        keys += press(page, "Enter")
        page.wait_for_function(
            "id => document.querySelector('.case').dataset.case !== id || document.querySelector('.told')", arg=case_id
        )
        if page.locator(".case").get_attribute("data-case") == case_id:
            break
    assert len(seen) == len(set(seen)) >= 5 * LEARNERS
    assert keys <= 3 * findings, "u or d, a reason, and Enter for the next case"
    assert page.evaluate("window.mice") == 0
    page.goto("/console/cases")  # leaving the page sends what waits
    page.wait_for_function(SENT)
    made = console.decisions(class_id)
    assert len(made) == findings
    assert {reviewer for reviewer, *_ in made} == {"甲"}
    assert sum(kind == "dismiss" for _, kind, _ in made) == (findings + 2) // 3


def test_a_decision_is_undone_or_sent_and_survives_a_lost_network(console: Console, worked: str) -> None:
    page = at_a_case(console, "甲", worked, "OG203")
    address = page.url
    for key in ("u", "1", "z"):
        page.keyboard.press(key)
    expect(page.locator("[data-id]")).to_have_count(0)
    assert console.decisions(worked, "OG203") == [], "what was undone never got there"
    page.keyboard.press("d")
    page.keyboard.press("m")
    page.keyboard.type("网络中断 1 2 3")
    page.keyboard.press("Escape")
    page.context.set_offline(True)
    page.keyboard.press("4")
    page.locator("[data-act=send]").click()
    expect(page.locator(".told").last).to_have_text("无法连接服务,稍后自动重试")
    assert console.decisions(worked, "OG203") == []
    page.context.set_offline(False)
    page.goto(address)
    page.wait_for_function(SENT)
    ((reviewer, kind, rule),) = console.decisions(worked, "OG203")
    assert (reviewer, kind, rule) == ("甲", "dismiss", page.locator("article").first.get_attribute("data-rule"))
    page.reload()
    expect(page.locator(".history").first).to_contain_text("— 网络中断 1 2 3")


def an_appeal(console: Console, finding_id: str) -> None:
    """Appeal for the learner, as their platform does."""
    appeals.appeal(console.house, finding_id, "hc-online", "hc-online-key", "learner", "我一直在看", clock_ms())


def test_nobody_is_offered_what_they_decided_first_and_another_confirms_it(console: Console, worked: str) -> None:
    first = at_a_case(console, "甲", worked, "OG303")
    case_id = first.locator(".case").get_attribute("data-case")
    for _ in range(first.locator("article[data-mine]").count()):
        first.keyboard.press("u")
        first.keyboard.press("1")
    send(first)
    first.goto(f"/console/cases/{case_id}")
    expect(first.locator("[data-decide]")).to_have_count(0)
    expect(first.get_by_text("须由另一位审核人员决定").first).to_be_visible()
    finding_id = first.locator("article").first.get_attribute("id")
    csrf = str(first.locator("body").get_attribute("data-csrf"))
    told = first.request.post(
        f"/v1/findings/{finding_id}/decisions",
        data={"decision": "uphold", "reason": "again"},
        headers={"Online-Guard-CSRF": csrf, "Origin": console.service.url},
    )
    assert told.json()["type"].endswith("decision.own")
    first.goto(f"/console/cases?class_id={worked}&rule=OG303&state=confirming")
    first.keyboard.press("Enter")
    expect(first.locator(".told")).to_have_text("没有其他待处理的案件")
    second = console.signed_in("乙")
    second.goto(f"/console/cases?class_id={worked}&rule=OG303&state=confirming")
    second.keyboard.press("Enter")
    second.wait_for_selector("article[data-mine]")
    assert second.locator(".case").get_attribute("data-case") == case_id
    second.keyboard.press("u")
    second.keyboard.press("8")
    send(second)
    assert {reviewer for reviewer, kind, _ in console.decisions(worked, "OG303") if kind == "uphold"} == {"甲", "乙"}
    an_appeal(console, str(finding_id))
    third = at_a_case(console, "丙", worked, "OG303")
    expect(third.locator(".appeal.open")).to_contain_text("学员申诉")
    expect(third.locator(".appeal.open")).to_contain_text("前处理")
    for key in ("d", "7"):
        third.keyboard.press(key)
    send(third)
    second.goto(f"/console/cases/{case_id}")
    expect(second.locator("[data-decide]")).to_have_count(0)


def test_two_auditors_who_ask_at_once_get_two_cases(console: Console, worked: str) -> None:
    pages = [console.signed_in(name) for name in ("甲", "丙")]
    for page in pages:
        page.goto(f"/console/cases?class_id={worked}&rule=OG103")
    for page in pages:
        page.evaluate("document.querySelector('[data-act=next]').click()")
    for page in pages:
        page.wait_for_selector(".case")
    mine, other = (page.locator(".case").get_attribute("data-case") for page in pages)
    assert mine != other
    pages[1].goto(f"/console/cases/{mine}")
    expect(pages[1].get_by_text("已由 甲 领取")).to_be_visible()


def test_several_cases_are_decided_together_after_a_preview(console: Console, worked: str) -> None:
    page = console.signed_in("甲")
    page.goto(f"/console/cases?class_id={worked}&rule=OG702")
    for key in ("j", "x", "j", "x", "b"):
        page.keyboard.press(key)
    page.wait_for_url("**/console/together?*")
    assert page.locator("input[data-finding]").count() == 2
    page.keyboard.press("u")
    page.keyboard.press("1")
    expect(page.locator("[data-id]")).to_contain_text("2")
    assert console.decisions(worked, "OG702") == []
    send(page)
    assert console.decisions(worked, "OG702") == [("甲", "uphold", "OG702")] * 2
    assert page.evaluate("window.mice") > 0, "the counter counts: the preview was sent with the mouse"
