"""What every duty needs: the database, the vault, the pictures and the law."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field

from sqlalchemy import Engine

from online_guard.faces.operator_model import OperatorModel, load_operator_model
from online_guard.policy import Policy, load_policy
from online_guard.service.capturing.seen_pictures import SeenPictures
from online_guard.service.receiving.intake import Intake
from online_guard.service.receiving.live_sessions import LiveSessions
from online_guard.settings import Settings
from online_guard.store import cold_events, marks
from online_guard.store.blobs import Blobs
from online_guard.store.sealed_text import use_vault
from online_guard.store.sqlite_writer import check_sqlite
from online_guard.store.unit_of_work import migrate, open_engine
from online_guard.store.vault import Vault, open_vault


@dataclass(frozen=True)
class House:
    """An open service.

    Attributes:
        engine: Of the database.
        vault: Seals personal data.
        blobs: Sealed pictures.
        policy: The law.
        settings: Of the machine.
        passive_check: An operator's model against presented attacks; the project's own cues without one.
        work: Set when a job was asked for, so that the worker needn't wait.
        seen: Index of all captures; it fills itself from the database.
        closing: Set when the service is about to stop.
        intake: Batches of events that wait to be settled.
        live: Open sessions in mind.
    """

    engine: Engine
    vault: Vault
    blobs: Blobs
    policy: Policy
    settings: Settings
    passive_check: OperatorModel | None = None
    work: threading.Event = field(default_factory=threading.Event)
    seen: SeenPictures = field(default_factory=SeenPictures)
    closing: threading.Event = field(default_factory=threading.Event)
    intake: Intake = field(default_factory=Intake)
    live: LiveSessions = field(default_factory=LiveSessions)


def open_house(settings: Settings) -> House:
    """Return the house of some settings; its database is brought to the newest tables.

    Raises:
        GuardError: A setting names something that isn't there or was changed: a policy, a key, an operator's model; or
            the database is older than the one seen last.
    """
    manifest = settings.presented_attack_manifest
    passive_check = None if manifest is None else load_operator_model(manifest)
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    policy = load_policy(settings.policy)
    vault = open_vault(settings.key_file)
    engine = open_engine(settings.database)
    try:
        marks.refuse_older(engine, settings.memory_file)
        migrate(settings.database)
        check_sqlite(engine)
        use_vault(engine, vault)
        marks.advance(engine, settings.memory_file, clock_ms())
        cold_events.keep_in(engine, settings.events)
    except BaseException:
        engine.dispose()
        raise
    return House(engine, vault, Blobs(settings.pictures, vault), policy, settings, passive_check)


def clock_ms() -> int:
    """Return the service's clock in ms since the epoch."""
    return time.time_ns() // 1_000_000
