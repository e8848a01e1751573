"""Statistics of verdicts against values computed by hand, and the corrected data set."""

from __future__ import annotations

import json
import shutil

import pytest
from room_server import s3harness
from s3harness_view.verdict_file import ReaderVerdict, write_verdict
from s3harness_view.verdict_statistics import coefficients, label_precision, label_verdicts

from s3harness import load_dataset


def verdict(item, reader, word, target="annotation"):
    return ReaderVerdict(reader=reader, at="2026-01-01T00:00:00+00:00", item=item, target=target, verdict=word)


def test_kappa_and_ac1_are_those_of_a_table_computed_by_hand():
    # 40 both right, 5 and 5 apart, 50 both wrong: p_o 0.90; p_e 0.45² + 0.55² = 0.505; AC1's 2 · 0.45 · 0.55 = 0.495.
    pairs = [("right", "right")] * 40 + [("right", "wrong")] * 5 + [("wrong", "right")] * 5 + [("wrong", "wrong")] * 50
    agreement, kappa, ac1 = coefficients(pairs)
    assert agreement == pytest.approx(0.90)
    assert kappa == pytest.approx((0.90 - 0.505) / (1 - 0.505))
    assert ac1 == pytest.approx((0.90 - 0.495) / (1 - 0.495))


def test_ac1_stays_where_kappa_falls_because_nearly_all_are_alike():
    agreement, kappa, ac1 = coefficients([("right", "right")] * 98 + [("right", "wrong"), ("wrong", "right")])
    assert agreement == 0.98
    assert kappa < 0
    assert ac1 > 0.97


def test_undefined_coefficients_are_no_numbers():
    assert coefficients([]) == (None, None, None)
    assert coefficients([("right", "right")] * 3) == (1.0, None, 1.0)


def test_a_label_is_judged_by_the_majority_of_its_readers():
    votes = [
        *(verdict("a", reader, "wrong") for reader in "xy"),
        verdict("a", "z", "right"),
        verdict("b", "x", "right"),
        verdict("b", "y", "label is wrong"),
        verdict("c", "x", "label is wrong", target="answer"),
        verdict("c", "x", "right"),
        verdict("d", "x", "wrong", target="answer"),
    ]
    labels = label_verdicts(votes)
    assert labels == {"a": "wrong", "b": "ambiguous", "c": "upheld"}
    precision = label_precision(labels)
    assert (precision.judged, precision.upheld, precision.precision) == (2, 1, 0.5)
    # Wilson's interval of 1 of 2.
    assert (precision.low, precision.high) == (pytest.approx(0.0945, abs=1e-3), pytest.approx(0.9055, abs=1e-3))


def test_verdicts_become_a_summary_and_a_corrected_version_of_the_data_set(made, tmp_path):
    run = tmp_path / "run"
    shutil.copytree(made / "runs" / "floors", run)
    video = next(v for v in load_dataset(made / "data").videos if any(f.present == "yes" for f in v.features.values()))
    sign = next(name for name, label in video.features.items() if label.present == "yes")
    item = f"s3/task1_features/{video.id}/{sign}"
    for reader in ("anna", "ben"):
        write_verdict(run, verdict(item, reader, "wrong"))
        write_verdict(run, verdict(item, reader, "right", target="answer"))
    write_verdict(run, verdict(f"s3/task6_report/{video.id}/report", "anna", "wrong"))
    arguments = ("judgements", run, "--data", made / "data", "--corrected", tmp_path / "corrected")
    summary = json.loads(s3harness(*arguments, "--json").stdout)
    assert summary["corrections"] == {"changed": 1, "left": 1}
    assert summary["answers"] == {"run": {"right": 2}}
    assert summary["agreement"][0]["n"] == 2
    before, after = load_dataset(made / "data"), load_dataset(tmp_path / "corrected")
    assert after.version == f"{before.version}-corrected"
    assert after.fingerprint != before.fingerprint
    corrected = next(v for v in after.videos if v.id == video.id).features[sign]
    assert (corrected.present, corrected.start_s, corrected.side) == ("no", None, None)
    changed = [
        (v.id, name)
        for v, w in zip(before.videos, after.videos, strict=True)
        for name in v.features
        if v.features[name] != w.features[name]
    ]
    assert changed == [(video.id, sign)]
    assert s3harness(*arguments, check=False).returncode == 2, "a folder that exists is not overwritten"


def test_without_a_verdict_there_is_nothing_to_summarise(made):
    refused = s3harness("judgements", made / "runs" / "oracle", check=False)
    assert refused.returncode == 2
    assert "s3harness view takes them" in refused.stderr
