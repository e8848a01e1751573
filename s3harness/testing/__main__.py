"""Tries one plugin and writes the verdict: ``python -m s3harness.testing '{"kind": …, "name": …, "settings": {…}}'``.

The standard output is the verdict's alone; whatever a plugin writes there goes to standard error. The process ends
without waiting for threads that a plugin has left behind.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict

from s3harness.testing.contract import verdict
from s3harness.testing.trial import Settings


def main() -> None:
    """Try it."""
    out = os.dup(1)
    os.dup2(2, 1)
    said = json.loads(sys.argv[1])
    found = verdict(said["kind"], said["name"], Settings(**said["settings"]))
    sys.stderr.flush()
    os.write(out, json.dumps(asdict(found)).encode())
    os._exit(0)


if __name__ == "__main__":
    main()
