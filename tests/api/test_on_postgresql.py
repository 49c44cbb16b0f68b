"""The way of a session over HTTP, from its class to the claim, on PostgreSQL."""

from __future__ import annotations

from pathlib import Path

import pytest
from platform_client import NOON_MS, event, problem, signed_client

from online_guard.demo.service import running_service
from online_guard.store.unit_of_work import open_engine

HEADERS = {"Idempotency-Key": "one"}


def test_the_main_flow(tmp_path: Path, postgres_url: str, photo: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONLINE_GUARD_DATABASE_URL", postgres_url)
    with running_service(tmp_path, None, keep=False) as service, signed_client(service) as platform:
        enrolment_id = platform.an_enrolment()
        platform.told("PUT", f"/v1/enrolments/{enrolment_id}/reference-photo", photo)
        session_id = platform.a_session(enrolment_id)
        batch = [event(0, "play"), *(event(seq, second=seq * 15) for seq in range(1, 100))]
        first = platform.post(session_id, batch, headers=HEADERS)
        assert first["counts"] == {"accepted": 100}
        assert platform.post(session_id, batch, headers=HEADERS) == first, "one key, one effect, one answer"
        wrong = [event(5, second=6), event(100, second=1500, rate="fast"), event(101, player="\0")]
        assert platform.post(session_id, wrong)["counts"]["refused"] == 2
        platform.told("POST", f"/v1/sessions/{session_id}/snapshots", photo, at_ms=NOON_MS, snapshot_id="s")
        platform.told("POST", f"/v1/sessions/{session_id}/liveness")
        platform.told("POST", f"/v1/sessions/{session_id}/close", now_ms=NOON_MS + 1_600_000)
        verdict = platform.verified(f"/v1/sessions/{session_id}/verdict")
        assert verdict["playing_ms"] > 1_400_000
        assert "OG105" in {row["rule"] for row in verdict["findings"]}, "two contents under one number"
        claimed = {"lessons": [{"lesson_no": 1, "hours": 1}]}
        assert platform.told("POST", f"/v1/enrolments/{enrolment_id}/claims", claimed)["accepted_hours"] == 0
        assert platform.verified(f"/v1/enrolments/{enrolment_id}/eligibility")["state"] == "verified"
        problem(platform.send("GET", "/v1/sessions/none/verdict"), 404, "not_found")
    assert not (tmp_path / "online-guard.sqlite3").exists()
    engine = open_engine(postgres_url)
    with engine.connect() as connection:
        counts = {"job": 0, "dead_letter": 2, "event_conflict": 1, "snapshot": 1}
        for table, count in counts.items():
            assert connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar() == count, table
    engine.dispose()
