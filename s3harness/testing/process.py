"""Trial of a component in a process of its own, so that a crash or a hang becomes a result too."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import asdict

from s3harness.testing.contract import ContractVerdict
from s3harness.testing.trial import COMMON, BrokenPromise, TrialSettings

ALL_TRIALS = 20.0
"""Time limit of all trials together, in limits of one trial."""
START_S = 60.0
"""Seconds allowed besides for the start of the process and the import of the plugin."""


def verdict_apart(kind: str, name: str, settings: TrialSettings) -> ContractVerdict:
    """Try a component as :func:`s3harness.testing.verdict` does, though it may hang, crash or end its process."""
    # As an argument, for standard input belongs to the plugin.
    request = json.dumps({"kind": kind, "name": name, "settings": asdict(settings)})
    limit_s = START_S + ALL_TRIALS * settings.limit_s
    # A plugin that was put on sys.path in this process alone must be importable in the other, too.
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [sys.executable, "-m", "s3harness.testing", request]
    try:
        process = subprocess.run(command, env=environment, capture_output=True, timeout=limit_s, check=False)  # noqa: S603
    except subprocess.TimeoutExpired:
        # The limits inside of the process do not interrupt compiled code that never returns; killing does.
        return _lost(kind, name, "in time", f"its process had to be killed after {limit_s:g} s")
    try:
        result = json.loads(process.stdout.decode(errors="replace"))
        return ContractVerdict(
            kind, name, tuple(BrokenPromise(**one) for one in result["findings"]), tuple(result["untried"])
        )
    # No result in JSON: the process ended before it wrote one.
    except (ValueError, KeyError, TypeError):
        return _lost(kind, name, "alive", f"{_end(process.returncode)} {_last_line(process.stderr)}".strip())


def _lost(kind: str, name: str, promise: str, note: str) -> ContractVerdict:
    return ContractVerdict(kind, name, (BrokenPromise(kind, name, promise, COMMON[promise], note),))


def _end(code: int) -> str:
    return f"the process ended by {signal.Signals(-code).name}" if code < 0 else f"the process ended with {code}"


def _last_line(errors: bytes) -> str:
    return next(iter(errors.decode(errors="replace").strip().splitlines()[-1:]), "")
