"""The application, and the process that serves it."""

from __future__ import annotations

import ipaddress
import logging
import signal
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial

import cv2
from fastapi import APIRouter, Depends, FastAPI

from online_guard import __version__, logs
from online_guard.api import (
    accounts,
    assessments,
    assignments,
    cases,
    dead_letters,
    dry_runs,
    enrolments,
    imports,
    jobs,
    learners,
    liveness,
    logins,
    operations,
    practice,
    problems,
    registration,
    results,
    rosters,
    sessions,
    webhooks,
)
from online_guard.api import (
    log as evidence_log,
)
from online_guard.api.authentication import Authentication
from online_guard.api.callers import admit
from online_guard.api.description import described
from online_guard.api.idempotency import Idempotency
from online_guard.api.limits import LimitedBodies
from online_guard.api.observed import VERSION, Observed
from online_guard.api.server import Server, collect_seldom
from online_guard.errors import ErrorKind, GuardError
from online_guard.service.house import House, open_house
from online_guard.service.operating import erasures
from online_guard.service.operating.readiness import Readiness
from online_guard.service.operating.remembering import Remembering
from online_guard.settings import Settings
from online_guard.store.unit_of_work import close_engine

log = logging.getLogger(__name__)


def create_app(house: House) -> FastAPI:
    """Return the application of an open house."""
    app = FastAPI(
        title="online-guard",
        version=__version__,
        summary="互联网+职业技能培训学时核验 / Proves which class hours were really studied",
        docs_url=None,
        redoc_url=None,
        openapi_url="/v1/openapi.json",
        responses=problems.RESPONSES,
        dependencies=[Depends(admit)],
    )
    app.state.house = house
    app.state.readiness, app.state.measured = Readiness(house), operations.measured(house)
    app.add_middleware(Idempotency, house=house)
    app.add_middleware(Authentication, house=house)
    app.add_middleware(LimitedBodies)
    app.add_middleware(Observed, house=house)
    problems.install(app)
    versioned = APIRouter(prefix=VERSION)
    for part in (
        registration,
        sessions,
        liveness,
        imports,
        enrolments,
        assessments,
        rosters,
        practice,
        results,
        assignments,
        cases,
        jobs,
        learners,
        logins,
        accounts,
        dead_letters,
        dry_runs,
        evidence_log,
        webhooks,
    ):
        versioned.include_router(part.router)
    app.include_router(versioned)
    app.include_router(operations.router)
    app.openapi = partial(described, app)  # type: ignore[method-assign]  # FastAPI's own way to extend the document
    return app


def serve(
    settings: Settings,
    beside: Callable[[House], AbstractContextManager[object]],
    make: Callable[[House], FastAPI] = create_app,
) -> None:
    """Serve until stopped.

    Args:
        settings: Address, data and secrets.
        beside: Runs beside the application: what does the waiting jobs.
        make: Makes the application: with pages, or without.

    Raises:
        GuardError: It would serve plain HTTP beyond loopback, which the settings don't allow: signatures keep others
            from changing what is sent, not from reading it.
    """
    if not (_is_loopback(settings.host) or settings.plain_http):
        raise GuardError(
            ErrorKind.FORBIDDEN,
            "serve.not_loopback",
            "姓名与照片会以明文传输,只监听本机 / names and pictures would travel in the clear: loopback only",
            where=settings.host,
            remedy="请由反向代理提供 TLS,并设 ONLINE_GUARD_PLAIN_HTTP=true / put a proxy in front that ends TLS, "
            "and set ONLINE_GUARD_PLAIN_HTTP=true.",
        )
    logs.set_up(settings)
    if settings.test_client_token is not None:
        log.warning("受信任的测试客户端已启用,切勿用于生产 / the trusted test client is on: never in production")
    cv2.setNumThreads(1)  # pictures are looked at two at a time: more threads only wait for each other
    house = open_house(settings)
    # uvicorn raises the signal again once it has stopped: its default would end the process here and now, and the
    # job at hand would wait until its lease runs out
    signal.signal(signal.SIGTERM, lambda *_: None)
    try:
        again = erasures.apply_again(house)  # a restored backup must bring nobody back
        if again:
            log.warning("%d 人此前已删除,已重新删除 / were erased before and came back: erased again", again)
        with beside(house), Remembering(house):
            app = make(house)
            collect_seldom()
            Server(house, app).run()
    finally:
        close_engine(house.engine)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
