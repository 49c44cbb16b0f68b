"""Webhooks against a real receiver on a loopback address: signed, in order, tried again, and never led elsewhere."""

from __future__ import annotations

import json
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ipaddress import ip_address, ip_network
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from standardwebhooks import Webhook, WebhookVerificationError
from webhook_receiver import Receiver, certificate_for, receiving

from online_guard.errors import GuardError
from online_guard.service.house import House, clock_ms, open_house
from online_guard.service.notifying import webhook_client, webhook_delivery, webhooks
from online_guard.service.notifying.webhook_client import NotDeliveredError, check_url, is_allowed, post
from online_guard.settings import Settings
from online_guard.store import jobs, outbox
from online_guard.store.tables import JobRecord
from online_guard.store.unit_of_work import reading, writing
from online_guard.store.webhook_tables import MessageRecord
from online_guard.worker import work_once

LOOPBACK = ip_network("127.0.0.1/32")
HOUR_MS = 3_600_000


@contextmanager
def a_house(tmp_path: Path, url: str) -> Iterator[House]:
    opened = open_house(Settings(data_dir=tmp_path / "data", database_url=url, webhook_networks=("127.0.0.1/32",)))
    yield opened
    opened.engine.dispose()


@pytest.fixture
def house(tmp_path: Path, sqlite_url: str) -> Iterator[House]:
    with a_house(tmp_path, sqlite_url) as opened:
        yield opened


