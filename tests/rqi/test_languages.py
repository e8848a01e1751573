"""Reports in German, French and Spanish are read where the data set states the language, by glossaries into English."""

from __future__ import annotations

import json

import pytest

from s3harness.dataset.load import load_dataset, read_dataset
from s3harness.dataset.references import truths
from s3harness.dataset.warnings import dataset_warnings
from s3harness.errors import SpecError
from s3harness.metrics.base import Pair
from s3harness.metrics.rqi import SeizureRQI, extract, score_report
from s3harness.metrics.rqi.extract import extract_in
from s3harness.metrics.rqi.glossary import glossary, languages
from s3harness.specs.features import benchmark_vocabulary, read_vocabulary, use_vocabulary
from s3harness.testing.scenarios import scenarios
from s3harness.types import Prediction, Reference

PAIRS = [(language, scenario) for language in ("de", "es", "fr") for scenario in scenarios(language)]
GERMAN = "Der Kopf dreht sich nach links, dann klonische Zuckungen beider Arme. Keine Automatismen."


def test_three_languages_have_a_glossary_and_pairs_of_each_kind():
    assert languages() == ("de", "es", "fr")
    groups = {language: {s.group for one, s in PAIRS if one == language} for language in languages()}
    needed = {"laterality", "order", "negation", "coverage", "hallucination", "doubt", "danger", "phases"}
    assert all(needed <= of_language for of_language in groups.values())
    assert len(PAIRS) >= 50


@pytest.mark.parametrize(("language", "scenario"), PAIRS, ids=[f"{code}-{s.name}" for code, s in PAIRS])
def test_the_better_report_scores_higher_and_not_by_chance(language, scenario):
    better, worse = scenario.scores("strict")
    assert better > worse
    assert better > 60


@pytest.mark.parametrize(("language", "scenario"), PAIRS, ids=[f"{code}-{s.name}" for code, s in PAIRS])
def test_the_experts_own_report_has_full_marks(language, scenario):
    truth = {"text": scenario.expert, "events": (), "sides": {}, "untested": (), "language": language}
    assert score_report(scenario.expert, truth).points == pytest.approx(100)


def truth_of(text, **more):
    return {"text": text, "events": (), "sides": {}, "untested": (), **more}


def test_without_a_stated_language_the_score_is_undefined_and_says_so():
    assert score_report("The head turns to the left.", truth_of(GERMAN)).undefined == "expert's report in German"
    italian = "La testa ruota verso sinistra, poi scosse cloniche di entrambe le braccia e automatismi orali."
    score = score_report("The head turns to the left.", truth_of(italian, language="it"))
    assert (score.value, score.undefined) == (None, "expert's report in Italian")


def test_a_report_in_a_third_language_is_unread_and_scores_nothing():
    french = "La tête tourne vers la gauche, puis le patient présente des secousses cloniques des deux bras."
    score = score_report(french, truth_of(GERMAN, language="de"))
    assert (score.value, score.unread) == (0.0, "report in French")
    metric = SeizureRQI()
    reference = Reference(
        item="i",
        task="t",
        video_id="v0001",
        subject="report",
        cluster=0,
        truth=json.loads(json.dumps(truth_of(GERMAN, language="de"))),
    )
    assert metric.unread(Pair(reference, Prediction("i", french))) == "report in French"
    assert metric.unread(Pair(reference, Prediction("i", GERMAN))) == ""
    assert metric.left_out(reference) == ""


def test_older_presets_read_as_they_always_did():
    for preset in ("strict-1", "paper"):
        assert (
            score_report(GERMAN, truth_of(GERMAN, language="de"), preset).value
            == score_report(GERMAN, truth_of(GERMAN), preset).value
        )


def test_evidence_quotes_the_reports_own_words():
    report = "Zunächst Überstreckung des rechten Arms, danach schüttelt sie am ganzen Körper."
    structure = extract_in("de")(report)
    quotes = {evidence.finding: evidence.quote for evidence in structure.evidence}
    assert "Überstreckung" in quotes["arm_straightening"]
    for evidence in structure.evidence:
        assert evidence.quote == " ".join(report[evidence.start : evidence.end].split())


def test_english_is_read_by_the_english_rules_whatever_the_data_set_states():
    text = "The head turns to the left, then the right arm extends."
    assert extract_in("de")(text) == extract(text)
    assert extract_in("") is extract
    with pytest.raises(SpecError, match="there are de, es, fr"):
        glossary("it")


def test_a_users_own_signs_are_read_in_the_users_own_words(tmp_path):
    path = tmp_path / "my.yaml"
    path.write_text(
        "features:\n  - {name: nose_wiping, title: Nasenwischen, synonyms: [wischt die nase, nasereiben]}\n"
        "  - {name: tonic}\n"
    )
    use_vocabulary(read_vocabulary(path))
    try:
        structure = extract_in("de")("Zuerst tonische Versteifung, danach wischt die Nase; kein Schmatzen.")
    finally:
        use_vocabulary(benchmark_vocabulary())
    assert structure.events == ("tonic", "nose_wiping")


def data_set(folder, language):
    folder.mkdir()
    about = {"schema": "s3harness/dataset/v1", "name": "ward", **({"language": language} if language else {})}
    (folder / "dataset.json").write_text(json.dumps(about))
    header = "video_id,patient_id,file,diagnosis,split,duration_s,onset_s,offset_s,onset_body_part"
    (folder / "videos.csv").write_text(f"{header}\nv0001,p1,,ES,,60,2,40,\n")
    (folder / "features.csv").write_text("video_id,feature,present,start_s,end_s,side,justification\n")
    (folder / "reports.csv").write_text(f'video_id,report\nv0001,"{GERMAN}"\n')
    return folder


def test_the_language_of_a_data_set_goes_with_each_truth_and_into_the_fingerprint(tmp_path):
    stated, silent = (load_dataset(data_set(tmp_path / f"of {name}", name)) for name in ("de", ""))
    ((_, truth),) = truths(stated.videos[0], "report", ("video",))
    assert truth["language"] == "de"
    ((_, truth),) = truths(silent.videos[0], "report", ("video",))
    assert "language" not in truth
    assert stated.fingerprint != silent.fingerprint
    assert dataset_warnings(stated) == [warning for warning in dataset_warnings(silent) if "German" not in warning]
    assert any('"language": "de"' in warning for warning in dataset_warnings(silent))


def test_a_language_that_is_no_code_is_a_problem_of_the_data_set(tmp_path):
    _, problems = read_dataset(data_set(tmp_path / "data", "German"))
    assert [str(problem) for problem in problems] == ["dataset.json: language: 'German' is no code like de, fr, es"]
