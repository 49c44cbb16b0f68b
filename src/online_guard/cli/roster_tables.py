"""How plans and rosters are shown on a terminal, and written into a folder."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.table import Table

from online_guard.assessment.documents import Papers, write
from online_guard.assessment.planning import Blocked
from online_guard.assessment.roster import Plan, Sitting
from online_guard.assessment.venues import Site, Slot, Venues
from online_guard.finished_blocks import not_writable
from online_guard.ingest.locations import locate
from online_guard.terms import AssessmentPart

WEEKDAYS = "一二三四五六日"
PARTS = {AssessmentPart.THEORY: "理论 theory", AssessmentPart.PRACTICE: "实操 practice"}
WHOLE = ("日期\ndate", "场次\nslot", "人数\nseated")
"""Columns that are never cut, on eighty columns either."""
HEADINGS = ("日期\ndate", "考点\nsite", "场次\nslot", "考场\nroom", "科目\npart", "人数\nseated", "考评员\nby")
MOST_CHANGES = 40


def print_plan(console: Console, plan: Plan, venues: Venues) -> None:
    """Print who many sit where and when, by day, site and room."""
    print_sittings(console, plan, venues.sites, venues.slots, {one.examiner_id: one.name for one in venues.examiners})


def print_sittings(
    console: Console, plan: Plan, sites: Iterable[Site], slots: Iterable[Slot], examiners: Mapping[str, str]
) -> None:
    """Print how many sit in each room and slot, and who watches, by day and site."""
    rooms = {room.room_id: (site, room) for site in sites for room in site.rooms}
    times = {slot.slot_no: f"{slot.starts:%H:%M}–{slot.ends:%H:%M}" for slot in slots}
    seated = Counter((one.on, one.site_id, one.slot_no, one.room_id) for one in plan.sittings)
    watching = defaultdict(list)
    for duty in plan.duties:
        name = examiners.get(duty.examiner_id, duty.examiner_id)
        watching[duty.on, duty.site_id, duty.slot_no, duty.room_id].append(name)
    table = Table()
    for heading in HEADINGS:
        table.add_column(heading, no_wrap=heading in WHOLE, overflow="fold")
    for last, (place, count) in _with_breaks(sorted(seated.items())):
        on, _, slot_no, room_id = place
        site, room = rooms[room_id]
        table.add_row(
            f"{on}\n周{WEEKDAYS[on.weekday()]} {on:%a}",
            site.name,
            f"第 {slot_no} 场\n{times[slot_no]}",
            room.name,
            PARTS[room.part],
            f"{count}/{room.seats or sum(room.workstations.values())}",
            "、".join(watching[place]),
            end_section=last,
        )
    console.print(table)


def _with_breaks(rows: Sequence[tuple[tuple[Any, ...], int]]) -> Iterable[tuple[bool, tuple[tuple[Any, ...], int]]]:
    """Yield rows, each with whether the next one is of another day."""
    for row, following in zip(rows, [*rows[1:], None], strict=True):
        yield following is None or following[0][0] != row[0][0], row


def print_blocked(console: Console, blocked: Blocked) -> None:
    """Print what stands in the way of a plan, and what would free it."""
    proof = "已证明 proved" if blocked.proved else "在限定时间内未找到 none was found in the time given"
    console.print(f"[red]无法编排 no plan[/] {blocked.window}: {proof}", soft_wrap=True)
    console.print(f"排不下 without a place: {blocked.unplaced}")
    for reason in blocked.reasons:
        console.print(f"  原因 because: {reason.zh} / {reason.en}", soft_wrap=True, markup=False)
    for remedy in blocked.remedies:
        steps = "；".join(f"{step.zh} / {step.en}" for step in remedy.steps)
        console.print(f"  可行 would do: {steps}", soft_wrap=True, markup=False)


def print_changes(console: Console, version: int, changes: Sequence[Mapping[str, Any]]) -> None:
    """Print what became of each candidate since a version."""
    console.print(f"与第 {version} 版相比 since version {version}: {len(changes)}")
    for change in changes[:MOST_CHANGES]:
        words = " → ".join(_places(change[when]) for when in ("before", "after"))
        console.print(f"  {change['enrolment_id']}: {words}", soft_wrap=True, markup=False)
    if len(changes) > MOST_CHANGES:
        console.print(f"  …… 其余见 --json / the others with --json: {len(changes) - MOST_CHANGES}")


def _places(sittings: Sequence[Mapping[str, Any]]) -> str:
    found = [Sitting.model_validate(one) for one in sittings]
    words = [f"{one.on} {one.slot_no} {one.room_id}#{one.seat_no}" for one in found]
    return ", ".join(words) or "无 none"


def write_papers(papers: Papers, out: Path) -> list[str]:
    """Write all files of a roster into a folder; return their paths. What the font lacks is told.

    Raises:
        GuardError: The folder can't be written.
    """
    try:
        written = write(papers, out)
    except OSError as error:
        raise not_writable(locate(out), error) from error
    for path in written.files:
        typer.echo(f"→ {path}", err=True)
    if written.missing:
        typer.echo(f"字体缺字 characters that the font lacks: {' '.join(written.missing)}", err=True)
    return [str(path) for path in written.files]
