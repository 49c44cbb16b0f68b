"""Signatures are good once, for their body, over restarts and in every process; cookies only from pages of ours."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pyotp
import pytest
from argon2 import PasswordHasher
from fastapi import FastAPI
from platform_client import ask, pointers, problem

from online_guard.api.app import create_app
from online_guard.api.authentication import Authentication
from online_guard.api.callers import Caller, SpooledBody, TheCaller, callers
from online_guard.errors import GuardError
from online_guard.service.admitting.accounts import add_person, disable_person, set_password, set_totp
from online_guard.service.admitting.platform_keys import NewSecret, create_key, revoke_key, rotate_key
from online_guard.service.house import House, open_house
from online_guard.settings import Settings
from online_guard.signatures import Message, SignedRequests, content_digest, sign
from online_guard.store.account_rows import use_nonces
from online_guard.store.unit_of_work import close_engine, writing
from online_guard.terms import Role

WHO = "/v1/whoami"
NUMBERS = itertools.count(1)
PASSWORD = "four words and a comma,"


@pytest.fixture(autouse=True)
def quick_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hash passwords quickly; how strongly it is done in production is tested with the service."""
    quick = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    for module in ("accounts", "logins"):
        monkeypatch.setattr(f"online_guard.service.admitting.{module}.HASHER", quick)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    opened = open_house(Settings(data_dir=tmp_path_factory.mktemp("data"), logins_per_address="1000/minute"))
    yield opened
    close_engine(opened.engine)


@pytest.fixture(scope="module")
def app(house: House) -> FastAPI:
    return create_app(house)


@pytest.fixture
def key(house: House) -> NewSecret:
    return create_key(house, "hc-online")


@pytest.fixture
def either(tmp_path: Path, database_url: str) -> Iterator[House]:
    """Return an empty house on SQLite, and one on PostgreSQL."""
    opened = open_house(Settings(data_dir=tmp_path / "data", database_url=database_url))
    yield opened
    close_engine(opened.engine)


def signed(key: NewSecret, method: str = "GET", path: str = WHO, **options: Any) -> dict[str, str]:
    """Return the headers of a signed request to the application in this process."""
    request = httpx.Request(method, f"http://service{path}", **options)
    return dict(next(SignedRequests(key.key_id, key.secret).sync_auth_flow(request)).headers)


def test_a_signature_is_good_once_over_restarts_and_in_every_process(either: House) -> None:
    app, another, key = create_app(either), create_app(either), create_key(either, "hc-online")
    headers = signed(key)
    assert ask(app, "GET", WHO, headers=headers).json()["platform_id"] == "hc-online"
    problem(ask(app, "GET", WHO, headers=headers), 401, "signature.replayed")
    problem(ask(another, "GET", WHO, headers=headers), 401, "signature.replayed")
    problem(ask(create_app(either), "GET", WHO, headers=headers), 401, "signature.replayed")


def test_of_one_signature_sent_to_two_processes_at_once_one_gets_in(either: House) -> None:
    apps, headers = [create_app(either), create_app(either)], signed(create_key(either, "hc-online"))

    async def both() -> list[int]:
        async def one(app: FastAPI) -> int:
            transport = httpx.ASGITransport(app)
            async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
                return (await client.get(WHO, headers=headers)).status_code

        return await asyncio.gather(*(one(app) for app in apps for _ in range(3)))

    assert sorted(asyncio.run(both())) == [200, 401, 401, 401, 401, 401]


def test_a_nonce_is_good_once_even_signed_anew(app: FastAPI, key: NewSecret) -> None:
    digest, now_s = content_digest(b""), int(time.time())
    for created_s, status in ((now_s, 200), (now_s - 2, 401)):
        message = Message("GET", WHO, "", {"host": "service", "content-digest": digest})
        headers = {"Content-Digest": digest, **sign(message, key.key_id, key.secret, created_s, "the same")}
        answer = ask(app, "GET", WHO, headers=headers)
        assert answer.status_code == status, answer.text
    problem(answer, 401, "signature.replayed")


def test_many_at_once_are_all_let_in_and_kept(house: House, app: FastAPI, key: NewSecret) -> None:
    async def many() -> list[int]:
        auth = SignedRequests(key.key_id, key.secret)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://service") as client:
            answers = await asyncio.gather(*(client.get(WHO, auth=auth) for _ in range(100)))
        return [answer.status_code for answer in answers]

    assert set(asyncio.run(many())) == {200}


def test_work_that_keeps_its_signature_itself_is_refused_with_it(house: House, key: NewSecret) -> None:
    app = create_app(house)

    @app.post("/v1/work", openapi_extra=callers(Role.PLATFORM, keeps_signature=True))
    def work(caller: TheCaller) -> dict[str, bool]:
        assert caller.used is not None
        with writing(house.engine) as database:
            return {"is_new": not use_nonces(database, [caller.used])}

    headers = signed(key, "POST", "/v1/work")
    assert ask(app, "POST", "/v1/work", headers=headers).json() == {"is_new": True}
    problem(ask(app, "POST", "/v1/work", headers=headers), 401, "signature.replayed")
    problem(ask(create_app(house), "GET", WHO, headers=headers), 401, "signature.wrong")


