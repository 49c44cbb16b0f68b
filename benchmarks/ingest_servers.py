"""The servers that `ingest.py` compares; each runs in a process of its own: `ingest_servers.py KIND PORT FOLDER`."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from typing import Any, Literal

import msgspec
import uvicorn
from fastapi import FastAPI, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import create_engine, event, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
from starlette.middleware import Middleware

from online_guard import logs
from online_guard.api import sessions
from online_guard.api.app import create_app
from online_guard.api.authentication import Authentication
from online_guard.api.callers import Caller
from online_guard.api.server import collect_seldom
from online_guard.ingest.live import clean_batch
from online_guard.service.house import House, clock_ms, open_house
from online_guard.service.receiving.intake import Batch
from online_guard.settings import Settings
from online_guard.simulate.course import Course
from online_guard.terms import EVENT_TYPES, Role

LESSON_S = 40_000.0


def answer_to(body: bytes, now_ms: int) -> dict[str, Any]:
    """Return the answer to a batch that is checked, and forgotten."""
    events = clean_batch(body, LESSON_S, now_ms)
    assert events is not None
    results = [{"index": index, "seq": one.seq, "status": "accepted"} for index, one in enumerate(events)]
    return {
        "received_ms": now_ms,
        "results": results,
        "counts": {"accepted": len(events)},
        "next_seq": events[-1].seq + 1,
        "directives": [],
    }


def bare() -> FastAPI:
    """Return FastAPI and msgspec alone: no middleware, no signature, no storage."""
    app = FastAPI()

    @app.post("/v1/sessions/{session_id}/events")
    async def add_events(session_id: str, request: Request) -> Response:
        return Response(msgspec.json.encode(answer_to(await request.body(), clock_ms())), media_type="application/json")

    return app


class Trusting:
    """Takes every caller for the platform, in the place of the authentication."""

    def __init__(self, app: Any, platform_id: str) -> None:
        self._app = app
        self._caller = Caller(Role.PLATFORM, "key", platform_id)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Pass a request on."""
        scope.setdefault("state", {})["caller"] = self._caller
        await self._app(scope, receive, send)


def nothing(house: House) -> FastAPI:
    """Return (a): our application and endpoint, but nobody signs, and batches are checked, answered and forgotten."""

    async def settled(_app: object, _house: object, batch: Batch) -> dict[str, Any]:
        return answer_to(batch.body, batch.now_ms)

    sessions.settled = settled
    app = create_app(house)
    for place, middleware in enumerate(app.user_middleware):
        if middleware.cls is Authentication:
            app.user_middleware[place] = Middleware(Trusting, platform_id=Course().platform_id)
    return app


class Base(DeclarativeBase):
    """Tables of the plain way."""


class PlainEvent(Base):
    """An event as a row."""

    __tablename__ = "event"

    session_id: Mapped[str] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True)
    type: Mapped[str]
    at_ms: Mapped[int]
    received_ms: Mapped[int]
    position_s: Mapped[float]
    from_s: Mapped[float | None]
    playing: Mapped[bool]
    rate: Mapped[float]
    player: Mapped[str]
    popup: Mapped[str | None]


class EventBody(BaseModel):
    """An event in a request."""

    model_config = ConfigDict(extra="forbid")

    seq: int = Field(ge=0)
    type: Literal[tuple(str(kind) for kind in EVENT_TYPES)]  # type: ignore[valid-type]
    at_ms: int
    position_s: float = Field(ge=0, allow_inf_nan=False)
    from_s: float | None = Field(None, ge=0, allow_inf_nan=False)
    playing: bool
    rate: float = Field(allow_inf_nan=False)
    player: str = Field(min_length=1, max_length=128)
    popup: str | None = Field(None, min_length=1, max_length=128)


class BatchBody(BaseModel):
    """A request."""

    events: list[EventBody] = Field(min_length=1, max_length=1000)


class ResultBody(BaseModel):
    """What became of an event."""

    index: int
    seq: int
    status: str


class AnswerBody(BaseModel):
    """An answer."""

    received_ms: int
    results: list[ResultBody]
    counts: dict[str, int]
    next_seq: int


def plain(folder: Path) -> FastAPI:
    """Return (c): pydantic models, rows of SQLAlchemy's ORM, one durable commit for each request; no signature."""
    engine = create_engine(f"sqlite:///{folder / 'plain.sqlite3'}")

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: object) -> None:
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=30000"):
            connection.execute(f"PRAGMA {pragma}")

    Base.metadata.create_all(engine)
    app = FastAPI()

    @app.post("/v1/sessions/{session_id}/events")
    def add_events(session_id: str, batch: BatchBody) -> AnswerBody:
        now_ms = clock_ms()
        with Session(engine) as database, database.begin():
            numbers = [one.seq for one in batch.events]
            query = select(PlainEvent.seq).where(PlainEvent.session_id == session_id, PlainEvent.seq.in_(numbers))
            known = set(database.scalars(query))
            results = []
            for index, one in enumerate(batch.events):
                status = "duplicate" if one.seq in known else "accepted"
                if status == "accepted":
                    database.add(PlainEvent(session_id=session_id, received_ms=now_ms, **one.model_dump()))
                results.append(ResultBody(index=index, seq=one.seq, status=status))
        counts = Counter(result.status for result in results)
        return AnswerBody(received_ms=now_ms, results=results, counts=counts, next_seq=max(numbers) + 1)

    return app


def main() -> None:
    """Serve until killed."""
    kind, port, folder = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])
    match kind:
        case "bare":
            app = bare()
        case "plain":
            app = plain(folder)
        case _:
            settings = Settings(data_dir=folder, requests_per_key="1000000000/second", log_format="json")
            logs.set_up(settings)
            house = open_house(settings)
            app = create_app(house) if kind == "ours" else nothing(house)
            collect_seldom()
    uvicorn.run(
        app, host="127.0.0.1", port=port, loop="uvloop", http="httptools", log_level="warning", access_log=False
    )


if __name__ == "__main__":
    main()
