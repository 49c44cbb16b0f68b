"""Appeals against findings that refuse; somebody who hasn't decided before decides them (SPEC section 5)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from online_guard.errors import ErrorKind, GuardError
from online_guard.policy import Policy
from online_guard.service.house import House
from online_guard.service.reviewing import cases
from online_guard.service.reviewing.cases import History, Standing
from online_guard.service.reviewing.finding_history import must_find_finding, outcome, told_appeal
from online_guard.store import review_rows
from online_guard.store.decision_tables import AppealRecord, DecisionRecord
from online_guard.store.tables import FindingRecord
from online_guard.store.unit_of_work import writing
from online_guard.terms import DecisionKind, Effect


def appeal(
    house: House, finding_id: str, platform_id: str | None, opened_by: str, appellant: str, reason: str, now_ms: int
) -> tuple[bool, dict[str, Any]]:
    """Open an appeal against a finding that refuses; return whether it is new, and the appeal.

    Raises:
        GuardError: No such finding, nothing is refused by it, or it was appealed already.
    """
    with writing(house.engine) as database:
        finding = must_find_finding(database, finding_id, platform_id)
        history = History.of_case(database, finding.case_id)
        made, earlier = history.decisions.get(finding_id, []), history.appeals.get(finding_id, [])
        for known in earlier:
            if (known.appellant, known.reason, known.opened_by) == (appellant, reason, opened_by):
                return False, told_appeal(known, made, house.policy)
        _check_appealable(finding, history.standing(finding, house.policy), made, earlier, house.policy)
        record = AppealRecord(
            finding_id=finding_id,
            number=len(earlier) + 1,
            **cases.names_of(finding),
            appellant=appellant,
            reason=reason,
            opened_by=opened_by,
            opened_ms=now_ms,
            decisions_before=len(made),
        )
        review_rows.put_appeal(database, record)
        cases.settle_case_of(database, house.policy, finding, now_ms)
        return True, told_appeal(record, made, house.policy)


def _check_appealable(
    finding: FindingRecord,
    stands: Standing,
    made: Sequence[DecisionRecord],
    earlier: Sequence[AppealRecord],
    policy: Policy,
) -> None:
    refuses = stands.holds is DecisionKind.UPHOLD or (finding.effect == Effect.REJECT and stands.holds is None)
    if finding.effect == Effect.NOTE or not refuses:
        raise GuardError(
            ErrorKind.CONFLICT, "appeal.nothing_refused", "该疑点未作出不予认定 / nothing is refused by this finding"
        )
    if stands.appeal is not None:
        raise GuardError(ErrorKind.CONFLICT, "appeal.open", "已有申诉在处理中 / an appeal is being decided already")
    if earlier and outcome(earlier[-1], made, policy) is DecisionKind.UPHOLD:
        raise GuardError(
            ErrorKind.CONFLICT, "appeal.decided", "申诉已有结论 / an appeal against it has been decided already"
        )
