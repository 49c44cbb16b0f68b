"""Bundle → blocks → judgement, block by block on all cores or machines → files; no database (SPEC section 8)."""

from __future__ import annotations

import gc
import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from online_guard.code_version import code_version
from online_guard.engines import THREADS, Map, open_engine
from online_guard.evidence import Evidence, Integers
from online_guard.finished_blocks import FOLDER, FinishedBlocks, forget, not_writable
from online_guard.ingest.bundle import (
    Block,
    BlockRead,
    Bundle,
    content_key,
    cut_between_sessions,
    open_bundle,
    read_block,
)
from online_guard.ingest.locations import Location, locate, put
from online_guard.ingest.refusals import RefusedRow
from online_guard.judge import Judgement, Observation, conclude, observe
from online_guard.policy import Policy
from online_guard.result_columns import SCHEMAS, in_columns
from online_guard.timeline.digest import join, join_table, likely_overlaps, needs_detail

Progress = Callable[[int, int], None]
"""Called with blocks done and blocks in all."""


@dataclass(frozen=True)
class BlockResult:
    """What a block of events gave: one observation for each piece of it."""

    observations: tuple[Observation, ...]
    refused: list[RefusedRow]
    events: int


@dataclass(frozen=True)
class Revalidation:
    """A judgement with what was read for it.

    reused: how many results of blocks came from a run that was interrupted.
    """

    judgement: Judgement
    refused: list[RefusedRow]
    events: int
    policy: Policy
    reused: int = 0

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


BLOCK_ROWS = 1_000_000
PIECE_ROWS = 200_000
"""A block is read at once and judged in pieces, whose columns stay in a core's cache."""
WRITTEN_ROWS = 50_000
"""So many rows of results are spelt out at once."""


@contextmanager
def _uncollected() -> Iterator[None]:
    """Pause the search for cyclic garbage: there is none, but hundreds of thousands of rows to be looked through."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


@_uncollected()
def revalidate(
    path: Location | str,
    policy: Policy,
    *,
    engine: str = THREADS,
    workers: int | None = None,
    progress: Progress | None = None,
    block_rows: int = BLOCK_ROWS,
    out: Location | str | None = None,
) -> Revalidation:
    """Return the judgement of a whole bundle; the same for any engine, number of workers and size of blocks.

    Args:
        path: Folder or URL of the bundle.
        policy: The law.
        engine: Where blocks are judged, see `engines.open_engine`.
        workers: Threads or processes; by default one for each core.
        progress: Told after each block, if given.
        block_rows: About how many events a block has.
        out: Where the results will be written: finished blocks are kept there until then, and those of a run of the
            same bundle, policy and code that was interrupted are used. None keeps nothing.

    Raises:
        GuardError: The bundle can't be read at all, nothing can be written, or the engine isn't there.
    """
    path = locate(path).absolute()  # another process may stand in another folder
    kept = None
    if out is not None:
        run = f"{content_key(path)} {policy.sha256} {code_version()} {block_rows}"
        kept = FinishedBlocks(locate(out) / FOLDER, run, BlockResult)
    bundle = open_bundle(path)
    blocks = bundle.blocks(block_rows)
    with open_engine(engine, _observe_block, (bundle, policy), workers) as judge_blocks:
        results, reused = _observed(bundle.evidence, policy, blocks, judge_blocks, kept, progress)
    pa.default_memory_pool().release_unused()  # what reading the blocks took
    refused = sorted(bundle.refused + [row for result in results for row in result.refused])
    events = sum(result.events for result in results)
    judgement = conclude(bundle.evidence, policy, _handed_over(results))
    return Revalidation(judgement, refused, events, policy, reused)


def _observed(
    evidence: Evidence,
    policy: Policy,
    blocks: Sequence[Block],
    judge_blocks: Map,
    kept: FinishedBlocks[BlockResult] | None,
    progress: Progress | None,
) -> tuple[list[BlockResult], int]:
    """Return the result of each block, one if there is no block, and how many of them were finished before."""
    first = likely_overlaps(evidence)
    results, reused = _results([(block, first) for block in blocks], judge_blocks, kept, progress)
    again = _blocks_with_detail(evidence, policy, results, first)
    tasks = [(blocks[number], rows) for number, rows in again.items()]
    detailed, reused_again = _results(tasks, judge_blocks, kept)
    for number, result in zip(again, detailed, strict=True):
        results[number] = result
    return results or [BlockResult((observe(evidence, policy),), [], 0)], reused + reused_again


def _results(
    tasks: Sequence[Task], judge_blocks: Map, kept: FinishedBlocks[BlockResult] | None, progress: Progress | None = None
) -> tuple[list[BlockResult], int]:
    """Return the result of each task, and how many of them were finished before."""
    found = [kept.get(_name(number, task)) if kept else None for number, task in enumerate(tasks)]
    missing = [number for number, result in enumerate(found) if result is None]
    for done, (number, result) in enumerate(
        zip(missing, judge_blocks(tasks[number] for number in missing), strict=True), len(tasks) - len(missing) + 1
    ):
        found[number] = _copied(result)
        if kept:
            kept.put(_name(number, tasks[number]), result)
        if progress:
            progress(done, len(tasks))
    return [result for result in found if result is not None], len(tasks) - len(missing)


def _copied(result: BlockResult) -> BlockResult:
    """Return a result in memory of this thread, so that a worker's own is all free for its next block."""
    seen = tuple(replace(seen, digest=join([seen.digest])) for seen in result.observations)
    return replace(result, observations=seen)


