"""Look up known vulnerabilities of the locked packages; exit code 1 if there is any.

Run by ``make advisories``, with pip-audit. Without a way to an index of advisories it says how many packages could not
be looked up, and passes: a machine without a network has other guards.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

LOCK = Path(__file__).with_name("s3harness.txt")


def main() -> None:
    """Print the advisories of every package, and how many packages could be looked up."""
    packages = audited()
    looked_up = [package for package in packages if "skip_reason" not in package]
    vulnerable = [package for package in looked_up if package["vulns"]]
    for package in vulnerable:
        advisories = ", ".join(advisory["id"] for advisory in package["vulns"])
        sys.stdout.write(f"{package['name']} {package['version']}: {advisories}\n")
    counts = f"{len(looked_up)} of {len(packages)} packages looked up, {len(vulnerable)} with advisories"
    sys.stdout.write(f"{counts}\n")
    sys.exit(1 if vulnerable else 0)


def audited() -> list[dict[str, Any]]:
    """Return the findings of pip-audit for each package of the lock; none where no index answers."""
    # --disable-pip: the lock has every version and hash, so that no package has to be downloaded.
    command = [sys.executable, "-m", "pip_audit", "-r", str(LOCK), "--disable-pip", "--require-hashes"]
    command += ["--progress-spinner", "off", "--format", "json"]
    try:
        # check=False: pip-audit exits with 1 where it finds an advisory.
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)  # noqa: S603
        return list(json.loads(done.stdout)["dependencies"])
    except (subprocess.TimeoutExpired, ValueError, KeyError):
        sys.stdout.write("no index of advisories answers\n")
        return []


if __name__ == "__main__":
    main()
