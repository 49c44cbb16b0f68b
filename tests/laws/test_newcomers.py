"""An honest learner who joins makes nobody else's case worse.

In another class, with another device and pictures of their own, nothing at all changes for others, be it at the same
time, on the same platform and in a class of the same institution. SPEC lets learners touch each other only

- in one class: OG901 and OG902 count its sessions, E10 its learners. Verdicts of others don't change; their hours can,
  where OG901 holds with the newcomer and didn't without;
- through a picture: OG602 and OG605 name the later of two captures, OG801 both learners, OG604 whoever sends a
  reference photo. An honest capture is nobody else's;
- through a device (OG802), or the same list of twenty and more events (OG804). Both are excluded by being honest.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from bundle_rows import UNSHRUNK, Rows, Simulated, bundles, ndjson, results_of, rows_of, simulated
from hypothesis import given
from hypothesis import strategies as st
from moved_rows import DAY_MS, moved

from online_guard.policy import DEFAULT_POLICY, Policy, load_policy
from online_guard.simulate.course import WAYS, Course, Plan, simulate
from online_guard.simulate.ways import HONEST_WAYS

FILES = ("findings.ndjson", "sessions.ndjson", "ledger.ndjson", "eligibility.ndjson")
NEW = "new-class"
# the seeds of newcomers begin at 100: one seed gives one series of pictures
honest = st.builds(Plan, st.sampled_from(sorted(HONEST_WAYS)))


def newcomer(plan: Plan, seed: int, beside: Rows) -> Rows:
    """Return a learner of a new class on the platform of `beside`, who begins when its first session does."""
    neighbour = beside["classes"][0]
    rows = simulate([plan], seed, replace(Course(), class_id=NEW, platform_id=neighbour["platform_id"]))
    rows["classes"][0]["institution"] = neighbour["institution"]
    first, own = (min(row["opened_received_ms"] for row in some["sessions"]) for some in (beside, rows))
    return moved(rows, first - own, (first - own) // DAY_MS)


@UNSHRUNK
@given(drawn=bundles() | simulated, plan=honest, seed=st.integers(100, 199))
def test_a_newcomer_in_another_class_changes_nothing_for_others(
    policy: Policy, drawn: Rows | Simulated, plan: Plan, seed: int
) -> None:
    rows = rows_of(drawn)
    new = newcomer(plan, seed, rows)
    both = {name: rows.get(name, []) + new.get(name, []) for name in (rows | new)}
    together, without, alone = (results_of(some, policy) for some in (both, rows, new))
    assert {row["verdict"] for row in ndjson(alone["sessions.ndjson"])} == {"accepted"}
    for name in FILES:
        parts = without[name].splitlines() + alone[name].splitlines()
        assert sorted(together[name].splitlines()) == sorted(parts), name


@UNSHRUNK
@given(ways=st.lists(st.sampled_from(WAYS), min_size=1, max_size=3), plan=honest, seed=st.integers(0, 99))
def test_a_newcomer_in_the_class_changes_no_verdict_of_others(ways: list[str], plan: Plan, seed: int) -> None:
    policy = load_policy(DEFAULT_POLICY, ["control.min_sessions=2"])
    rows = simulate([*map(Plan.of, ways), plan], seed)
    name = rows["enrolments"][-1]["enrolment_id"]
    before, after = (results_of(some, policy) for some in (_without(rows, name), rows))
    verdicts = [row for row in ndjson(after["sessions.ndjson"]) if name not in row["session_id"]]
    assert verdicts == ndjson(before["sessions.ndjson"])
    hours = [row for row in ndjson(after["ledger.ndjson"]) if row["enrolment_id"] != name]
    for row, old in zip(hours, ndjson(before["ledger.ndjson"]), strict=True):
        assert row["hours"] >= old["hours"] or "OG901" in row["refused_by"]
        assert row["credited_s"] == old["credited_s"]


def _without(rows: Rows, enrolment_id: str) -> Rows:
    """Return the rows that don't belong to an enrolment; its sessions have its id in theirs."""

    def others(row: dict[str, Any]) -> bool:
        return enrolment_id != row.get("enrolment_id") and not row.get("session_id", "").startswith(f"{enrolment_id}-")

    return {name: [row for row in table if others(row)] for name, table in rows.items()}
