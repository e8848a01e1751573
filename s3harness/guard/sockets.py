"""Connections of this process: reported to watchers before they are made, and refused where no host was named.

Python's audit hooks report each connection and look-up of Python code, whichever library makes it. Connections of
compiled code and of other processes are not seen here; those that the harness itself makes go through
:class:`s3harness.Guard`.
"""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, TypeVar

from s3harness.guard.hosts import is_this_host, resolve, unnamed_hosts

ContactObserver = Callable[[str, int, str], None]
"""Called with a contact before it is made: address, port, and ``here``, ``named``, ``unnamed`` or ``refused``."""

CONNECT_EVENTS = ("socket.connect", "socket.sendto", "socket.sendmsg")
LOOKUP_EVENTS = ("socket.getaddrinfo", "socket.gethostbyname")

_Rule = TypeVar("_Rule")


@contextmanager
def watched(observer: ContactObserver, named: Iterable[str] = ()) -> Iterator[None]:
    """Report every contact to ``observer``; ``named`` are the hosts that the user named."""
    hosts = frozenset(named)
    with _installed(_watchers, (observer, hosts)), _recorded_lookups(hosts):
        yield


@contextmanager
def confined(named: Iterable[str] = ()) -> Iterator[None]:
    """Let this process connect to no address but this machine's and those of the ``named`` hosts.

    Any other connection raises ``PermissionError``, and nothing is sent.
    """
    hosts = frozenset(named)
    with _installed(_allowed_hosts, hosts), _recorded_lookups(hosts):
        yield


@contextmanager
def offline(permitted: Iterable[str] = ()) -> Iterator[list[str]]:
    """Refuse connections and look-ups of hosts other than this machine and the ``permitted``; yield those refused."""
    check = _OfflineCheck(permitted)
    with _installed(_offline_checks, check):
        yield check.refused


class _OfflineCheck:
    def __init__(self, permitted: Iterable[str]) -> None:
        self.names = {name.lower() for name in permitted} | {"localhost", ""}
        self.addresses = {address for name in self.names if name for address in _addresses(name, 443)}
        self.refused: list[str] = []

    def check(self, host: str) -> None:
        if host.lower() in self.names or host in self.addresses or is_this_host(host):
            return
        self.refused.append(host)
        raise PermissionError(f"connecting to {host} is not permitted while a plugin is checked")


_watchers: list[tuple[ContactObserver, frozenset[str]]] = []
_allowed_hosts: list[frozenset[str]] = []
_offline_checks: list[_OfflineCheck] = []
_looked_up: dict[str, set[str]] = {}
"""Named host → the addresses that look-ups returned. A name may have others at each look-up."""


@contextmanager
def _installed(rules: list[_Rule], rule: _Rule) -> Iterator[None]:
    _install_hook()
    rules.append(rule)
    try:
        yield
    finally:
        rules.remove(rule)


@lru_cache(maxsize=1)
def _install_hook() -> None:
    # Once for the process: an audit hook cannot be removed, so it stays and does nothing while there is no rule.
    sys.addaudithook(_hook)


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if event in LOOKUP_EVENTS and _offline_checks:
        host = arguments[0]
        name = host.decode(errors="replace") if isinstance(host, bytes) else host
        if isinstance(name, str):
            _check_offline(name)
    elif event in CONNECT_EVENTS and (_watchers or _allowed_hosts or _offline_checks):
        address = arguments[1]
        # Unix sockets have a path instead of a tuple; they stay on this machine.
        if isinstance(address, tuple) and len(address) > 1 and isinstance(address[0], str):
            _check_offline(address[0])
            _check_contact(address[0], int(address[1]))


def _check_offline(host: str) -> None:
    for check in _offline_checks:
        check.check(host)


def _check_contact(host: str, port: int) -> None:
    if not (_watchers or _allowed_hosts):
        return
    addresses = _addresses(host, port)
    is_here = all(map(is_this_host, addresses))
    is_refused = not is_here and not all(_is_named(host, port, addresses, hosts) for hosts in _allowed_hosts)
    for observer, named in _watchers:
        is_named = not is_here and _is_named(host, port, addresses, named)
        observer(host, port, "here" if is_here else "refused" if is_refused else "named" if is_named else "unnamed")
    if is_refused:
        # The host is in the audit log alone: this message may be journalled, and a journal may be shared.
        raise PermissionError(
            "refused a connection to a host that is not this machine and not allowed; nothing was sent; "
            "s3harness audit RUN shows the host, --allow-remote HOST allows it"
        )


def _addresses(host: str, port: int) -> tuple[str, ...]:
    if not host:
        return ("0.0.0.0",)  # noqa: S104 (nothing is bound; it is how the unspecified address is written)
    try:
        return resolve(host, port)
    except (OSError, UnicodeError):
        return (host,)


def _is_named(host: str, port: int, addresses: Iterable[str], named: frozenset[str]) -> bool:
    if not unnamed_hosts([host], named):
        return True
    allowed = {
        address for name in named for address in _looked_up.get(_bare(name), ()) or _addresses(_bare(name), port)
    }
    return all(address in allowed for address in addresses)


def _bare(name: str) -> str:
    return name.strip().lower().rstrip(".").strip("[]")


@contextmanager
def _recorded_lookups(named: frozenset[str]) -> Iterator[None]:
    """Record the addresses that look-ups of the named hosts return."""
    # A library looks a name up itself and connects to the address alone. Looking the name up again at that moment
    # could give other addresses (round robin), and the named host would be refused.
    if not named:
        yield
        return
    original = socket.getaddrinfo
    names = frozenset(map(_bare, named))

    def getaddrinfo(host: Any, port: Any, *args: Any, **options: Any) -> Any:
        results = original(host, port, *args, **options)
        name = _bare(host.decode() if isinstance(host, bytes) else str(host or ""))
        if name in names:
            _looked_up.setdefault(name, set()).update(str(address[0]) for *_, address in results)
        return results

    socket.getaddrinfo = getaddrinfo
    try:
        yield
    finally:
        socket.getaddrinfo = original
