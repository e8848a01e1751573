"""Observers see a run and cannot change it, whatever they do."""

from __future__ import annotations

from running import assert_same_run, run_words

OBSERVING = """
    import s3harness


    @s3harness.hookimpl
    def s3harness_register(registry):
        pass


    @s3harness.hookimpl
    def s3harness_run_started(run):
        raise RuntimeError("at the start")


    @s3harness.hookimpl
    def s3harness_response(request, response):
        if request.answer_schema:
            request.answer_schema.clear()
        raise ValueError("at a response")


    @s3harness.hookimpl
    def s3harness_run_finished(run, scores):
        scores.clear()
"""


def test_observers_that_fail_or_meddle_change_nothing(s3, dataset, cache, tmp_path, undisturbed):
    s3.plugin("observing", OBSERVING)
    done = s3(*run_words(dataset, out := tmp_path / "out", cache))
    assert done.code == 0, done.err
    assert_same_run(out, undisturbed["floors"])
    for said in ("RuntimeError: at the start", "ValueError: at a response", "'tuple' object has no attribute 'clear'"):
        assert done.err.count(said) == 1
    assert done.out.count("\n7 diagnosis: ") == 2, "the table is whole, with a note on each interval"
