"""``s3harness doctor`` on machines with troubles of many kinds: each is named with its remedy."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest


@dataclass
class Machine:
    """This machine, with packages and programs of a test's own in front of its own."""

    folder: Path
    variables: dict[str, str] = field(default_factory=dict)

    def package(self, name: str, *requires: str, source: str = "", version: str = "1.0") -> None:
        info = self.folder / f"{name}-{version}.dist-info"
        info.mkdir()
        needs = "".join(f"Requires-Dist: {one}\n" for one in requires)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needs}")
        if source:
            (info / "entry_points.txt").write_text(f"[s3harness]\n{name} = {name}\n")
            (self.folder / f"{name}.py").write_text(source)

    def program(self, name: str, script: str) -> None:
        path = self.folder / "bin" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    def examined(self, *more: str, code: int = 0) -> dict[str, dict[str, str]]:
        """What is looked at → what was found, by ``doctor --json``."""
        done = self.doctor("--json", *more)
        assert done.returncode == code, done.stdout + done.stderr
        return {check["what"]: check for check in json.loads(done.stdout)}

    def doctor(self, *more: str) -> subprocess.CompletedProcess[str]:
        places = ["--cache", str(self.folder / "cache"), "--out", str(self.folder / "runs")]
        kept = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")}
        paths = {"PYTHONPATH": str(self.folder), "PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}"}
        return subprocess.run(
            [sys.executable, "-m", "s3harness", "doctor", *places, *more],
            env=kept | paths | self.variables,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )


@pytest.fixture
def machine(tmp_path) -> Machine:
    return Machine(tmp_path)


def test_a_sound_machine(machine):
    found = machine.examined()
    assert [check for check in found.values() if check["state"] == "broken"] == []
    assert found["kinematics"]["found"] == "can run here"
    assert found["h264 (r)"]["state"] == found["aac (r)"]["state"] == "ok"
    assert "requirements" in found
    assert not (machine.folder / "cache").exists()
    assert not (machine.folder / "runs").exists()


def test_no_engine_is_imported(machine):
    """Each of them would end the process."""
    for engine in ("torch", "vllm", "transformers", "ray", "datasets", "sklearn"):
        (machine.folder / f"{engine}.py").write_text("import os\nos._exit(3)\n")
    machine.examined()


LACKING = """
import s3harness

class Lacking(s3harness.Backend):
    @classmethod
    def missing_requirements(cls):
        return ["a model: pip install it"]

class Raising(s3harness.Backend):
    @classmethod
    def missing_requirements(cls):
        raise RuntimeError("who knows")

@s3harness.hookimpl
def s3harness_register(registry):
    registry.backend("lacking", "lacking:Lacking")
    registry.backend("raising", "lacking:Raising")
    registry.backend("absent", "lacking.nowhere:Absent")
"""


def test_engines_say_what_they_lack_and_a_broken_one_takes_nothing_down(machine):
    machine.package("lacking", source=LACKING)
    found = machine.examined()
    assert found["lacking"]["found"] == "lacks a model: pip install it"
    for name, said in (("raising", "who knows"), ("absent", "lacking.nowhere")):
        assert said in found[name]["found"]
        assert "lacking" in found[name]["remedy"]
    assert found["floors"]["found"] == "can run here"


def test_a_plugin_that_does_not_import_is_named(machine):
    machine.package("torn", source="import no_such_module\n")
    check = machine.examined()["torn"]
    assert (check["area"], check["state"]) == ("plugins", "note")
    assert "no_such_module" in check["found"]
    assert "pip uninstall" in check["remedy"]


def test_a_plugin_whose_needs_are_not_met_is_noted(machine):
    machine.package("needy", "numpy<1", "never-heard-of>=2", "only-for-fun; extra == 'fun'", source="x = 1\n")
    done = machine.doctor()
    assert done.returncode == 0
    assert "needy needs numpy<1, but " in done.stdout
    assert "needy needs never-heard-of>=2, but it is not installed" in done.stdout
    assert "remedy: needy: pip install 'never-heard-of>=2'" in done.stdout
    assert "only-for-fun" not in done.stdout


def test_what_every_run_needs_makes_the_exit_code(machine):
    machine.package("s3harness", "never-heard-of", version="0.1.0")
    done = machine.doctor()
    assert done.returncode == 1
    assert "to fix: s3harness: pip install 'never-heard-of'" in done.stdout


def test_a_need_of_a_need_counts(machine):
    machine.package("click", "never-heard-of", version="99.0")
    assert machine.examined(code=1)["s3harness"]["found"] != ""
    assert "click needs never-heard-of" in machine.doctor().stdout


def test_where_nothing_can_be_written_is_broken(machine):
    (machine.folder / "file").touch()
    found = machine.examined("--out", str(machine.folder / "file" / "runs"), code=1)
    assert found["runs"]["state"] == "broken"
    assert "--out" in found["runs"]["remedy"]


H200 = "NVIDIA H200, 143771, {free}, 570.1"


@pytest.mark.parametrize(
    ("script", "what", "state", "said"),
    [
        (f"echo '{H200.format(free=143000)}'", "GPU 0", "ok", "NVIDIA H200, 143000 of 143771 MiB free, driver 570.1"),
        (f"echo '{H200.format(free=3000)}'", "GPU 0", "note", "3000 of 143771"),
        (f"echo '{H200.format(free=143000)}'; echo '{H200.format(free=1)}'", "GPU 1", "note", "1 of 143771"),
        ("exit 9", "GPU", "note", "nvidia-smi failed"),
    ],
)
def test_gpus_are_what_the_driver_says(script, what, state, said, machine):
    machine.program("nvidia-smi", script)
    check = machine.examined()[what]
    assert check["state"] == state
    assert said in check["found"]


def test_proxies_and_keys_are_named_without_their_secrets(machine):
    machine.variables = {"https_proxy": "http://me:open-sesame@proxy.test:3128", "HF_TOKEN": "hf_secret"}
    done = machine.doctor()
    assert "proxy.test:3128" in done.stdout
    assert "HF_TOKEN" in done.stdout
    assert "open-sesame" not in done.stdout
    assert "hf_secret" not in done.stdout
