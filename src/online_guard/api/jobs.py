"""Routes of the work that waits: what a person must look after."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query

from online_guard.api.callers import NowMs, TheHouse, callers
from online_guard.ingest.rows import INT32
from online_guard.service.operating import work
from online_guard.terms import Role

router = APIRouter(prefix="/jobs", tags=["运行 operations"])
JobId = Annotated[int, Path(ge=1, le=INT32, description="任务 job")]


@router.get("", summary="等待、执行中与搁置的任务 / jobs", openapi_extra=callers(Role.ADMIN))
def list_jobs(
    house: TheHouse,
    now_ms: NowMs,
    parked: Annotated[bool, Query(description="只列出搁置的 / only those that are parked")] = False,
) -> dict[str, Any]:
    """Count the jobs that aren't done, and list the oldest: state, who holds them, attempts, and what failed last."""
    return {"counts": work.count_jobs(house, now_ms), "jobs": work.list_jobs(house, parked_only=parked)}


@router.post("/{job_id}/replay", summary="重试搁置的任务 / try a parked job again", openapi_extra=callers(Role.ADMIN))
def replay_job(house: TheHouse, job_id: JobId, now_ms: NowMs) -> dict[str, Any]:
    """Let a job that failed too often be tried again from the first attempt on."""
    return work.replay_job(house, job_id, now_ms)
