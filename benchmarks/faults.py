"""Faults on purpose, all on this machine: kills, power cuts, crashes of PostgreSQL, faulty items. Prints one table.

    python benchmarks/faults.py [--only kills|cuts|crashes|items] [--share 1.0]

Exit status 1 when anything acknowledged was lost or doubled, an item is unaccounted for, or the control lost nothing.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.table import Table

TESTS = Path(__file__).resolve().parents[1] / "tests"
sys.path[:0] = [str(TESTS / name) for name in ("faults", "service", "")]

from faulty_items import send_faulty  # noqa: E402
from power_cuts import cut_power_often  # noqa: E402
from test_kills import kill_often  # noqa: E402
from test_postgres_crashes import crash_often  # noqa: E402

from clients import Findings  # noqa: E402 - it lies beside the tests

KILLS, CUTS, CONTROL_CUTS, CRASHES, ITEMS = 100, 60, 20, 30, 1_000_000
KILLS_A_ROUND = 20
"""On one database: the log is derived anew after each, which takes the longer the more there is."""
Row = tuple[str, str, str, bool]
"""What was done, how often, what was found, and whether that is as promised."""


def kills(folder: Path, share: float) -> list[Row]:
    """SIGKILL of the service during ingestion with concurrent clients."""
    rounds = range(max(1, round(KILLS * share / KILLS_A_ROUND)))
    parts = [kill_often(folder / f"data-{seed}", KILLS_A_ROUND, seed) for seed in rounds]
    found = [one for part in parts for one in part]
    acknowledged, stored = (sum(getattr(part[-1], name) for part in parts) for name in ("acknowledged", "stored"))
    lost, doubled = sum(one.lost for one in found), sum(one.doubled for one in found)
    faults = sum(one.log_faults for one in found)
    told = f"acknowledged {acknowledged:,}  lost {lost}  doubled {doubled}  log faults {faults}"
    is_right = lost == doubled == faults == 0 and stored == acknowledged
    return [("SIGKILL 强杀服务", f"{len(rounds) * KILLS_A_ROUND}", told, is_right)]


def _log(found: list[Findings]) -> str:
    return f"{found[-1].log_entries:,} entries, faults {sum(one.log_faults for one in found)}"


def cuts(folder: Path, share: float) -> list[Row]:
    """Power cuts on SQLite, as the store sets it and with a control that doesn't sync each commit."""
    rows: list[Row] = []
    for synchronous, count in (("FULL", CUTS), ("NORMAL", CONTROL_CUTS)):
        (folder / synchronous).mkdir()
        found = cut_power_often(folder / synchronous, max(1, round(count * share)), synchronous, seed=7)
        told = f"acknowledged {found.acknowledged:,} (added up)  lost {found.lost:,} in {found.cuts_with_loss} cuts"
        log = f"log entries {found.log_entries:,}, faults {found.log_faults}"
        is_right = found.lost == found.log_faults == 0 if synchronous == "FULL" else found.lost > 0
        name = f"断电 power cut, SQLite synchronous={synchronous}" + ("" if synchronous == "FULL" else " 对照 control")
        rows.append((name, f"{found.cuts}", f"{told}  checkpoints {found.checkpoints}  {log}", is_right))
    return rows


def crashes(folder: Path, share: float) -> list[Row]:
    """Immediate shutdown of PostgreSQL during ingestion; the service goes on by itself."""
    found, answers = crash_often(folder / "data", max(1, round(CRASHES * share)), seed=7)
    lost, doubled = sum(one.lost for one in found), sum(one.doubled for one in found)
    faults = sum(one.log_faults for one in found)
    told = (
        f"acknowledged {found[-1].acknowledged:,}  lost {lost}  doubled {doubled}  log {_log(found)}  {dict(answers)}"
    )
    is_right = lost == doubled == faults == 0 and answers.keys() <= {"200", "503"}
    return [("PostgreSQL 立即停止 immediate shutdown", f"{len(found) - 1}", told, is_right)]


def items(folder: Path, share: float) -> list[Row]:
    """A million items, one in twenty faulty."""
    account = send_faulty(folder / "data", max(1_000, round(ITEMS * share)), seed=7)
    told = f"accepted {account.accepted:,} + duplicate {account.duplicate:,} + quarantined {account.quarantined:,}"
    is_right = account.sent == account.accepted + account.duplicate + account.quarantined
    return [("5 % 错误数据 faulty items", f"{account.sent:,} sent", told, is_right)]


PARTS: dict[str, Callable[[Path, float], list[Row]]] = {
    "kills": kills,
    "cuts": cuts,
    "crashes": crashes,
    "items": items,
}


def main() -> int:
    """Run the parts, and print what came of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=PARTS)
    parser.add_argument("--share", type=float, default=1.0, help="of the full counts")
    arguments = parser.parse_args()
    table = Table("故障 fault", "次数 times", "结果 result", "s", "")
    is_right = True
    for name in [arguments.only] if arguments.only else PARTS:
        with tempfile.TemporaryDirectory(prefix="online-guard-faults-") as folder:
            begin = time.monotonic()
            rows = PARTS[name](Path(folder), arguments.share)
            took_s = time.monotonic() - begin
        for what, times, told, one_right in rows:
            table.add_row(what, times, told, f"{took_s:.0f}", "✓" if one_right else "✗")
            is_right &= one_right
    Console(width=180).print(table)
    return 0 if is_right else 1


if __name__ == "__main__":
    sys.exit(main())
