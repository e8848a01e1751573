"""Promises of an exporter of annotations."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from s3harness.dataset.recordings import AnnotationSet, Recording, SignStatement, sign_titles
from s3harness.testing.golden import golden
from s3harness.testing.kinds.dataset import contents
from s3harness.testing.trial import Bench, takes

PROMISES: Mapping[str, str] = {
    "form": "it is a function (annotations, out, **options) that returns lines of text, or nothing",
    "answers": "it writes signs with times and without, of two sources, into the folder",
    "empty": "it writes a recording without any statement, and one of unknown length",
    "keeps": "it writes only into the folder that it is given",
}


def try_it(bench: Bench) -> None:
    """Try an exporter on made-up annotations, with the options as its own."""
    options = dict(bench.settings.options)
    wrong = "it cannot be called" if not callable(bench.thing) else takes(bench.thing, example(), Path(), **options)
    if not bench.must("form", not wrong, wrong):
        return
    folder = golden().temporary_folder("exporter")
    for promise, example_set in (("answers", example()), ("empty", _without_statements())):
        outs = [folder / f"{promise}-{n}" for n in (1, 2)]
        for out in outs:
            out.mkdir()
        with bench.trying(promise, inputs=example_set):
            notes = [bench.thing(example_set, out, **options) for out in outs]
            lines = notes[0] or []
            is_text = not isinstance(lines, str) and all(isinstance(line, str) for line in lines)
            bench.must("form", is_text, f"it returned {lines!r:.80}")
            bench.must(promise, promise == "empty" or bool(contents(outs[0])), "it wrote no file")
            is_same = contents(outs[0]) == contents(outs[1]) and notes[0] == notes[1]
            bench.must("same again", is_same, "a second export of the same annotations differs")
    written = sorted(path.name for path in folder.iterdir() if not path.name.startswith(("answers-", "empty-")))
    bench.must("keeps", not written, f"beside the folder there is {', '.join(written)}")


def example() -> AnnotationSet:
    """Return the annotations that an exporter is tried on."""
    truth = (
        SignStatement(sign="seizure", start_s=2.0, end_s=40.25),
        SignStatement(sign="tonic", start_s=3.125, end_s=20.5, side="left", certainty="probable", note="Arm; (stiff)"),
        SignStatement(sign="clonic", start_s=10.0, end_s=39.001, side="both"),
        SignStatement(sign="eye_blinking", start_s=5.5),
        SignStatement(sign="occur_during_sleep"),
        SignStatement(sign="pelvic_thrusting", present="no"),
        SignStatement(sign="verbal_responsiveness", present="untested"),
    )
    model = (SignStatement(sign="tonic", start_s=4.0, certainty="0.871"), SignStatement(sign="clonic", present="no"))
    recording = Recording(
        id="v0001",
        patient="0001",
        file="videos/v0001.mp4",
        duration_s=61.5,
        statements={"truth": truth, "model": model},
    )
    return AnnotationSet(name="example", recordings=(recording,), signs=sign_titles())


def _without_statements() -> AnnotationSet:
    recordings = (Recording(id="v0002", patient="0002"), Recording(id="v0003", statements={"truth": ()}))
    return AnnotationSet(name="", recordings=recordings, signs=sign_titles())
