"""Looks a machine over before something breaks: settings, files, database, models, clock, disk. It changes nothing."""

from __future__ import annotations

import os
import resource
import shutil
import stat
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from sqlalchemy import Engine

from online_guard.errors import GuardError
from online_guard.faces.models import MODEL_FILES, checked_path
from online_guard.faces.operator_model import load_operator_model
from online_guard.policy import load_policy
from online_guard.settings import Settings, unknown_variables
from online_guard.store import backlog, condition, marks, sealed_log
from online_guard.store.log_key import is_signed, open_log_key
from online_guard.store.log_tables import LogHeadRecord
from online_guard.store.unit_of_work import open_engine, reading

FEWEST_FILES = 256
"""Free file descriptors: one for each connection and a few for the database."""
MOST_CLOCK_MS = 2_000
"""How far the clocks of this machine and of the database's may be apart; leases last two minutes."""
JUMP_MS = 50.0
LOOK_S = 0.2


class Level(StrEnum):
    """How bad it is; only `bad` makes the command fail."""

    GOOD = "good"
    NOTE = "note"
    BAD = "bad"


@dataclass(frozen=True)
class Finding:
    """What was seen of one thing, Chinese first; `what` is its stable name."""

    what: str
    level: Level
    text: str


def examine(settings: Settings) -> Iterator[Finding]:
    """Yield what was seen, in order; whatever can't be looked at is bad, with its reason."""
    for look in LOOKS:
        yield from _guarded(look, settings)
    if settings.database_url is None and not _sqlite_file(settings).exists():
        yield Finding("database", Level.NOTE, "尚无数据库,首次启动时建立 / there is none yet: the first start makes it")
        return
    yield from _guarded(_database, settings)


def _guarded(look: Callable[[Settings], Iterator[Finding]], settings: Settings) -> Iterator[Finding]:
    name = look.__name__.strip("_")
    try:
        yield from look(settings)
    except GuardError as error:
        yield Finding(name, Level.BAD, str(error))
    except Exception as error:  # noqa: BLE001 - it is what the doctor is asked for: told, and the others are looked at
        yield Finding(name, Level.BAD, f"无法检查 / it can't be looked at: {type(error).__name__}: {error}")


def _judged(what: str, is_good: bool, good: str, bad: str, worse: Level = Level.BAD) -> Finding:
    return Finding(what, Level.GOOD, good) if is_good else Finding(what, worse, bad)


def _settings(settings: Settings) -> Iterator[Finding]:
    strange = unknown_variables()
    told = ", ".join(strange)
    yield _judged(
        "settings", not strange, "已读取 / they were read", f"没有这些设置 / there are no such settings: {told}"
    )
    policy = load_policy(settings.policy)
    yield Finding("policy", Level.GOOD, f"{policy.id} {policy.version} SHA-256 {policy.sha256[:16]}…")
    if settings.test_client_token is not None:
        text = "受信任的测试客户端已启用,切勿用于生产 / the trusted test client is on: never in production"
        yield Finding("test_client", Level.NOTE, text)


def _permissions(settings: Settings) -> Iterator[Finding]:
    folder = settings.data_dir
    if not folder.exists():
        yield Finding("data_dir", Level.NOTE, f"尚未建立 / it isn't there yet: {folder}")
        return
    is_writable = os.access(folder, os.W_OK | os.X_OK)
    yield _judged("data_dir", is_writable, f"可写 / writable: {folder}", f"不可写 / not writable: {folder}")
    if stat.S_IMODE(folder.stat().st_mode) & 0o007:
        yield Finding("data_dir", Level.NOTE, f"任何人可进入 / anybody may enter it: chmod 700 {folder}")
    for file in (settings.key_file, settings.signing_key_file):
        yield _key(file)


def _key(file: Path) -> Finding:
    if not file.exists():
        return Finding("key", Level.NOTE, f"尚未建立 / it isn't there yet: {file}")
    mode = stat.S_IMODE(file.stat().st_mode)
    is_ours = file.stat().st_uid == os.geteuid()
    if mode & 0o077 or not is_ours:
        return Finding(
            "key", Level.BAD, f"他人可读或非属主 / others may read it or own it: {mode:o} {file} (chmod 600)"
        )
    return _judged(
        "key", os.access(file, os.R_OK), f"仅属主可读 / its owner's only: {file}", f"不可读 / unreadable: {file}"
    )


def _models(settings: Settings) -> Iterator[Finding]:
    for model in MODEL_FILES:
        path = checked_path(model)
        yield Finding("model", Level.GOOD, f"SHA-256 相符 / its SHA-256 is right: {path.name}")
    if settings.presented_attack_manifest is not None:
        load_operator_model(settings.presented_attack_manifest)
        yield Finding("model", Level.GOOD, f"SHA-256 相符 / right: {settings.presented_attack_manifest}")


