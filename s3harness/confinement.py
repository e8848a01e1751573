"""What this process connects to: told to whoever watches, and refused where no host was named.

The interpreter reports each connection of Python code before it is made, whichever library makes it. Connections of
compiled code and of other processes are not seen here; those that the harness itself makes go through
:class:`s3harness.Guard`.
"""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

from s3harness.network import is_this_host, resolve, unnamed_hosts

Heard = Callable[[str, int, str], None]
"""Told of a contact before it is made: address, port, and ``here``, ``named``, ``unnamed`` or ``refused``."""

SENDING = ("socket.connect", "socket.sendto", "socket.sendmsg")
"""What the interpreter calls the moments at which something may go out."""


@contextmanager
def watched(heard: Heard, named: Iterable[str] = ()) -> Iterator[None]:
    """Have ``heard`` told of every contact; ``named`` are the hosts that the user named."""
    _install()
    watcher = (heard, frozenset(named))
    _watchers.append(watcher)
    try:
        with _remembering(watcher[1]):
            yield
    finally:
        _watchers.remove(watcher)


@contextmanager
def confined(named: Iterable[str] = ()) -> Iterator[None]:
    """Let this process connect to no address but this machine's and those of the hosts that were ``named``.

    Whoever tries meets a ``PermissionError``, and nothing is sent.
    """
    _install()
    room = frozenset(named)
    _rooms.append(room)
    try:
        with _remembering(room):
            yield
    finally:
        _rooms.remove(room)


_watchers: list[tuple[Heard, frozenset[str]]] = []
_rooms: list[frozenset[str]] = []
_meant: dict[str, set[str]] = {}
"""Named host → the addresses that it was looked up to have. A name may have others each time it is looked up."""


@lru_cache(maxsize=1)
def _install() -> None:
    sys.addaudithook(_hook)


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if event in SENDING and (_watchers or _rooms):
        address = arguments[1]
        if isinstance(address, tuple) and len(address) > 1 and isinstance(address[0], str):
            _contact(address[0], int(address[1]))


def _contact(host: str, port: int) -> None:
    addresses = _addresses(host, port)
    is_here = all(map(is_this_host, addresses))
    is_refused = not is_here and not all(_is_named(host, port, addresses, room) for room in _rooms)
    for heard, named in _watchers:
        is_named = not is_here and _is_named(host, port, addresses, named)
        heard(host, port, "here" if is_here else "refused" if is_refused else "named" if is_named else "unnamed")
    if is_refused:
        # The host is in the audit log alone: this may be journalled, and a journal may be shared.
        raise PermissionError(
            "a connection to a host that is not this machine and was not named; nothing was sent; "
            "s3harness audit RUN says which host, --allow-remote HOST that video may go there"
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
    known = {address for name in named for address in _meant.get(_bare(name), ()) or _addresses(_bare(name), port)}
    return all(address in known for address in addresses)


def _bare(name: str) -> str:
    return name.strip().lower().rstrip(".").strip("[]")


@contextmanager
def _remembering(named: frozenset[str]) -> Iterator[None]:
    """Remember which addresses the named hosts are looked up to have, as a name may have others the next time."""
    if not named:
        yield
        return
    before = socket.getaddrinfo
    names = frozenset(map(_bare, named))

    def look_up(host: Any, port: Any, *args: Any, **more: Any) -> Any:
        found = before(host, port, *args, **more)
        name = _bare(host.decode() if isinstance(host, bytes) else str(host or ""))
        if name in names:
            _meant.setdefault(name, set()).update(str(address[0]) for *_, address in found)
        return found

    socket.getaddrinfo = look_up
    try:
        yield
    finally:
        socket.getaddrinfo = before
