"""Sends one message to an address that may be anyone's: no private networks, no redirects, little time, no answer read.

The name is resolved here and the connection goes to the address that was checked, so that a name that means another
address a moment later (DNS rebinding) gains nothing.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Collection, Mapping
from functools import lru_cache, partial
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

import anyio
import httpx

from online_guard.errors import ErrorKind, GuardError

Address = IPv4Address | IPv6Address
Networks = Collection[IPv4Network | IPv6Network]
WHOLE_S, CONNECT_S = 15.0, 5.0
"""Time for a delivery as a whole, name look-up included, and for connecting."""
LONGEST_URL = 2_000
METADATA = frozenset({ip_address("168.63.129.16")})
"""Public addresses at which clouds tell machines their secrets; the usual ones are link-local or private anyway."""
NAT64 = ip_network("64:ff9b::/96")


class NotDeliveredError(Exception):
    """A message didn't arrive; the text says why, without anything that the other side sent."""


def check_url(url: str, networks: Networks) -> httpx.URL:
    """Return the parsed URL of an endpoint.

    Args:
        url: `https://…`; `http://…` only to addresses within `networks`.
        networks: Networks outside the public Internet that are allowed.

    Raises:
        GuardError: It can't be an endpoint.
    """
    try:
        parsed = httpx.URL(url)
        host = parsed.raw_host.decode()
    except (httpx.InvalidURL, UnicodeError, TypeError) as error:
        raise _bad_url("不是网址 / isn't a URL") from error
    if len(url) > LONGEST_URL or parsed.scheme not in ("https", "http") or not host or parsed.userinfo:
        raise _bad_url("须为不含用户名的 https 网址 / must be an https URL without a user name")
    literal = _literal(host)
    if literal is not None and not is_allowed(literal, networks):
        raise _bad_url("不得指向内网地址 / must not point to a private address")
    if parsed.scheme == "http" and not (bool(networks) if literal is None else _within(literal, networks)):
        raise _bad_url("须用 https / must use https")
    return parsed


def _bad_url(message: str) -> GuardError:
    remedy = "内网地址须在 ONLINE_GUARD_WEBHOOK_NETWORKS 中列出 / private networks must be listed in that setting."
    return GuardError(ErrorKind.INVALID, "webhook.bad_url", message, where="/url", remedy=remedy)


def _literal(host: str) -> Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None


def is_allowed(address: Address, networks: Networks) -> bool:
    """Return whether a message may go to an address: a public one, or one within `networks`."""
    if _within(address, networks):
        return True
    return all(one.is_global and not one.is_multicast and one not in METADATA for one in _meanings(address))


def _within(address: Address, networks: Networks) -> bool:
    return any(address.version == network.version and address in network for network in networks)


def _meanings(address: Address) -> list[Address]:
    """Return an address and the IPv4 addresses that it may stand for."""
    if isinstance(address, IPv4Address):
        return [address]
    inner = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
    if address in NAT64:
        inner.append(IPv4Address(int(address) & 0xFFFF_FFFF))
    if address.ipv4_mapped is not None:
        return [address.ipv4_mapped]
    return [address, *(one for one in inner if one is not None)]


def post(url: str, body: str, headers: Mapping[str, str], networks: Networks) -> None:
    """Deliver a message: POST its body, and take a status of 2xx for an acknowledgement.

    Raises:
        NotDeliveredError: Anything else came of it.
    """
    try:
        parsed = check_url(url, networks)
        status = anyio.run(partial(_post, parsed, body.encode(), dict(headers), tuple(networks)))
    except GuardError as error:
        raise NotDeliveredError(error.message) from error
    except TimeoutError as error:
        raise NotDeliveredError(f"no answer within {WHOLE_S:.0f} s") from error
    except (httpx.HTTPError, OSError, UnicodeError) as error:
        raise NotDeliveredError(type(error).__name__) from error
    if not 200 <= status < 300:
        followed = ", redirects aren't followed" if 300 <= status < 400 else ""
        raise NotDeliveredError(f"HTTP {status}{followed}")


async def _post(url: httpx.URL, body: bytes, headers: dict[str, str], networks: Networks) -> int:
    """Return the status of the answer, of which nothing else is read."""
    with anyio.fail_after(WHOLE_S):
        address = await _resolved(url, networks)
        headers |= {"host": url.netloc.decode(), "content-type": "application/json"}
        async with httpx.AsyncClient(
            verify=_trusted(),
            trust_env=False,
            follow_redirects=False,
            timeout=httpx.Timeout(WHOLE_S, connect=CONNECT_S),
        ) as client:
            request = client.build_request("POST", url.copy_with(host=str(address)), content=body, headers=headers)
            # certificates are checked for the name, not for the address
            request.extensions["sni_hostname"] = url.raw_host.decode()
            response = await client.send(request, stream=True, follow_redirects=False)
            await response.aclose()
            return response.status_code


async def _resolved(url: httpx.URL, networks: Networks) -> Address:
    """Return the address to connect to; a name that has one refused address is refused."""
    port = url.port or (443 if url.scheme == "https" else 80)
    found = await anyio.getaddrinfo(url.raw_host, port, type=socket.SOCK_STREAM)
    addresses = [ip_address(str(one[4][0]).partition("%")[0]) for one in found]
    allowed = _within if url.scheme == "http" else is_allowed
    if not addresses or not all(allowed(address, networks) for address in addresses):
        raise NotDeliveredError("the name means an address that isn't allowed")
    return addresses[0]


@lru_cache(maxsize=1)
def _trusted() -> ssl.SSLContext:
    return httpx.create_ssl_context(trust_env=False)
