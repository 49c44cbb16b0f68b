"""Logins at an OpenID provider: the authorization code flow with PKCE. Who may sign in, and as what, is kept here.

The provider says who someone is, by the `sub` of its ID token; a person added with this subject is let in with the role
that they have here. One-time codes are the provider's business then.
"""

from __future__ import annotations

import hashlib
import warnings
from functools import lru_cache
from importlib import import_module
from typing import Any

import httpx
from authlib.deprecate import AuthlibDeprecationWarning
from authlib.integrations.base_client import BaseApp, OAuthError
from authlib.integrations.base_client.sync_app import OAuth2Mixin
from authlib.integrations.base_client.sync_openid import OpenIDMixin
from joserfc.errors import JoseError

from online_guard.errors import ErrorKind, GuardError
from online_guard.service.admitting.logins import Login, begin_login
from online_guard.service.house import House, clock_ms
from online_guard.settings import Settings
from online_guard.store import account_rows
from online_guard.store.account_tables import ProviderLoginRecord
from online_guard.store.unit_of_work import writing

UNDER_WAY_MS = 10 * 60_000
"""How long someone may take at the provider."""
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "Ed25519", "EdDSA")
"""Of ID tokens: asymmetric ones only, whatever else the provider names."""
TIMEOUT_S = 10
PURPOSE = "provider login"


class _Provider(OAuth2Mixin, OpenIDMixin, BaseApp):  # type: ignore[misc]
    """The provider, as its discovery document describes it."""


@lru_cache(maxsize=4)
def _provider_of(issuer: str, client_id: str, client_secret: str) -> Any:
    with warnings.catch_warnings():
        # it would like httpx to be httpx2, which nothing else here speaks yet; so it is imported where it is needed
        warnings.simplefilter("ignore", AuthlibDeprecationWarning)
        _Provider.client_cls = import_module("authlib.integrations.httpx_client").OAuth2Client
    return _Provider(
        None,
        name="provider",
        client_id=client_id,
        client_secret=client_secret,
        server_metadata_url=f"{issuer.rstrip('/')}/.well-known/openid-configuration",
        client_kwargs={"scope": "openid", "code_challenge_method": "S256", "timeout": TIMEOUT_S},
    )


def _provider(settings: Settings) -> Any:
    """Return the provider that the settings name.

    Raises:
        GuardError: They name none, or it can't be reached, or it says that it is another.
    """
    if not (settings.oidc_issuer and settings.oidc_client_id and settings.oidc_client_secret):
        raise GuardError(ErrorKind.NOT_FOUND, "login.no_provider", "未配置 OIDC / no OpenID provider is configured")
    found = _provider_of(settings.oidc_issuer, settings.oidc_client_id, settings.oidc_client_secret.get_secret_value())
    try:
        described = found.load_server_metadata()
    except (httpx.HTTPError, ValueError) as error:
        raise _unreachable() from error
    if str(described.get("issuer", "")).rstrip("/") != settings.oidc_issuer.rstrip("/"):
        raise _unreachable()
    offered = described.get("id_token_signing_alg_values_supported") or ["RS256"]
    described["id_token_signing_alg_values_supported"] = [name for name in offered if name in ALGORITHMS]
    return found


def begin(house: House, redirect_uri: str) -> tuple[str, str]:
    """Begin a login at the provider; return where to send the browser, and the state that it brings back.

    Raises:
        GuardError: There is no provider, or it can't be reached.
    """
    asked = _provider(house.settings).create_authorization_url(redirect_uri)
    now_ms = clock_ms()
    with writing(house.engine) as database:
        account_rows.forget_old_logins(database, now_ms, now_ms - UNDER_WAY_MS)
        database.add(
            ProviderLoginRecord(
                state_sha256=_sha256(asked["state"]),
                nonce=asked["nonce"],
                verifier=house.vault.seal(asked["code_verifier"].encode(), PURPOSE),
                ends_ms=now_ms + UNDER_WAY_MS,
            )
        )
    return str(asked["url"]), str(asked["state"])


def finish(house: House, redirect_uri: str, state: str, code: str) -> Login:
    """Begin a login of the person that the provider names.

    Raises:
        GuardError: Nobody began this at the provider, or too long ago; the provider refuses; nobody here has the
            subject that it names.
    """
    with writing(house.engine) as database:
        record = database.get(ProviderLoginRecord, _sha256(state))
        if record is None or record.ends_ms < clock_ms():
            raise _refused("登录已过期,请重新开始 / the login is too old, begin again")
        database.delete(record)  # it is good once
    subject = _subject(house, redirect_uri, code, record)
    with writing(house.engine) as database:
        person = account_rows.person_of_subject(database, subject)
        if person is None or person.disabled_ms is not None:
            raise GuardError(
                ErrorKind.FORBIDDEN,
                "login.unknown_person",
                "该人员未获授权 / this person may not sign in here",
                remedy="请由管理员添加:online-guard users add --oidc-subject / an administrator adds them.",
            )
        return begin_login(database, person, clock_ms())


def _subject(house: House, redirect_uri: str, code: str, record: ProviderLoginRecord) -> str:
    """Return whom the provider's ID token names."""
    provider = _provider(house.settings)
    verifier = house.vault.open(record.verifier, PURPOSE).decode()
    expected = {
        "iss": {"essential": True, "value": provider.server_metadata["issuer"]},
        "aud": {"essential": True, "value": provider.client_id},
    }
    try:
        token = provider.fetch_access_token(redirect_uri, code=code, code_verifier=verifier)
        claims = provider.parse_id_token(token, record.nonce, claims_options=expected)
    except httpx.HTTPError as error:
        raise _unreachable() from error
    except (OAuthError, JoseError, ValueError, KeyError) as error:
        raise _refused("登录服务未确认身份 / the provider did not confirm who you are") from error
    if not claims or not claims.get("sub"):
        raise _refused("登录服务未确认身份 / the provider did not confirm who you are")
    return str(claims["sub"])


def _sha256(state: str) -> bytes:
    return hashlib.sha256(state.encode()).digest()


def _refused(why: str) -> GuardError:
    return GuardError(ErrorKind.UNAUTHENTICATED, "login.refused", why)


def _unreachable() -> GuardError:
    return GuardError(
        ErrorKind.UNAVAILABLE,
        "login.provider_unreachable",
        "无法连接登录服务 / the OpenID provider can't be reached, or is another",
        retry_after_s=30,
    )
