"""A running service with pages, and people who sign in with a browser."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page
from stored_class import store_class

from online_guard.demo.service import RunningService
from online_guard.service import verification
from online_guard.service.house import House
from online_guard.simulate.course import Course, Plan
from online_guard.store import review_rows
from online_guard.store.decision_tables import DecisionRecord
from online_guard.store.unit_of_work import reading
from online_guard.terms import Role

CHROMIUM = Path("/usr/bin/chromium")
PASSWORD = "four words and a comma,"
PEOPLE = {"甲": Role.AUDITOR, "乙": Role.SECOND_AUDITOR, "丙": Role.AUDITOR, "读": Role.READER, "管": Role.ADMIN}
COUNT_THE_MOUSE = """
window.mice = 0;
for (const kind of ["pointerdown", "mousedown", "mousemove", "touchstart"]) {
  addEventListener(kind, () => { window.mice += 1; }, true);
}
"""


@dataclass
class Console:
    """A running service with pages, its house, and a browser."""

    service: RunningService
    house: House
    browser: Browser
    loop: asyncio.AbstractEventLoop
    faults: list[str] = field(default_factory=list)
    contexts: dict[str, BrowserContext] = field(default_factory=dict)

    def page_of(self, context: BrowserContext) -> Page:
        """Return a new page, whose errors are kept."""
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        return page

    def _hear(self, message: ConsoleMessage) -> None:
        # a simulated class has no pictures on disk
        if message.type == "error" and "404" not in message.text and "ERR_INTERNET_DISCONNECTED" not in message.text:
            self.faults.append(message.text)

    def signed_in(self, name: str, **options: object) -> Page:
        """Return a new page of a person, who signs in by the form the first time and stays so."""
        key = f"{name} {options}"
        if key in self.contexts:
            return self.page_of(self.contexts[key])
        size = {"width": 1280, "height": 800}
        context = self.browser.new_context(base_url=self.service.url, **{"viewport": size, **options})
        context.add_init_script(COUNT_THE_MOUSE)
        self.contexts[key] = context
        page = self.page_of(context)
        page.goto("/console")
        page.keyboard.type(name)
        page.keyboard.press("Tab")
        page.keyboard.type(PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_url("**/console/cases")
        return page

    def a_class(self, class_id: str, plans: list[Plan]) -> str:
        """Store and verify a class; return its id."""
        course = replace(Course(), class_id=class_id)
        store_class(self.house, plans, course, seed=sum(class_id.encode()))  # pictures of one seed are the same
        verification.verify_class(self.house, class_id)
        return class_id

    def decisions(self, class_id: str, rule: str = "OG%") -> list[tuple[str, str, str]]:
        """Return reviewer, decision and rule of the decisions in a class, on findings of a rule."""
        with reading(self.house.engine) as database:
            asked = (DecisionRecord.class_id == class_id) & DecisionRecord.rule.like(rule)
            made = review_rows.decisions_where(database, asked)
        return [(one.reviewer, one.decision, one.rule) for records in made.values() for one in records]
