"""How long the listing commands take to start, with 50 plugins installed, against a bare import of click and pluggy.

    python benchmarks/startup.py [--plugins 50] [--rounds 15] [--no-bytecode]

Commands and yardstick take turns, so that a busy machine slows all of them alike, and the fastest round of each counts.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

YARDSTICK = ["-c", "import click, pluggy"]
COMMANDS = {
    "--help": ["-m", "s3harness", "--help"],
    "tasks list": ["-m", "s3harness", "tasks", "list"],
    "models list": ["-m", "s3harness", "models", "list"],
    "plugins list": ["-m", "s3harness", "plugins", "list"],
}
MODULE = """
import s3harness

@s3harness.hookimpl
def s3harness_register(registry):
    registry.backend("backend-{n}", "{module}.backend:Backend")
    registry.metric("metric_{n}", "{module}.metrics:metric")
"""
ABOUT = "Metadata-Version: 2.1\nName: s3harness-dummy-{n}\nVersion: 1.{n}\n\n" + "A plugin that does nothing.\n" * 200


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--plugins", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--no-bytecode", action="store_true", help="compile every module anew each time")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        install_dummies(Path(folder), chosen.plugins)
        fastest = measure(environment(Path(folder), not chosen.no_bytecode), chosen.rounds)
    yardstick = fastest.pop("yardstick")
    print(f"| command | milliseconds | times the yardstick ({yardstick * 1e3:.0f} ms) |\n| --- | ---: | ---: |")
    for name, seconds in fastest.items():
        print(f"| `s3harness {name}` | {seconds * 1e3:.0f} | {seconds / yardstick:.2f} |")


def install_dummies(folder: Path, number: int) -> None:
    """Write ``number`` distributions with a plugin each into ``folder``."""
    for n in range(number):
        module = f"s3harness_dummy_{n}"
        (folder / f"{module}.py").write_text(MODULE.format(n=n, module=module), encoding="utf-8")
        info = folder / f"{module}-1.{n}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(ABOUT.format(n=n), encoding="utf-8")
        (info / "entry_points.txt").write_text(f"[s3harness]\ndummy_{n} = {module}\n", encoding="utf-8")


def environment(folder: Path, bytecode: bool) -> dict[str, str]:
    """The variables of the measured processes: the dummies are found, and bytecode is kept or not."""
    variables = {k: v for k, v in os.environ.items() if k not in ("PYTHONDONTWRITEBYTECODE", "S3HARNESS_PLUGINS")}
    variables |= {"PYTHONPATH": str(folder), "PYTHONPYCACHEPREFIX": str(folder / "bytecode")}
    return variables if bytecode else variables | {"PYTHONDONTWRITEBYTECODE": "1"}


def measure(variables: dict[str, str], rounds: int) -> dict[str, float]:
    """Seconds of the fastest round by command; one round before them, not counted, writes the bytecode."""
    fastest: dict[str, float] = {}
    for round_ in range(rounds + 1):
        for name, arguments in {"yardstick": YARDSTICK, **COMMANDS}.items():
            started = time.perf_counter()
            subprocess.run([sys.executable, *arguments], env=variables, check=True, stdout=subprocess.DEVNULL)
            if round_:
                fastest[name] = min(fastest.get(name, 9e9), time.perf_counter() - started)
    return fastest


if __name__ == "__main__":
    main()
