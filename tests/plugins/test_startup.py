"""What the listing commands import, with fifty plugins installed. How long they take is in benchmarks/startup.py."""

from __future__ import annotations

import pytest

HEAVY = {"torch", "numpy", "av", "datasets", "transformers", "sklearn", "scipy", "PIL", "jsonschema", "rich", "jinja2"}
COMMANDS = (["--help"], ["tasks", "list"], ["models", "list"], ["plugins", "list"], ["data", "--help"])
DUMP = """
import atexit, sys
def dump():
    print("\\n" + " ".join(sorted({name.partition(".")[0] for name in sys.modules})), file=sys.stderr)
atexit.register(dump)
sys.argv = ["s3harness", *sys.argv[1:]]
from s3harness.cli import main
main()
"""


@pytest.fixture
def fifty_plugins(site):
    for n in range(50):
        site.registering(
            f"dummy-{n}",
            f"registry.backend('backend-{n}', 'dummy_{n}_parts:Backend')",
            f"registry.command('command-{n}', 'dummy_{n}_parts:command')",
        )
        (site.folder / f"dummy_{n}_parts.py").write_text("import numpy")
    return site


def _imported(site, *command: str) -> set[str]:
    result = site.python("-c", DUMP, *command)
    assert result.returncode == 0, result.stderr
    return set(result.stderr.splitlines()[-1].split())


def test_help_and_listings_import_nothing_heavy_with_fifty_plugins(fifty_plugins):
    for command in COMMANDS:
        modules = _imported(fifty_plugins, *command)
        assert {"click", "pluggy", "dummy_0", "dummy_49"} <= modules
        assert modules & HEAVY == set(), command


def test_all_fifty_are_listed(fifty_plugins):
    listed = {row[1] for row in fifty_plugins.states() if row[0] == "backend"}
    assert listed >= {f"backend-{number}" for number in range(50)}
    assert "command-49" in fifty_plugins.run("--help").stdout


def test_a_heavy_module_would_be_seen(site):
    site.registering("loading", "import numpy")
    assert "numpy" in _imported(site, "plugins", "list")
