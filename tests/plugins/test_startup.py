"""What the listing commands import, with fifty plugins installed. How long they take is in benchmarks/startup.py."""

from __future__ import annotations

import pytest

HEAVY = {"torch", "numpy", "av", "datasets", "transformers", "sklearn", "scipy", "PIL", "jsonschema", "rich", "jinja2"}
COMMANDS = (
    *(["--help"], ["tasks", "list"], ["models", "list"], ["plugins", "list"], ["data", "--help"]),
    ["demo", "--help"],
)
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
        assert {"click", "pluggy"} <= modules
        assert {"dummy_0", "dummy_49", "s3harness_synth"} <= modules
        assert modules & HEAVY == set(), command


def test_all_fifty_are_listed(fifty_plugins):
    listed = {row[1] for row in fifty_plugins.states() if row[0] == "backend"}
    assert listed >= {f"backend-{number}" for number in range(50)}
    assert "command-49" in fifty_plugins.run("--help").stdout


def test_a_heavy_module_would_be_seen(site):
    site.registering("loading", "import numpy")
    assert "numpy" in _imported(site, "plugins", "list")


@pytest.mark.parametrize(
    "command",
    [
        ["cache", "info"],
        ["data", "info", "{folder}"],
        ["data", "validate", "{folder}"],
        ["data", "agreement", "{folder}", "{folder}"],
        ["leaderboard", "build", "--help"],
        ["rqi", "--help"],
    ],
)
def test_a_command_that_needs_no_plugin_runs_no_code_of_one(site, command):
    """A package that leaves a file behind as soon as it is imported."""
    site.install("eager", "import pathlib\npathlib.Path(__file__).with_suffix('.ran').touch()\n")
    site.python("-m", "s3harness", *(word.format(folder=site.folder) for word in command))
    assert not (site.folder / "eager.ran").exists()
    site.python("-m", "s3harness", "plugins", "list")
    assert (site.folder / "eager.ran").exists()
