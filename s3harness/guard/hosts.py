"""Which addresses are this machine's, and a guard that connects to no other unless its host was named.

Nothing leaves this machine unless the user says so. A name is looked up twice: when the work is prepared, so that a
host that was not named is refused before anything is loaded, and again when a connection is made, because what a name
means may have changed between. What decides is the address that is really connected to.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

from s3harness.errors import UsageError

SCHEMES = {"http": 80, "https": 443}


def is_this_host(address: str) -> bool:
    """Whether an IP address (no name) is one of this machine's: a loopback address, or that of an interface of its own.

    An IPv4 address written as IPv6 is the IPv4 address, and the unspecified one (``0.0.0.0``) is where servers of this
    machine listen. What a tunnel or a container's bridge does behind an address of this machine cannot be seen.
    """
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    found = getattr(found, "ipv4_mapped", None) or found
    if found.is_multicast or found == ipaddress.IPv4Address(0xFFFFFFFF):
        return False
    return found.is_loopback or found.is_unspecified or _is_an_interface(str(found))


def host_of(url: str) -> str:
    """The host of an HTTP address, in lower case; :class:`UsageError` if it is no such address or holds a password."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise UsageError(f"the address of a server cannot be parsed: {error}") from None
    if parts.username is not None or parts.password is not None:
        raise UsageError(
            f"the address of the server at {host} holds a user or a password; pass a key in an environment variable"
        )
    if parts.scheme not in SCHEMES or not host:
        raise UsageError(f"{url!r} is not the address of a server, such as http://localhost:8000/v1")
    return host.rstrip(".")


def port_of(url: str) -> int:
    """The port of an HTTP address."""
    parts = urlsplit(url)
    return parts.port or SCHEMES[parts.scheme]


def resolve(host: str, port: int) -> tuple[str, ...]:
    """All IP addresses that a host has at this moment; :class:`OSError` if there is none."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(str(address[0]) for *_, address in found))


def remote_hosts(urls: Iterable[str]) -> tuple[str, ...]:
    """The hosts of these addresses that are not this machine, each once: what has to be named with --allow-remote.

    A host is this machine if all of its addresses are. :class:`UsageError` for a name that has none.
    """
    return tuple(dict.fromkeys(host_of(url) for url in urls if not _is_local(host_of(url), port_of(url))))


def unnamed_hosts(hosts: Iterable[str], named: Iterable[str]) -> tuple[str, ...]:
    """Those of the hosts that were not named; upper and lower case make no difference."""
    known = {name.strip().lower().rstrip(".").strip("[]") for name in named}
    return tuple(host for host in hosts if host.lower() not in known)


@dataclass(frozen=True)
class Guard:
    """Lets connections through to this machine, and to the hosts that were ``named``."""

    named: frozenset[str] = frozenset()

    def check(self, host: str, address: str) -> None:
        """Raise :class:`UsageError` if nothing may be sent to this address of a host."""
        if unnamed_hosts([host], self.named) and not is_this_host(address):
            raise UsageError(
                f"the address of {host} is not this machine's, and the host is not allowed; "
                f"nothing was sent; add --allow-remote {host} if video may be sent there"
            )

    def addresses(self, host: str, port: int) -> tuple[str, ...]:
        """The addresses of a host, all of them checked; :class:`OSError` if there is none."""
        found = resolve(host, port)
        for address in found:
            self.check(host, address)
        return found

    def connect(self, host: str, port: int, timeout_s: float | None = None) -> socket.socket:
        """A connection to a host whose address was checked before and after connecting; :class:`OSError` if none."""
        trouble: OSError = ConnectionError(f"{host} has no address")
        for address in self.addresses(host, port):
            try:
                made = socket.create_connection((address, port), timeout_s)
            except OSError as error:
                trouble = error
                continue
            try:
                self.check(host, made.getpeername()[0])
            except BaseException:
                made.close()
                raise
            return made
        raise trouble


def _is_local(host: str, port: int) -> bool:
    try:
        return all(map(is_this_host, resolve(host, port)))
    except (OSError, UnicodeError):
        raise UsageError(f"there is no host named {host!r}; check the address of the server") from None


def _is_an_interface(address: str) -> bool:
    """Only an address of an interface can be bound to."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as probe:
        probe.bind((address, 0))
        return True
    return False
