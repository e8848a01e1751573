"""Test one component and write the result: ``python -m s3harness.testing '{"kind": …, "name": …, "settings": {…}}'``.

Standard output holds the result as JSON alone; whatever a plugin prints goes to standard error. The process ends
without waiting for threads that a plugin has left behind.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict

from s3harness.testing.contract import verdict
from s3harness.testing.trial import TrialSettings


def main() -> None:
    """Test the component that the first argument names, and write the result."""
    out = os.dup(1)
    # At the level of the descriptor, so that prints of compiled code do not mix with the JSON either.
    os.dup2(2, 1)
    request = json.loads(sys.argv[1])
    result = verdict(request["kind"], request["name"], TrialSettings(**request["settings"]))
    # os._exit runs no clean-up and flushes nothing.
    sys.stderr.flush()
    os.write(out, json.dumps(asdict(result)).encode())
    # A plain return would join non-daemon threads of the plugin, which may never end.
    os._exit(0)


if __name__ == "__main__":
    main()
