"""Trying a plugin in a process of its own: whatever becomes of that, it is told by name."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import asdict

from s3harness.testing.contract import Verdict
from s3harness.testing.trial import COMMON, Finding, Settings

ALL_TRIALS = 20.0
"""All trials together may take so many times the limit of one."""
START_S = 60.0


def verdict_apart(kind: str, name: str, settings: Settings) -> Verdict:
    """As :func:`s3harness.testing.verdict`, of a plugin that may hang, crash or end the process that it runs in."""
    told = json.dumps({"kind": kind, "name": name, "settings": asdict(settings)})
    limit_s = START_S + ALL_TRIALS * settings.limit_s
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [sys.executable, "-m", "s3harness.testing", told]
    try:
        ended = subprocess.run(command, env=environment, capture_output=True, timeout=limit_s, check=False)  # noqa: S603
    except subprocess.TimeoutExpired:
        return _lost(kind, name, "in time", f"its process had to be killed after {limit_s:g} s")
    try:
        found = json.loads(ended.stdout.decode(errors="replace"))
        return Verdict(kind, name, tuple(Finding(**one) for one in found["findings"]), tuple(found["untried"]))
    except (ValueError, KeyError, TypeError):
        return _lost(kind, name, "alive", f"{_end(ended.returncode)} {_last_line(ended.stderr)}".strip())


def _lost(kind: str, name: str, promise: str, note: str) -> Verdict:
    return Verdict(kind, name, (Finding(kind, name, promise, COMMON[promise], note),))


def _end(code: int) -> str:
    return f"the process ended by {signal.Signals(-code).name}" if code < 0 else f"the process ended with {code}"


def _last_line(errors: bytes) -> str:
    return next(iter(errors.decode(errors="replace").strip().splitlines()[-1:]), "")
