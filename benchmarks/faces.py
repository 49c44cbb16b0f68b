"""Measures everything about faces in one run: `python benchmarks/faces.py [speed] [likeness] …`.

Speed against `face_recognition`, the search for the same picture, liveness, the passive check. Each part is a process
of its own, so that none inherits caches or threads of another; parts that need the real photos and clips of `../shared`
say so where these are absent.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
PARTS = ("speed", "likeness", "liveness", "presented_attack")


def main() -> int:
    """Run the chosen parts, all by default, and return 1 when one of them failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"{', '.join(PARTS)} (all)")
    chosen = parser.parse_args().parts or PARTS
    if unknown := set(chosen) - set(PARTS):
        parser.error(f"unknown part: {', '.join(sorted(unknown))}")
    failed = 0
    for part in chosen:
        print(f"# {part}\n", flush=True)
        failed |= subprocess.run([sys.executable, HERE / f"face_{part}.py"], check=False).returncode
        print(flush=True)
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
