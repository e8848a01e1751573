"""Files as hospitals have them become data sets: times, sides and certainty stay, and what has no meaning is noted."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import edfio
import pytest
from pympi.Elan import Eaf
from s3harness_formats import NAMES, bids, boris, edf, elan, importers, label_studio

import s3harness
from s3harness.dataset.export_annotations import export_annotations
from s3harness.testing import check, promises

VIDEOS = "video_id,patient_id,file,diagnosis,split,duration_s,onset_s,offset_s,onset_body_part"
SIGNS = "video_id,feature,present,start_s,end_s,side,justification,certainty"
LABELS = {
    "tonic": ("yes", "3.125", "20.5", "left", "stiff; all of it", "uncertain"),
    "clonic": ("yes", "10", "39.001", "both", "", "certain"),
    "head_turning": ("yes", "2.5", "", "right", "", ""),
    "occur_during_sleep": ("yes", "", "", "", "", ""),
    "eye_blinking": ("no", "", "", "", "", ""),
    "verbal_responsiveness": ("untested", "", "", "", "", ""),
    "arm_movement": ("yes", "4", "6", "left", "", ""),
}


@pytest.fixture
def data(tmp_path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "dataset.json").write_text('{"schema": "s3harness/dataset/v1", "name": "small"}')
    (folder / "videos.csv").write_text(f"{VIDEOS}\nv0001,p1,,,,60,2,40.25,\nv0002,p2,,,,60,0.001,59.999,\n")
    rows = [f"{video},{name},{','.join(label)}" for video in ("v0001", "v0002") for name, label in LABELS.items()]
    (folder / "features.csv").write_text("\n".join([SIGNS, *rows]) + "\n")
    return folder


def table(path: Path, key: str, without=()):
    with path.open(encoding="utf-8", newline="") as file:
        return sorted(tuple(v for k, v in row.items() if k != key and k not in without) for row in csv.DictReader(file))


def imported(name, source, out, **options):
    module = NAMES[name]
    getattr(importers, f"import_{module}")(source, out, **options)
    return s3harness.load_dataset(out).videos


def notes(out):
    path = out / "private" / "import_notes.txt"
    return path.read_text(encoding="utf-8") if path.is_file() else ""


@pytest.mark.parametrize("name", NAMES)
def test_a_data_set_comes_back_from_every_format_as_it_was(name, data, tmp_path):
    export_annotations(data, tmp_path / "out", name, options={})
    imported(name, tmp_path / "out", tmp_path / "back")
    assert table(tmp_path / "back" / "features.csv", "video_id") == table(data / "features.csv", "video_id")
    edges = [row[-3:-1] for row in table(tmp_path / "back" / "videos.csv", "video_id")]
    assert sorted(edges) == [("0.001", "59.999"), ("2", "40.25")]


@pytest.mark.parametrize("promise", promises("dataset"))
@pytest.mark.parametrize("name", NAMES)
def test_an_importer_keeps(name, promise, data, tmp_path):
    export_annotations(data, tmp_path / "ward files", name, options={})
    check("dataset", name, promise, options={"source": str(tmp_path / "ward files")})


def test_elan_tiers_of_a_ward_with_words_of_its_own(tmp_path):
    """Tiers that are signs, values that are signs with a side, remarks, and things that are no signs."""
    eaf = Eaf()
    eaf.remove_tier("default")
    for tier in ("Tonic", "Zeichen", "EEG"):
        eaf.add_tier(tier, part="MTA 1")
    eaf.add_annotation("Tonic", 1500, 9000, "Arm zuerst")
    eaf.add_annotation("Zeichen", 2000, 4000, "Head turning li.")
    eaf.add_annotation("Zeichen", 5000, 7250, "clonic right?")
    eaf.add_annotation("EEG", 100, 900, "rhythmic theta")
    eaf.add_linked_file("file:///D:/Video/Anfall%201.wmv", relpath="./Anfall 1.wmv", mimetype="video/x-ms-wmv")
    folder = tmp_path / "ward" / "patient A"
    folder.mkdir(parents=True)
    eaf.to_file(str(folder / "Anfall 1.eaf"))
    (video,) = imported("elan", tmp_path / "ward", tmp_path / "out")
    label = s3harness.FeatureLabel
    assert video.features["tonic"] == label("yes", 1.5, 9.0, None, "Arm zuerst")
    assert video.features["head_turning"] == label("yes", 2.0, 4.0, "left")
    assert video.features["clonic"] == label("yes", 5.0, 7.25, "right", certainty="uncertain")
    assert "rhythmic theta" in notes(tmp_path / "out")
    sources = (tmp_path / "out" / "private" / "sources.csv").read_text()
    assert "Anfall 1.wmv" in sources
    assert "patient A" in sources


def test_a_mapping_gives_the_words_of_a_ward_their_meaning(tmp_path):
    edf_file = edfio.Edf(
        [], annotations=[edfio.EdfAnnotation(3.25, 4.5, "Verkrampfung"), edfio.EdfAnnotation(1.0, None, "Knopf")]
    )
    edf_file.write(tmp_path / "a.edf")
    mapping = tmp_path / "mapping.yaml"
    mapping.write_text(
        "schema: s3harness/mapping/v1\nvideo: video\npatient: patient\n"
        "sign: {column: sign, vocabulary: {Verkrampfung: tonic, Knopf: ignore}, start: start, end: end}\n"
    )
    (video,) = imported("edf", tmp_path / "a.edf", tmp_path / "out", mapping=mapping)
    assert dict(video.features) == {"tonic": s3harness.FeatureLabel("yes", 3.25, 7.75)}
    assert "Knopf" in notes(tmp_path / "out")


def test_an_event_table_of_boris_and_several_bouts_of_one_sign(tmp_path):
    """As BORIS 8 exports tabular events; two bouts become one interval, and the import says so."""
    (tmp_path / "events.csv").write_text(
        "Observation id,Media file name,Subject,Behavior,Behavior type,Modifier #1,Time,Comment\n"
        "obs 1,a.mp4,No focal subject,tonic,START,left,1.5,\n"
        "obs 1,a.mp4,No focal subject,tonic,STOP,left,2.25,\n"
        "obs 1,a.mp4,No focal subject,tonic,START,left,10,\n"
        "obs 1,a.mp4,No focal subject,tonic,STOP,left,12,\n"
        "obs 1,a.mp4,No focal subject,eye blinking,POINT,,5,fast\n"
    )
    read = boris.read_boris(tmp_path / "events.csv", importers.LabelMeanings())
    ((_, statements),) = read.recordings[0].statements.items()
    assert [(one.sign, one.start_s, one.end_s, one.side, one.note) for one in statements] == [
        ("tonic", 1.5, 2.25, "left", ""),
        ("tonic", 10.0, 12.0, "left", ""),
        ("eye_blinking", 5.0, None, None, "fast"),
    ]
    (video,) = imported("boris", tmp_path / "events.csv", tmp_path / "out")
    assert video.features["tonic"] == s3harness.FeatureLabel("yes", 1.5, 12.0, "left")
    assert "2 annotations become one" in notes(tmp_path / "out")


def test_regions_of_frames_need_a_frame_rate(tmp_path):
    region = {"ranges": [{"start": 26, "end": 50}], "timelinelabels": ["Tonic"]}
    result = [{"id": "a", "from_name": "l", "to_name": "v", "type": "timelinelabels", "value": region}]
    task = {"id": 7, "data": {"video": "/data/upload/1/a.mp4"}, "annotations": [{"result": result, "completed_by": 3}]}
    path = tmp_path / "export.json"
    path.write_text(json.dumps([task]))
    with pytest.raises(s3harness.DatasetError, match=r"export\.json: task 1: .*-o fps=25"):
        label_studio.read_label_studio(path, importers.LabelMeanings())
    (video,) = imported("label-studio", path, tmp_path / "out", fps=25)
    assert video.features["tonic"] == s3harness.FeatureLabel("yes", 1.0, 2.0)


def test_bids_events_that_are_named_by_their_hed_tags_alone(tmp_path):
    folder = tmp_path / "bids" / "sub-01" / "beh"
    folder.mkdir(parents=True)
    (tmp_path / "bids" / "task-x_events.json").write_text(
        json.dumps({"trial_type": {"HED": {"stiff": "Seizure-semiology/Semiology-elementary-motor/Semiology-tonic"}}})
    )
    (folder / "sub-01_task-x_events.tsv").write_text(
        "onset\tduration\ttrial_type\tHED\n1.25\t2.5\tstiff\tn/a\n7\tn/a\tsmack\t(Semiology-oroalimentary, Left)\n"
    )
    (video,) = imported("bids", tmp_path / "bids", tmp_path / "out")
    assert video.features["tonic"] == s3harness.FeatureLabel("yes", 1.25, 3.75)
    assert video.features["oral_automatisms"] == s3harness.FeatureLabel("yes", 7.0)


def test_of_several_annotators_one_is_chosen(tmp_path):
    eaf = Eaf()
    for name in ("Dr A", "Dr B"):
        eaf.add_tier(name, part=name)
        eaf.add_annotation(name, 1000, 2000 if name == "Dr A" else 3000, "tonic")
    eaf.to_file(str(tmp_path / "a.eaf"))
    with pytest.raises(s3harness.UsageError, match=r"a\.eaf: a has annotations of Dr A, Dr B; choose one"):
        imported("elan", tmp_path / "a.eaf", tmp_path / "none")
    (video,) = imported("elan", tmp_path / "a.eaf", tmp_path / "out", annotator="Dr B")
    assert video.features["tonic"].end_s == 3.0


@pytest.mark.parametrize(
    ("read", "name", "content"),
    [
        (elan.read_elan, "a.eaf", "<ANNOTATION_DOCUMENT>"),
        (boris.read_boris, "a.boris", '{"observations": 3}'),
        (boris.read_boris, "a.boris", '{"observations": {"o": {"events": [[1]]}}}'),
        (boris.read_boris, "a.csv", "a,b\n1,2\n"),
        (edf.read_edf, "a.edf", "0       X X X X"),
        (bids.read_bids, "a_events.tsv", "when\twhat\n1\ttonic\n"),
        (bids.read_bids, "a_events.tsv", "onset\tduration\ttrial_type\nsoon\t1\ttonic\n"),
        (label_studio.read_label_studio, "a.json", '{"id": 1}'),
        (label_studio.read_label_studio, "a.json", '[{"annotations": [{"result": [{"type": "labels"}]}]}]'),
    ],
)
def test_a_damaged_file_is_an_error_that_names_it(tmp_path, read, name, content):
    (tmp_path / name).write_text(content)
    with pytest.raises(s3harness.DatasetError, match=name.replace(".", r"\.")):
        read(tmp_path / name, importers.LabelMeanings())
