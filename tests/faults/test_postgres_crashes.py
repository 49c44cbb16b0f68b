"""PostgreSQL stops at once, again and again, while clients send: the service waits for it, and nothing is lost."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from random import Random

from clients import Clients, Findings, Service, data_folder
from postgres_server import PostgresServer

CLIENTS = 4


def crash_often(folder: Path, crashes: int, seed: int) -> tuple[list[Findings], Counter[str]]:
    """Stop a server immediately during ingestion, start it again, and compare; the service is never restarted."""
    random, server = Random(seed), PostgresServer(is_durable=True)
    service = Service(data_folder(folder, server.create("events")))
    clients = Clients(service, CLIENTS)
    service.start()
    found = []
    try:
        with clients.sending():
            for _ in range(crashes):
                clients.wait_for(random.randint(1, 40))
                server.stop_immediately()
                server.start()
                clients.wait_for(1)
                found.append(clients.compare())
        found.append(clients.compare())
        assert service.process.is_alive(), "it recovered by itself"
    finally:
        service.stop()
        server.close()
    return found, clients.answers()


def test_what_was_acknowledged_outlives_crashes_of_postgresql(tmp_path: Path) -> None:
    found, answers = crash_often(tmp_path / "data", crashes=2, seed=1)
    assert found[-1].acknowledged > 200
    assert [(one.lost, one.doubled, one.log_faults) for one in found] == [(0, 0, 0)] * 3
    assert found[-1].stored == found[-1].acknowledged, "nothing that nobody sent"
    assert answers.keys() <= {"200", "503"}, "no other error than: try again"
    assert answers["503"] > 0