@pytest.fixture
def either(tmp_path: Path, database_url: str) -> Iterator[House]:
    """Return a house on SQLite, and on PostgreSQL."""
    with a_house(tmp_path, database_url) as opened:
        yield opened


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as started:
        yield started


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Return a function that lets the clocks of delivery and worker stand so much later."""

    def let(after_ms: int) -> None:
        for module in (webhook_delivery, webhooks, __import__("online_guard.worker", fromlist=["worker"])):
            monkeypatch.setattr(module, "clock_ms", lambda: clock_ms() + after_ms)

    return let


def emit(house: House, subject: str, **data: Any) -> None:
    with writing(house.engine) as database:
        webhooks.emit(database, "session.verified", "P", subject, data)


def work(house: House) -> None:
    """Do what is due, as the worker does."""
    while work_once(house):
        pass


def states(house: House) -> list[str]:
    return [row["state"] for row in webhooks.messages(house, None, None, 0, 100)["messages"]]


def test_a_message_arrives_signed_and_is_told_once(house: House, receiver: Receiver) -> None:
    told = webhooks.add(house, "P", f"{receiver.url}/hook")
    webhooks.add(house, "another", f"{receiver.url}/another")
    emit(house, "P/S", session_id="S", verdict="accepted")
    work(house)
    work(house)
    ((path, headers, body),) = receiver.got
    assert path == "/hook"
    assert headers["content-type"] == "application/json"
    message = Webhook(told["secret"]).verify(body, headers)
    assert message["type"] == "session.verified"
    assert message["data"] == {"session_id": "S", "verdict": "accepted"}
    assert headers["webhook-id"].startswith("msg_")
    assert states(house) == ["delivered"]
    with pytest.raises(WebhookVerificationError):
        Webhook(told["secret"]).verify(body + b" ", headers)


def test_several_messages_at_once_go_to_each_platforms_own_endpoints(house: House, receiver: Receiver) -> None:
    for platform_id in ("P", "Q"):
        webhooks.add(house, platform_id, f"{receiver.url}/{platform_id}")
    told = [webhooks.Told(who, f"{who}/{n}", {"n": n}) for n in range(3) for who in ("P", "Q", "nobody")]
    with writing(house.engine) as database:
        webhooks.emit_all(database, "session.verified", told)
    work(house)
    for who in ("P", "Q"):
        numbers = [json.loads(body)["data"]["n"] for path, _, body in receiver.got if path == f"/{who}"]
        assert numbers == [0, 1, 2]
    assert len(receiver.got) == 6


def test_nothing_is_told_of_what_was_undone(house: House, receiver: Receiver) -> None:
    webhooks.add(house, "P", f"{receiver.url}/hook")

    def undone() -> None:
        with writing(house.engine) as database:
            webhooks.emit(database, "session.verified", "P", "P/S", {})
            raise RuntimeError

    with pytest.raises(RuntimeError):
        undone()
    work(house)
    assert receiver.got == []
    with reading(house.engine) as database:
        assert database.scalars(select(JobRecord)).all() == []


def test_a_failed_message_is_tried_again_under_its_id_and_later_ones_of_its_subject_wait(
    either: House, receiver: Receiver, later: Callable[[int], None]
) -> None:
    house = either
    webhooks.add(house, "P", f"{receiver.url}/hook")
    receiver.failures["/hook"] = 1
    for number in range(3):
        emit(house, "P/one", number=number)
    emit(house, "P/other", number=9)
    work(house)
    numbers = [json.loads(body)["data"]["number"] for _, _, body in receiver.got]
    assert numbers == [0, 9], "the other subject doesn't wait"
    work(house)
    assert len(receiver.got) == 2, "not before its time"
    later(6_000)
    work(house)
    numbers = [json.loads(body)["data"]["number"] for _, _, body in receiver.got]
    assert numbers == [0, 9, 0, 1, 2]
    ids = [headers["webhook-id"] for _, headers, _ in receiver.got]
    assert ids[0] == ids[2]
    assert len(set(ids)) == 4
    assert states(house) == ["delivered"] * 4


def test_waits_grow_and_end_after_72_hours_with_a_parked_message(
    house: House, receiver: Receiver, later: Callable[[int], None]
) -> None:
    webhooks.add(house, "P", f"{receiver.url}/hook")
    receiver.failures["/hook"] = 10_000
    emit(house, "P/S", number=0)
    emit(house, "P/S", number=1)
    start_ms, tries = clock_ms(), []
    for _ in range(40):
        with reading(house.engine) as database:
            (endpoint,) = outbox.endpoints(database)
            due = outbox.next_try_ms(database, endpoint.endpoint_id)
        if due is None or states(house)[0] == "parked":
            break
        tries.append(max(due - start_ms, 0))
        later(max(due - clock_ms(), 0) + 1)
        work(house)
    waits = [b - a for a, b in pairwise(tries)]
    assert all(b >= a * 0.9 for a, b in pairwise(waits))
    assert 60 * HOUR_MS < tries[-1] <= 72 * HOUR_MS
    assert len(tries) < 25
    assert states(house)[0] == "parked"
    parked = webhooks.messages(house, "P", "parked", 0, 10)["messages"][0]
    assert parked["last_error"] == "HTTP 500"
    receiver.failures.clear()
    later(0)
    webhooks.replay(house, parked["message_id"])
    work(house)
    assert states(house)[0] == "delivered"


def test_a_delivered_message_can_be_replayed_by_its_platform_only(house: House, receiver: Receiver) -> None:
    webhooks.add(house, "P", f"{receiver.url}/hook")
    emit(house, "P/S", number=0)
    work(house)
    (message,) = webhooks.messages(house, "P", None, 0, 10)["messages"]
    assert webhooks.messages(house, "another", None, 0, 10)["messages"] == []
    with pytest.raises(GuardError, match="not found"):
        webhooks.replay(house, message["message_id"], "another")
    webhooks.replay(house, message["message_id"], "P")
    work(house)
    assert [headers["webhook-id"] for _, headers, _ in receiver.got] == [message["message_id"]] * 2


def test_after_a_rotation_both_secrets_sign_for_a_day(
    house: House, receiver: Receiver, later: Callable[[int], None]
) -> None:
    old = webhooks.add(house, "P", f"{receiver.url}/hook")
    new = webhooks.rotate(house, old["endpoint_id"])
    emit(house, "P/S", number=0)
    work(house)
    later(25 * HOUR_MS)
    emit(house, "P/S", number=1)
    work(house)
    (_, first, first_body), (_, second, second_body) = receiver.got
    for secret in (old["secret"], new["secret"]):
        Webhook(secret).verify(first_body, first)
    Webhook(new["secret"]).verify(second_body, second)
    with pytest.raises(WebhookVerificationError):
        Webhook(old["secret"]).verify(second_body, second)
    with reading(house.engine) as database:
        (endpoint,) = outbox.endpoints(database)
    assert old["secret"].encode() not in endpoint.secret + (endpoint.previous_secret or b"")


def test_a_removed_endpoint_is_told_nothing(house: House, receiver: Receiver) -> None:
    told = webhooks.add(house, "P", f"{receiver.url}/hook")
    emit(house, "P/S", number=0)
    webhooks.remove(house, told["endpoint_id"])
    emit(house, "P/S", number=1)
    work(house)
    assert receiver.got == []
    assert states(house) == ["parked"]
    assert webhooks.listed(house) == []
    with pytest.raises(GuardError, match="not found"):
        webhooks.remove(house, told["endpoint_id"])


@pytest.mark.parametrize(
    ("path", "reason"), [("/redirect", "HTTP 307"), ("/slow", "no answer within"), ("/drip", "no answer within")]
)
def test_a_misbehaving_receiver_is_given_up_soon(
    receiver: Receiver, path: str, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhook_client, "WHOLE_S", 0.4)
    began = time.monotonic()
    with pytest.raises(NotDeliveredError, match=reason):
        post(receiver.url + path, "{}", {}, [LOOPBACK])
    assert time.monotonic() - began < 1.4
    assert [got[0] for got in receiver.got] == [path], "no redirect was followed"


def test_an_endless_answer_is_not_read(receiver: Receiver) -> None:
    began = time.monotonic()
    post(f"{receiver.url}/endless", "{}", {}, [LOOPBACK])
    assert time.monotonic() - began < 2


def test_a_dead_receiver_is_told_as_such() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(NotDeliveredError, match="ConnectError"):
            post(f"http://127.0.0.1:{taken.getsockname()[1]}/", "{}", {}, [LOOPBACK])


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example/",
        "ftp://hooks.example/",
        "https://user:word@hooks.example/",
        "https://127.0.0.1/",
        "https://10.0.0.1/",
        "https://169.254.169.254/latest",
        "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[fd00:ec2::254]/",
        "https://168.63.129.16/",
        "https://[64:ff9b::7f00:1]/",
        "https:///path",
        "nonsense",
        "https://hooks.example/" + "x" * 2000,
    ],
)
def test_what_can_not_be_an_endpoint_is_refused(url: str) -> None:
    with pytest.raises(GuardError):
        check_url(url, ())


def test_a_public_address_and_an_allowed_network_may_be_endpoints() -> None:
    check_url("https://hooks.example/x?y=1", ())
    check_url("https://93.184.216.34/", ())
    check_url("http://127.0.0.1:8080/", [LOOPBACK])
    with pytest.raises(GuardError):
        check_url("http://127.0.0.2:8080/", [LOOPBACK])


@given(st.ip_addresses())
def test_only_global_unicast_addresses_are_allowed(address: Any) -> None:
    if is_allowed(address, ()):
        assert address.is_global
        assert not address.is_multicast
        mapped = ip_address(f"::ffff:{address}") if address.version == 4 else address
        assert is_allowed(mapped, ())


def resolving(monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> list[str]:
    """Let names be resolved to some addresses, one list after the other; return the names asked for."""
    asked: list[str] = []

    def look_up(host: Any, port: Any, *_: Any, **__: Any) -> list[Any]:
        asked.append(host.decode() if isinstance(host, bytes) else str(host))
        found = answers[min(len(asked), len(answers)) - 1]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, port)) for one in found]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return asked


def test_a_name_that_means_a_private_address_is_refused(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    for answer in (["127.0.0.1"], ["93.184.216.34", "127.0.0.1"], []):
        resolving(monkeypatch, answer)
        with pytest.raises(NotDeliveredError, match="isn't allowed"):
            post(f"https://hooks.test:{receiver.port}/", "{}", {}, ())
    assert receiver.got == []


def test_a_name_is_resolved_once_and_the_checked_address_is_used(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    certificate = certificate_for("hooks.test", tmp_path / "certificate.pem")
    trusted = ssl.create_default_context(cafile=certificate)
    monkeypatch.setattr(webhook_client, "_trusted", lambda: trusted)
    allowed = [ip_network("127.0.0.2/32")]
    with receiving("127.0.0.2", certificate) as good:
        asked = resolving(monkeypatch, ["127.0.0.2"], ["127.0.0.1"])
        post(f"https://hooks.test:{good.port}/hook", "{}", {}, allowed)
        assert asked == ["hooks.test"], "a second look-up would have given another address"
        assert good.got[0][1]["host"] == f"hooks.test:{good.port}"
        resolving(monkeypatch, ["127.0.0.2"])
        with pytest.raises(NotDeliveredError, match="ConnectError"):
            post(f"https://another.test:{good.port}/hook", "{}", {}, allowed)
        assert len(good.got) == 1, "the certificate is for another name"


def test_jobs_of_an_endpoint_end_when_nothing_waits(house: House, receiver: Receiver) -> None:
    webhooks.add(house, "P", f"{receiver.url}/hook")
    emit(house, "P/S", number=0)
    work(house)
    with reading(house.engine) as database:
        assert jobs.listed(database) == []
        assert database.scalars(select(MessageRecord.attempts)).all() == [1]
