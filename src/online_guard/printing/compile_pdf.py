"""Run as a process: what to set comes on standard input as JSON, the PDF goes to standard output.

A process of its own, because typst keeps what it has set until ten further documents are made: 2.4 GB for 8 000
admission slips, which a service can't spare. It imports nothing of ours, so it starts in a tenth of a second.
"""

from __future__ import annotations

import json
import sys

import typst


def main() -> None:
    """Read `root`, `template`, `font_path`, `data` (JSON as text) and `timestamp` (in s); write the PDF."""
    asked = json.load(sys.stdin.buffer)
    body = typst.compile(
        f"{asked['root']}/{asked['template']}.typ",
        root=asked["root"],
        font_paths=[asked["font_path"]],
        ignore_system_fonts=True,
        format="pdf",
        sys_inputs={"data": asked["data"]},
        pdf_tags=False,  # seven times the size
        timestamp=asked["timestamp"],
    )
    sys.stdout.buffer.write(body)


if __name__ == "__main__":
    main()
