"""The headers of pages, problems as pages, and the ways in."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import httpx
import pytest
from fastapi import FastAPI

from online_guard.review.app import create_console
from online_guard.service.house import open_house
from online_guard.settings import Settings

PEOPLE = {"accept": "text/html,application/xhtml+xml"}


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FastAPI]:
    house = open_house(Settings(data_dir=tmp_path_factory.mktemp("doors")))
    yield create_console(house)
    house.engine.dispose()


def get(app: FastAPI, path: str, **headers: str) -> httpx.Response:
    async def answer() -> httpx.Response:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://guard.example") as client:
            return await client.get(path, headers=headers)

    return asyncio.run(answer())


def test_nothing_runs_that_is_not_a_file_of_this_service(app: FastAPI) -> None:
    for path in ("/console/sign-in", "/console/static/console.js", "/console/absent"):
        answer = get(app, path, **PEOPLE)
        policy = answer.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'")
        assert "unsafe" not in policy
        assert (answer.headers["x-content-type-options"], answer.headers["x-frame-options"]) == ("nosniff", "DENY")
    page = get(app, "/console/sign-in", **PEOPLE)
    assert page.headers["cache-control"] == "no-store"
    assert " style=" not in page.text
    assert " onclick=" not in page.text
    assert "content-security-policy" not in get(app, "/healthz").headers, "what isn't a page stays as it is"


def test_whoever_is_not_signed_in_is_asked_to_and_comes_back(app: FastAPI) -> None:
    answer = get(app, "/console/cases?rule=OG101", **PEOPLE)
    assert (answer.status_code, answer.headers["location"]) == (
        303,
        "/console/sign-in?next=%2Fconsole%2Fcases%3Frule%3DOG101",
    )
    told = get(app, "/console/cases")
    assert (told.status_code, told.headers["content-type"]) == (401, "application/problem+json")


@pytest.mark.parametrize("elsewhere", ["https://evil.example/", "//evil.example", "/v1/logout", "/consoles"])
def test_signing_in_leads_to_no_other_site(app: FastAPI, elsewhere: str) -> None:
    assert f'data-next="{elsewhere}"' not in get(app, f"/console/sign-in?next={elsewhere}", **PEOPLE).text
    assert 'data-next="/console"' in get(app, f"/console/sign-in?next={elsewhere}", **PEOPLE).text


def test_a_problem_is_a_page_in_the_language_of_the_cookie(app: FastAPI) -> None:
    page = get(app, "/console/static/absent.js", **PEOPLE)
    assert (page.status_code, "<h1>找不到</h1>" in page.text) == (404, True)
    assert (
        "<h1>not found</h1>" in get(app, "/console/static/absent.js", cookie="online_guard_language=en", **PEOPLE).text
    )


def test_a_style_file_is_sent_once(app: FastAPI) -> None:
    first = get(app, "/console/static/console.css")
    again = get(app, "/console/static/console.css", **{"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])
    assert get(app, "/console/static/pictures.css").text.startswith("/* Looks of all pictures")
    assert get(app, "/console/static/..%2fpages.py").status_code == 401, "no file of this service"


def test_whoever_comes_back_from_the_provider_goes_on_from_a_page_of_ours(app: FastAPI) -> None:
    assert 'data-go="/console"' in get(app, "/console/signed-in", **PEOPLE).text
    assert (get(app, "/").status_code, get(app, "/").headers["location"]) == (303, "/console")
