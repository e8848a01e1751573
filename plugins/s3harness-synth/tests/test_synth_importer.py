"""The dataset "synthetic" and the commands: the same data set as the function makes, and errors that say what to do."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from s3harness_synth import demo
from s3harness_synth.dataset import synthesize
from s3harness_synth.importer import import_synthetic
from synth_stage import TINY

from s3harness.cli import main
from s3harness.errors import UsageError
from s3harness.testing import check


def call(*words: object) -> int:
    with pytest.raises(SystemExit) as ended:
        main([str(word) for word in words])
    return int(ended.value.code or 0)


@pytest.fixture
def options(tmp_path: Path) -> Path:
    path = tmp_path / "options.json"
    path.write_text(json.dumps(TINY | {"videos": 2}))
    return path


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_a_file_of_options_makes_the_data_set_that_the_function_makes(options, tmp_path):
    import_synthetic(options, tmp_path / "imported", seed=12)
    synthesize(tmp_path / "made", **TINY | {"videos": 2, "seed": 12})
    assert contents(tmp_path / "imported") == contents(tmp_path / "made")


def test_it_can_be_imported_from_the_command_line(options, tmp_path, capsys):
    assert call("data", "import", "synthetic", options, "--out", tmp_path / "out", "-o", "resolution=96x54") == 0
    assert "data validate" in capsys.readouterr().out
    assert "96,54" in (tmp_path / "out" / "videos.csv").read_text()


def test_it_keeps_the_promises_of_an_importer(options):
    check("dataset", "synthetic", options={"source": str(options)})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "a JSON file with the options"),
        ("[1]", "an object of options is expected"),
        ('{"videos": 2}', "needs seed"),
        ('{"videos": 2, "seed": true}', "seed is True; int is expected"),
        ('{"videos": 2, "seed": 1, "fsp": 5}', "no option 'fsp'; did you mean fps"),
        ('{"videos": 2, "seed": 1, "resolution": [1]}', "is not WIDTHxHEIGHT"),
    ],
)
def test_what_is_wrong_with_the_options_is_said(text, message, tmp_path):
    source = tmp_path / "options.json"
    source.write_text(text)
    with pytest.raises(UsageError, match=message):
        import_synthetic(source, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_the_demo_without_its_baseline_says_what_to_install_before_it_renders(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(demo, "find_spec", lambda name: None)
    assert call("demo", "--data", tmp_path / "data", "--out", tmp_path / "run") == 2
    assert "pip install 's3harness[demo]'" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
