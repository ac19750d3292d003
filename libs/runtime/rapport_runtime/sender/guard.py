"""Which addresses a webhook may go to: a URL must not make us knock on our own doors.

Refused is whatever is not an ordinary public address, and every host of which one address is
refused. The address that was checked is the one that is connected to: a name is resolved once.
"""

import asyncio
import re
import socket
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final, TypeAlias

import httpx2

PORTS: Final = frozenset({443, 8443})

_V4: Final = tuple(
    map(
        ip_network,
        (
            "0.0.0.0/8",
            "10.0.0.0/8",
            "100.64.0.0/10",
            "127.0.0.0/8",
            "169.254.0.0/16",
            "172.16.0.0/12",
            "192.0.0.0/24",
            "192.0.2.0/24",
            "192.31.196.0/24",
            "192.52.193.0/24",
            "192.88.99.0/24",
            "192.168.0.0/16",
            "192.175.48.0/24",
            "198.18.0.0/15",
            "198.51.100.0/24",
            "203.0.113.0/24",
            "224.0.0.0/4",
            "240.0.0.0/4",
        ),
    )
)
"""Source: IANA's registry of special-purpose IPv4 addresses, and multicast."""

_V6_UNICAST: Final = ip_network("2000::/3")
"""Outside are `::`, loopback, v4-mapped, NAT64 (64:ff9b::/96), ULA, link-local and multicast."""

_V6: Final = tuple(
    map(ip_network, ("2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20"))
)
"""Inside, from IANA's registry: Teredo, ORCHID, documentation, 6to4 (which may hide any IPv4)."""

_NAME: Final = re.compile(r"(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_-]{1,63}\.?")
_LONGEST_NAME: Final = 254

Address: TypeAlias = IPv4Address | IPv6Address
Resolve: TypeAlias = Callable[[str, int], Awaitable[Sequence[str]]]


class ForbiddenTargetError(Exception):
    """The webhook's URL leads, or may lead, where we must not go. Never repeats the address."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where to connect to, and as whom the other side presents itself."""

    url: httpx2.URL
    """With the checked address as its host."""
    host: str
    """As the certificate and the `Host` header have it."""
    netloc: str


def is_public(address: Address) -> bool:
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _V4)
    if address.scope_id is not None or address not in _V6_UNICAST:
        return False
    return not any(address in network for network in _V6)


async def resolve(host: str, port: int) -> Sequence[str]:
    """All addresses of the host. Raises OSError."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(one[4][0]) for one in found))


async def aim(url: str, allowed: frozenset[str], look_up: Resolve = resolve) -> Target:
    """Resolve the URL's host, once, and check every address that comes out.

    `allowed`: origins of our own network, which may be anything.
    Raises ForbiddenTargetError, and OSError when the host cannot be resolved.
    """
    parsed = _parse(url)
    port = parsed.port or (443 if parsed.scheme == "https" else 80)
    is_ours = origin(parsed) in allowed
    if not is_ours:
        _refuse_shape(parsed, port)
    host = parsed.raw_host.decode()
    found = await _addresses(host, port, look_up)
    if not found:
        raise OSError("the host has no address")
    if not is_ours and not all(map(is_public, found)):
        raise ForbiddenTargetError("the host has an address that is not public")
    return Target(parsed.copy_with(host=str(found[0])), host, parsed.netloc.decode())


async def _addresses(host: str, port: int, look_up: Resolve) -> list[Address]:
    try:
        return [ip_address(host)]
    except ValueError:
        return [ip_address(one) for one in await look_up(host, port)]


def origin(url: httpx2.URL) -> str:
    """Scheme, host and port, spelled out."""
    port = url.port or (443 if url.scheme == "https" else 80)
    return f"{url.scheme}://{url.raw_host.decode()}:{port}"


def origins(text: str) -> frozenset[str]:
    """The origins of a setting, separated by spaces. Raises ForbiddenTargetError."""
    return frozenset(origin(_parse(one)) for one in text.split())


def _parse(text: str) -> httpx2.URL:
    try:
        url = httpx2.URL(text)
    except httpx2.InvalidURL:
        raise ForbiddenTargetError("this is no URL") from None
    if url.scheme not in {"http", "https"} or not url.host:
        raise ForbiddenTargetError("this is no URL of a web server")
    if url.userinfo or "\\" in text:
        raise ForbiddenTargetError("a webhook's URL names no user")
    return url


def _refuse_shape(url: httpx2.URL, port: int) -> None:
    if url.scheme != "https":
        raise ForbiddenTargetError("a webhook goes by https")
    if port not in PORTS:
        raise ForbiddenTargetError("a webhook goes to port 443 or 8443")
    host = url.raw_host.decode()
    try:
        ip_address(host)
    except ValueError:
        _refuse_odd_name(host)


def _refuse_odd_name(host: str) -> None:
    """`2130706433`, `0x7f.1` and `0177.0.0.1` are addresses to some resolvers: names to none."""
    if len(host) > _LONGEST_NAME or not _NAME.fullmatch(host):
        raise ForbiddenTargetError("the host is no name")
    last = host.rstrip(".").rpartition(".")[2]
    if last.isdecimal() or last.startswith("0x"):
        raise ForbiddenTargetError("the host is a number, not a name")
