"""Signatures that were used: each is good once, in every process and over every restart.

A signature is good for `WINDOW_S` on both sides of the moment in which it was made, and is remembered as long. This
process remembers what it saw, and at its start what the database holds. Before a request is acted upon, its signature
is on disk: those that come together share one commit. Another process that gets the same request finds the row, and
refuses it. Who writes much (the events of sessions) may write the row in the transaction of the work instead
(`account_rows.use_nonces`): after a crash both are there, or neither, and then the request is new.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import time

from anyio import CapacityLimiter, to_thread
from sqlalchemy import Engine

from online_guard.errors import ErrorKind, GuardError
from online_guard.signatures import WINDOW_S, Signature
from online_guard.store.account_rows import UsedNonce, forget_nonces, nonces_since, use_nonces
from online_guard.store.unit_of_work import reading, writing

MINUTE_S = 60
MOST_AT_ONCE = 2_000
"""Signatures in one transaction: some 20 ms of writing."""
log = logging.getLogger(__name__)
Waiting = tuple[UsedNonce, "asyncio.Future[None]"]


class Nonces:
    """The signatures that were used in the last minutes.

    Args:
        engine: Of the database that keeps them.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._seen: dict[int, set[bytes]] = {}
        self._waiting: list[Waiting] = []
        self._writer: asyncio.Task[None] | None = None
        self._one_writer = CapacityLimiter(1)
        self._tidied_s = 0
        self._to_forget = False
        with reading(engine) as database:
            for used in nonces_since(database, int(time.time()) - WINDOW_S):
                self._minute(used).add(used.digest)

    def use(self, signature: Signature, now_s: int) -> UsedNonce:
        """Remember a verified signature.

        Raises:
            GuardError: It was made too long ago, or by a clock ahead; or a signature of this key had the nonce before.
        """
        if abs(now_s - signature.created_s) > WINDOW_S:
            raise GuardError(
                ErrorKind.UNAUTHENTICATED,
                "signature.expired",
                f"签名时间与服务时钟相差超过 {WINDOW_S} 秒 / the service's clock is more than {WINDOW_S} s off",
                where="signature-input",
                remedy="请校准时钟后重新签名 / set the clock and sign again.",
            )
        digest = hashlib.blake2b(f"{signature.key_id}\0{signature.nonce}".encode(), digest_size=16).digest()
        used = UsedNonce(signature.created_s, digest)
        if any(digest in seen for seen in self._seen.values()):
            raise replayed()
        self._minute(used).add(digest)
        if now_s - self._tidied_s >= MINUTE_S:
            self._tidy(now_s)
        return used

    def _tidy(self, now_s: int) -> None:
        """Drop, once a minute, the signatures that nobody accepts any more; those of the database in their turn."""
        self._tidied_s, self._to_forget = now_s, True
        for minute in [one for one in self._seen if (one + 1) * MINUTE_S < now_s - WINDOW_S]:
            del self._seen[minute]
        self._start_writing()

    def _minute(self, used: UsedNonce) -> set[bytes]:
        return self._seen.setdefault(used.created_s // MINUTE_S, set())

    async def keep(self, used: UsedNonce) -> None:
        """Return once a signature is on disk; those that come meanwhile go together.

        Raises:
            GuardError: Another process had it before.
        """
        kept = asyncio.get_running_loop().create_future()
        self._waiting.append((used, kept))
        self._start_writing()
        await kept

    def _start_writing(self) -> None:
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write())

    async def _write(self) -> None:
        while self._waiting or self._to_forget:
            batch, self._waiting = self._waiting[:MOST_AT_ONCE], self._waiting[MOST_AT_ONCE:]
            try:
                replays = await to_thread.run_sync(self._store, [used for used, _ in batch], limiter=self._one_writer)
            except Exception as error:
                log.exception("used signatures could not be kept")
                _fail(batch, error)
                continue
            for used, kept in batch:
                if kept.done():
                    continue  # the client went away
                if used in replays:
                    kept.set_exception(replayed())
                else:
                    kept.set_result(None)

    def _store(self, batch: list[UsedNonce]) -> set[UsedNonce]:
        """Keep signatures; return which were used before."""
        is_due, self._to_forget = self._to_forget, False
        with writing(self._engine) as database:
            if is_due:
                forget_nonces(database, int(time.time()) - WINDOW_S - MINUTE_S)
            return use_nonces(database, batch)


def _fail(batch: list[Waiting], error: Exception) -> None:
    for _, kept in batch:
        if not kept.done():
            kept.set_exception(error)


def replayed() -> GuardError:
    """Return the error for a signature that was used before."""
    return GuardError(
        ErrorKind.UNAUTHENTICATED,
        "signature.replayed",
        "该签名已用过 / the signature was used before",
        where="signature-input",
        remedy="请以新的 nonce 重新签名 / sign again with a new nonce.",
    )
