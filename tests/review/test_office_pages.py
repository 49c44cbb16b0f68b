"""The law and its dry runs, the work that waits, people and keys: what these pages show, and what may be done there."""

from __future__ import annotations

import itertools
import re

from axe_playwright_python.sync_playwright import Axe
from browsing import PASSWORD, Console
from playwright.sync_api import expect
from test_pages import CHINESE, LEVELS, TEXTS

from online_guard.service.admitting import platform_keys
from online_guard.service.admitting.accounts import add_person
from online_guard.service.house import clock_ms
from online_guard.store import jobs
from online_guard.store.tables import JobRecord
from online_guard.store.unit_of_work import writing
from online_guard.terms import Role

NOBODYS_DUTY = "rest"
"""No worker takes it."""


def test_a_changed_threshold_is_tried_by_keyboard_and_leads_to_the_cases(console: Console, cheats: str) -> None:
    page = console.signed_in("丙")
    page.goto("/console/policy?try=effect.OG102")
    page.get_by_label("新取值").fill("note")
    page.keyboard.press("Enter")
    page.wait_for_url("**/console/policy/dry-runs/*")
    session = page.locator("section", has=page.get_by_role("heading", name="结论改变的会话")).locator("tbody tr").first
    expect(session).to_contain_text("OG102")
    session.get_by_role("link").first.click()
    expect(page.locator(".case")).to_be_visible()
    assert console.decisions(cheats) == []
    page.goto("/console/policy?try=popup.max_gap_s")
    page.evaluate('window.fetch = () => Promise.resolve(new Response(\'{"detail": "不行 / no"}\', {status: 422}))')
    page.get_by_label("新取值").fill("-1")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_have_text("不行")


def test_a_reader_sees_the_law_and_tries_nothing(console: Console) -> None:
    page = console.signed_in("读")
    page.goto("/console/policy")
    expect(page.get_by_text("连续5分钟内无弹窗管控").first).to_be_visible()
    assert page.locator("form[data-ask], [href*='?try=']").count() == 0


def test_a_parked_job_is_retried_and_a_key_revoked(console: Console) -> None:
    with writing(console.house.engine) as database:
        jobs.ask(database, NOBODYS_DUTY, "stuck", clock_ms())
        (record,) = (job for job in jobs.listed(database) if job.duty == NOBODYS_DUTY)
        record.parked_ms, record.last_error, record.attempts = clock_ms(), "OSError", 8
    key = platform_keys.create_key(console.house, "revoked-here")
    add_person(console.house, "离职", Role.READER, PASSWORD)
    page = console.signed_in("管")
    page.on("dialog", lambda dialog: dialog.accept())
    page.goto("/console/work")
    row = page.locator("tr", has_text="stuck")
    expect(row).to_contain_text("OSError")
    row.get_by_role("button").click()
    expect(row.locator(".pill")).to_have_text("等待")
    page.goto("/console/accounts")
    for name, state in ((key.key_id, "已撤销于"), ("离职", "已停用")):
        row = page.locator("tr", has_text=name)
        row.get_by_role("button").click()
        expect(row.locator(".pill")).to_contain_text(state)
    assert page.locator("tr", has_text="本人").get_by_role("button").count() == 0, "nobody disables themselves"
    with writing(console.house.engine) as database:
        database.delete(database.get_one(JobRecord, record.row_id))
    assert [one["revoked_ms"] is None for one in platform_keys.list_keys(console.house, "revoked-here")] == [False]


def test_these_pages_are_accessible_and_speak_one_language(console: Console) -> None:
    page, serious = console.signed_in("管", bypass_csp=True), []
    for name, language in itertools.product(("policy", "work", "accounts"), ("zh", "en")):
        page.goto(f"/console/{name}?lang={language}")
        text = page.evaluate(TEXTS)
        assert bool(re.search(CHINESE, text)) is (language == "zh"), (name, re.findall(f"{CHINESE}+", text))
        if language == "zh":
            found = Axe().run(page, options=LEVELS).response["violations"]
            serious += [(name, one["id"], one["nodes"][0]["html"]) for one in found]
    assert serious == []
