"""Whole days later, nothing changes but what asks the calendar.

OG703 alone asks on which day a session was; eligibility has months and windows (E08, E09) and isn't compared. A session
that OG703 rejects changes what follows from verdicts: OG408, OG601, OG702 and the ledger. So, with the dates of the
class moved too, everything stays; with the moments alone moved, everything but OG703 stays where OG703 is a note.
"""

from __future__ import annotations

from bundle_rows import UNSHRUNK, Rows, Simulated, bundles, ndjson, results_of, rows_of, simulated
from hypothesis import given
from hypothesis import strategies as st
from moved_rows import DAY_MS, moved

from online_guard.policy import DEFAULT_POLICY, Policy, load_policy

LAG = st.sampled_from([0, 0, -20, 15, 16, 17, 40])
"""Days by which sessions are late for their class: some are before its first day or after its last."""
DAYS = st.sampled_from([-731, -92, -1, 1, 30, 366])


def judged(rows: Rows, policy: Policy) -> Rows:
    """Return the rows of the files that know no months."""
    files = results_of(rows, policy)
    return {name: ndjson(files[f"{name}.ndjson"]) for name in ("findings", "sessions", "ledger")}


@UNSHRUNK
@given(drawn=bundles() | simulated, lag=LAG, days=DAYS)
def test_a_bundle_moved_with_its_dates_is_judged_alike(
    policy: Policy, drawn: Rows | Simulated, lag: int, days: int
) -> None:
    rows = moved(rows_of(drawn), lag * DAY_MS, 0)
    later = judged(moved(rows, days * DAY_MS, days), policy)
    assert moved(later, -days * DAY_MS, -days) == judged(rows, policy)


@UNSHRUNK
@given(drawn=bundles() | simulated, days=DAYS)
def test_sessions_moved_alone_concern_the_class_dates_alone(drawn: Rows | Simulated, days: int) -> None:
    rows = rows_of(drawn)
    policy = load_policy(DEFAULT_POLICY, ['effect.OG703="note"'])
    results = [judged(rows, policy), moved(judged(moved(rows, days * DAY_MS, 0), policy), -days * DAY_MS, 0)]
    before, after = [
        {**tables, "findings": [row for row in tables["findings"] if row["rule"] != "OG703"]} for tables in results
    ]
    assert after == before