def test_another_body_is_refused_before_anything_is_done(house: House, key: NewSecret) -> None:
    app = create_app(house)
    done: list[bytes] = []

    @app.post("/v1/stream", openapi_extra=callers(Role.PLATFORM))
    def keep(body: SpooledBody) -> None:
        body.seek(0)
        done.append(body.read())

    for sent, status in ((b"first and second", 200), (b"first and other!", 401), (b"first", 401)):
        headers = signed(key, "POST", "/v1/stream", content=b"first and second")
        headers.pop("content-length")

        async def parts(sent: bytes = sent) -> AsyncIterator[bytes]:
            yield sent[:6]
            yield sent[6:]

        answer = ask(app, "POST", "/v1/stream", headers=headers, content=parts())
        assert answer.status_code == status, answer.text
        if status == 401:
            assert pointers(problem(answer, 401, "signature.other_body")) == ["content-digest"]
    assert done == [b"first and second"]


@pytest.mark.parametrize("more", [{}, {"Idempotency-Key": "once"}], ids=str)
@pytest.mark.parametrize(
    ("body", "status", "code"),
    [(b"other", 401, "signature.other_body"), (bytes(5 * 1024 * 1024), 413, "body.too_large")],
    ids=["other", "too large"],
)
def test_a_body_that_is_refused_is_a_problem_whoever_reads_it(
    app: FastAPI, key: NewSecret, more: dict[str, str], body: bytes, status: int, code: str
) -> None:
    headers = signed(key, "POST", "/v1/sessions", content=b"what was signed", headers=more)
    headers.pop("content-length")
    problem(ask(app, "POST", "/v1/sessions", headers=headers, content=body), status, code)


def test_a_revoked_key_ends_within_a_second(
    house: House, app: FastAPI, key: NewSecret, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1000.0]
    monkeypatch.setattr("online_guard.service.admitting.platform_keys.time.monotonic", lambda: now[0])
    assert ask(app, "GET", WHO, headers=signed(key)).status_code == 200
    revoke_key(house, key.key_id)
    now[0] += 1.0
    problem(ask(app, "GET", WHO, headers=signed(key)), 401, "signature.wrong")


def test_after_a_rotation_both_secrets_work_until_the_overlap_ends(
    house: House, app: FastAPI, key: NewSecret, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1000.0]
    monkeypatch.setattr("online_guard.service.admitting.platform_keys.time.monotonic", lambda: now[0])
    new = rotate_key(house, key.key_id, overlap_s=100)
    assert [ask(app, "GET", WHO, headers=signed(one)).status_code for one in (key, new)] == [200, 200]
    now[0] += 1.0
    newest = rotate_key(house, key.key_id, overlap_s=0)
    problem(ask(app, "GET", WHO, headers=signed(key)), 401, "signature.wrong")
    problem(ask(app, "GET", WHO, headers=signed(new)), 401, "signature.wrong")
    assert ask(app, "GET", WHO, headers=signed(newest)).status_code == 200


def test_a_key_that_asks_too_often_is_told_when_to_come_back(house: House) -> None:
    limited = open_house(house.settings.model_copy(update={"requests_per_key": "3/minute"}))
    app, keys = create_app(limited), [create_key(limited, "one"), create_key(limited, "two")]
    assert [ask(app, "GET", WHO, headers=signed(keys[0])).status_code for _ in range(3)] == [200] * 3
    refused = ask(app, "GET", WHO, headers=signed(keys[0]))
    problem(refused, 429, "key.too_many_requests")
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    assert ask(app, "GET", WHO, headers=signed(keys[1])).status_code == 200
    close_engine(limited.engine)


def test_a_refusal_says_how_to_authenticate(app: FastAPI) -> None:
    assert ask(app, "GET", WHO).headers["www-authenticate"].startswith("Signature")


def logged_in(app: FastAPI, name: str, password: str = PASSWORD, **more: Any) -> httpx.Response:
    """Return the answer to a login."""
    return ask(app, "POST", "/v1/login", json={"name": name, "password": password} | more)


@pytest.fixture
def ann(house: House) -> str:
    """Return the name of somebody new."""
    name = f"ann {next(NUMBERS)}"
    add_person(house, name, Role.AUDITOR, PASSWORD)
    return name


def cookie(answer: httpx.Response) -> dict[str, str]:
    """Return the headers of someone who logged in."""
    return {"Cookie": answer.headers["set-cookie"].partition(";")[0]}


