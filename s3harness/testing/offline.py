"""A watch over connections: whatever goes to another machine is stopped before it is made, and written down.

It sees what goes through Python's own sockets, in any thread of this process; not what another process sends.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache

from s3harness.network import is_this_host, resolve

_watches: list[_Watch] = []


class _Watch:
    def __init__(self, permitted: Iterable[str]) -> None:
        self.names = {name.lower() for name in permitted}
        self.addresses = {address for name in self.names for address in _addresses(name)}
        self.tried: list[str] = []

    def refuses(self, host: str) -> bool:
        known = host.lower() in self.names | {"localhost", ""} or host in self.addresses
        return not known and not is_this_host(host)


@contextmanager
def offline(permitted: Iterable[str] = ()) -> Iterator[list[str]]:
    """Stop connections and look-ups of hosts other than this machine and those ``permitted``; gives what was tried."""
    _install()
    watch = _Watch(permitted)
    _watches.append(watch)
    try:
        yield watch.tried
    finally:
        _watches.remove(watch)


@cache
def _install() -> None:
    """Once for the process: such a hook cannot be taken out again."""
    sys.addaudithook(_hook)


def _hook(event: str, arguments: tuple[object, ...]) -> None:
    if not _watches or not event.startswith("socket."):
        return
    host = _host(event, arguments)
    for watch in _watches:
        if host is not None and watch.refuses(host):
            watch.tried.append(host)
            raise PermissionError(f"connecting to {host} is not permitted while a plugin is checked")


def _host(event: str, arguments: tuple[object, ...]) -> str | None:
    """Whom an event is about, if it is about anybody."""
    if event in ("socket.getaddrinfo", "socket.gethostbyname"):
        host = arguments[0]
    elif event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
        address = arguments[1]
        host = address[0] if isinstance(address, tuple) else None
    else:
        return None
    return host.decode(errors="replace") if isinstance(host, bytes) else host if isinstance(host, str) else None


def _addresses(name: str) -> tuple[str, ...]:
    try:
        return resolve(name, 443)
    except OSError:
        return ()
