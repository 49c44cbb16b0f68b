"""How long an auditor waits for the next case among 100 000: it is sought, taken, and its page made, as one measure.

Each database gets 100 000 cases that wait, and a class of cheats whose cases are more urgent: those are taken and shown
one after the other, in this process. Exit status 1 when the 95th percentile is above 200 ms.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from pathlib import Path

import httpx
import numpy as np
from sqlalchemy import insert

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "service"))

from stored_class import cheat, store_class

from online_guard.review.app import create_console
from online_guard.service import verification
from online_guard.service.admitting.accounts import add_person
from online_guard.service.house import House, open_house
from online_guard.settings import Settings
from online_guard.store.decision_tables import CaseRecord
from online_guard.store.tables import ClassRecord, FindingRecord
from online_guard.store.unit_of_work import reading, writing
from online_guard.terms import Role
from postgres_server import PostgresServer

PASSWORD = "four words and a comma,"
MOST_MS = 200


def fill(house: House, count: int) -> None:
    """Store a class of cheats, and many less urgent cases of another class."""
    course = store_class(house, [cheat("skip_ahead"), cheat("scripted_answers", 2), cheat("hidden_playback", 3)] * 8)
    verification.verify_class(house, course.class_id)
    add_person(house, "甲", Role.AUDITOR, PASSWORD)
    with reading(house.engine) as database:
        body = database.get_one(ClassRecord, course.class_id).body
        law = database.query(FindingRecord).limit(1).one()
    policy = {name: getattr(law, name) for name in ("policy_id", "policy_version", "policy_sha256")}
    with writing(house.engine) as database:
        database.add(ClassRecord(class_id="many", platform_id="hc-online", body=body))
        database.flush()
        for first in range(0, count, 5_000):
            rows = [{"case_id": f"session-{number:024x}", "class_id": "many"} for number in range(first, first + 5_000)]
            told = {"subject": "session", "platform_id": "hc-online"}
            waits = {"state": "undecided", "priority": 0, "waiting_since_ms": 2**45, "urgent_ms": 2**45}
            database.execute(
                insert(CaseRecord), [row | told | waits | {"subject_id": f"hc-online/{row['case_id']}"} for row in rows]
            )
            what = {"rule": "OG303", "rule_since": "0.1", "effect": "review", "evidence": "{}", "subject": "session"}
            database.execute(
                insert(FindingRecord),
                [
                    row | what | policy | {"finding_id": f"OG303-{row['case_id'][8:]}", "subject_id": "x"}
                    for row in rows
                ],
            )


async def measure(house: House) -> list[float]:
    """Return how long each next case took, in ms."""
    transport = httpx.ASGITransport(create_console(house))
    took = []
    async with httpx.AsyncClient(transport=transport, base_url="http://guard.example", timeout=60) as client:
        answer = await client.post("/v1/login", json={"name": "甲", "password": PASSWORD})
        client.cookies.set("online_guard_login", answer.cookies["online_guard_login"])
        headers = {"Online-Guard-CSRF": answer.json()["csrf_token"], "Accept": "text/html"}
        seen: list[str] = []
        while True:
            began = time.perf_counter()
            told = await client.post("/v1/cases/next", json={"class_id": "2021-ds-01", "but": seen}, headers=headers)
            case = told.json()["case"]
            if case is None:
                return took
            page = await client.get(f"/console/cases/{case['case_id']}", headers=headers)
            took.append((time.perf_counter() - began) * 1000)
            assert page.status_code == 200, page.text
            seen.append(case["case_id"])


def run(name: str, settings: Settings, count: int) -> bool:
    """Measure one database, print, and return whether it is quick enough."""
    house = open_house(settings)
    fill(house, count)
    took = asyncio.run(measure(house))[3:]
    house.engine.dispose()
    middle, high = np.percentile(took, [50, 95])
    print(
        f"{name:11} {count} cases, {len(took)} taken: p50 {middle:.0f} ms, p95 {high:.0f} ms, most {max(took):.0f} ms"
    )
    return bool(high <= MOST_MS)


def main() -> int:
    """Run on SQLite and on PostgreSQL."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=100_000)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        quick = [run("SQLite", Settings(data_dir=Path(folder) / "sqlite"), asked.cases)]
        postgres = PostgresServer()
        url = postgres.create("console")
        quick.append(run("PostgreSQL", Settings(data_dir=Path(folder) / "pg", database_url=url), asked.cases))
        postgres.close()
    return 0 if all(quick) else 1


if __name__ == "__main__":
    sys.exit(main())
