"""Routes of attended practice: a platform's rows, all or none; sign-in sheets, row by row; and what is known."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Body, Query
from pydantic import Field

from online_guard.api.bodies import PracticeBody
from online_guard.api.callers import EVERYBODY, PLATFORM, JsonBytes, PlatformId, TheHouse, callers
from online_guard.api.raw_bodies import a_sheet
from online_guard.api.registration import ClassId
from online_guard.ingest.sheet_rows import PRACTICE, PracticeSheetRow
from online_guard.ingest.sheets import read_sheet, rows_of
from online_guard.service.assessing import practice

router = APIRouter(prefix="/classes/{class_id}/practice", tags=["线下实训 practice"])
FileName = Annotated[str, Query(max_length=200, description="文件名,用于报告 / the file's name, for the report")]
DryRun = Annotated[bool, Query(description="只检查,不保存 / only tell what would be kept")]


@router.post("", summary="线下实训学时 / attended practice", openapi_extra=callers(PLATFORM))
def add_practice(
    house: TheHouse,
    class_id: ClassId,
    body: Annotated[list[PracticeBody], Body(min_length=1, max_length=10_000), Field()],
    platform_id: PlatformId,
    row_by_row: Annotated[
        bool, Query(description="保留正确的行并逐行报告 / keep the good rows, and report each")
    ] = False,
    dry_run: DryRun = False,
) -> dict[str, Any]:
    """Record attended practice: all rows, or none when one is wrong; with `row_by_row` the good ones, with a report."""
    rows = rows_of(PracticeSheetRow, [row.model_dump() for row in body])
    if row_by_row or dry_run:
        report = practice.record(house, class_id, platform_id, rows, dry_run=dry_run)
        return {"class_id": class_id} | report.told()
    return {"class_id": class_id} | practice.record_all(house, class_id, platform_id, rows)


@router.post("/sheet", summary="实训签到表 / a sign-in sheet", openapi_extra=callers(PLATFORM) | a_sheet())
def add_sheet(
    house: TheHouse,
    class_id: ClassId,
    content: JsonBytes,
    platform_id: PlatformId,
    file: FileName = "",
    dry_run: DryRun = False,
) -> dict[str, Any]:
    """Take a sign-in sheet, XLSX or CSV, of at most 4 MiB and 10 000 rows: good rows are kept, each is reported."""
    rows = read_sheet(content, file, PRACTICE)
    report = practice.record(house, class_id, platform_id, rows, dry_run=dry_run)
    return {"class_id": class_id} | report.told()


@router.get("", summary="已登记的实训 / recorded practice", openapi_extra=callers(*EVERYBODY))
def recorded_practice(
    house: TheHouse,
    class_id: ClassId,
    platform_id: PlatformId,
    cursor: Annotated[str, Query(max_length=160, description="`next_cursor`")] = "",
) -> dict[str, Any]:
    """Return the practice of a class by enrolment and day, with what is to be known of it."""
    return practice.practice_of(house, class_id, platform_id, cursor)
