"""The evidence log over HTTP: anyone may check it, with the public key and nothing else."""

from __future__ import annotations

import json
import time
from base64 import b64decode
from typing import Any

import httpx
import pytest
from platform_client import Platform, event, problem

from online_guard.demo.service import RunningService
from online_guard.store import merkle
from online_guard.store.log_key import is_signed


@pytest.fixture
def anyone(service: RunningService) -> Any:
    """Return a client that is nobody."""
    with httpx.Client(base_url=service.url, timeout=30, trust_env=False) as http:
        yield http


def told(anyone: httpx.Client, path: str, **parameters: Any) -> dict[str, Any]:
    answer = anyone.get(path, params=parameters)
    assert answer.is_success, answer.text
    return dict(answer.json())


def head_of_at_least(anyone: httpx.Client, size: int) -> dict[str, Any]:
    """Return a head once it covers so many entries: one is signed every five seconds."""
    deadline = time.monotonic() + 20
    while (answer := anyone.get("/v1/log/head")).status_code == 503 or answer.json()["size"] < size:
        assert time.monotonic() < deadline, answer.text
        time.sleep(0.2)
    return dict(answer.json())


def wait_until_placed(anyone: httpx.Client, entry_id: int) -> None:
    """Wait until an entry has its place in the tree: other tests' entries may come before it, and fill a head."""
    deadline = time.monotonic() + 20
    while anyone.get("/v1/log/proof", params={"entry_id": entry_id}).status_code == 409:
        assert time.monotonic() < deadline, entry_id
        time.sleep(0.2)


def test_a_verdict_is_in_the_log_and_the_log_only_grows(platform: Platform, anyone: httpx.Client) -> None:
    key = b64decode(told(anyone, "/v1/log/key")["public_key"])
    early = head_of_at_least(anyone, 0)
    session_id = platform.a_session()
    platform.post(session_id, [event(0, "play"), event(1, second=5)])
    platform.told("POST", f"/v1/sessions/{session_id}/close")
    receipt = platform.verified(f"/v1/sessions/{session_id}/verdict")["log"]
    assert json.loads(receipt["leaf"])["kind"] == "verdict"
    wait_until_placed(anyone, receipt["entry_id"])
    head = head_of_at_least(anyone, early["size"] + 2)
    assert is_signed(head["body"], head["signature"], key)
    assert json.loads(head["body"])["root"] == head["root"]
    size, root = head["size"], bytes.fromhex(head["root"])

    proof = told(anyone, "/v1/log/proof", entry_id=receipt["entry_id"], tree_size=size)
    leaf = merkle.leaf_hash(receipt["leaf"].encode())
    assert told(anyone, "/v1/log/proof", leaf_hash=leaf.hex(), tree_size=size) == proof
    path = [bytes.fromhex(step) for step in proof["audit_path"]]
    assert merkle.root_by_inclusion(leaf, proof["leaf_index"], size, path) == root

    grown = told(anyone, "/v1/log/proof", first=early["size"], tree_size=size)
    path = [bytes.fromhex(step) for step in grown["consistency_path"]]
    assert merkle.is_consistent(early["size"], bytes.fromhex(early["root"]), size, root, path)


def test_entries_and_heads_come_by_pages_and_name_nobody(platform: Platform, anyone: httpx.Client) -> None:
    session_id = platform.a_session()
    before = head_of_at_least(anyone, 0)["size"]
    platform.post(session_id, [event(0, "play")])
    size = head_of_at_least(anyone, before + 1)["size"]
    leaves: list[str] = []
    cursor: int | None = 0
    while cursor is not None:
        page = told(anyone, "/v1/log/entries", cursor=cursor, limit=2)
        leaves += [entry["leaf"] for entry in page["entries"]]
        cursor = page["next"]
    assert len(leaves) >= size
    assert all(sorted(json.loads(leaf)) == ["digest", "kind", "subject", "time_ms", "v"] for leaf in leaves)
    assert session_id not in "".join(leaves)
    heads = told(anyone, "/v1/log/heads", limit=1000)["heads"]
    assert [head["number"] for head in heads] == list(range(len(heads)))


@pytest.mark.parametrize(
    ("parameters", "status", "code"),
    [
        ({}, 422, "log.which_proof"),
        ({"entry_id": 1, "first": 1}, 422, "log.which_proof"),
        ({"first": 10**9}, 422, "log.no_such_tree"),
        ({"entry_id": 1, "tree_size": 10**9}, 422, "log.no_such_tree"),
        ({"entry_id": 10**9}, 404, "not_found"),
        ({"leaf_hash": "0" * 64}, 404, "not_found"),
        ({"leaf_hash": "xyz"}, 422, "body.invalid"),
        ({"entry_id": -1}, 422, "body.invalid"),
        ({"entry_id": 2**63}, 422, "body.invalid"),
    ],
)
def test_a_proof_that_can_not_be_given_is_a_problem(
    anyone: httpx.Client, platform: Platform, parameters: dict[str, Any], status: int, code: str
) -> None:
    head_of_at_least(anyone, 0)
    if "tree_size" in parameters:
        platform.post(platform.a_session(), [event(0, "play")])
        head_of_at_least(anyone, 1)
    problem(anyone.get("/v1/log/proof", params=parameters), status, code)
