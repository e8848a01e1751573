"""A saved classifier holds numbers, names nobody, knows whom it was fitted on, and is of use to others."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
from diagnosis_cases import run_words, telling, write_data

from s3harness.diagnosis.fit import fit
from s3harness.diagnosis.model_file import read_model, save_model
from s3harness.diagnosis.sources import source_of_dataset
from s3harness.errors import UsageError


@pytest.fixture
def saved(s3, made, tmp_path):
    """A classifier fitted on the annotations of the data set."""
    done = s3("diagnose", "fit", made / "data", "--out", tmp_path / "model.json")
    assert done.code == 0, done.err
    return tmp_path / "model.json"


@pytest.fixture
def others(tmp_path):
    """Another data set, of other people with the same ids."""
    return write_data(tmp_path / "others", telling(patients=10, seed=5), first=0, report="Other {}.")


@pytest.mark.parametrize("classifier", ["logistic_regression", "shallow_tree", "random_forest"])
def test_what_is_read_is_what_was_written(made, tmp_path, classifier):
    source = source_of_dataset(made / "data")
    fitted = fit(source.perceived, classifier)
    save_model(tmp_path / "model.json", fitted, source, source.perceived, "annotations")
    model = read_model(tmp_path / "model.json")
    assert replace(model.fitted, trained_on=fitted.trained_on, setting=dict(fitted.setting)) == fitted
    assert model.origin == source.origin
    assert model.about["patients"] == 24


def test_the_file_is_plain_json_of_numbers_and_words(saved):
    def leaves(value):
        for part in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
            yield from leaves(part)
        if not isinstance(value, dict | list):
            yield value

    data = json.loads(saved.read_text(encoding="utf-8"))
    assert all(isinstance(leaf, str | int | float) for leaf in leaves(data))


def test_nobody_is_named_and_two_files_of_the_same_patients_share_no_digest(s3, made, tmp_path):
    data = write_data(tmp_path / "named", telling(patients=12), patient="MRN-77{:04d}")
    texts, digests = [], []
    for number in range(2):
        assert s3("diagnose", "fit", data, "--out", tmp_path / f"{number}.json").code == 0
        texts.append((tmp_path / f"{number}.json").read_text(encoding="utf-8"))
        digests.append(set(json.loads(texts[-1])["patients"]["digests"]))
    assert not any(word in text for text in texts for word in ("MRN", "v00", "p00", str(tmp_path)))
    assert len(digests[0]) == len(digests[1]) > 12
    assert not digests[0] & digests[1]


def test_it_is_refused_on_whom_it_was_fitted_on(s3, made, saved):
    for source in (made / "data", made / "run"):
        done = s3("diagnose", "apply", saved, source)
        assert done.code == 2
        assert "was fitted on 24 of the 24 patients" in done.err


@pytest.mark.parametrize("part", [1, 24])
def test_patients_are_recognised_in_another_copy_under_other_ids(s3, made, saved, tmp_path, part):
    cases = telling(patients=24, videos=2)
    both = write_data(tmp_path / "again", cases.take(cases.patients < part), name="elsewhere")
    table = both / "videos.csv"
    table.write_text(table.read_text().replace(",p0", ",q9"), encoding="utf-8")
    done = s3("diagnose", "apply", saved, both)
    assert (done.code, f"was fitted on {part} of the {part} patients" in done.err) == (2, True), done.err


def test_patients_are_recognised_by_the_name_they_had_before_the_import(s3, tmp_path):
    for number, folder in enumerate(("one", "two")):
        data = write_data(tmp_path / folder, telling(patients=12, seed=number), report=f"{folder} {{}}")
        (data / "private").mkdir()
        rows = [f"v{n:04d},file{n}.mp4,Doe {12 * number + n // 3 - 2 * number}" for n in range(36)]
        (data / "private" / "sources.csv").write_text("\n".join(["video_id,source,patient", *rows, ""]))
    assert s3("diagnose", "fit", tmp_path / "one", "--out", tmp_path / "m.json").code == 0
    done = s3("diagnose", "apply", tmp_path / "m.json", tmp_path / "two")
    assert done.code == 2
    assert "2 of the 12 patients" in done.err
    assert "Doe" not in (tmp_path / "m.json").read_text()


def test_it_is_applied_to_other_people(s3, saved, others):
    done = s3("diagnose", "apply", saved, others, "--json")
    assert done.code == 0, done.err
    found = done.json()
    two_stage = found["systems"][-1]
    assert (two_stage["kind"], two_stage["answered"], two_stage["n"]) == ("two-stage", 30, 30)
    assert two_stage["measures"]["auroc"]["value"] > 0.75
    assert found["systems"][0]["name"] == "always ES"
    assert [e["says"] for e in found["explanations"]] == [
        "ES" if e["probability"] >= found["threshold"] else "NES" for e in found["explanations"]
    ]
    table = s3("diagnose", "apply", saved, others)
    assert "always ES" in table.out
    assert "v0003" in table.out


def test_people_without_a_known_diagnosis_are_diagnosed_and_not_scored(s3, saved, tmp_path):
    unknown = telling(patients=4, seed=8)
    data = write_data(tmp_path / "unknown", replace(unknown, truth=np.full(12, np.nan)), report="New {}.")
    found = s3("diagnose", "apply", saved, data, "--json").json()
    assert found["systems"] == []
    assert all(e["says"] in ("ES", "NES") and e["truth"] is None for e in found["explanations"])
    assert "12 of 12 videos have no annotated diagnosis and are not scored" in found["notes"]


def test_fitting_on_one_split_and_applying_to_another(s3, tmp_path):
    cases = telling(patients=20)
    splits = tuple("test" if patient < 6 else "train" for patient in cases.patients)
    data = write_data(tmp_path / "data", replace(cases, splits=splits))
    model = tmp_path / "model.json"
    assert s3("diagnose", "fit", data, "--split", "train", "--out", model).code == 0
    found = s3("diagnose", "apply", model, data, "--split", "test", "--json").json()
    assert (found["n"], found["n_patients"]) == (18, 6)
    assert s3("diagnose", "apply", model, data).code == 2
    assert "14 of the 20 patients" in s3("diagnose", "apply", model, data).err
    wrong = s3("diagnose", "fit", data, "--split", "trian", "--out", model)
    assert (wrong.code, "there is test, train" in wrong.err) == (2, True)


def test_a_run_alone_is_refused_where_nobody_can_tell(s3, made, tmp_path):
    """The same data set in another state: a run directory does not say who is in it."""
    again = shutil.copytree(made / "data", tmp_path / "again")
    table = again / "videos.csv"
    table.write_text(table.read_text().replace(",,30\n", ",a,30\n"), encoding="utf-8")
    assert s3(*run_words(again, made / "answers.csv", tmp_path / "run")).code == 0
    model = tmp_path / "model.json"
    assert s3("diagnose", "fit", made / "run", "--out", model).code == 0
    done = s3("diagnose", "apply", model, tmp_path / "run")
    assert done.code == 2
    assert "fit again with --data DIR" in done.err
    assert s3("diagnose", "fit", made / "run", "--data", made / "data", "--out", model).code == 0
    assert "try again with --data DIR" in s3("diagnose", "apply", model, tmp_path / "run").err
    told = s3("diagnose", "apply", model, tmp_path / "run", "--data", again)
    assert "24 of the 24 patients" in told.err


def flipped(text):
    data = json.loads(text)
    data["threshold"] = 0.0
    return json.dumps(data)


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda text: text[: len(text) // 2], "is damaged, or not a file of s3harness diagnose fit"),
        (flipped, "its checksum is not that of its content"),
        (lambda text: "{}", "its schema is not"),
        (lambda text: "[1]", "its schema is not"),
        (lambda text: "", "is damaged"),
    ],
)
def test_a_damaged_file_is_named(s3, saved, others, damage, said):
    saved.write_text(damage(saved.read_text(encoding="utf-8")), encoding="utf-8")
    done = s3("diagnose", "apply", saved, others)
    assert done.code == 2
    assert said in done.err
    assert str(saved) in done.err


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data.pop("patients"),
        lambda data: data["patients"].update(digests=[]),
        lambda data: data["patients"].update(salt=""),
        lambda data: data.update(threshold="high"),
        lambda data: data["parameters"].pop("intercept"),
        lambda data: data["parameters"].update(coefficients=[1.0]),
        lambda data: data["encoder"].update(columns=[["tonic", "maybe"]]),
        lambda data: data["encoder"].update(means=[]),
    ],
)
def test_a_file_with_a_right_checksum_and_wrong_content_is_refused(saved, change):
    from s3harness.diagnosis.model_file import _digest

    data = json.loads(saved.read_text(encoding="utf-8"))
    data.pop("sha256")
    change(data)
    saved.write_text(json.dumps({**data, "sha256": _digest(data)}), encoding="utf-8")
    with pytest.raises(UsageError, match="holds no usable classifier"):
        read_model(saved)


def test_a_file_of_a_classifier_that_is_not_installed_says_so(s3, saved, others):
    from s3harness.diagnosis.model_file import _digest

    data = json.loads(saved.read_text(encoding="utf-8"))
    data.pop("sha256")
    data["classifier"]["name"] = "support_vectors"
    saved.write_text(json.dumps({**data, "sha256": _digest(data)}), encoding="utf-8")
    done = s3("diagnose", "apply", saved, others)
    assert (done.code, "no classifier named 'support_vectors'" in done.err) == (2, True)
    assert s3("diagnose", "apply", saved.parent / "none.json", others).code == 2