def _handed_over(results: list[BlockResult]) -> Iterator[Observation]:
    """Yield the observations of results in order and let go of each result."""
    results.reverse()
    while results:
        yield from results.pop().observations


def _name(number: int, task: Task) -> str:
    """Return which block a task is of, and of which sessions it keeps every event."""
    block, detailed = task
    rows = f"{len(block.events)}" if isinstance(block, BlockRead) else f"{block.first}-{block.stop}"
    return f"{number} {rows} {hashlib.sha256(detailed.tobytes()).hexdigest()}"


def _blocks_with_detail(
    evidence: Evidence, policy: Policy, results: Sequence[BlockResult], known: Integers
) -> dict[int, Integers]:
    """Return, by number of block, the sessions whose every event is asked for, where not all of them are known."""
    digests = [[seen.digest for seen in result.observations] for result in results]
    if not digests:
        return {}
    sittings = join_table([digest.sittings for pieces in digests for digest in pieces])
    wanted = needs_detail(sittings, evidence, policy)
    of_block = [
        np.intersect1d(wanted, np.concatenate([digest.sittings.session for digest in pieces])) for pieces in digests
    ]
    return {number: rows for number, rows in enumerate(of_block) if len(np.setdiff1d(rows, known))}


Task = tuple[Block, Integers]
"""A block, and the sessions whose every event is kept."""


def _observe_block(shared: tuple[Bundle, Policy], task: Task) -> BlockResult:
    (bundle, policy), (block, detailed) = shared, task
    read = read_block(block, bundle.index)
    observations = [
        observe(bundle.evidence.with_events(piece), policy, whole=detailed)
        for piece in cut_between_sessions(read.events, PIECE_ROWS)
    ]
    return BlockResult(tuple(observations), read.refused, len(read.events))


@_uncollected()
def write(result: Revalidation, out: Location | str) -> None:
    """Write the files of SPEC 8 into a folder; each appears whole or not at all. Kept blocks are removed then.

    Raises:
        GuardError: The folder can't be written.
    """
    out = locate(out)
    try:
        for name, schema in SCHEMAS.items():
            lines, table = _encoded(getattr(result.judgement, name), schema)
            put(out / f"{name}.ndjson", lines)
            put(out / f"{name}.parquet", table)
        put(out / "summary.json", msgspec.json.format(msgspec.json.encode(result.summary()), indent=1) + b"\n")
        forget(out / FOLDER)
    except OSError as error:
        raise not_writable(out, error) from error


def _encoded(records: Sequence[Any], schema: pa.Schema) -> tuple[bytes, bytes]:
    """Return the rows of records as NDJSON and as Parquet."""
    lines, batches = bytearray(), []
    for first in range(0, len(records), WRITTEN_ROWS):
        rows = [record.as_row() for record in records[first : first + WRITTEN_ROWS]]
        lines += msgspec.json.Encoder().encode_lines(rows)
        batches.append(in_columns(rows, schema))
    sink = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_batches(batches, schema).combine_chunks(), sink)
    return bytes(lines), bytes(sink.getvalue())
