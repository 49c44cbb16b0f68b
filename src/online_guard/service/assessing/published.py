"""A published roster as each caller may read it: a platform its own candidates, names for those who need them."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from online_guard.assessment.roster import Change, Roster, changes
from online_guard.service.assessing.candidacy import WHAT, Candidacy
from online_guard.service.assessing.personal_names import people_of
from online_guard.service.house import House
from online_guard.store import result_rows, roster_rows
from online_guard.store.unit_of_work import reading


def told(
    house: House,
    window: str,
    version: int | None,
    since: int | None,
    platform_id: str | None,
    *,
    with_names: bool = False,
) -> dict[str, Any]:
    """Return a version of a window's roster, and how it differs from who is eligible now.

    Args:
        house: The service.
        window: Such as `2021-08`.
        version: The newest, where none is named.
        since: The version against which changes are told, in place of the one before.
        platform_id: Whose candidates alone are told of; None for all.
        with_names: Tell names and masked identity numbers too.

    Raises:
        GuardError: No such version.
    """
    with reading(house.engine) as database:
        record = roster_rows.find_roster(database, window, version)
        roster, newest_version = roster_rows.roster_of(record), roster_rows.find_roster(database, window, None).version
        if since is not None:
            earlier = roster_rows.roster_of(roster_rows.find_roster(database, window, since))
            roster = roster.model_copy(update={"changes": changes(earlier.plan, roster.plan)})
        if platform_id is not None:
            roster = _part_of(roster, platform_id, _platforms(database, roster, since))
        answer = roster.model_dump(mode="json") | {"plan_id": record.plan_id, "sha256": record.sha256}
        if platform_id is not None:
            answer["published_by"] = None  # persons of the office aren't the platforms' business
        now = Candidacy.of(database, window, platform_id)
        answer |= {"newest_version": newest_version, "pending": list(now.pending), "outdated": None}
        if roster.version == newest_version and not result_rows.has_results(database, window):
            answer["outdated"] = _outdated(now, roster)
        if with_names:
            people = people_of(house, database, named_in(roster))
            answer["names"] = {who: vars(person) for who, person in people.items()}
    return answer


def named_in(roster: Roster) -> set[str]:
    """Return the enrolments that a roster and its changes speak of."""
    return {*(one.enrolment_id for one in roster.candidates), *(one.enrolment_id for one in roster.changes)}


def _platforms(database: Session, roster: Roster, since: int | None) -> dict[str, str]:
    """Return the platform of each candidate of a version, and of those who were removed since another."""
    versions = [roster]
    other = roster.version - 1 if since is None else since
    if other and roster.changes:
        versions.append(roster_rows.roster_of(roster_rows.find_roster(database, roster.window, other)))
    return {one.enrolment_id: one.platform_id for version in versions for one in version.candidates}


def _part_of(roster: Roster, platform_id: str, platform_of: dict[str, str]) -> Roster:
    """Return what of a roster concerns a platform: its own candidates, where they sit and what became of them."""

    def is_own(one: Any) -> bool:
        return platform_of.get(one.enrolment_id) == platform_id

    changed: tuple[Change, ...] = tuple(filter(is_own, roster.changes))
    own_plan = roster.plan.model_copy(update={"sittings": tuple(filter(is_own, roster.plan.sittings)), "duties": ()})
    candidates = tuple(filter(is_own, roster.candidates))
    return roster.model_copy(update={"candidates": candidates, "plan": own_plan, "changes": changed})


def _outdated(now: Candidacy, roster: Roster) -> dict[str, list[dict[str, Any]]] | None:
    """Return who is to be added, removed or known otherwise, and why; None where a new version would be the same."""
    found = now.differences(roster.candidates)
    return {what: [one for one in found if one["what"] == what] for what in WHAT} if found else None
