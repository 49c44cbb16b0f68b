"""Columns of text and of bytes that are sealed on their way into the database and opened on their way out.

For what may hold anything a client sent, wherever it is written: a dead letter, the address of a sender.
"""

from __future__ import annotations

import base64
from typing import Any
from weakref import WeakKeyDictionary

from cryptography.exceptions import InvalidTag
from sqlalchemy import Dialect, Engine, LargeBinary, Text, TypeDecorator

from online_guard.errors import ErrorKind, GuardError
from online_guard.store.vault import MARK as BYTES_MARK
from online_guard.store.vault import Vault

MARK = "sealed:"
_vaults: WeakKeyDictionary[Dialect, Vault] = WeakKeyDictionary()


def use_vault(engine: Engine, vault: Vault) -> None:
    """Let the sealed columns of a database use a vault."""
    _vaults[engine.dialect] = vault


def beginning(version: int) -> str:
    """Return how a text begins that is sealed under a version of the master key."""
    return f"{MARK}{version}:"


class SealedText(TypeDecorator[str]):
    """Text sealed under the master key; its purpose, such as `session.ip`, binds it to its column.

    Args:
        purpose: Table and column.
    """

    impl = Text
    cache_ok = True

    def __init__(self, purpose: str) -> None:
        super().__init__()
        self.purpose = purpose

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Seal a text; an empty one is nothing to seal, and can be asked for."""
        if not value:
            return value
        sealed = _vault(dialect).seal(value.encode("utf-8", "surrogatepass"), self.purpose)
        version = int.from_bytes(sealed[4:6], "big")
        return beginning(version) + base64.b64encode(sealed).decode()

    def process_result_value(self, value: Any, dialect: Dialect) -> str | None:
        """Open a text; one that was kept before columns were sealed is as it was."""
        if value is None or not value.startswith(MARK):
            return value if value is None else str(value)
        return opened(value, self.purpose, _vault(dialect))


def opened(value: str, purpose: str, vault: Vault) -> str:
    """Return a sealed text as it was.

    Raises:
        GuardError: It was altered or moved to another column, or its key isn't at hand.
    """
    try:
        return vault.open(base64.b64decode(value.rpartition(":")[2]), purpose).decode("utf-8", "surrogatepass")
    except (InvalidTag, ValueError) as error:
        raise _cannot_open(purpose) from error


def _cannot_open(purpose: str) -> GuardError:
    return GuardError(
        ErrorKind.UNAVAILABLE,
        "vault.cannot_open",
        f"无法解封 / can't be opened: {purpose}",
        remedy="请核对主密钥文件与备份是否相配 / is this the key file that belongs to this database?",
    )


class SealedBytes(TypeDecorator[bytes]):
    """Bytes sealed under the master key; the purpose, such as `log_import_page.rows`, binds them to their column.

    Args:
        purpose: Table and column.
    """

    impl = LargeBinary
    cache_ok = True

    def __init__(self, purpose: str) -> None:
        super().__init__()
        self.purpose = purpose

    def process_bind_param(self, value: bytes | None, dialect: Dialect) -> bytes | None:
        """Seal bytes; none are nothing to seal."""
        return _vault(dialect).seal(value, self.purpose) if value else value

    def process_result_value(self, value: Any, dialect: Dialect) -> bytes | None:
        """Open bytes; what was kept before columns were sealed is as it was."""
        if value is None or not value.startswith(BYTES_MARK):
            return value if value is None else bytes(value)
        try:
            return _vault(dialect).open(value, self.purpose)
        except InvalidTag as error:
            raise _cannot_open(self.purpose) from error


def _vault(dialect: Dialect) -> Vault:
    found = _vaults.get(dialect)
    if found is None:
        raise GuardError(ErrorKind.UNAVAILABLE, "vault.missing", "数据库未配密钥 / no key was given for this database")
    return found
