"""The service is killed while several clients send: what was acknowledged is there, once; the rest is sent again."""

from __future__ import annotations

from pathlib import Path
from random import Random

from clients import Clients, Findings, Service, data_folder

CLIENTS = 4


def kill_often(folder: Path, kills: int, seed: int) -> list[Findings]:
    """Kill a service during ingestion, and compare after each restart."""
    random, service = Random(seed), Service(data_folder(folder))
    clients = Clients(service, CLIENTS)
    service.start()
    found = []
    try:
        with clients.sending():
            for _ in range(kills):
                clients.wait_for(random.randint(1, 40))
                service.kill()
                service.start()
                found.append(clients.compare())
            clients.wait_for(5)
        found.append(clients.compare())
    finally:
        service.stop()
    return found


def test_what_was_acknowledged_outlives_kills_and_is_there_once(tmp_path: Path) -> None:
    found = kill_often(tmp_path / "data", kills=3, seed=1)
    assert found[-1].acknowledged > 500
    assert [(one.lost, one.doubled, one.log_faults) for one in found] == [(0, 0, 0)] * 4
    assert found[0].log_entries < found[-1].log_entries, "batches are logged"
    assert found[-1].stored == found[-1].acknowledged, "nothing that nobody sent"
