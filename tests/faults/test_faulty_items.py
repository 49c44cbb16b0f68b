"""Sent = accepted + duplicate + quarantined, item by item, with 5 % of faults."""

from __future__ import annotations

from pathlib import Path

from faulty_items import ALLOWED, send_faulty


def test_every_item_is_accepted_a_duplicate_or_quarantined(tmp_path: Path) -> None:
    account = send_faulty(tmp_path / "data", 20_000, seed=3)
    assert account.sent == account.accepted + account.duplicate + account.quarantined
    assert account.sent > 20_000
    assert account.by_fault.keys() >= ALLOWED.keys() - {"retried"}
    assert all(sum(counts.values()) > 100 for fault, counts in account.by_fault.items() if fault != "retried")
