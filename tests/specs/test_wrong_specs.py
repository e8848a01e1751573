"""A wrong spec is answered with file, line, field and what would be right."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

import pytest
import yaml

from s3harness.cli import main
from s3harness.errors import SpecError
from s3harness.package_data import specs_directory
from s3harness.specs.checks import check_foreign_task
from s3harness.specs.document import MAX_BYTES, read_document
from s3harness.specs.loading import problems_of, read_task, task_names
from s3harness.specs.models import ModelCard, read_card
from s3harness.specs.tasks import resolve

RIGHT = """\
schema: s3harness/task/v1
name: mine/task_tonic
title: Tonic stiffening
item: feature
sampler: {name: sliding_windows, window_s: 30, stride_s: 25, fps: 2}
prompt: |
  {{ feature.question }}
  Answer yes or no.
answer:
  parser: choice
  choices: ["yes", "no"]
aggregate: any_yes
metrics:
  - {name: feature_macro_f1, primary: true}
generation: {temperature: 0, max_tokens: 16}
subjects:
  verbal_responsiveness:
    prompt: "{{ feature.question }} Or na?"
protocols:
  paper:
    sampler: {window_s: 60, stride_s: 55}
    families:
      internvl3.5: {sampler: {frames: 60}}
"""

# what is replaced, by what; the line and the field that must be named, and what must be said
WRONG = {
    "an unknown field": ("prompt: |", "promt: |", 6, "promt", "did you mean prompt?"),
    "a missing field": ("title: Tonic stiffening\n", "", 1, "the document", "title must be given"),
    "no prompt": ("prompt: |\n  {{ feature.question }}\n  Answer yes or no.\n", "", 1, "the document", "prompt must"),
    "a wrong type": ("title: Tonic stiffening", "title: [1]", 3, "title", "[1] is no string"),
    "a number as text": ("max_tokens: 16", "max_tokens: many", 15, "generation.max_tokens", "'many' is no integer"),
    "a negative temperature": ("temperature: 0", "temperature: -1", 15, "generation.temperature", "minimum"),
    "an unknown generation setting": ("temperature: 0", "temprature: 0", 15, "generation.temprature", "temperature"),
    "an unknown item": ("item: feature", "item: featur", 4, "item", "feature, rationale"),
    "another schema": ("task/v1", "task/v9", 1, "schema", "'s3harness/task/v1'"),
    "a name without a suite": ("mine/task_tonic", "Tonic", 2, "name", "does not match"),
    "an unknown metric": ("feature_macro_f1", "feature_macro_f2", 14, "metrics.0", "did you mean feature_macro_f1"),
    "a metric without a name": ("name: feature_macro_f1, ", "nme: x, ", 14, "metrics.0", "name must be given"),
    "a metric that is a number": (
        "{name: feature_macro_f1, primary: true}",
        "3",
        14,
        "metrics.0",
        "3 is no string or object",
    ),
    "an unknown parameter of a metric": ("primary: true", "levels: 3", 14, "metrics.0.levels", "unexpected keyword"),
    "no metrics": ("  - {name: feature_macro_f1, primary: true}\n", "", 13, "metrics", "None is no array"),
    "an unknown parser": ("parser: choice", "parser: choise", 10, "answer.parser", "did you mean choice?"),
    "no parser": ("  parser: choice\n", "", 9, "answer", "parser must be given"),
    "an unknown parameter of a parser": (
        "  parser: choice",
        "  parser: choice\n  strict: true",
        11,
        "answer.strict",
        "unexpected",
    ),
    "a parser without what it needs": ('  choices: ["yes", "no"]\n', "", 9, "answer", "choices"),
    "choices that YAML reads as truth values": (
        '["yes", "no"]',
        "[yes, no]",
        11,
        "answer.choices.0",
        "True is no string",
    ),
    "an unknown sampler": ("sliding_windows", "sliding_window", 5, "sampler.name", "did you mean sliding_windows"),
    "an unknown parameter of a sampler": ("fps: 2", "fsp: 2", 5, "sampler.fsp", "known: fps"),
    "a wrong value for a sampler": ("fps: 2", "fps: fast", 5, "sampler.fps", "must be a number"),
    "frames and a rate": ("fps: 2", "fps: 2, frames: 60", 5, "sampler.fps", "exclude each other"),
    "gaps between windows": ("stride_s: 25", "stride_s: 35", 5, "sampler.", "gaps"),
    "an unknown aggregator": ("any_yes", "any_yess", 12, "aggregate", "did you mean any_yes?"),
    "an unknown parameter of an aggregator": (
        "aggregate: any_yes",
        "aggregate: {name: any_yes, last: 1}",
        12,
        "aggregate.last",
        "last",
    ),
    "an unknown name in a prompt": ("feature.question }}\n", "question }}\n", 6, "prompt", "'question' is undefined"),
    "an unknown part of a feature": ("feature.question }}\n", "feature.qestion }}\n", 6, "prompt", "qestion"),
    "a prompt that is no template": ("feature.question }}\n", "feature.question }\n", 6, "prompt", "unexpected"),
    "a prompt of one subject": (
        "feature.question }} Or",
        "feature.q }} Or",
        18,
        "subjects.verbal_responsiveness.prompt",
        "'q'",
    ),
    "a prompt that tells the truth": ("feature.question }}\n", "truth }}\n", 6, "prompt", "'truth' is undefined"),
    "an unknown subject": (
        "verbal_responsiveness:",
        "verbal_response:",
        17,
        "subjects.verbal_response",
        "verbal_responsiveness",
    ),
    "an unknown protocol": ("  paper:", "  papr:", 20, "protocols.papr", "did you mean paper?"),
    "a wrong sampler in a protocol": (
        "window_s: 60, stride_s: 55",
        "window_s: 0",
        21,
        "protocols.paper.sampler.window_s",
        "above 0",
    ),
    "a wrong sampler of a family": (
        "{frames: 60}",
        "{frames: 0}",
        23,
        "protocols.paper.families.internvl3.5.sampler.frames",
        "at least 1",
    ),
    "an unknown field of a family": (
        "{sampler: {frames: 60}}",
        "{smpler: {}}",
        23,
        "protocols.paper.families.internvl3.5.smpler",
        "did you mean sampler?",
    ),
    "an unknown profile": (
        "protocols:",
        "profiles:\n  loose: {metrics: [rqi]}\nprotocols:",
        20,
        "profiles.loose",
        "strict, paper",
    ),
    "an unknown metric in a profile": (
        "protocols:",
        "profiles:\n  paper: {metrics: [rqy]}\nprotocols:",
        20,
        "profiles.paper.metrics.0",
        "rqi",
    ),
    "a field twice": ("title: Tonic stiffening", "title: A\ntitle: B", 4, "title", "first in line 3"),
    "a date": ("title: Tonic stiffening", "title: 2024-01-01", 3, "title", "put it in quotes"),
    "a key that is a truth value": ("  verbal_responsiveness:", "  yes:", 17, "subjects", "put it in quotes"),
    "no number": ("temperature: 0", "temperature: .nan", 15, "generation.temperature", "write a number"),
    "an alias": ("title: Tonic stiffening", "title: &t A\ndescription: *t", 4, "", "aliases are not allowed"),
    "YAML that ends too early": (
        "generation: {temperature: 0, max_tokens: 16}",
        "generation: {",
        17,
        "",
        "not valid YAML",
    ),
    "a list": (RIGHT, "- a\n- b\n", 1, "", "not list"),
    "nothing": (RIGHT, "", 1, "", "not nothing"),
    "a tag": ("title: Tonic stiffening", "title: !!python/object/apply:os.getcwd []", 3, "", "not valid YAML"),
    "another's answers and a prompt": (
        "item: feature",
        "item: feature\nuses: s3/task1_features",
        6,
        "",
        "does not go with",
    ),
}


def _task(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "mine.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def _error(tmp_path: Path, text: str) -> str:
    with pytest.raises(SpecError) as caught:
        read_task(_task(tmp_path, text))
    return str(caught.value)


def test_the_spec_that_the_wrong_ones_are_made_of_is_right(tmp_path):
    assert read_task(_task(tmp_path, RIGHT)).data["name"] == "mine/task_tonic"


@pytest.mark.parametrize(("old", "new", "line", "field", "right"), WRONG.values(), ids=WRONG)
def test_a_wrong_spec_is_answered_with_file_line_field_and_what_would_be_right(tmp_path, old, new, line, field, right):
    assert old in RIGHT
    message = _error(tmp_path, RIGHT.replace(old, new, 1))
    assert message.startswith(f"mine.yaml:{line}:"), message
    assert field in message
    assert right in message
    assert len(message) < 800


ESCAPES = (
    "{{ ''.__class__.__mro__ }}",
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "{{ feature.__init__.__globals__ }}",
    "{{ feature.__class__ }}",
    "{{ self.__init__.__globals__ }}",
    "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
    "{{ lipsum.__globals__['os'] }}",
    "{{ (feature|attr('__class__')) }}",
    "{% set x = features.append(1) %}",
    "{{ '%s' | format(feature.__dict__) }}",
    "{{ '{0.__class__.__mro__}'.format(feature) }}",
    "{% include '/etc/passwd' %}",
    "{% import 'os' as os %}",
    "{{ range(100000000) | list }}",
    "{{ 'a' * 10000000000 }}",
    "{{ 10 ** 10 ** 10 }}",
    "{{ '%0200000d' | format(1) }}",
    "{{ '%099999999999d' | format(1) }}",
    "{{ 1 / 0 }}",
    "{{ '' }}",
)


@pytest.mark.parametrize("escape", ESCAPES)
def test_a_prompt_cannot_leave_its_sandbox(tmp_path, escape):
    text = RIGHT.replace("prompt: |\n  {{ feature.question }}\n  Answer yes or no.\n", f"prompt: >-\n  {escape}\n")
    assert _error(tmp_path, text).startswith("mine.yaml:6: prompt: ")


def test_an_alias_bomb_is_refused_at_once(tmp_path):
    levels = [f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]" for n in range(1, 30)]
    assert "aliases are not allowed" in _error(tmp_path, "l0: &l0 [lol]\n" + "\n".join(levels))


@pytest.mark.parametrize("deep", ["[" * 100_000, "a: " + "{a: " * 5_000, "- " * 10_000 + "a"])
def test_deep_nesting_is_refused_at_once(tmp_path, deep):
    assert "nested more than" in _error(tmp_path, deep)


def test_a_file_that_is_too_big_is_not_parsed(tmp_path):
    assert f"at most {MAX_BYTES} are allowed" in _error(tmp_path, RIGHT + "#" * MAX_BYTES)


@pytest.mark.parametrize("content", [b"\xff\xfe\x00a", b"title: \xe4", b"title: \x01", b"\x00" * 40])
def test_a_file_that_is_no_text_is_refused(tmp_path, content):
    path = tmp_path / "mine.yaml"
    path.write_bytes(content)
    with pytest.raises(SpecError, match=r"^mine\.yaml"):
        read_document(path)


CARD = (specs_directory() / "models" / "qwen2.5-vl-7b.yaml").read_text(encoding="utf-8")
WRONG_CARDS = {
    "an unknown field": ("licence:", "license:", "license", "did you mean licence?"),
    "an unknown modality": ("[video]", "[video, smell]", "modalities.1", "video, audio"),
    "a wrong id of weights": ("Qwen/Qwen2.5-VL-7B-Instruct", "/models/qwen", "weights", "does not match"),
    "frames and a rate": (
        "fps: 2, max_pixels",
        "fps: 2, frames: 9, max_pixels",
        "sliding_windows",
        "exclude each other",
    ),
    "an unknown sampler parameter": ("stride_s: 25", "strid_s: 25", "strid_s", "did you mean stride_s?"),
    "no family": ("family: qwen2.5-vl\n", "", "the document", "family must be given"),
}


@pytest.mark.parametrize(("old", "new", "field", "right"), WRONG_CARDS.values(), ids=WRONG_CARDS)
def test_a_wrong_model_card_is_answered_in_the_same_way(tmp_path, old, new, field, right):
    assert old in CARD
    path = tmp_path / "card.yaml"
    path.write_text(CARD.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(SpecError) as caught:
        read_card(path)
    message = str(caught.value)
    assert re.match(r"card\.yaml:\d+: ", message)
    assert field in message
    assert right in message


def test_the_command_that_validates_says_so_by_its_exit_code(tmp_path, capsys):
    for name, text, code in (("right", RIGHT, 0), ("wrong", RIGHT.replace("prompt: |", "promt: |"), 2)):
        (tmp_path / f"{name}.yaml").write_text(text)
        with pytest.raises(SystemExit) as ended:
            main(["tasks", "validate", str(tmp_path / f"{name}.yaml")])
        assert ended.value.code == code
    shown = capsys.readouterr()
    assert "mine/task_tonic is valid" in shown.out
    assert "wrong.yaml:6: promt: unknown field" in shown.err


SEVERAL = {
    "prompt: |": "promt: |",
    "title: Tonic stiffening": "title: [1]",
    "fps: 2": "fps: fast",
    "parser: choice": "parser: choise",
    "any_yes": "any_yess",
    "  - {name: feature_macro_f1, primary: true}": "  - {name: no_such_f1}\n  - {name: feature_mcc, levels: 3}",
    "temperature: 0": "temprature: 0",
    "{{ feature.question }} Or na?": "{{ feature.qestion }} Or na?",
}


def test_all_that_is_wrong_is_told_at_once_and_each_thing_once(tmp_path, capsys):
    text = RIGHT
    for old, new in SEVERAL.items():
        assert old in text
        text = text.replace(old, new, 1)
    path = _task(tmp_path, text)
    with pytest.raises(SystemExit) as ended:
        main(["tasks", "validate", str(path), "--json"])
    assert ended.value.code == 2
    problems = json.loads(capsys.readouterr().out)["problems"]
    told = ["promt", "title", "sampler.fps", "answer.parser", "aggregate", "metrics.0", "metrics.1.levels"]
    told += ["generation.temprature", "subjects.verbal_responsiveness.prompt"]
    assert sorted(problem.split(": ")[1] for problem in problems) == sorted(told)
    assert all(re.match(r"mine\.yaml:\d+: ", problem) for problem in problems)


@pytest.mark.parametrize(("old", "new", "line", "field", "right"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_alone_is_told_alone(tmp_path, old, new, line, field, right):
    path = _task(tmp_path, RIGHT.replace(old, new, 1))
    try:
        problems = [str(problem) for problem in problems_of(path)]
    except SpecError as error:
        problems = [str(error)]
    assert any(field in problem and right in problem for problem in problems)
    assert len(problems) <= 4, problems


def test_all_tasks_of_the_benchmark_are_right():
    assert len(task_names()) == 7
    for path in (specs_directory() / "tasks").glob("*.yaml"):
        assert read_task(path).data["name"] == f"s3/{path.stem}"


def test_a_sampler_without_a_name_in_a_protocol_is_named(tmp_path):
    text = RIGHT.replace(
        "sampler: {name: sliding_windows, window_s: 30, stride_s: 25, fps: 2}\n", "uses: s3/task1_features\n"
    )
    (tmp_path / "task.yaml").write_text(text)
    with pytest.raises(SpecError):
        read_task(tmp_path / "task.yaml")
    with pytest.raises(SpecError, match="sampler: name must be given"):
        resolve({"sampler": {"fps": 2}}, protocol="paper", profile="strict", model=ModelCard("m"))


def test_a_list_of_thousands_is_named_and_its_entries_are_not_tried(tmp_path):
    metric = "  - {name: feature_macro_f1, primary: true}"
    assert metric in RIGHT
    many = RIGHT.replace(metric, "\n".join([metric, *["  - {name: feature_mcc}"] * 4_000]))
    began = time.process_time()
    problems = [str(problem) for problem in problems_of(_task(tmp_path, many))]
    assert [problem.split(": ", 1)[1] for problem in problems] == ["metrics: has 4001 entries; at most 100 are taken"]
    assert time.process_time() - began < 5, "30 s when every entry was tried"
    with pytest.raises(SpecError, match="metrics: has 4001 entries"):
        check_foreign_task("mine/task_tonic", yaml.safe_load(many))
