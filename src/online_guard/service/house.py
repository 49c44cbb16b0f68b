"""What every duty needs: the database, the vault, the pictures and the law."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field

from sqlalchemy import Engine

from online_guard.policy import Policy, load_policy
from online_guard.settings import Settings
from online_guard.store.blobs import Blobs
from online_guard.store.unit_of_work import migrate, open_engine
from online_guard.store.vault import Vault, open_vault


@dataclass(frozen=True)
class House:
    """An open service. `work` is set when a job was asked for, so that the worker needn't wait."""

    engine: Engine
    vault: Vault
    blobs: Blobs
    policy: Policy
    settings: Settings
    work: threading.Event = field(default_factory=threading.Event)


def open_house(settings: Settings) -> House:
    """Return the house of some settings; its database is brought to the newest tables."""
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    policy = load_policy(settings.policy)
    vault = open_vault(settings.key_file)
    migrate(settings.database)
    return House(open_engine(settings.database), vault, Blobs(settings.data_dir / "pictures", vault), policy, settings)


def clock_ms() -> int:
    """Return the service's clock in ms since the epoch."""
    return time.time_ns() // 1_000_000
