"""Which code this is: a name that changes with any byte of the package's source."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from online_guard import __version__


@cache
def code_version() -> str:
    """Return the package's version with the SHA-256 of its modules, each rule and its `since` among them."""
    root = Path(__file__).parent
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*.py"), key=lambda path: path.relative_to(root).as_posix()):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(root).as_posix()} {len(content)}\n".encode() + content)
    return f"{__version__} {digest.hexdigest()}"
