"""Routes for those who run the service: it lives, it is ready, and its numbers."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Iterator
from typing import Annotated

from fastapi import APIRouter, Header, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily

from online_guard.api.callers import ANYONE, TheHouse, callers
from online_guard.errors import ErrorKind, Fault, GuardError
from online_guard.service.house import House, clock_ms
from online_guard.store import backlog
from online_guard.store.unit_of_work import reading

router = APIRouter(tags=["运行 operations"])
KEEP_S = 5.0
"""Numbers of the database are counted at most that often, however many ask."""


@router.get("/healthz", summary="进程存活 / it lives", openapi_extra=callers(ANYONE))
async def healthz() -> dict[str, str]:
    """Say that the process lives."""
    return {"status": "ok"}


@router.get("/readyz", summary="可以工作 / it is ready", openapi_extra=callers(ANYONE))
def readyz(request: Request) -> dict[str, str]:
    """Say that the service can work now: database, tables, key, worker, disk; or 503 with what isn't ready."""
    missing = request.app.state.readiness.missing()
    if missing:
        raise GuardError(
            ErrorKind.UNAVAILABLE,
            "service.not_ready",
            f"尚未就绪 / not ready: {', '.join(missing)}",
            faults=tuple(Fault(name, why) for name, why in missing.items()),
        )
    return {"status": "ready"}


@router.get("/metrics", summary="指标 / metrics", openapi_extra=callers(ANYONE), response_class=Response)
def metrics(
    request: Request, house: TheHouse, authorization: Annotated[str, Header(include_in_schema=False)] = ""
) -> Response:
    """Return the numbers for Prometheus, to this machine, or to whoever has the token of the settings."""
    _refuse_strangers(request, house, authorization)
    told = generate_latest(REGISTRY) + generate_latest(request.app.state.measured)
    return Response(told, headers={"Content-Type": CONTENT_TYPE_LATEST})


def _refuse_strangers(request: Request, house: House, authorization: str) -> None:
    token = house.settings.metrics_token
    if token is not None:
        expected = f"Bearer {token.get_secret_value()}"
        is_allowed = secrets.compare_digest(authorization.encode(), expected.encode())
    else:
        is_forwarded = {"forwarded", "x-forwarded-for"} & set(request.headers)
        is_allowed = not is_forwarded and request.client is not None and request.client.host in ("127.0.0.1", "::1")
    if not is_allowed:
        raise GuardError(
            ErrorKind.FORBIDDEN,
            "metrics.refused",
            "指标仅供本机,或凭 metrics_token 读取 / the numbers are for this machine, or for a bearer of metrics_token",
            where="Authorization",
        )


class Measured:
    """The numbers that lie in the database, as Prometheus takes them.

    Args:
        house: Whose numbers.
    """

    def __init__(self, house: House) -> None:
        self._house = house
        self._lock = threading.Lock()
        self._at_s = float("-inf")
        self._told: list[GaugeMetricFamily] = []

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield the numbers, as they were `KEEP_S` ago or less."""
        with self._lock:
            if time.monotonic() - self._at_s > KEEP_S:
                with reading(self._house.engine) as database:
                    self._told = _families(backlog.measures(database, clock_ms()))
                self._at_s = time.monotonic()
            yield from self._told
        waiting = len(self._house.intake)
        yield GaugeMetricFamily(
            "online_guard_commit_queue", "等待写入的批次 / Batches that wait for the writer", waiting
        )


def measured(house: House) -> CollectorRegistry:
    """Return a registry with the numbers of a house's database."""
    registry = CollectorRegistry()
    registry.register(Measured(house))
    return registry


def _families(measures: Iterator[backlog.Measure]) -> list[GaugeMetricFamily]:
    families: dict[str, GaugeMetricFamily] = {}
    for one in measures:
        name = f"online_guard_{one.name}"
        family = families.setdefault(name, GaugeMetricFamily(name, one.meaning, labels=list(one.labels)))
        family.add_metric(list(one.labels.values()), one.value)
    return list(families.values())
