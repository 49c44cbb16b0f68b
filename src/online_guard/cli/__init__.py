"""Commands; maps errors to exit status: 0 done, 1 something wrong was found, 2 bad use or input."""

from __future__ import annotations

import sys

from rich.console import Console

from online_guard.cli import (
    accounts,
    bundles,
    evidence,
    face_rates,
    faces,
    judging,
    law,
    letters,
    operating,
    personal_data,
    push,
    roster,
    schedule,
    service,
    sheets,
    webhooks,
    work,
)
from online_guard.cli.common import BAD_INPUT, app
from online_guard.errors import GuardError

__all__ = [
    "accounts",
    "app",
    "bundles",
    "evidence",
    "face_rates",
    "faces",
    "judging",
    "law",
    "letters",
    "main",
    "operating",
    "personal_data",
    "push",
    "roster",
    "schedule",
    "service",
    "sheets",
    "webhooks",
    "work",
]


def main() -> None:
    """Run the command line; an error is one clear message and exit status 2."""
    try:
        app()
    except GuardError as error:
        console = Console(stderr=True, highlight=False)
        console.print(f"[bold red]错误 / error[/] {error.code}", soft_wrap=True)
        console.print(str(error), soft_wrap=True, markup=False)
        for fault in error.faults[1:]:
            console.print(f"  {fault.where}: {fault.reason}", soft_wrap=True, markup=False)
        sys.exit(BAD_INPUT)
