"""Makes pictures of every page of the auditors' console: light and dark, wide and narrow, Chinese and English.

    python scripts/make_screenshots.py [--out screenshots] [--url URL --name NAME --password PASSWORD]

Without an address the demonstration is run first, and ended afterwards. Exit status 1 when a page is wider than its
window, a script failed, or the content security policy was violated.
"""

from __future__ import annotations

import argparse
import itertools
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

CHROMIUM = "/usr/bin/chromium"
SIZES = {"wide": (1280, 800), "narrow": (390, 844)}
SHOWN = re.compile(r"console: (\S+)/console · 用户名 name: (\S+) · 密码 password: (\S+)")
RUNNING = re.compile(r"kill (\d+)")
FORGED = "session-000000000000000000000000"


@contextmanager
def demonstration() -> Iterator[tuple[str, str, str]]:
    """Run the demonstration; yield the address of its pages, and a name and password."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-c", "from online_guard.cli import main; main()", "demo", "--keep", "--out", folder]
        told = subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ | {"COLUMNS": "400"})
        process = RUNNING.search(told.stdout)
        try:
            shown = SHOWN.search(told.stdout)
            if shown is None:
                sys.exit(told.stdout + told.stderr)
            yield shown[1], shown[2], shown[3]
        finally:
            if process is not None:
                os.kill(int(process[1]), signal.SIGTERM)


def sign_in(page: Page, url: str, name: str, password: str) -> None:
    """Sign in by the form."""
    page.goto(f"{url}/console")
    page.fill("[name=name]", name)
    page.fill("[name=password]", password)
    page.keyboard.press("Enter")
    page.wait_for_url("**/console/cases")


CLASS = "`/console/classes/${document.querySelector('[data-row] small').textContent.split(' · ')[0].trim()}`"


def addresses(page: Page, url: str) -> dict[str, str]:
    """Return the pages that are looked at: one case of each rule, and each page that isn't a case."""
    page.goto(f"{url}/console/cases")
    cases = page.evaluate(
        """() => Object.fromEntries([...document.querySelectorAll("[data-row]")].reverse().map(row => [
        row.querySelector(".rule b").textContent.trim(), row.dataset.row]))"""
    )
    together = "&".join(f"case={one}" for one in list(cases.values())[:4])
    return {
        "queue": "/console/cases",
        "together": f"/console/together?{together}",
        **{name: f"/console/{name}" for name in ("classes", "assessments", "log", "overview", "policy", "rules")},
        "class": page.evaluate(CLASS),
        "rule": "/console/rules/OG101",
        "policy": "/console/policy?try=popup.max_gap_s",
        "absent": f"/console/cases/{FORGED}",
        "sign-in": "/console/sign-in",
        **{f"case-{rule}": f"/console/cases/{case_id}" for rule, case_id in sorted(cases.items())},
    }


def shoot(browser: Browser, login: tuple[str, str, str], out: Path) -> list[str]:
    """Make all pictures; return what is wrong."""
    url, name, password = login
    wrong: list[str] = []
    for theme, size, language in itertools.product(("light", "dark"), SIZES, ("zh", "en")):
        width, height = SIZES[size]
        context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=theme)
        page = context.new_page()
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda said: wrong.append(said.text) if "Content Security Policy" in said.text else None)
        sign_in(page, url, name, password)
        for kind, path in addresses(page, url).items():
            page.goto(f"{url}{path}{'&' if '?' in path else '?'}lang={language}", wait_until="networkidle")
            here = f"{kind}-{theme}-{size}-{language}"
            if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
                wrong.append(f"{here}: wider than its window")
            page.screenshot(path=out / f"{here}.png", full_page=size == "narrow")
            if kind.startswith("case-") and page.locator("[data-decide]").count():
                page.keyboard.press("d")
                page.screenshot(path=out / f"{here}-deciding.png")
        context.close()
    return wrong


def main() -> int:
    """Make the pictures; return 1 when something is wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("screenshots"))
    for name in ("--url", "--name", "--password"):
        parser.add_argument(name)
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        if asked.url:
            wrong = shoot(browser, (asked.url, asked.name, asked.password), asked.out)
        else:
            with demonstration() as login:
                wrong = shoot(browser, login, asked.out)
        browser.close()
    print("\n".join(dict.fromkeys(wrong)) or f"{len(list(asked.out.glob('*.png')))} {asked.out}/*.png")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
