"""A network of its own for this process and all that it starts: loopback, and nothing behind it.

Connections of Python code are reported and refused by :mod:`s3harness.guard.sockets`; compiled code and other processes
are not seen there. The kernel sees them: in a network namespace without an interface there is no way out, whoever asks.
"""

from __future__ import annotations

import ctypes
import errno
import os
import socket
import struct
import sys
from pathlib import Path

from s3harness.errors import UsageError

_CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000
"""From ``linux/sched.h``; :func:`os.unshare` is there from Python 3.12 on."""
_SIOCSIFFLAGS, _IFF_UP = 0x8914, 0x1
"""From ``linux/sockios.h`` and ``linux/if.h``."""
_REMEDY = "run without --isolate, and keep the machine off the network by other means"


def isolate() -> None:
    """Leave the network of this machine for one that has loopback alone; processes started later are in it too.

    Servers of this machine cannot be reached from there either. Must be called before any thread is started, for the
    kernel moves a user namespace's creator only as a whole. Raises :class:`UsageError` saying why it is not possible.
    """
    if sys.platform != "linux":
        raise UsageError(f"--isolate needs Linux: {sys.platform} has no network namespaces; {_REMEDY}")
    # Before the namespace is entered: in it both are the overflow id until they are mapped.
    user, group = os.getuid(), os.getgid()
    error = _unshare(_CLONE_NEWNET)
    if error == errno.EPERM:
        # Without the right to make a network, a user namespace gives it, as rootless containers do.
        error = _unshare(_CLONE_NEWUSER | _CLONE_NEWNET)
        if not error:
            _map_identity(user, group)
    if error:
        reason = os.strerror(error)
        raise UsageError(f"--isolate is not possible here: no network namespace can be made ({reason}); {_REMEDY}")
    _raise_loopback()
    # A kernel or a container that shares interfaces with new namespaces would make the promise empty.
    if outward := [name for _, name in socket.if_nameindex() if name != "lo"]:
        raise UsageError(f"--isolate left an interface that leads out ({', '.join(outward)}); {_REMEDY}")


def _unshare(flags: int) -> int:
    """Return the error number of ``unshare(2)``, 0 for none."""
    # By ctypes, as Python 3.11 has no os.unshare.
    libc = ctypes.CDLL(None, use_errno=True)
    ctypes.set_errno(0)
    return ctypes.get_errno() if libc.unshare(flags) else 0


def _map_identity(user: int, group: int) -> None:
    """Keep the user's own ids in the new user namespace, so that files and devices stay readable."""
    # setgroups first: without the right over groups the kernel takes no gid_map before it is denied.
    for name, text in (("setgroups", "deny"), ("uid_map", f"{user} {user} 1"), ("gid_map", f"{group} {group} 1")):
        Path("/proc/self", name).write_text(text, encoding="ascii")


def _raise_loopback() -> None:
    """Set loopback up: a new network has it, but down, and engines talk to their workers over it."""
    import fcntl

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        fcntl.ioctl(control, _SIOCSIFFLAGS, struct.pack("16sH14s", b"lo", _IFF_UP, b""))
