"""The application with its pages."""

from __future__ import annotations

from fastapi import FastAPI

from online_guard.api.app import create_app
from online_guard.review import (
    accounts,
    case,
    exports,
    files,
    manual,
    media,
    overviews,
    policy,
    queue,
    sign_in,
    standing,
    work,
)
from online_guard.review.doors import Doors
from online_guard.service.house import House


def create_console(house: House) -> FastAPI:
    """Return the application of an open house: the JSON interface, and the auditors' pages beside it."""
    app = create_app(house)
    for part in (sign_in, queue, case, media, manual, overviews, policy, work, accounts, standing, exports, files):
        app.include_router(part.router, include_in_schema=False)
    app.add_middleware(Doors)
    return app
