"""Signatures agree with the general library of RFC 9421, cover what they must, and fit nothing that was changed."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import itertools
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from http_message_signatures import HTTPMessageSigner, HTTPMessageVerifier, MappingKeyResolver, algorithms
from hypothesis import given
from hypothesis import strategies as st

from online_guard import signatures
from online_guard.errors import ErrorKind, GuardError
from online_guard.signatures import COVERED, Message, SignedRequests, content_digest, content_digest_of, read_signature

KEY_ID, SECRET = "key-1", "5f" * 32
RESOLVER = MappingKeyResolver(public_keys={KEY_ID: SECRET.encode()}, private_keys={KEY_ID: SECRET.encode()})
VERIFIER = HTTPMessageVerifier(signature_algorithm=algorithms.HMAC_SHA256, key_resolver=RESOLVER)
SIGNER = HTTPMessageSigner(signature_algorithm=algorithms.HMAC_SHA256, key_resolver=RESOLVER)
URLS = st.builds(
    "http://{}{}/{}{}".format,
    st.sampled_from(["127.0.0.1", "Guard.Example", "[::1]"]),
    st.sampled_from(["", ":8080", ":1"]),
    st.lists(st.sampled_from(["v1", "a%2Fb", "%E5%AD%A6", "x;y", "~", "a+b", "."]), max_size=4).map("/".join),
    st.sampled_from(["", "?", "?a=1", "?a=%20&b=+&c", "?q=%E5%AD%A6", "?a=b=c?d"]),
)
METHODS = st.sampled_from(["GET", "PUT", "POST", "DELETE"])


@dataclass
class Foreign:
    """A request as the general library reads it."""

    method: str
    url: str
    headers: dict[str, str]


def signed(method: str, url: str, body: bytes) -> httpx.Request:
    """Return a request signed by our own client."""
    return next(SignedRequests(KEY_ID, SECRET).sync_auth_flow(httpx.Request(method, url, content=body)))


def message(method: str, url: str, headers: Mapping[str, str]) -> Message:
    """Return what a server sees of a request."""
    path, _, query = httpx.URL(url).raw_path.decode().partition("?")
    return Message(method, path, query, {name.lower(): value for name, value in headers.items()})


@given(METHODS, URLS, st.binary(max_size=50))
def test_the_library_verifies_what_we_sign(method: str, url: str, body: bytes) -> None:
    request = signed(method, url, body)
    theirs = Foreign(method, str(request.url), dict(request.headers))
    (result,) = VERIFIER.verify(theirs, max_age=timedelta(minutes=5), body=body, require_components=list(COVERED))
    assert result.parameters["keyid"] == KEY_ID
    assert read_signature(message(method, str(request.url), request.headers)).is_made_with(SECRET.encode())


@given(METHODS, URLS, st.binary(max_size=50), st.permutations([*COVERED, "content-type"]), st.booleans())
def test_we_verify_what_the_library_signs(
    method: str, url: str, body: bytes, covered: list[str], with_algorithm: bool
) -> None:
    request = httpx.Request(method, url, content=body, headers={"Content-Type": "application/json"})
    theirs = Foreign(method, str(request.url), dict(request.headers) | {"content-digest": content_digest(body)})
    SIGNER.sign(
        theirs,
        key_id=KEY_ID,
        nonce="once",
        label="theirs",
        covered_component_ids=covered,
        include_alg=with_algorithm,
        use_existing_digest=True,
    )
    read = read_signature(message(method, theirs.url, theirs.headers))
    assert read.is_made_with(SECRET.encode())
    assert not read.is_made_with(SECRET[:-1].encode())
    assert (read.key_id, read.nonce, read.body_sha256) == (KEY_ID, "once", hashlib.sha256(body).digest())


REQUEST = message("POST", "http://guard/v1/x?a=1", signed("POST", "http://guard/v1/x?a=1", b"body").headers)


@pytest.mark.parametrize(
    "change",
    [
        {"method": "PUT"},
        {"path": "/v1/y"},
        {"path": "/v1/x/"},
        {"query": "a=2"},
        {"query": ""},
        {"headers": {"host": "other"}},
        {"headers": {"content-digest": content_digest(b"other")}},
    ],
    ids=str,
)
def test_a_changed_request_does_not_fit(change: dict[str, Any]) -> None:
    headers = {**REQUEST.headers, **change.get("headers", {})}
    changed = replace(REQUEST, **{**change, "headers": headers})
    assert read_signature(REQUEST).is_made_with(SECRET.encode())
    assert not read_signature(changed).is_made_with(SECRET.encode())


@pytest.mark.parametrize("what", ["created", "nonce", "keyid"])
def test_a_changed_parameter_does_not_fit(what: str) -> None:
    inputs = REQUEST.headers["signature-input"]
    read = read_signature(REQUEST)
    old = {"created": f"created={read.created_s}", "nonce": read.nonce, "keyid": f'keyid="{KEY_ID}"'}[what]
    new = {"created": f"created={read.created_s + 1}", "nonce": "n" * 22, "keyid": 'keyid="key-2"'}[what]
    changed = read_signature(replace(REQUEST, headers={**REQUEST.headers, "signature-input": inputs.replace(old, new)}))
    assert changed != read
    assert not changed.is_made_with(SECRET.encode())


INPUTS = REQUEST.headers["signature-input"]


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("signature-input", ""),
        ("signature-input", "sig"),
        ("signature-input", INPUTS + ", " + INPUTS),
        ("signature-input", INPUTS.replace(' "content-digest"', "")),
        ("signature-input", INPUTS.replace(' "@query"', "")),
        ("signature-input", INPUTS.replace('"@method"', '"@method" "@method"')),
        ("signature-input", INPUTS.replace('"@method"', '"@method";req')),
        ("signature-input", INPUTS.replace('"@method"', '"@method" "@status"')),
        ("signature-input", INPUTS.replace('"@method"', '"@method" "absent"')),
        ("signature-input", INPUTS + ";expires=1"),
        ("signature-input", INPUTS + ';nonce="again"'),
        ("signature-input", INPUTS + ';alg="none"'),
        ("signature-input", INPUTS.replace("created=", "created=-")),
        ("signature-input", INPUTS.replace("created=", "made=")),
        ("signature-input", INPUTS.replace(';keyid="key-1"', "")),
        ("signature-input", INPUTS.replace(';keyid="key-1"', ';keyid=""')),
        ("signature-input", INPUTS.replace(';keyid="key-1"', ";keyid=1")),
        ("signature", ""),
        ("signature", "sig=:abc:"),
        ("signature", REQUEST.headers["signature"].replace("sig=", "other=")),
        ("content-digest", "sha-256=:abc:"),
        ("content-digest", "md5=:1B2M2Y8AsgTpgAmY7PhCfg==:"),
        ("content-digest", f"{content_digest(b'')}, {content_digest(b'x')}"),
    ],
    ids=itertools.count(),  # the values differ from process to process
)
def test_what_can_not_be_read_is_refused_and_names_its_header(header: str, value: str) -> None:
    with pytest.raises(GuardError) as refusal:
        read_signature(replace(REQUEST, headers={**REQUEST.headers, header: value}))
    assert refusal.value.kind is ErrorKind.UNAUTHENTICATED
    assert refusal.value.code == "signature.unreadable"
    assert refusal.value.where in ("signature-input", header)
    assert " / " in refusal.value.message


@given(st.text(max_size=200), st.text(max_size=100))
def test_no_header_breaks_the_reader(inputs: str, mac: str) -> None:
    headers = {**REQUEST.headers, "signature-input": inputs, "signature": mac}
    with pytest.raises(GuardError):
        read_signature(replace(REQUEST, headers=headers))


@pytest.mark.parametrize(
    "inputs",
    [
        "sig=(" + '"' * 60_000,
        "sig=(" + '"a" ' * 15_000,
        "sig=(" + '"a"' * 20_000 + ")",
        INPUTS + ";a=1" * 15_000,
        INPUTS + ";" * 60_000,
        "a" * 60_000,
    ],
    ids=range(6),
)
def test_a_long_header_is_refused_quickly(inputs: str) -> None:
    began = time.process_time()
    with pytest.raises(GuardError):
        read_signature(replace(REQUEST, headers={**REQUEST.headers, "signature-input": inputs}))
    assert time.process_time() - began < 0.2


def test_one_more_digest_does_not_hide_the_one_that_counts() -> None:
    both = f"sha-512=:{base64.b64encode(bytes(64)).decode()}:, {content_digest(b'body')}"
    headers = {**REQUEST.headers, "content-digest": both}
    assert read_signature(replace(REQUEST, headers=headers)).body_sha256 == hashlib.sha256(b"body").digest()


def test_every_request_has_a_nonce_of_its_own() -> None:
    sent = [signed("GET", "http://guard/", b"").headers["signature-input"] for _ in range(50)]
    assert len(set(sent)) == 50


def test_a_streamed_body_is_not_read_when_its_digest_is_known(tmp_path: Path) -> None:
    file = tmp_path / "large"
    file.write_bytes(bytes(3_000_000))
    assert content_digest_of(file) == content_digest(bytes(3_000_000))

    def never() -> list[bytes]:
        raise AssertionError("it was read")
        yield b""

    request = httpx.Request(
        "POST", "http://guard/v1/imports", content=never(), headers={"Content-Digest": content_digest_of(file)}
    )
    assert "Signature" in next(SignedRequests(KEY_ID, SECRET).sync_auth_flow(request)).headers


def test_an_asynchronous_client_signs_alike() -> None:
    async def body() -> AsyncIterator[bytes]:
        yield b"bo"
        yield b"dy"

    async def sent() -> httpx.Request:
        request = httpx.Request("POST", "http://guard/v1/x", content=body())
        return await anext(SignedRequests(KEY_ID, SECRET).async_auth_flow(request))

    request = asyncio.run(sent())
    assert request.headers["content-digest"] == content_digest(b"body")
    assert read_signature(message("POST", str(request.url), request.headers)).is_made_with(SECRET.encode())


def test_the_window_is_that_of_the_specification() -> None:
    assert signatures.WINDOW_S == 5 * 60
