"""What is seen, to be taken along: the queue as a table, the evidence of a case as a ZIP."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path
from fastapi.responses import Response

from online_guard.api.callers import PEOPLE, NowMs, TheHouse, callers
from online_guard.api.cases import AUDITORS, CaseId
from online_guard.review import tables
from online_guard.review.pages import Shell, TheShell
from online_guard.review.queue import TheFilters
from online_guard.service.reviewing import case_evidence, case_queue
from online_guard.terms import Subject, Verdict

router = APIRouter()
MOST_ROWS = 5_000
"""Cases in one table: more than anyone decides in a month."""


@router.get("/console/export/cases.{kind}", openapi_extra=callers(*PEOPLE))
def export_queue(
    house: TheHouse,
    shell: TheShell,
    filters: TheFilters,
    now_ms: NowMs,
    kind: Annotated[str, Path(pattern="^(csv|xlsx)$")],
) -> Response:
    """Return the cases that the filters show, in their order, as CSV or XLSX."""
    told = case_queue.queue(house, filters.wanted(shell, now_ms), None, MOST_ROWS)["cases"]
    content = tables.written(kind, _head(shell), [_row(shell, case) for case in told])
    return _file(content, tables.MEDIA_TYPES[kind], f"cases.{kind}")


def _head(shell: Shell) -> list[str]:
    zh = ("案件", "状态", "对象", "标识", "规则", "班次", "平台", "核验结论", "学时", "期限", "等待自", "领取人")
    en = ("case", "state", "subject", "id", "rules", "class", "platform", "verdict", "class hours", "due",
          "waiting since", "taken by")  # fmt: skip
    return [shell.language.pick(*pair) for pair in zip(zh, en, strict=True)]


def _row(shell: Shell, case: dict[str, Any]) -> list[Any]:
    said = shell.language
    return [
        case["case_id"],
        said.pick(case["state_zh"], case["state_en"]),
        said.label(case["subject"], Subject),
        case["subject_id"],
        " ".join(sorted({finding["rule"] for finding in case["findings"]})),
        case["class_id"],
        case["platform_id"],
        said.label(case["verdict"] or "", Verdict),
        case["class_hours"],
        said.moment(case["due_ms"]),
        said.moment(case["waiting_since_ms"]),
        case["taken_by"] or "",
    ]


@router.get("/console/cases/{case_id}/evidence.zip", openapi_extra=callers(*AUDITORS))
def export_case(house: TheHouse, case_id: CaseId) -> Response:
    """Return the evidence of a case: the case as told, the log's entries with proofs, and what verifies them."""
    return _file(case_evidence.package(house, case_id), "application/zip", f"{case_id}.zip")


def _file(content: bytes, media_type: str, name: str) -> Response:
    return Response(content, media_type=media_type, headers={"Content-Disposition": f'attachment; filename="{name}"'})
