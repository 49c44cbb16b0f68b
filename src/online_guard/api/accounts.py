"""Routes that end who may call: a person disabled or unlocked, a platform's key revoked. Secrets are made elsewhere."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path

from online_guard.api.bodies import Id
from online_guard.api.callers import TheCaller, TheHouse, callers
from online_guard.errors import ErrorKind, GuardError
from online_guard.service.admitting import accounts, platform_keys
from online_guard.terms import Role

router = APIRouter(tags=["登录 login"])
Name = Annotated[str, Path(min_length=1, max_length=128, description="用户名 name")]
KeyId = Annotated[Id, Path(description="平台密钥 key")]


@router.post("/people/{person}/disable", summary="停用人员 / disable a person", openapi_extra=callers(Role.ADMIN))
def disable(house: TheHouse, person: Name, caller: TheCaller) -> dict[str, Any]:
    """Let somebody else sign in no more; their logins end at once."""
    if person == caller.name:
        raise GuardError(
            ErrorKind.CONFLICT,
            "person.self",
            "不能停用自己 / nobody disables themselves",
            where=person,
            remedy="请由另一位管理员操作 / ask another administrator.",
        )
    accounts.disable_person(house, person)
    return {"name": person, "state": "disabled"}


@router.post("/people/{person}/unlock", summary="解除锁定 / unlock a person", openapi_extra=callers(Role.ADMIN))
def unlock(house: TheHouse, person: Name) -> dict[str, Any]:
    """Forget the failed logins that have locked a name for a while."""
    accounts.unlock_person(house, person)
    return {"name": person, "state": "unlocked"}


@router.post("/keys/{key_id}/revoke", summary="撤销平台密钥 / revoke a key", openapi_extra=callers(Role.ADMIN))
def revoke(house: TheHouse, key_id: KeyId) -> dict[str, Any]:
    """End a platform's key for good, within a second."""
    platform_keys.revoke_key(house, key_id)
    return {"key_id": key_id, "state": "revoked"}
