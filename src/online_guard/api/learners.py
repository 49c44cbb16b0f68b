"""Routes about learners as persons."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query

from online_guard.api.bodies import NAMES_NOBODY, Id
from online_guard.api.callers import TheCaller, TheHouse, callers
from online_guard.service.operating import erasures
from online_guard.terms import Role

router = APIRouter(prefix="/learners", tags=["个人信息 personal data"])
LearnerId = Annotated[Id, Path(description="学员 learner")]
Reason = Annotated[
    str,
    NAMES_NOBODY,
    Query(min_length=1, max_length=1_000, description="理由与法律依据 / why, and on what legal basis"),
]


@router.delete("/{learner_id}", summary="删除个人信息 / erase a person", openapi_extra=callers(Role.ADMIN))
def erase(house: TheHouse, caller: TheCaller, learner_id: LearnerId, reason: Reason) -> dict[str, Any]:
    """Destroy a person's data key, name, numbers, face and pictures; hours, verdicts and log proofs stay.

    Refused while a case about the person is open. Done again, it changes nothing.
    """
    return erasures.erase(house, learner_id, reason=reason, ordered_by=caller.name)
