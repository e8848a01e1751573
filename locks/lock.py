"""Write the lock: exact versions, with hashes, of the dependencies of s3harness and the light plugins.

Run by ``make lock``; needs uv on the path. The engines are left out: which builds they take depends on the machine.
"""

from __future__ import annotations

import subprocess
import tomllib
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
LOCK = "locks/s3harness.txt"
PACKAGES = (".", *(f"plugins/s3harness-{name}" for name in ("kinematics", "openai", "synth", "view")))
"""The folders of the packages that the lock is for."""


def requirements() -> list[str]:
    """Return the requirements of the packages, without each other."""
    projects = [tomllib.loads((ROOT / folder / "pyproject.toml").read_text())["project"] for folder in PACKAGES]
    own = {project["name"] for project in projects}
    wanted = {line for project in projects for line in project["dependencies"] if Requirement(line).name not in own}
    return sorted(wanted)


def main() -> None:
    """Write the lock anew, with the newest versions that fit."""
    # --universal: one file for every platform and every Python from 3.11 on, with markers where they differ.
    command = ["uv", "pip", "compile", "-", "--universal", "--python-version", "3.11", "--generate-hashes"]
    # Neither header nor annotations: they would name this machine's paths and index.
    command += ["--no-header", "--no-annotate", "--quiet", "--upgrade", "--output-file", LOCK]
    subprocess.run(command, input="\n".join(requirements()), text=True, check=True, cwd=ROOT)  # noqa: S603


if __name__ == "__main__":
    main()
