"""Addresses of this machine, and a guard that connects to no other unless the user named its host.

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
    """Return whether an IP address (no name) is this machine's: a loopback address, or that of one of its interfaces.

    An IPv4 address written as IPv6 is the IPv4 address, and the unspecified one (``0.0.0.0``) is where servers of this
    machine listen. What a tunnel or a container's bridge does behind an address of this machine cannot be seen.
    """
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    # A connection to ::ffff:8.8.8.8 goes to 8.8.8.8, so the mapped address is what has to be judged.
    parsed = getattr(parsed, "ipv4_mapped", None) or parsed
    # Multicast and broadcast addresses can be bound to, and yet lead to other machines.
    if parsed.is_multicast or parsed == ipaddress.IPv4Address(0xFFFFFFFF):
        return False
    return parsed.is_loopback or parsed.is_unspecified or _is_interface(str(parsed))


def host_of(url: str) -> str:
    """Return the host of an HTTP address, in lower case.

    Raises :class:`UsageError` for what is no HTTP address, and for one that holds a user or a password.
    """
    try:
        parts = urlsplit(url)
        # urlsplit checks the port only when it is read.
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise UsageError(f"the address of a server cannot be parsed: {error}") from None
    # Addresses are written into manifests and logs, where a password must not stand.
    if parts.username is not None or parts.password is not None:
        raise UsageError(
            f"the address of the server at {host} holds a user or a password; pass a key in an environment variable"
        )
    if parts.scheme not in SCHEMES or not host:
        raise UsageError(f"{url!r} is not the address of a server, such as http://localhost:8000/v1")
    # "example.org." is "example.org" looked up without the search list of the resolver.
    return host.rstrip(".")


def port_of(url: str) -> int:
    """Return the port of an HTTP address, that of its scheme if it names none."""
    parts = urlsplit(url)
    return parts.port or SCHEMES[parts.scheme]


def resolve(host: str, port: int) -> tuple[str, ...]:
    """Return all IP addresses that a host has at this moment; :class:`OSError` if there is none."""
    results = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(str(address[0]) for *_, address in results))


def remote_hosts(urls: Iterable[str]) -> tuple[str, ...]:
    """Return the hosts of these URLs that are not this machine, each once: --allow-remote has to name them.

    A host is this machine if all of its addresses are. Raises :class:`UsageError` for a name that has none.
    """
    return tuple(dict.fromkeys(host_of(url) for url in urls if not _is_local(host_of(url), port_of(url))))


def unnamed_hosts(hosts: Iterable[str], named: Iterable[str]) -> tuple[str, ...]:
    """Return those of the hosts that were not named; upper and lower case make no difference."""
    allowed = {name.strip().lower().rstrip(".").strip("[]") for name in named}
    return tuple(host for host in hosts if host.lower() not in allowed)


@dataclass(frozen=True)
class Guard:
    """Permission to connect: to this machine, and to the hosts that the user ``named``."""

    named: frozenset[str] = frozenset()

    def check(self, host: str, address: str) -> None:
        """Raise :class:`UsageError` if nothing may be sent to this address of a host."""
        if unnamed_hosts([host], self.named) and not is_this_host(address):
            raise UsageError(
                f"the address of {host} is not this machine's, and the host is not allowed; "
                f"nothing was sent; add --allow-remote {host} if video may be sent there"
            )

    def addresses(self, host: str, port: int) -> tuple[str, ...]:
        """Return the addresses of a host, all of them checked; :class:`OSError` if there is none."""
        addresses = resolve(host, port)
        for address in addresses:
            self.check(host, address)
        return addresses

    def connect(self, host: str, port: int, timeout_s: float | None = None) -> socket.socket:
        """Return a connection to a host, its address checked before and after connecting.

        Raises :class:`UsageError` if nothing may be sent there, and :class:`OSError` if no address answers.
        """
        last_error: OSError = ConnectionError(f"{host} has no address")
        # Connected to by address, never by name: a second look-up could lead elsewhere than the checked one.
        for address in self.addresses(host, port):
            try:
                connection = socket.create_connection((address, port), timeout_s)
            except OSError as error:
                last_error = error
                continue
            try:
                self.check(host, connection.getpeername()[0])
            except BaseException:
                connection.close()
                raise
            return connection
        raise last_error


def _is_local(host: str, port: int) -> bool:
    try:
        return all(map(is_this_host, resolve(host, port)))
    except (OSError, UnicodeError):
        raise UsageError(f"there is no host named {host!r}; check the address of the server") from None


def _is_interface(address: str) -> bool:
    # Asked of the kernel by binding: Python lists no addresses of interfaces, and only these can be bound to.
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as probe:
        probe.bind((address, 0))
        return True
    return False
