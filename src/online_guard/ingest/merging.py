"""What rows of a session that come later add to those that are kept of it (SPEC 3.2), for whole columns at once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from online_guard.evidence import Events
from online_guard.ingest.event_columns import join
from online_guard.ingest.identity import COLUMNS, compact_names, decide, equal, event_values, take


@dataclass(frozen=True)
class Merged:
    """What events that are sent add to a session.

    new: Those that count under numbers not used before. aside: other contents of used numbers, with when they were
    received, under BUNDLE's names. duplicates: How many rows repeat what is known.
    """

    new: Events
    aside: list[tuple[dict[str, Any], int]]
    duplicates: int


def merge(stored: Events, sent: Events) -> Merged:
    """Return what rows of one session add to those that are stored of it (SPEC 3.2).

    Args:
        stored: Its events that count and those kept aside, in any order.
        sent: Its rows as they came, in any order, repetitions among them.
    """
    both = join([stored, sent])
    contents = [getattr(both, name) for name in COLUMNS if name not in ("session", "seq", "received_ms")]
    is_sent = np.arange(len(both)) >= len(stored)
    order = np.lexsort((both.received_ms, is_sent, *contents, both.seq))
    same = both.seq[order][1:] == both.seq[order][:-1]
    for column in contents:
        same &= equal(column[order][1:], column[order][:-1])
    heads = order[np.concatenate((np.ones(min(1, len(order)), np.bool_), ~same))]
    fresh = heads[is_sent[heads]]
    unused = np.sort(fresh[~np.isin(both.seq[fresh], stored.seq)])
    _, which, times = np.unique(both.seq[unused], return_inverse=True, return_counts=True)
    disputed = times[which] > 1
    winners, rivals = decide(replace(both, session=np.zeros_like(both.session)), unused[disputed])
    lost = np.concatenate((np.setdiff1d(fresh, unused), np.setdiff1d(rivals, winners)))
    kept = np.concatenate((unused[~disputed], winners))
    kept = kept[np.argsort(both.seq[kept], kind="stable")]
    aside = [event_values(both, row) for row in np.sort(lost).tolist()]
    return Merged(
        compact_names(replace(take(both, kept), conflicts=np.zeros(0, np.int64))),
        [(values, values.pop("received_ms")) for values in aside],
        len(sent) - len(fresh),
    )
