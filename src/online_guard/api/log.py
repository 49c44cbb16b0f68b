"""Routes of the evidence log: anyone may read and check it."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query

from online_guard.api.callers import ANYONE, TheHouse, callers
from online_guard.errors import ErrorKind, GuardError
from online_guard.service.operating import evidence_log

router = APIRouter(prefix="/log", tags=["存证日志 evidence log"])
GREATEST = 2**53 - 1
Size = Annotated[int | None, Query(ge=0, le=GREATEST, description="树的条数,默认为最新 / by default the newest head's")]
Number = Annotated[int | None, Query(ge=0, le=GREATEST)]
Hash = Annotated[str | None, Query(pattern="^[0-9a-f]{64}$", description="叶子散列 / SHA-256 of a leaf, hexadecimal")]
Cursor = Annotated[int, Query(ge=0, le=GREATEST, description="上一页的 next / `next` of the page before")]
Limit = Annotated[int, Query(ge=1, le=1000)]


@router.get("/head", summary="签名的日志头 / the signed head", openapi_extra=callers(ANYONE))
def head(house: TheHouse) -> dict[str, Any]:
    """Return the newest head: size, root, time, key; `signature` is of `body`, see docs/evidence-log.md."""
    return evidence_log.head(house)


@router.get("/heads", summary="历次日志头 / all signed heads", openapi_extra=callers(ANYONE))
def heads(house: TheHouse, cursor: Cursor = 0, limit: Limit = 100) -> dict[str, Any]:
    """Return the heads signed so far, oldest first; each names the one before by the SHA-256 of its body."""
    return evidence_log.heads(house, cursor, limit)


@router.get("/key", summary="验签公钥 / the public key", openapi_extra=callers(ANYONE))
def key(house: TheHouse) -> dict[str, str]:
    """Return the Ed25519 key that signs heads; compare it with one that you got by another way."""
    return evidence_log.public_key(house)


@router.get("/entries", summary="日志条目 / entries", openapi_extra=callers(ANYONE))
def entries(house: TheHouse, cursor: Cursor = 0, limit: Limit = 100) -> dict[str, Any]:
    """Return leaves in the order of the tree; they hold salted digests and keyed names, no personal data."""
    return evidence_log.entries(house, cursor, limit)


@router.get("/proof", summary="存在或一致性证明 / inclusion or consistency", openapi_extra=callers(ANYONE))
def proof(
    house: TheHouse, entry_id: Number = None, leaf_hash: Hash = None, first: Number = None, tree_size: Size = None
) -> dict[str, Any]:
    """Prove that an entry (`entry_id`, `leaf_hash`) is in the tree, or that the one of `first` entries grew into it."""
    if sum(given is not None for given in (entry_id, leaf_hash, first)) != 1:
        words = "须给出 entry_id、leaf_hash、first 之一 / give one of entry_id, leaf_hash and first"
        raise GuardError(ErrorKind.INVALID, "log.which_proof", words, where="?entry_id")
    if first is not None:
        return evidence_log.consistency(house, first, tree_size)
    return evidence_log.inclusion(house, entry_id, leaf_hash, tree_size)
