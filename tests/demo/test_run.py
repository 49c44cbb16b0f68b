import io
import json
import socket
from pathlib import Path

import pytest
from rich.console import Console

from online_guard.demo.people import sample_media
from online_guard.demo.run import judged, run_demo
from online_guard.demo.service import free_port
from online_guard.policy import DEFAULT_POLICY, load_policy
from online_guard.simulate.course import Plan

PLANS = (
    Plan("hand_over"),
    Plan(cheats={1: "rewritten_events", 2: "liveness_failed", 3: "fast_forward"}),
    Plan(cheats={2: "no_snapshot", 3: "foreign_snapshots"}),
)


@pytest.mark.slow
@pytest.mark.skipif(not sample_media().exists(), reason="the sample media are not part of an installation")
def test_a_service_and_the_revalidation_of_its_export_say_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Verdicts, findings, ledger and eligibility: `run_demo` compares them all and returns 0 only when they agree."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    written = io.StringIO()
    port = free_port()
    status = run_demo(tmp_path / "out", port=port, console=Console(file=written, width=160), plans=PLANS)
    assert status == 0, written.getvalue()
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "OG101" in page
    assert "422" in page
    feed = json.loads((tmp_path / "out" / "roster-feed.json").read_text(encoding="utf-8"))
    assert [row["enrolment_id"] for row in feed["candidates"]] == ["2021-ds-01-001"]
    assert len(feed["refused"]) == 2
    papers = tmp_path / "out" / "roster"
    roster = json.loads((papers / "roster.json").read_text(encoding="utf-8"))
    assert [row["enrolment_id"] for row in roster["candidates"]] == ["2021-ds-01-001"]
    assert {path.suffix for path in papers.iterdir()} == {".json", ".xlsx", ".pdf", ".ics"}
    assert 'href="roster/roster.pdf"' in page
    _, judgement = judged(tmp_path / "out" / "bundle", load_policy(DEFAULT_POLICY))
    assert {"OG101", "OG105", "OG402", "OG601", "OG603"} <= {finding.rule for finding in judgement.findings}
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), 1)
