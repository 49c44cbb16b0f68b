"""The one error type that crosses module borders: what went wrong, where, and what to do. No HTTP, no SQL."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import partial


class ErrorKind(StrEnum):
    """How a caller should understand an error; one table maps it to an HTTP status, one to an exit status."""

    MALFORMED = "malformed"
    """The bytes can't be read as what they claim to be."""
    INVALID = "invalid"
    """Readable, but a value is missing, unknown or impossible."""
    UNAUTHENTICATED = "unauthenticated"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"
    CONFLICT = "conflict"
    OUTDATED = "outdated"
    """What the caller had seen has changed since."""
    TOO_LARGE = "too_large"
    UNSUPPORTED = "unsupported"
    THROTTLED = "throttled"
    """Too often: the same later may be right."""
    UNAVAILABLE = "unavailable"


@dataclass(frozen=True)
class Fault:
    """One faulty place: `where` is a file and line, or a JSON pointer such as `/lessons/0/title`."""

    where: str
    reason: str


class GuardError(Exception):
    """A refusal that a person can act on.

    Args:
        kind: Class of error.
        code: Stable, machine-readable name such as `policy.unknown_key`.
        message: Chinese first, English second.
        where: File, line, key or JSON pointer; empty when the whole request is meant.
        remedy: What to do about it, Chinese first; may be empty.
        faults: The single places, when there are several.
        retry_after_s: When to try again, in whole seconds; None when that wouldn't help.
    """

    def __init__(
        self,
        kind: ErrorKind,
        code: str,
        message: str,
        *,
        where: str = "",
        remedy: str = "",
        faults: tuple[Fault, ...] = (),
        retry_after_s: int | None = None,
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.code = code
        self.message = message
        self.where = where
        self.remedy = remedy
        self.faults = faults
        self.retry_after_s = retry_after_s

    def __reduce__(self) -> tuple[object, ...]:
        """Return how to build it again: a worker process must be able to send it."""
        given = {name: getattr(self, name) for name in ("where", "remedy", "faults", "retry_after_s")}
        return partial(GuardError, self.kind, self.code, self.message, **given), ()

    def __str__(self) -> str:
        """Return one line: place, message, remedy."""
        return " ".join(part for part in (f"{self.where}:" if self.where else "", self.message, self.remedy) if part)
