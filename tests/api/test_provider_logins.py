"""Logins at an OpenID provider of this process: let in is who was added here, and only by a true ID token."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from fastapi import FastAPI
from openid_provider import CLIENT_ID, CLIENT_SECRET, Provider, running_provider
from platform_client import ask, problem
from pydantic import SecretStr

from online_guard.api.app import create_app
from online_guard.service.admitting.accounts import add_person, disable_person
from online_guard.service.house import House, open_house
from online_guard.settings import Settings
from online_guard.store.unit_of_work import close_engine
from online_guard.terms import Role


@pytest.fixture(scope="module")
def running() -> Iterator[Provider]:
    with running_provider() as one:
        yield one


@pytest.fixture
def provider(running: Provider) -> Provider:
    """Return a provider that tells the truth."""
    running.lies, running.algorithm = {}, "RS256"
    return running


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, running: Provider) -> Iterator[House]:
    settings = Settings(
        data_dir=tmp_path_factory.mktemp("data"),
        public_url="http://service",
        oidc_issuer=running.url,
        oidc_client_id=CLIENT_ID,
        oidc_client_secret=SecretStr(CLIENT_SECRET),
    )
    opened = open_house(settings)
    add_person(opened, "ann", Role.AUDITOR, None, "subject-of-ann")
    add_person(opened, "bob", Role.AUDITOR, None, "subject-of-bob")
    disable_person(opened, "bob")
    yield opened
    close_engine(opened.engine)


@pytest.fixture(scope="module")
def app(house: House) -> FastAPI:
    return create_app(house)


def begun(app: FastAPI) -> tuple[str, dict[str, str]]:
    """Return where the browser is sent, and the cookie that it takes along."""
    answer = ask(app, "GET", "/v1/login/oidc")
    assert answer.status_code == 303
    assert "samesite=lax" in answer.headers["set-cookie"].lower()
    return answer.headers["location"], {"Cookie": answer.headers["set-cookie"].partition(";")[0]}


def back(app: FastAPI, address: str, cookie: dict[str, str], code: str, **changes: str) -> httpx.Response:
    """Return the answer to a browser that comes back with a code."""
    state = parse_qs(urlsplit(address).query)["state"][0]
    parameters = {"state": state, "code": code} | changes
    return ask(app, "GET", "/v1/login/oidc/callback", params=parameters, headers=cookie)


def test_someone_whom_the_provider_names_is_let_in_with_the_role_that_they_have_here(
    app: FastAPI, provider: Provider
) -> None:
    address, cookie = begun(app)
    assert address.startswith(f"{provider.url}/authorize?")
    answer = back(app, address, cookie, provider.signed_in(address, "subject-of-ann"))
    assert (answer.status_code, answer.json()["name"], answer.json()["role"]) == (200, "ann", "auditor")
    login = answer.headers.get_list("set-cookie")[-1].partition(";")[0]
    assert ask(app, "GET", "/v1/whoami", headers={"Cookie": login}).json()["name"] == "ann"


def test_a_login_is_finished_once_and_by_the_browser_that_began_it(app: FastAPI, provider: Provider) -> None:
    address, cookie = begun(app)
    code = provider.signed_in(address, "subject-of-ann")
    problem(back(app, address, {}, code), 403, "csrf.refused")
    problem(back(app, address, {"Cookie": cookie["Cookie"] + "x"}, code), 403, "csrf.refused")
    assert back(app, address, cookie, code).status_code == 200
    problem(back(app, address, cookie, code), 401, "login.refused")


@pytest.mark.parametrize("subject", ["subject-of-nobody", "subject-of-bob"])
def test_who_is_unknown_or_disabled_is_not_let_in(app: FastAPI, provider: Provider, subject: str) -> None:
    address, cookie = begun(app)
    problem(back(app, address, cookie, provider.signed_in(address, subject)), 403, "login.unknown_person")


@pytest.mark.parametrize(
    "lies",
    [{"iss": "http://evil"}, {"aud": "another"}, {"nonce": "another"}, {"exp": 1}, {"sub": ""}, {"nonce": None}],
    ids=str,
)
def test_an_id_token_that_lies_lets_nobody_in(app: FastAPI, provider: Provider, lies: dict[str, Any]) -> None:
    provider.lies = lies
    address, cookie = begun(app)
    problem(back(app, address, cookie, provider.signed_in(address, "subject-of-ann")), 401, "login.refused")


def test_a_token_signed_otherwise_lets_nobody_in(app: FastAPI, provider: Provider) -> None:
    provider.algorithm = "HS256"
    address, cookie = begun(app)
    problem(back(app, address, cookie, provider.signed_in(address, "subject-of-ann")), 401, "login.refused")


def test_a_code_of_another_login_lets_nobody_in(app: FastAPI, provider: Provider) -> None:
    elsewhere, _ = begun(app)
    address, cookie = begun(app)
    problem(back(app, address, cookie, provider.signed_in(elsewhere, "subject-of-ann")), 401, "login.refused")
    problem(back(app, address, cookie, "made up"), 401, "login.refused")


def test_without_a_provider_and_with_one_that_is_down(tmp_path: Path) -> None:
    house = open_house(Settings(data_dir=tmp_path))
    problem(ask(create_app(house), "GET", "/v1/login/oidc"), 404, "login.no_provider")
    down = {"oidc_issuer": "http://127.0.0.1:9", "oidc_client_id": "x", "oidc_client_secret": SecretStr("y")}
    unreachable = open_house(house.settings.model_copy(update=down))
    answer = ask(create_app(unreachable), "GET", "/v1/login/oidc")
    problem(answer, 503, "login.provider_unreachable")
    assert answer.headers["retry-after"] == "30"
    for one in (house, unreachable):
        close_engine(one.engine)
