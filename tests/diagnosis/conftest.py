from __future__ import annotations

import json

import pytest
from click.testing import CliRunner
from diagnosis_cases import run_words, telling, write_answers, write_data

from s3harness.cli import cli, main
from s3harness.diagnosis import builtin_classifiers


@pytest.fixture(autouse=True)
def small_forests(monkeypatch):
    """A forest of 25 trees is one, and takes a quarter of the time."""
    monkeypatch.setattr(builtin_classifiers, "TREES", 25)


class Ended:
    """What came of a command: exit code, what it printed, and on standard error."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err

    def json(self):
        return json.loads(self.out)


@pytest.fixture
def s3(capsys):
    """The command line in this process, exit codes and all."""

    def call(*words: object) -> Ended:
        with pytest.raises(SystemExit) as ended:
            main([str(word) for word in words])
        printed = capsys.readouterr()
        return Ended(int(ended.value.code or 0), printed.out, printed.err)

    return call


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    """A data set of 24 patients without video files, and a run on it of a model that sees what the annotators see."""
    folder = tmp_path_factory.mktemp("diagnosis")
    cases = telling(patients=24, videos=2)
    data, answers = write_data(folder / "data", cases), write_answers(folder / "answers.csv", cases)
    done = CliRunner().invoke(cli, [str(word) for word in run_words(data, answers, folder / "run")])
    assert done.exit_code == 0, done.output
    return folder


@pytest.fixture
def recorded(s3, tmp_path):
    """Makes a data set and a run on it; returns both. ``said`` are the cases as the model sees them."""

    def make(cases, said=None, tasks="1,7", *more, says=None, code=0, **named):
        data = write_data(tmp_path / "data", cases, **named)
        answers = write_answers(tmp_path / "answers.csv", said or cases, says)
        done = s3(*run_words(data, answers, tmp_path / "run", tasks, *more))
        assert done.code == code, done.err
        return data, tmp_path / "run"

    return make