def test_a_login_gives_a_strict_cookie_and_a_token_that_every_change_needs(app: FastAPI, ann: str) -> None:
    answer = logged_in(app, ann)
    assert set(answer.json()) == {"name", "role", "csrf_token"}
    attributes = {part.strip().lower() for part in answer.headers["set-cookie"].split(";")[1:]}
    assert {"httponly", "samesite=strict", "path=/"} <= attributes
    assert "secure" not in attributes
    headers = cookie(answer)
    assert answer.headers["cache-control"] == "no-store"
    assert ask(app, "GET", WHO, headers=headers).json() == answer.json()
    token = {"Online-Guard-CSRF": answer.json()["csrf_token"]}
    problem(ask(app, "POST", "/v1/logout", headers=headers), 403, "csrf.refused")
    problem(ask(app, "POST", "/v1/logout", headers=headers | {"Online-Guard-CSRF": "x"}), 403, "csrf.refused")
    elsewhere = headers | token | {"Origin": "http://evil.example"}
    problem(ask(app, "POST", "/v1/logout", headers=elsewhere), 403, "csrf.refused")
    assert ask(app, "POST", "/v1/logout", headers=headers | token | {"Origin": "http://service"}).status_code == 200
    problem(ask(app, "GET", WHO, headers=headers), 401, "caller.unknown")


def test_who_is_logged_in_may_log_in_again(app: FastAPI, ann: str) -> None:
    headers, body = cookie(logged_in(app, ann)), {"name": ann, "password": PASSWORD}
    assert ask(app, "POST", "/v1/login", json=body, headers=headers).status_code == 200


def test_a_rate_that_can_not_be_read_is_told_at_the_start(house: House) -> None:
    wrong = replace(house, settings=house.settings.model_copy(update={"requests_per_key": "often"}))
    with pytest.raises(GuardError) as refusal:
        Authentication(create_app(house), wrong)
    assert (refusal.value.code, refusal.value.where) == ("settings.rate", "often")


def test_another_site_can_not_log_a_browser_in(app: FastAPI, ann: str) -> None:
    body = {"name": ann, "password": PASSWORD}
    answer = ask(app, "POST", "/v1/login", json=body, headers={"Origin": "null"})
    problem(answer, 403, "csrf.refused")


def test_behind_tls_the_cookie_is_secure_and_the_public_address_counts(house: House, ann: str) -> None:
    public = open_house(house.settings.model_copy(update={"public_url": "https://guard.example"}))
    app = create_app(public)
    body = {"name": ann, "password": PASSWORD}
    answer = ask(app, "POST", "/v1/login", json=body, headers={"Origin": "https://guard.example"})
    assert "Secure" in answer.headers["set-cookie"]
    problem(ask(app, "POST", "/v1/login", json=body, headers={"Origin": "http://service"}), 403, "csrf.refused")
    close_engine(public.engine)


def test_a_disabled_person_and_a_new_password_end_every_login(house: House, app: FastAPI, ann: str) -> None:
    headers = cookie(logged_in(app, ann))
    set_password(house, ann, PASSWORD + "!")
    problem(ask(app, "GET", WHO, headers=headers), 401, "caller.unknown")
    problem(logged_in(app, ann), 401, "login.refused")
    headers = cookie(logged_in(app, ann, password=PASSWORD + "!"))
    disable_person(house, ann)
    problem(ask(app, "GET", WHO, headers=headers), 401, "caller.unknown")
    problem(logged_in(app, ann, password=PASSWORD + "!"), 401, "login.refused")


def test_a_one_time_code_is_asked_for_and_good_once(house: House, app: FastAPI, ann: str) -> None:
    totp = pyotp.parse_uri(set_totp(house, ann))
    assert isinstance(totp, pyotp.TOTP)
    problem(logged_in(app, ann), 401, "login.refused")
    code = totp.now()
    assert logged_in(app, ann, code=code).status_code == 200
    problem(logged_in(app, ann, code=code), 401, "login.refused")


@pytest.mark.parametrize("is_known", [True, False])
def test_a_name_is_locked_after_five_failures_whether_anyone_has_it_or_not(
    app: FastAPI, ann: str, is_known: bool
) -> None:
    name = ann if is_known else f"not {ann}"
    for _ in range(5):
        problem(logged_in(app, name, "wrong password"), 401, "login.refused")
    refused = logged_in(app, name, PASSWORD)
    problem(refused, 429, "login.locked")
    assert 1 <= int(refused.headers["retry-after"]) <= 30


def test_an_address_that_tries_too_often_is_stopped(house: House, ann: str) -> None:
    limited = open_house(house.settings.model_copy(update={"logins_per_address": "2/minute"}))
    app = create_app(limited)
    assert [logged_in(app, ann).status_code for _ in range(3)] == [200, 200, 429]
    close_engine(limited.engine)


def test_neither_password_nor_secret_is_repeated_in_an_error(app: FastAPI) -> None:
    answer = ask(app, "POST", "/v1/login", json={"name": "ann", "password": "hunter2 " * 200})
    assert pointers(problem(answer, 422, "body.invalid")) == ["/password"]
    assert "hunter2" not in answer.text


def test_a_caller_is_told_apart_from_its_key(app: FastAPI, key: NewSecret) -> None:
    told = ask(app, "GET", WHO, headers=signed(key)).json()
    assert told == {"role": "platform", "name": key.key_id, "platform_id": "hc-online"}
    assert Caller(Role.PLATFORM, "k", "p") == Caller(Role.PLATFORM, "k", "p")
