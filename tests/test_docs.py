"""The generated pages say what the code says, and the manual leaves nothing out."""

import re
import subprocess
import sys
from pathlib import Path

from online_guard.rules.catalogue import RULES

ROOT = Path(__file__).parent.parent


def test_generated_pages_are_current() -> None:
    checked = subprocess.run(
        [sys.executable, "scripts/make_docs.py", "--check"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_every_command_of_the_makefile_that_the_readmes_name_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):.*##", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    for name in ("README.md", "README.zh-CN.md", "CONTRIBUTING.md", "docs/architecture.md"):
        named = set(re.findall(r"make ([a-z-]+)`", (ROOT / name).read_text("utf-8")))
        assert named <= targets, f"{name} names {named - targets}"


def test_every_rule_has_a_page_and_no_page_lacks_a_rule() -> None:
    pages = {path.name for path in (ROOT / "docs" / "rules").iterdir()}
    assert pages == {f"{rule.id}.md" for rule in RULES}
    index = (ROOT / "docs" / "rules.md").read_text("utf-8")
    assert re.findall(r"\(rules/(OG\d{3})\.md\)", index) == [rule.id for rule in RULES]


def test_links_between_pages_lead_somewhere() -> None:
    written = [ROOT / name for name in ("README.md", "README.zh-CN.md", "CONTRIBUTING.md", "CHANGELOG.md")]
    for page in (*written, *sorted((ROOT / "docs").rglob("*.md"))):
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text("utf-8")):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"
