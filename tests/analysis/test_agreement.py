"""How well annotators agree, and the human ceilings that follow."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from click.testing import CliRunner

from s3harness.analysis.agreement import agreement, panel_of
from s3harness.analysis.ceiling import human_ceilings
from s3harness.cli import cli
from s3harness.dataset.load import Dataset
from s3harness.dataset.tables import FEATURES, REPORTS, VIDEOS, write_table
from s3harness.errors import UsageError
from s3harness.testing.cases import made_up_videos
from s3harness.types import FeatureLabel, Video


def dataset(videos, name="a"):
    return Dataset(name, "1", "none", "", tuple(videos))


def video(number, patient=None, diagnosis="ES", onset=10.0, **features):
    labels = {n: f if isinstance(f, FeatureLabel) else FeatureLabel(f) for n, f in features.items()}
    patient = f"p{number if patient is None else patient}"
    return Video(f"v{number:04d}", patient, diagnosis=diagnosis, onset_s=onset, offset_s=60.0, features=labels)


def panel(*annotators, names=()):
    return panel_of([dataset(videos, f"reader {n}") for n, videos in enumerate(annotators, start=1)], names)


def question(found, name):
    return next(q for q in found.questions if q.question == name)


def moment(found, name):
    return next(t for t in found.times if t.moment == name)


def seen(start, end=None, side=None):
    return FeatureLabel("yes", start, end, side, "It was seen.")


class TestQuestions:
    def test_kappa_prevalence_and_what_was_left_open(self):
        first = [video(n, tonic=p) for n, p in enumerate(["yes", "yes", "no", "no", "untested", "yes"])]
        second = [video(n, tonic=p) for n, p in enumerate(["yes", "no", "no", "no", "yes"])] + [video(5)]
        tonic = question(agreement(panel(first, second), resamples=50), "tonic")
        assert (tonic.n, tonic.n_all, tonic.agreement) == (4, 4, 0.75)
        assert tonic.cohen.value == pytest.approx(0.5)
        assert tonic.by_pair == {"reader 1 – reader 2": pytest.approx(0.5)}
        assert tonic.undecided == {"reader 1": 1, "reader 2": 1}
        assert tonic.prevalence == {"reader 1": 3 / 5, "reader 2": 2 / 5}

    def test_three_annotators_of_whom_one_left_something_open(self):
        answers = [("yes", "yes", "yes"), ("no", "no", "untested"), ("yes", "no", "no"), ("no", "no", "no")]
        readings = [[video(n, clonic=row[a]) for n, row in enumerate(answers)] for a in range(3)]
        clonic = question(agreement(panel(*readings), resamples=50), "clonic")
        assert (clonic.n, clonic.n_all) == (4, 3)
        assert list(clonic.by_pair) == ["reader 1 – reader 2", "reader 1 – reader 3", "reader 2 – reader 3"]
        assert clonic.fleiss.value == pytest.approx((7 / 9 - 41 / 81) / (1 - 41 / 81))
        assert clonic.krippendorff.value == pytest.approx(1 - 10 * 2 * 1 / (2 * 4 * 7))

    def test_sides_count_only_where_both_see_the_sign(self):
        first = [video(n, head_turning=seen(1, side=s)) for n, s in enumerate(["left", "right", "left", "both"])]
        second = [
            video(n, head_turning=seen(1, side=s) if s else "no") for n, s in enumerate(["left", "left", "", "both"])
        ]
        side = question(agreement(panel(first, second), resamples=50), "side of head_turning")
        assert (side.n, side.positive) == (3, "left")
        assert side.agreement == pytest.approx(2 / 3)

    def test_diagnosis_and_body_part(self):
        first = [replace(video(n, diagnosis=d), onset_body_part="head") for n, d in enumerate(["ES", "NES", None])]
        second = [video(n, diagnosis=d) for n, d in enumerate(["ES", "ES", "NES"])]
        found = agreement(panel(first, second), resamples=50)
        assert question(found, "diagnosis").agreement == 0.5
        assert question(found, "onset_body_part").n == 0
        assert question(found, "onset_body_part").cohen.value is None

    def test_the_mean_of_features_and_all_labels_together(self):
        first = [video(n, tonic=t, clonic=c) for n, (t, c) in enumerate([("yes", "no"), ("no", "no"), ("no", "yes")])]
        second = [video(n, tonic=t, clonic="no") for n, t in enumerate(["yes", "no", "no"])]
        overall = agreement(panel(first, second), resamples=50).overall
        assert overall["Cohen's κ, mean of features"].value == pytest.approx((1 + 0) / 2)
        pooled = (5 / 6 - (2 * 1 + 4 * 5) / 36) / (1 - (2 * 1 + 4 * 5) / 36)
        assert overall["Cohen's κ, all labels"].value == pytest.approx(pooled)

    def test_intervals_resample_patients(self):
        videos = made_up_videos(60, patients=12)
        wrong = [spoiled(v) if v.patient in ("p001", "p002", "p003") else v for v in videos]
        clustered = agreement(panel(videos, wrong), resamples=400).overall["Cohen's κ, all labels"]
        alone = [[replace(v, patient=v.id) for v in reading] for reading in (videos, wrong)]
        naive = agreement(panel(*alone), resamples=400).overall["Cohen's κ, all labels"]
        assert clustered.value == naive.value
        assert clustered.interval.low < naive.interval.low < naive.interval.high < clustered.interval.high


def spoiled(video):
    other = {"yes": "no", "no": "yes"}
    features = {n: replace(f, present=other.get(f.present, f.present)) for n, f in video.features.items()}
    return replace(video, features=features)


class TestPrevalence:
    def test_correlation_is_over_features_and_by_diagnosis(self):
        counts = {"tonic": (4, 3), "clonic": (2, 2), "figure4": (1, 0)}
        readings = [
            [video(n, **{name: "yes" if n < yes[a] else "no" for name, yes in counts.items()}) for n in range(4)]
            for a in range(2)
        ]
        es, nes = agreement(panel(*readings), resamples=50).prevalence
        assert (es.diagnosis, es.n_videos, es.n_features) == ("ES", 4, 3)
        assert es.r == pytest.approx(pearson([4, 2, 1], [3, 2, 0]))
        assert (nes.r, nes.n_videos) == (None, 0)

    def test_the_diagnosis_is_the_first_that_anybody_gives(self):
        first, second = [video(0, diagnosis=None)], [video(0, diagnosis="NES")]
        assert [c.n_videos for c in agreement(panel(first, second), resamples=50).prevalence] == [0, 1]


def pearson(x, y):
    mean_x, mean_y = sum(x) / len(x), sum(y) / len(y)
    dx, dy = [a - mean_x for a in x], [b - mean_y for b in y]
    return sum(a * b for a, b in zip(dx, dy, strict=True)) / (sum(a * a for a in dx) * sum(b * b for b in dy)) ** 0.5


class TestTimes:
    def test_medians_and_shares_of_what_both_noted(self):
        first = [video(0, onset=10, tonic=seen(5, 20)), video(1, onset=20, tonic=seen(8, 9)), video(2, onset=None)]
        second = [video(0, onset=11, tonic=seen(9, 20)), video(1, onset=20, tonic="no"), video(2, onset=3)]
        found = agreement(panel(first, second), resamples=50)
        onset = moment(found, "seizure onset")
        assert (onset.n, onset.median_s) == (2, 0.5)
        assert onset.within == {"1 s": 1.0, "2 s": 1.0, "5 s": 1.0}
        sign = moment(found, "onset of a sign")
        assert (sign.n, sign.median_s) == (1, 4.0)
        assert sign.within == {"1 s": 0.0, "2 s": 0.0, "5 s": 1.0}
        assert moment(found, "onset of tonic").median_s == 4.0
        assert moment(found, "offset of a sign").median_s == 0.0

    def test_every_pair_of_three_counts(self):
        readings = [[video(0, onset=at)] for at in (10, 11, 14)]
        onset = moment(agreement(panel(*readings), resamples=50), "seizure onset")
        assert (onset.n, onset.median_s) == (3, 3.0)


class TestPanel:
    def test_videos_that_one_lacks_are_counted_and_not_compared(self):
        found = panel([video(n) for n in range(4)], [video(n) for n in (1, 3, 9)])
        assert [of[0].id for of in found.videos] == ["v0001", "v0003"]
        assert found.left_out == {"reader 1": ("v0000", "v0002"), "reader 2": ("v0009",)}

    def test_videos_are_matched_by_what_the_source_calls_them_whatever_their_ids(self):
        first = [video(n, tonic=p) for n, p in enumerate(["yes", "no", "yes", "no"])]
        second = [video(n, tonic=p) for n, p in enumerate(["yes", "yes", "no"])]
        sources = [{f"v{n:04d}": f"{name}.mp4" for n, name in enumerate(names)} for names in ("abcd", "acd")]
        found = panel_of([dataset(first, "one"), dataset(second, "two")], (), sources)
        assert [[v.id for v in of] for of in found.videos] == [["v0000"] * 2, ["v0002"] * 2, ["v0003"] * 2]
        assert found.left_out == {"one": ("v0001",), "two": ()}
        assert question(agreement(found, resamples=50), "tonic").cohen.value == 1.0

    def test_without_sources_in_one_data_set_ids_are_matched(self):
        found = panel_of([dataset([video(0)], "one"), dataset([video(0)], "two")], (), [{"v0000": "a.mp4"}, {}])
        assert len(found.videos) == 1

    def test_without_a_video_in_common_there_is_nothing_to_say(self):
        with pytest.raises(UsageError, match="reader 1, reader 2: no video is in all of them"):
            panel([video(0)], [video(1)])

    def test_data_sets_of_one_name_go_by_that_of_their_directory(self):
        twice = [dataset([video(0)], "s3"), dataset([video(0)], "s3")]
        assert panel_of(twice, ["may", "june"]).annotators == ("may", "june")
        assert panel_of(twice, ["s3", "s3"]).annotators == ("annotator 1", "annotator 2")


class TestCeilings:
    def ceilings(self, *annotators):
        return {(c.task[3:8], c.metric): c for c in human_ceilings(panel(*annotators), resamples=50)}

    def test_who_agrees_in_everything_scores_what_the_truth_scores(self):
        videos = made_up_videos(12, patients=6)
        for ceiling in human_ceilings(panel(videos, videos), resamples=20):
            best = 100.0 if ceiling.unit == "points" else float(ceiling.higher_is_better)
            assert ceiling.value == pytest.approx(best) or ceiling.metric == "AUROC"
            assert ceiling.shared == 1.0

    def test_the_ceiling_is_the_mean_of_both_directions(self):
        """Of 4 signs the first sees 3 and the second 1 of them: F1 is 0.5 either way; sensitivity 1/3 and 1."""
        first = [video(n, tonic=p) for n, p in enumerate(["yes", "yes", "yes", "no"])]
        second = [video(n, tonic=p) for n, p in enumerate(["yes", "no", "no", "no"])]
        found = self.ceilings(first, second)
        assert found["task1", "macro F1"].value == pytest.approx(0.5)
        assert found["task1", "balanced accuracy"].value == pytest.approx(((1 / 3 + 1) / 2 + (1 + 1 / 3) / 2) / 2)

    def test_untested_is_no_truth_and_as_an_answer_no_sign(self):
        first = [video(n, tonic=p) for n, p in enumerate(["yes", "yes", "no"])]
        second = [video(n, tonic=p) for n, p in enumerate(["yes", "untested", "no"])]
        f1 = self.ceilings(first, second)["task1", "macro F1"]
        assert f1.value == pytest.approx((2 / 3 + 1) / 2)
        assert f1.n_items == 2.5

    def test_times_count_where_both_have_one(self):
        first = [video(0, onset=10.0, tonic=seen(10.0)), video(1, onset=20.0, tonic=seen(22.0))]
        second = [video(0, onset=13.0, tonic=seen(15.0)), video(1, onset=20.0, tonic="no")]
        mae = self.ceilings(first, second)["task4", "MAE"]
        assert mae.value == pytest.approx((3 + 0 + 0 + 0 + 5) / 5)
        assert mae.shared == pytest.approx((5 + 5) / (6 + 5))
        assert ("task4", "signed bias") not in self.ceilings(first, second)

    def test_the_order_of_signs(self):
        first = [video(0, tonic=seen(1.0), clonic=seen(5.0))]
        second = [video(0, tonic=seen(9.0), clonic=seen(5.0))]
        assert self.ceilings(first, second)["task5", "LCS-F"].value == pytest.approx(0.5)


class TestCommand:
    @pytest.fixture
    def directories(self, tmp_path):
        videos = made_up_videos(12, patients=6)
        other = [spoiled(v) if n % 4 == 0 else v for n, v in enumerate(videos[:-1])]
        return [str(write(tmp_path / name, of)) for name, of in (("first", videos), ("second", other))]

    def test_prints_questions_times_and_ceilings(self, directories):
        result = CliRunner().invoke(cli, ["data", "agreement", *directories])
        assert result.exit_code == 0, result.output
        for words in (
            "11 videos of 6 patients",
            "another annotator lacks the video: 1 of first (",
            "Krippendorff's α",
            "LCS-F",
            "Seizure-RQI",
        ):
            assert words in result.output

    def test_fits_a_terminal_without_breaking_words(self, directories):
        result = CliRunner().invoke(cli, ["data", "agreement", *directories], env={"COLUMNS": "80"})
        questions = result.output.partition("Under each annotator")[0].splitlines()
        words = {line[:14].strip() for line in questions}
        assert {"responsiveness", "simultaneously", "straightening", "vocalization"} <= words
        assert max(len(line) for line in questions if "  " in line) <= 80

    def test_json_has_all_of_it(self, directories):
        found = json.loads(CliRunner().invoke(cli, ["data", "agreement", *directories, "--json"]).output)
        assert (len(found["left_out"]["first"]), found["left_out"]["second"]) == (1, [])
        tonic = next(q for q in found["questions"] if q["question"] == "tonic")
        assert tonic["cohen"]["value"] < 1
        assert {c["metric"] for c in found["ceilings"]} >= {"macro F1", "MAE", "LCS-F", "Seizure-RQI"}

    def test_one_data_set_agrees_with_nothing(self, directories):
        result = CliRunner().invoke(cli, ["data", "agreement", directories[0]])
        assert result.exit_code == 2
        assert "at least two data sets" in result.output


def write(out, videos):
    out.mkdir()
    about = {"schema": "s3harness/dataset/v1", "name": out.name, "version": "1", "licence": "none"}
    (out / "dataset.json").write_text(json.dumps(about))
    columns = [c for c in VIDEOS if c not in ("video_id", "patient_id", "file")]
    rows = [{"video_id": v.id, "patient_id": v.patient} | {c: getattr(v, c) for c in columns} for v in videos]
    write_table(out / "videos.csv", VIDEOS, rows)
    labels = [(v, name, label) for v in videos for name, label in v.features.items()]
    fields = FEATURES[2:]
    rows = [{"video_id": v.id, "feature": name} | {c: getattr(f, c) for c in fields} for v, name, f in labels]
    write_table(out / "features.csv", FEATURES, rows)
    write_table(out / "reports.csv", REPORTS, [{"video_id": v.id, "report": v.report} for v in videos])
    return out
