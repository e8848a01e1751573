"""Sampling otherwise changes how tasks look, where they look that way, and nothing else."""

import pytest

from s3harness.errors import UsageError
from s3harness.specs.loading import load_task, task_names
from s3harness.specs.models import ModelCard
from s3harness.specs.sampling import with_sampling
from s3harness.specs.tasks import resolve

MODEL = ModelCard("any", modalities=("video", "audio"))
SPECS = {
    name: resolve(load_task(name).data, protocol="strict", profile="", model=MODEL)
    for name in task_names()
    if "sampler" in load_task(name).data
}


def sampler(specs, task):
    return next(spec for name, spec in specs.items() if task in name).sampler


@pytest.mark.parametrize(
    ("task", "sampling", "expected"),
    [
        ("task1", {"fps": 10}, {"fps": 10, "window_s": 30, "stride_s": 25}),
        ("task1", {"window_s": 60}, {"fps": 2, "window_s": 60, "stride_s": 50}),
        ("task1", {"window_s": 10}, {"window_s": 10, "stride_s": 8}),
        ("task1", {"window_s": 10, "stride_s": 10}, {"window_s": 10, "stride_s": 10}),
        ("task4", {"window_s": 30}, {"window_s": 30, "margin_s": 2, "placement": "jittered", "seed": 0}),
        ("task4", {"fps": 4}, {"fps": 4, "window_s": 60, "margin_s": 5}),
        ("task7", {"fps": 4}, {"frames": 60}),
        ("task7", {"frames": 30, "fps": 4}, {"frames": 30}),
        ("task7", {"max_frames": 16}, {"frames": 60, "max_frames": 16}),
    ],
)
def test_a_parameter_reaches_the_samplers_that_have_it(task, sampling, expected):
    _, params = sampler(with_sampling(SPECS, sampling), task)
    assert params | expected == params
    assert ("fps" in params) != ("frames" in params)


@pytest.mark.parametrize("window_s", [0.5, 1, 3, 10, 30, 60, 300])
def test_no_window_leaves_a_gap_or_a_margin_that_does_not_fit(window_s):
    changed = with_sampling(SPECS, {"window_s": window_s})
    assert 0 < sampler(changed, "task1")[1]["stride_s"] <= window_s
    assert 0 <= 2 * sampler(changed, "task4")[1]["margin_s"] <= window_s


def test_what_is_asked_and_how_it_is_read_stay_as_they_were():
    changed = with_sampling(SPECS, {"fps": 1, "window_s": 10})
    for name, spec in SPECS.items():
        assert {k: v for k, v in changed[name].data.items() if k != "sampler"} == {
            k: v for k, v in spec.data.items() if k != "sampler"
        }


def test_nothing_said_changes_nothing():
    assert {name: spec.hash for name, spec in with_sampling(SPECS, {}).items()} == {
        name: spec.hash for name, spec in SPECS.items()
    }


def test_a_parameter_that_no_task_has_is_refused_with_those_that_there_are():
    with pytest.raises(UsageError, match=r"'fsp'.*fps.*window_s"):
        with_sampling(SPECS, {"fsp": 1})
