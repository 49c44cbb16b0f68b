"""Bundle → blocks → judgement, block by block on all cores → files; no database (SPEC section 8, `revalidate`)."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from online_guard.errors import ErrorKind, GuardError
from online_guard.evidence import Evidence, Integers
from online_guard.ingest.bundle import Block, Bundle, open_bundle, read_block
from online_guard.ingest.refusals import RefusedRow
from online_guard.judge import Judgement, Observation, conclude, observe
from online_guard.policy import Policy
from online_guard.timeline.digest import join, needs_detail

Progress = Callable[[int, int], None]
"""Called with blocks done and blocks in all."""


@dataclass(frozen=True)
class BlockResult:
    """What a block of events gave."""

    observation: Observation
    refused: list[RefusedRow]
    events: int


@dataclass(frozen=True)
class Revalidation:
    """A judgement with what was read for it."""

    judgement: Judgement
    refused: list[RefusedRow]
    events: int
    policy: Policy

    def summary(self) -> dict[str, Any]:
        """Return the content of `summary.json`."""
        judged = self.judgement
        return {
            "policy": {"id": self.policy.id, "version": self.policy.version, "sha256": self.policy.sha256},
            "counts": {
                "events": self.events,
                "sessions": len(judged.sessions),
                "verdicts": dict(sorted(Counter(str(row.verdict) for row in judged.sessions).items())),
                "findings": dict(sorted(Counter(row.rule for row in judged.findings).items())),
                "eligible": sum(row.eligible for row in judged.eligibility),
                "refused_rows": len(self.refused),
            },
            "refused_rows": [asdict(row) for row in self.refused],
            "not_evaluable": {rule: dict(reasons) for rule, reasons in judged.not_evaluable.items()},
            "unused_decisions": sorted(
                {(row.rule, str(row.subject), row.subject_id) for row in judged.unused_decisions}
            ),
        }


def revalidate(
    path: Path,
    policy: Policy,
    *,
    workers: int | None = None,
    progress: Progress | None = None,
    block_rows: int = 1_000_000,
) -> Revalidation:
    """Return the judgement of a whole bundle; the same for any number of workers and any size of blocks.

    Args:
        path: Folder of the bundle.
        policy: The law.
        workers: Threads; by default one for each core.
        progress: Told after each block, if given.
        block_rows: About how many events a block has.

    Raises:
        GuardError: The bundle can't be read at all.
    """
    bundle = open_bundle(path)
    blocks = bundle.blocks(block_rows)
    results: list[BlockResult] = []
    work = partial(_observe_block, bundle, policy)
    # threads, not processes: NumPy and Arrow let go of the interpreter's lock, and nothing is sent to and fro
    with ThreadPoolExecutor(workers or os.cpu_count() or 1) as pool:
        for result in pool.map(work, [(block, False) for block in blocks]):
            results.append(result)
            if progress:
                progress(len(results), len(blocks))
        again = _blocks_with_detail(bundle.evidence, policy, results)
        tasks = [(blocks[number], rows) for number, rows in again.items()]
        for number, result in zip(again, pool.map(work, tasks), strict=True):
            results[number] = result
    observations = [result.observation for result in results] or [observe(bundle.evidence, policy)]
    return Revalidation(
        judgement=conclude(bundle.evidence, policy, observations),
        refused=sorted(bundle.refused + [row for result in results for row in result.refused]),
        events=sum(result.events for result in results),
        policy=policy,
    )


def _blocks_with_detail(evidence: Evidence, policy: Policy, results: Sequence[BlockResult]) -> dict[int, Integers]:
    """Return, by number of block, the sessions whose every event is asked for."""
    digests = [result.observation.digest for result in results]
    if not digests:
        return {}
    wanted = needs_detail(join(digests), evidence, policy)
    of_block = [np.intersect1d(wanted, digest.sittings.session) for digest in digests]
    return {number: rows for number, rows in enumerate(of_block) if len(rows)}


Task = tuple[Block, bool | Integers]


def _observe_block(bundle: Bundle, policy: Policy, task: Task) -> BlockResult:
    block, whole = task
    read = read_block(block, bundle.index)
    observation = observe(bundle.evidence.with_events(read.events), policy, whole=whole)
    return BlockResult(observation, read.refused, len(read.events))


SCHEMAS: dict[str, pa.Schema] = {
    "findings": pa.schema(
        {
            "rule": pa.string(),
            "subject": pa.string(),
            "subject_id": pa.string(),
            "effect": pa.string(),
            "start_ms": pa.int64(),
            "end_ms": pa.int64(),
            "evidence": pa.string(),
        }
    ),
    "sessions": pa.schema(
        {"session_id": pa.string(), "verdict": pa.string(), "playing_ms": pa.int64(), "watched_s": pa.float64()}
    ),
    "ledger": pa.schema(
        {
            "enrolment_id": pa.string(),
            "lesson_no": pa.int32(),
            "hours": pa.float64(),
            "credited_s": pa.float64(),
            "coverage": pa.float64(),
            "refused_by": pa.list_(pa.string()),
        }
    ),
    "eligibility": pa.schema(
        {
            "class_id": pa.string(),
            "window": pa.string(),
            "enrolment_id": pa.string(),
            "eligible": pa.bool_(),
            "failed": pa.list_(pa.string()),
            "unconfirmed": pa.list_(pa.string()),
            "evidence": pa.string(),
        }
    ),
}
"""Columns of the Parquet twin of each file; evidence is JSON text there."""


def write(result: Revalidation, out: Path) -> None:
    """Write the files of SPEC 8 into a folder; each appears whole or not at all.

    Raises:
        GuardError: The folder can't be written.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        for name, schema in SCHEMAS.items():
            rows = [row.as_row() for row in getattr(result.judgement, name)]
            _replace(out / f"{name}.ndjson", b"".join(msgspec.json.encode(row) + b"\n" for row in rows))
            _replace(out / f"{name}.parquet", _parquet(rows, schema))
        summary = msgspec.json.format(msgspec.json.encode(result.summary()), indent=1) + b"\n"
        _replace(out / "summary.json", summary)
    except OSError as error:
        raise GuardError(
            ErrorKind.INVALID,
            "out.not_writable",
            f"不能写入输出文件夹 / can't write the output folder: {error.strerror}",
            where=str(out),
            remedy="换一个可写的 --out / choose another --out.",
        ) from error


def _parquet(rows: list[dict[str, Any]], schema: pa.Schema) -> bytes:
    columns = {
        name: [msgspec.json.encode(row[name]).decode() if name == "evidence" else row[name] for row in rows]
        for name in schema.names
    }
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table(columns, schema=schema), sink)
    return bytes(sink.getvalue())


def _replace(path: Path, content: bytes) -> None:
    part = path.with_name(f".{path.name}.part")
    part.write_bytes(content)
    part.replace(path)
