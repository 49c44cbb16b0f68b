"""Routes of results and certificates of the offline assessment."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Body, Query
from pydantic import Field

from online_guard.api.assessments import TheWindow
from online_guard.api.bodies import ResultBody
from online_guard.api.callers import (
    ASSESSOR,
    PLATFORM,
    JsonBytes,
    NowMs,
    PlatformId,
    TheCaller,
    TheHouse,
    callers,
)
from online_guard.api.practice import DryRun, FileName
from online_guard.api.raw_bodies import a_sheet
from online_guard.ingest.sheet_rows import RESULTS, ResultSheetRow
from online_guard.ingest.sheets import read_sheet, rows_of
from online_guard.service.assessing import result_sheets, results
from online_guard.terms import Role

router = APIRouter(prefix="/assessments/{window}/results", tags=["线下考核 assessments"])
RECORDERS = (ASSESSOR, Role.ADMIN)
"""Who answers for results, and may read certificates' numbers."""


@router.post("", summary="考核结果与证书 / results and certificates", openapi_extra=callers(*RECORDERS))
def add_results(
    house: TheHouse,
    window: TheWindow,
    body: Annotated[list[ResultBody], Body(min_length=1, max_length=10_000), Field()],
    caller: TheCaller,
    now_ms: NowMs,
    dry_run: DryRun = False,
) -> dict[str, Any]:
    """Record results: good rows are kept, each is reported; they close the learners' projects (E08, OG703)."""
    rows = rows_of(ResultSheetRow, [row.model_dump() for row in body])
    report = result_sheets.record(house, window, rows, recorded_by=caller.name, now_ms=now_ms, dry_run=dry_run)
    return {"window": window} | report.told()


@router.post("/sheet", summary="考核结果表 / a sheet of results", openapi_extra=callers(*RECORDERS) | a_sheet())
def add_sheet(
    house: TheHouse,
    window: TheWindow,
    content: JsonBytes,
    caller: TheCaller,
    now_ms: NowMs,
    file: FileName = "",
    dry_run: DryRun = False,
) -> dict[str, Any]:
    """Take a sheet of results, XLSX or CSV, of at most 4 MiB and 10 000 rows; the rest as for rows in JSON."""
    rows = read_sheet(content, file, RESULTS)
    report = result_sheets.record(house, window, rows, recorded_by=caller.name, now_ms=now_ms, dry_run=dry_run)
    return {"window": window} | report.told()


@router.get("", summary="结果一览 / results", openapi_extra=callers(PLATFORM, *RECORDERS, Role.READER))
def all_results(
    house: TheHouse,
    window: TheWindow,
    platform_id: PlatformId,
    caller: TheCaller,
    cursor: Annotated[str, Query(max_length=128, description="`next_cursor`")] = "",
) -> dict[str, Any]:
    """Return the results of a window that count, and Annex 2's figures; a platform sees those of its classes."""
    return results.listed(house, window, platform_id, cursor, with_numbers=caller.role in RECORDERS)
