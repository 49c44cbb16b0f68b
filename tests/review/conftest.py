"""One service with classes of cheats, one browser, and people who sign in; a page that breaks its policy fails."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

from online_guard.demo.service import running_service
from online_guard.service.admitting.accounts import add_person
from online_guard.service.house import open_house
from online_guard.settings import Settings
from online_guard.store.unit_of_work import close_engine

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1] / "service"))

from browsing import CHROMIUM, PASSWORD, PEOPLE, Console
from stored_class import HONEST, cheat


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    if not CHROMIUM.exists():
        pytest.skip(f"{CHROMIUM} isn't installed (apt-get install chromium)")
    folder = tmp_path_factory.mktemp("console")
    house = open_house(Settings(data_dir=folder))
    for name, role in PEOPLE.items():
        add_person(house, name, role, PASSWORD)
    with running_service(folder, None, keep=False) as service, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        # Playwright leaves its loop running in this thread, where other tests want to run loops of their own
        loop = asyncio.get_running_loop()
        asyncio._set_running_loop(None)
        yield Console(service, house, browser, loop)
        asyncio._set_running_loop(loop)
        browser.close()
    close_engine(house.engine)


@pytest.fixture
def console(running: Console) -> Iterator[Console]:
    """Return the console; a script's error or a violated content security policy fails the test."""
    asyncio._set_running_loop(running.loop)
    yield running
    for page in [page for context in running.contexts.values() for page in context.pages]:
        page.close()
    asyncio._set_running_loop(None)
    faults = running.faults[:]
    running.faults.clear()
    assert faults == []


@pytest.fixture(scope="session")
def cheats(running: Console) -> str:
    """Return a class with cheats that only pages are looked at of."""
    return running.a_class("looked-at", [HONEST, cheat("scripted_answers"), cheat("skip_ahead", 2)])


@pytest.fixture(scope="session")
def worked(running: Console) -> str:
    """Return a class in which each test decides on a rule of its own."""
    ways = ("hidden_playback", "scripted_answers", "declared_rate", "declared_rate", "unfinished", "unfinished")
    return running.a_class("worked-on", list(map(cheat, ways)))
