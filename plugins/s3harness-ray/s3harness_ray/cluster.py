"""The cluster that a run is spread over: started here, or one that runs already."""

from __future__ import annotations

import logging
import math
import os
import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import ray

import s3harness
from s3harness_ray.options import RayOptions

QUIET = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_DEDUP_LOGS": "0", "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0"}
"""Ray sends usage statistics unless told not to."""

REACH_S = 5.0
"""A cluster answers within this."""

STARTS = 3
"""How often Ray is started on this machine before it is given up."""


@dataclass(frozen=True, slots=True)
class Shares:
    """How many workers there are, and what each has to itself."""

    workers: int
    cpus: float
    gpus: float
    decoders: int


@contextmanager
def connected(options: RayOptions, allow_remote: Sequence[str]) -> Iterator[Shares]:
    """A connection to Ray for a while; :class:`s3harness.UsageError` if the cluster is not what was asked for."""
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    _check_reachable(options.address, s3harness.Guard(frozenset(allow_remote)))
    with _own_signals():
        _start(options)
    try:
        about: Any = ray  # these two have no types
        _refuse_unnamed_hosts(about.nodes(), allow_remote)
        yield _shares(options, about.cluster_resources())
    finally:
        ray.shutdown()


def _start(options: RayOptions) -> None:
    """Start Ray or reach it. A busy machine may need longer than the half minute that Ray allows itself to start."""
    for left in reversed(range(1 if options.address else STARTS)):
        try:
            _init(options)
            return
        except Exception as error:  # Ray raises that very class where it was too slow
            ray.shutdown()
            if not left:
                where = f"reached at {options.address}" if options.address else "started on this machine"
                raise s3harness.S3HarnessError(f"Ray cannot be {where}: {error}") from error


def _init(options: RayOptions) -> None:
    if options.address:
        ray.init(address=options.address, log_to_driver=False, logging_level=logging.ERROR)
        return
    least = math.ceil(max(options.workers, 2) * options.cpus)
    cpus = max(len(os.sched_getaffinity(0)), least)
    ray.init(num_cpus=cpus, include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR)


def _check_reachable(address: str, guard: s3harness.Guard) -> None:
    """Whether something answers at an address; Ray itself tries for ever, and would not ask whether it may."""
    if address in ("", "auto"):
        return
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not host or not port.isdecimal():
        raise s3harness.UsageError(f"-x address={address}: an address like 10.0.0.1:6379, or auto, is expected")
    try:
        guard.connect(host, int(port), REACH_S).close()
    except OSError as error:
        raise s3harness.S3HarnessError(f"there is no Ray at {address}: {error}") from error


def _shares(options: RayOptions, has: dict[str, float]) -> Shares:
    """What each worker gets; :class:`s3harness.UsageError` if there is not enough, for Ray would wait for ever."""
    gpus = options.gpus if options.gpus >= 0 else min(1.0, has.get("GPU", 0.0))
    workers = options.workers or (max(1, int(has.get("GPU", 0.0) / gpus)) if gpus else 2)
    for what, each in (("CPU", options.cpus), ("GPU", gpus)):
        if workers * each > has.get(what, 0.0):
            raise s3harness.UsageError(
                f"{workers} workers with {each:g} {what} each need {workers * each:g}, the Ray cluster has "
                f"{has.get(what, 0.0):g}; say -x workers=… or -x {what.lower()}s=…"
            )
    return Shares(workers, options.cpus, gpus, max(1, int(has.get("CPU", 1.0) / workers)))


def _refuse_unnamed_hosts(nodes: Sequence[dict[str, Any]], allow_remote: Sequence[str]) -> None:
    """Workers on other machines read the videos there: each machine has to be named, by its name or its address."""
    guard = s3harness.Guard(frozenset(allow_remote))
    for node in nodes:
        name, address = str(node["NodeManagerHostname"]), str(node["NodeManagerAddress"])
        if node["Alive"] and address not in allow_remote:
            guard.check(name, address)


@contextmanager
def _own_signals() -> Iterator[None]:
    """Ray puts its own handler of SIGTERM in place of the run's, which ends a run in order."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
