"""Data of which a score would say nothing is warned of at import, at validation and where the data set is described."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from s3harness.cli import cli
from s3harness.dataset.load import Dataset
from s3harness.dataset.warnings import dataset_warnings
from s3harness.types import FeatureLabel, Video

OCCURRENCES = """\
clip,who,sign,kind
a.mp4,one,tonic,ES
b.mp4,two,clonic,ES
"""
MAPPING = """\
schema: s3harness/mapping/v1
video: clip
patient: who
sign: {column: sign}
diagnosis: {column: kind}
"""


def dataset(*rows, diagnoses=("ES", "NES")):
    videos = (
        Video(f"v{n}", f"p{n}", diagnosis=d, features={name: FeatureLabel(p) for name, p in row.items()})
        for n, (row, d) in enumerate(zip(rows, diagnoses, strict=False))
    )
    return Dataset("", "", "", "", tuple(videos))


@pytest.mark.parametrize(
    ("rows", "diagnoses", "words"),
    [
        ([{"tonic": "yes"}, {"tonic": "no"}], ("ES", "NES"), []),
        ([{"tonic": "yes"}, {"clonic": "yes"}], ("ES", "NES"), ["no sign is ever absent"]),
        ([{"tonic": "no"}, {"tonic": "untested"}], ("ES", "NES"), ["no sign is ever present"]),
        ([{"tonic": "yes", "clonic": "no"}, {"tonic": "no"}], ("ES", "NES"), ["this sign has one class"]),
        ([{"tonic": "untested"}, {}], ("ES", None), ["every diagnosis is ES"]),
        ([{}, {}], (None, None), []),
    ],
)
def test_one_class_is_warned_of(rows, diagnoses, words):
    warnings = dataset_warnings(dataset(*rows, diagnoses=diagnoses))
    assert [word for word in words if not any(word in warning for warning in warnings)] == []
    assert len(warnings) == len(words)


def invoke(*arguments):
    result = CliRunner().invoke(cli, list(map(str, arguments)))
    assert result.exit_code == 0, result.output
    return result


def test_a_table_of_occurrences_alone_is_warned_of_wherever_it_is_met(tmp_path):
    (tmp_path / "ward.csv").write_text(OCCURRENCES)
    (tmp_path / "ward.yaml").write_text(MAPPING)
    out = tmp_path / "out"
    imported = invoke(
        "data", "import", "table", tmp_path / "ward.csv", "--mapping", tmp_path / "ward.yaml", "--out", out
    )
    assert "warning: no sign is ever absent" in imported.stderr
    output = invoke("data", "validate", out, "--no-media").stdout
    assert "warning: no sign is ever absent" in output
    assert output.endswith("2 videos, 0 problems, 2 warnings\n")
    planned = invoke("run", "--backend", "floors", "--data", out, "--out", tmp_path / "run", "--dry-run").stdout
    assert "warning: s3/task1_features: every item has the truth 'yes'" in planned
    for command in (("validate", out, "--no-media"), ("info", out)):
        assert len(json.loads(invoke("data", *command, "--json").stdout)["warnings"]) == 2
