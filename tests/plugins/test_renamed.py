"""Names that were replaced work for one more release, and say what replaces them."""

from __future__ import annotations

import pytest

import s3harness
from s3harness.backends.base import _RENAMED as RENAMED_METHODS

CLIP = s3harness.Clip("v0001", 0.0, 1.0, (0.0,), 1)


def test_an_old_public_name_is_the_new_one_and_warns():
    for old, new in s3harness._RENAMED.items():
        with pytest.warns(DeprecationWarning, match=f"s3harness.{old} is now s3harness.{new}"):
            assert getattr(s3harness, old) is getattr(s3harness, new)


def test_a_backend_with_the_old_contract_works_and_is_warned_about():
    prefetched = []
    with pytest.warns(DeprecationWarning) as warnings:

        class OldBackend(s3harness.Backend):
            incidental = frozenset({"threads"})
            warms_by_clip = True

            @classmethod
            def lacks(cls):
                return ["a GPU"]

            def make_ready(self, clip):
                prefetched.append(clip)

    assert len(warnings) == 4
    backend = OldBackend(s3harness.ModelCard("old"), {}, None)
    backend.prefetch(CLIP)
    assert prefetched == [CLIP]
    assert OldBackend.missing_requirements() == ["a GPU"]
    assert OldBackend.transport_options == {"threads"}
    assert backend.prime_each_clip


def test_an_old_call_to_the_runner_reaches_it():
    backend = s3harness.Backend(s3harness.ModelCard("old"), {}, None)
    notes, phases = [], []
    backend.add_note, backend.report_status = notes.append, phases.append
    with pytest.warns(DeprecationWarning, match=r"Backend\.note is now add_note"):
        backend.note("the prefix cache is off")
    with pytest.warns(DeprecationWarning, match=r"Backend\.say is now report_status"):
        backend.say("loading weights")
    assert (notes, phases) == (["the prefix cache is off"], ["loading weights"])


def test_every_old_name_of_the_contract_has_a_new_one():
    assert all(hasattr(s3harness.Backend, new) for new in RENAMED_METHODS.values())
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        s3harness.Backend(s3harness.ModelCard("old"), {}, None).nothing  # noqa: B018


def test_an_executor_finds_the_old_name_of_the_worker_s_specification():
    execution = object.__new__(s3harness.Execution)
    execution.worker_spec = "the specification"
    with pytest.warns(DeprecationWarning, match=r"Execution\.recipe is now worker_spec"):
        assert execution.recipe == "the specification"
