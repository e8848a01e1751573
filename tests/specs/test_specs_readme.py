"""The examples of task_specs/README.md are right, and what it names is what there is."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from s3harness.dataset.import_table import import_table
from s3harness.package_data import specs_directory
from s3harness.specs.checks import sample_video
from s3harness.specs.document import read_document, validate
from s3harness.specs.features import Feature
from s3harness.specs.loading import load_task
from s3harness.specs.models import load_model
from s3harness.specs.prompts import prompt_context
from s3harness.types import Clip

TEXT = (specs_directory() / "README.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```yaml (\w+)\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)


def test_there_is_an_example_of_each_kind_and_the_page_is_short():
    assert sorted(kind for kind, _ in EXAMPLES) == ["mapping", "mapping", "model", "task"]
    assert TEXT.count("```") == 2 * len(EXAMPLES)
    assert len(TEXT.splitlines()) < 100


@pytest.mark.parametrize(("kind", "text"), EXAMPLES)
def test_an_example_is_right(kind, text, tmp_path):
    path = tmp_path / "example.yaml"
    path.write_text(text, encoding="utf-8")
    validate(read_document(path), kind)
    if kind == "task":
        assert load_task(str(path)).data["name"] == "mine/task_tonic"
    elif kind == "model":
        assert load_model(str(path)).name == "my-model-7b"
    else:
        columns = "file name,patient,seizure onset,seizure end,diagnosis,tonic,tonic from,tonic to,tonic side"
        (tmp_path / "table.csv").write_text(
            f"{columns},sign,from,to,side,sure,start of recording,remarks\n"
            "a.mp4,p,1,2,epileptic,ja,0:01,0:02,left,stiffening,1,2,right,ja,23:59:58,none\n"
        )
        assert import_table(tmp_path / "table.csv", tmp_path / "data", mapping=path) == 1


def test_all_that_a_prompt_may_use_is_told():
    video = sample_video()
    clip = Clip(video.id, 0, 1, (0.0,), 4)
    for item, subject in (("feature", "tonic"), ("diagnosis", "video_and_report")):
        context = prompt_context(item=item, subject=subject, hears=True, clip=clip, report=video.report)
        names = {*context, *(f"clip.{name}" for name in context["clip"])} - {"clip"}
        assert [name for name in names if f"`{name}`" not in TEXT] == []
    told = re.search(r"`feature` \((.*?)\)", TEXT, re.DOTALL)
    assert told is not None
    assert set(re.findall(r"`(\w+)`", told[1])) <= {field.name for field in fields(Feature)}


def test_the_files_that_are_spoken_of_are_there():
    for name in ("features.yaml", "tasks", "models", "lexicon.yaml", "schemas"):
        assert f"`{name}`" in TEXT
        assert (specs_directory() / name).exists()
    kinds = {path.name.partition(".")[0] for path in Path(specs_directory() / "schemas").iterdir()}
    assert {kind for kind, _ in EXAMPLES} < kinds
