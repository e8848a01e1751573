"""The Ray cluster of a run: started on this machine, or one that runs already."""

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

ENVIRONMENT = {
    # Ray sends usage statistics otherwise.
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_DEDUP_LOGS": "0",
    # An actor without GPUs of its own keeps the user's CUDA_VISIBLE_DEVICES.
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
}

CONNECT_TIMEOUT_S = 5.0
"""A cluster accepts a connection within this."""

MAX_STARTS = 3
"""Attempts to start Ray on this machine. A busy machine may need longer than the half minute that Ray allows itself."""


@dataclass(frozen=True, slots=True)
class WorkerResources:
    """The number of workers, and what each has to itself: CPUs and GPUs of Ray, and videos decoded at once."""

    workers: int
    cpus: float
    gpus: float
    decoders: int


@contextmanager
def connected(options: RayOptions, allow_remote: Sequence[str]) -> Iterator[WorkerResources]:
    """Connect to Ray; :class:`s3harness.UsageError` if the cluster is smaller than what the options need."""
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    _check_reachable(options.address, s3harness.Guard(frozenset(allow_remote)))
    with _restored_signals():
        _start(options)
    try:
        untyped: Any = ray  # Ray 2 has no types for these two functions
        _refuse_unnamed_hosts(untyped.nodes(), allow_remote)
        yield _resources(options, untyped.cluster_resources())
    finally:
        ray.shutdown()


def _start(options: RayOptions) -> None:
    """Start Ray, or connect to a running cluster."""
    for attempts_left in reversed(range(1 if options.address else MAX_STARTS)):
        try:
            _init(options)
            return
        except Exception as error:  # Ray raises a bare Exception where it was too slow
            # What was started is ended, or the next attempt would connect to it.
            ray.shutdown()
            if not attempts_left:
                where = f"reached at {options.address}" if options.address else "started on this machine"
                raise s3harness.S3HarnessError(f"Ray cannot be {where}: {error}") from error


def _init(options: RayOptions) -> None:
    if options.address:
        ray.init(address=options.address, log_to_driver=False, logging_level=logging.ERROR)
        return
    # CPUs are a budget of Ray's and no limit: a small machine runs as many workers as the user wants.
    needed = math.ceil(max(options.workers, 2) * options.cpus)
    cpus = max(len(os.sched_getaffinity(0)), needed)
    ray.init(num_cpus=cpus, include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR)


def _check_reachable(address: str, guard: s3harness.Guard) -> None:
    """Raise if nothing answers at an address, or if the user has not allowed its host."""
    # Ray itself tries for ever, and connects to any host.
    if address in ("", "auto"):
        return
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not host or not port.isdecimal():
        raise s3harness.UsageError(f"-x address={address}: an address like 10.0.0.1:6379, or auto, is expected")
    try:
        guard.connect(host, int(port), CONNECT_TIMEOUT_S).close()
    except OSError as error:
        raise s3harness.S3HarnessError(f"there is no Ray at {address}: {error}") from error


def _resources(options: RayOptions, cluster: dict[str, float]) -> WorkerResources:
    """The resources of each worker; :class:`s3harness.UsageError` if the cluster does not have them."""
    gpus = options.gpus if options.gpus >= 0 else min(1.0, cluster.get("GPU", 0.0))
    workers = options.workers or (max(1, int(cluster.get("GPU", 0.0) / gpus)) if gpus else 2)
    # Ray would wait for ever until somebody adds a machine.
    for resource, each in (("CPU", options.cpus), ("GPU", gpus)):
        if workers * each > cluster.get(resource, 0.0):
            raise s3harness.UsageError(
                f"{workers} workers with {each:g} {resource} each need {workers * each:g}, the Ray cluster has "
                f"{cluster.get(resource, 0.0):g}; say -x workers=… or -x {resource.lower()}s=…"
            )
    return WorkerResources(workers, options.cpus, gpus, max(1, int(cluster.get("CPU", 1.0) / workers)))


def _refuse_unnamed_hosts(nodes: Sequence[dict[str, Any]], allow_remote: Sequence[str]) -> None:
    """Raise for a machine of the cluster that the user has not named, by its name or its address."""
    # Workers read the videos there.
    guard = s3harness.Guard(frozenset(allow_remote))
    for node in nodes:
        name, address = str(node["NodeManagerHostname"]), str(node["NodeManagerAddress"])
        if node["Alive"] and address not in allow_remote:
            guard.check(name, address)


@contextmanager
def _restored_signals() -> Iterator[None]:
    """Restore the handler of SIGTERM afterwards."""
    # Ray replaces the run's own handler, which ends a run in order. Only the main thread may set handlers, so Ray
    # started from another thread replaces none.
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
