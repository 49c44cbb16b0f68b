"""The process that listens, and how it stops: it finishes what it has accepted, and cuts nobody off."""

from __future__ import annotations

import asyncio
import ctypes
import gc
import socket
import struct
import time

import uvicorn
from fastapi import FastAPI

from online_guard.service.house import House

LONGEST_REQUEST_S = 60
"""A request that isn't answered so long after the doors closed is given up; a clip takes a few seconds."""
LAST_CONNECTIONS_S = 1.0
"""Once nobody can connect any more, so long is waited for those who have connected and not yet said what they want."""
SELDOM = 50_000
"""New containers, less those gone, before cycles are looked for: some 10 MB."""
_SO_ATTACH_FILTER = 26
_NO_NEW_CONNECTIONS = (
    (0x30, 0, 0, 13),  # the byte of flags of the TCP header
    (0x54, 0, 0, 0x12),  # of it SYN and ACK
    (0x15, 0, 1, 0x02),  # SYN alone: who asks for a new connection
    (0x06, 0, 0, 0),  # is not heard
    (0x06, 0, 0, 0xFFFFFFFF),  # and everybody else is
)
"""For Linux's packet filter. Whoever isn't heard tries again; closing a door on those before it would cut them off."""


class Server(uvicorn.Server):
    """Says that it isn't ready, goes on answering for a while, then lets nobody in and finishes what it has begun.

    Args:
        house: Its settings say where it listens, and how long it goes on.
        app: The application of the house.
    """

    def __init__(self, house: House, app: FastAPI) -> None:
        settings = house.settings
        super().__init__(
            uvicorn.Config(
                app,
                host=settings.host,
                port=settings.port,
                log_config=None,
                access_log=False,
                timeout_graceful_shutdown=LONGEST_REQUEST_S,
            )
        )
        self._house = house

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop; each answer from now on ends its connection."""
        self._house.closing.set()
        await asyncio.sleep(self._house.settings.drain_s)
        for listener in (one for server in self.servers for one in server.sockets):
            _let_nobody_in(listener.fileno())
        deadline = time.monotonic() + LAST_CONNECTIONS_S
        await asyncio.sleep(LAST_CONNECTIONS_S / 10)
        while self.server_state.connections and time.monotonic() < deadline:
            await asyncio.sleep(LAST_CONNECTIONS_S / 100)
        await super().shutdown(sockets)


def collect_seldom() -> None:
    """Have the collector leave alone what was loaded until now, and look for cycles among the rest seldom.

    By default it goes through every loaded module each few requests: a fifth of the time of a small one.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(SELDOM)


def _let_nobody_in(listener: int) -> None:
    """Have the kernel ignore new connections to a listening socket; where it can't, those at the door are cut off."""
    program = b"".join(struct.pack("HBBI", *one) for one in _NO_NEW_CONNECTIONS)
    held = ctypes.create_string_buffer(program)
    told = struct.pack("HL", len(_NO_NEW_CONNECTIONS), ctypes.addressof(held))
    try:
        with socket.socket(fileno=listener) as door:
            try:
                door.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, told)
            finally:
                door.detach()
    except OSError:
        return