def _clock(_settings: Settings) -> Iterator[Finding]:
    wall, steady = time.time(), time.monotonic()
    time.sleep(LOOK_S)
    jump_ms = abs((time.time() - wall) - (time.monotonic() - steady)) * 1000
    text = f"墙钟与单调钟之差 / wall and monotonic clock apart by {jump_ms:.1f} ms in {LOOK_S:g} s"
    yield Finding("clock", Level.GOOD if jump_ms <= JUMP_MS else Level.BAD, text)


def _disk(settings: Settings) -> Iterator[Finding]:
    folder = next(one for one in (settings.data_dir.absolute(), *settings.data_dir.absolute().parents) if one.exists())
    free_mib, files = shutil.disk_usage(folder).free >> 20, os.statvfs(folder)
    text = f"剩余 {free_mib:,} MiB / {free_mib:,} MiB are free"
    yield Finding("disk", Level.GOOD if free_mib >= settings.least_free_mib else Level.BAD, text)
    if files.f_files and files.f_favail < files.f_files // 100:
        yield Finding(
            "disk", Level.BAD, f"剩余索引节点不足 1% / less than 1 % of the inodes are free: {files.f_favail:,}"
        )


def _files(_settings: Settings) -> Iterator[Finding]:
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    opened = Path("/proc/self/fd")
    free = most - len(list(opened.iterdir())) if opened.exists() else most
    text = f"可用文件描述符 {free:,} / {free:,} file descriptors are free"
    yield Finding("files", Level.GOOD if free >= FEWEST_FILES else Level.BAD, text)


LOOKS: tuple[Callable[[Settings], Iterator[Finding]], ...] = (
    _settings,
    _permissions,
    _models,
    _clock,
    _disk,
    _files,
)


def _sqlite_file(settings: Settings) -> Path:
    return Path(settings.database.removeprefix("sqlite:///"))


def _database(settings: Settings) -> Iterator[Finding]:
    engine = open_engine(settings.database)
    try:
        yield _version(engine)
        told = condition.durability(engine)
        text = ", ".join(f"{name}={value}" for name, value in told.items())
        yield Finding("durability", Level.GOOD if condition.is_durable(told) else Level.BAD, text)
        present, newest = condition.present_tables(engine), condition.newest_tables()
        text = f"表不是最新,启动时更新 / not the newest, the next start brings them: {present or '-'} → {newest}"
        yield _judged("tables", present == newest, f"最新 / the newest: {newest}", text)
        if present == newest:
            yield from _contents(settings, engine)
    finally:
        engine.dispose()


def _version(engine: Engine) -> Finding:
    version = condition.version(engine)
    if not condition.has_wal_reset_bug(engine):
        return Finding("database", Level.GOOD, version)
    text = (
        "3.51.3 之前的版本,一个连接做检查点而另一连接同时写入时,可能丢失已提交数据;本服务的写入与检查点都在同一连接上,"
        "不受影响,请勿用其他程序写入 / before 3.51.3 what was committed could be lost when one connection made a "
        "checkpoint while another one wrote; in the service one connection does both: let no other program write"
    )
    return Finding("database", Level.NOTE, f"{version}: {text}")


def _contents(settings: Settings, engine: Engine) -> Iterator[Finding]:
    mark = marks.look(engine, settings.memory_file)
    text = f"数据库标记 {mark.mark},曾见 {mark.remembered} / mark {mark.mark}, seen {mark.remembered}"
    yield _judged("rollback", not mark.is_older, text, f"回滚警报 / rollback alarm: {text}")
    theirs = condition.clock_ms(engine)
    if theirs is not None:
        apart = abs(time.time_ns() // 1_000_000 - theirs)
        text = f"与数据库时钟之差 / the database's clock is apart by {apart} ms"
        yield Finding("clock", Level.GOOD if apart <= MOST_CLOCK_MS else Level.BAD, text)
    if mark.marked_ms > time.time_ns() // 1_000_000 + MOST_CLOCK_MS:
        yield Finding("clock", Level.BAD, "时钟早于数据库最后的记录 / the clock is behind the database's last mark")
    with reading(engine) as database:
        parked = backlog.parked_jobs(database)
        head = sealed_log.newest_head(database)
    text = f"{parked} 项作业反复失败,待人处理 / {parked} jobs failed again and again: online-guard worker --list"
    yield _judged("jobs", not parked, "无搁置的作业 / no job is parked", text)
    yield from _head(settings, head)


def _head(settings: Settings, head: LogHeadRecord | None) -> Iterator[Finding]:
    """Yield whether the newest head of the evidence log is signed with this machine's key; without one, nothing."""
    if head is None or not settings.signing_key_file.exists():
        return
    is_ours = is_signed(head.body, head.signature, open_log_key(settings.signing_key_file).public)
    text = f"存证日志 {head.size:,} 条 / the evidence log has {head.size:,} entries"
    yield _judged("log", is_ours, text, f"日志头不是本机密钥所签 / its head isn't signed with this key; {text}")
