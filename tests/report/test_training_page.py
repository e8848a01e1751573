"""The page of a training: made of its log, also while it goes on, and of nothing that shows an answer or a patient."""

from __future__ import annotations

import re
from dataclasses import replace
from random import Random

import pytest

from s3harness.cli import main
from s3harness.errors import S3HarnessError
from s3harness.files import write_json
from s3harness.report.page.training import write_training_page
from s3harness.specs.loading import load_task
from s3harness.specs.models import load_model
from s3harness.specs.tasks import resolve
from s3harness.testing.cases import made_up_videos, references_of
from s3harness.training.gate import GateReport, Payment, gate_as_json
from s3harness.training.monitor import FILE, CollapseLimits, Monitor, TrainingAnswer
from s3harness.training.sample import SampleTruth
from s3harness.training.session import GATE
from s3harness.types import Clip

SIDES = "s3/task3_laterality"


@pytest.fixture
def training(tmp_path):
    """The directory of a training whose answers go from chance to one side, as a monitor notes it."""
    model = load_model("qwen2.5-vl-7b")
    spec = resolve(load_task(SIDES).data, protocol="strict", profile="strict", model=model)
    references = [
        reference
        for reference in references_of("laterality", made_up_videos(60, patients=20))
        if reference.subject != "onset_body_part"
    ]
    truths = [
        SampleTruth(r.subject, Clip(r.video_id, 0.0, 10.0, (1.0,), 100), (replace(r, task=SIDES),)) for r in references
    ]
    monitor = Monitor({SIDES: spec}, tmp_path, CollapseLimits(), stops=False)
    random = Random(0)
    for step in range(1, 41):
        texts = [("left" if random.random() < 0.5 + step / 60 else "right") for _ in range(16)]
        given = [TrainingAnswer(SIDES, random.choice(truths), text, {"r": float(text == "left")}) for text in texts]
        monitor.observe(step, given, kl=step / 100, group=8)
        monitor.note(step, reward=step / 40, entropy=1 / step, length=2.0, loss=0.1, learning_rate=1e-5)
    score = {"metric": "balanced accuracy", "value": 0.5, "interval": [0.4, 0.6], "floor": 0.5, "skill": 0.0}
    monitor.note(40, held_out={SIDES: score})
    probe = {"samples": 9, "patients": 4, "reward": 0.6, "changed_reward": 0.6, "loss": 0.0, "low": None, "high": None}
    monitor.note(40, probes=[{**probe, "view": "mirrored", "loses": False}])
    payment = Payment(
        reward="authors_task3", task=SIDES, weight=1.0, candidate="always_left", paid=0.9, truth=1.0, samples=10
    )
    write_json(tmp_path / GATE, gate_as_json(GateReport([payment])))
    return tmp_path


def test_the_page_has_curves_checks_gate_and_probes_and_names_what_went_wrong(training, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["train", "report", str(training)])
    assert not ended.value.code
    text = (training / "training.html").read_text(encoding="utf-8")
    assert capsys.readouterr().out.strip().endswith("training.html")
    for title in ("KL divergence", "entropy", "tokens of an answer", "reward by task", "share of the commonest answer"):
        assert title in text, title
    assert "always_left" in text and "90%" in text and "refused" in text
    assert "DOES NOT LOSE the reward" in text and "mirrored frames" in text
    warnings = re.findall(r'<p class="warning">(.*?)</p>', text)
    assert any("gate refuses authors_task3" in w for w in warnings)
    assert any("collapsed" in w for w in warnings)
    assert any("no evidence that the model looks" in w for w in warnings)
    assert "not finished" in text


def test_the_page_runs_no_script_and_shows_no_video(training):
    text = write_training_page(training, training / "page.html").read_text(encoding="utf-8")
    assert ("<script" not in text and "default-src &#39;none&#39;" in text) or "default-src 'none'" in text
    assert not re.search(r"v00\d\d", text) and str(training) not in text


def test_a_directory_without_a_log_or_with_another_file_is_named(tmp_path):
    with pytest.raises(S3HarnessError, match="has no training_log"):
        write_training_page(tmp_path, tmp_path / "page.html")
    (tmp_path / FILE).write_text("[1]\n", encoding="utf-8")
    with pytest.raises(S3HarnessError, match="not a log of training steps"):
        write_training_page(tmp_path, tmp_path / "page.html")
