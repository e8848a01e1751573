"""What is written is read back to the last digit, and the library of each format opens it."""

from __future__ import annotations

import json
import socket
import warnings
from importlib import import_module
from itertools import groupby, pairwise
from pathlib import Path

import pytest
import yaml
from round_trips import NOTES, SOURCES, annotations, contents
from s3harness_formats.labels import LabelMeanings, ReadStatements

import s3harness

FORMATS = {
    "elan": ("elan", "*.eaf"),
    "boris": ("boris", "*.boris"),
    "edf": ("edf", "*.edf"),
    "bids": ("bids", None),
    "label-studio": ("label_studio", "tasks.json"),
}
SIZE = 200


def expected(form, exported):
    """BIDS has no tab in a cell: it becomes a blank."""
    if form != "bids":
        return contents(exported.recordings)
    from dataclasses import replace

    return contents(
        replace(
            one,
            statements={
                source: tuple(replace(s, note=s.note.replace("\t", " ")) for s in of_source)
                for source, of_source in one.statements.items()
            },
        )
        for one in exported.recordings
    )


def written(form, exported, out):
    module = import_module(f"s3harness_formats.{FORMATS[form][0]}")
    out.mkdir(parents=True, exist_ok=True)
    return getattr(module, f"export_{FORMATS[form][0]}")(exported, out)


def read_back(form, out) -> list[ReadStatements]:
    name, pattern = FORMATS[form]
    read = getattr(import_module(f"s3harness_formats.{name}"), f"read_{name}")
    return [read(path, LabelMeanings()) for path in (sorted(out.glob(pattern)) if pattern else [out])]


@pytest.fixture(scope="module")
def exported():
    return annotations(SIZE)


@pytest.fixture(scope="module")
def folders(exported, tmp_path_factory):
    folder = tmp_path_factory.mktemp("formats")
    return {form: (folder / form, written(form, exported, folder / form)) for form in FORMATS}


def test_there_are_as_many_annotations_as_promised_and_every_case_among_them(exported):
    every = [one for r in exported.recordings for of_source in r.statements.values() for one in of_source]
    assert len(every) == SIZE
    assert {(one.start_s is None, one.end_s is None) for one in every} == {
        (a, b) for a in (True, False) for b in (True, False)
    }
    assert {one.present for one in every} == {"yes", "no", "untested"}
    assert {one.note for one in every} == set(NOTES)
    assert any(one.start_s == one.end_s is not None for one in every)


@pytest.mark.parametrize("form", FORMATS)
def test_what_was_written_is_read_back_exactly(form, exported, folders):
    read = read_back(form, folders[form][0])
    assert contents(r for one in read for r in one.recordings) == expected(form, exported)
    assert not any(one.unmapped for one in read)


@pytest.mark.parametrize("form", FORMATS)
def test_times_finer_than_a_millisecond_are_exact_or_counted(form, tmp_path):
    statement = s3harness.SignStatement(sign="tonic", start_s=1.23456, end_s=20.1)
    recording = s3harness.Recording(id="v0001", patient="0001", statements={"truth": (statement,)})
    one = s3harness.AnnotationSet(name="fine", recordings=(recording,), signs=s3harness.sign_titles())
    notes = written(form, one, tmp_path / form)
    ((back,),) = ([r for got in read_back(form, tmp_path / form) for r in got.recordings],)
    is_exact = back.statements["truth"] == (statement,)
    assert is_exact or notes[:1] == ["1 time rounded to milliseconds"]


def test_elan_opens_in_pympi_with_a_tier_a_source_and_signs_of_a_vocabulary(exported, folders):
    from pympi.Elan import Eaf

    path = folders["elan"][0] / f"{exported.recordings[0].id}.eaf"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        eaf = Eaf(str(path))
    assert set(SOURCES) <= set(eaf.get_tier_names())
    assert {value for _, _, value in eaf.get_annotation_data_for_tier("truth")} <= set(exported.signs)
    _, entries, _ = eaf.controlled_vocabularies["signs"]
    assert [values[0][0] for values, _ in entries.values()] == list(exported.signs)
    for name in eaf.get_tier_names():
        spans = sorted(eaf.get_annotation_data_for_tier(name)) if eaf.tiers[name][0] else []
        # ELAN refuses overlaps within a tier.
        assert all(before[1] <= after[0] for before, after in pairwise(spans))


def test_boris_pairs_every_state(exported, folders):
    project = json.loads((folders["boris"][0] / "annotations.boris").read_text())
    kinds = {one["code"]: one["type"] for one in project["behaviors_conf"].values()}
    subjects = {one["name"] for one in project["subjects_conf"].values()}
    for observation in project["observations"].values():
        states = [event for event in observation["events"] if kinds[event[2]] == "State event"]
        assert {event[1] for event in observation["events"]} <= subjects
        assert [event[0] for event in observation["events"]] == sorted(event[0] for event in observation["events"])
        for _, of_one in groupby(sorted(states, key=lambda event: event[1:4]), key=lambda event: event[1:4]):
            assert len(list(of_one)) % 2 == 0


def test_edf_opens_in_edfio_and_names_nobody(exported, folders):
    import edfio

    path = folders["edf"][0] / f"{exported.recordings[0].id}.edf"
    edf = edfio.read_edf(path)
    statements = [one for of_source in exported.recordings[0].statements.values() for one in of_source]
    assert len(edf.annotations) == len(statements)
    assert (edf.patient.name, edf.patient.code, edf.recording.hospital_administration_code) == ("X", "X", "X")


def test_hedtools_finds_no_error_and_asks_no_network(exported, folders, monkeypatch):
    from hed.tools import BidsDataset

    def refused(*_):
        raise AssertionError("hedtools asked the network")

    monkeypatch.setattr(socket.socket, "connect", refused)
    data = BidsDataset(str(folders["bids"][0]))
    assert data.schema.version_number == "2.1.0"
    assert data.validate(check_for_warnings=False) == []
    # So that the check cannot pass for having looked at nothing.
    assert sum(len(list(group.datafile_dict)) for group in data.file_groups.values()) >= len(exported.recordings)
    assert len(data.file_groups) >= 1


def test_label_studio_labels_are_those_of_its_interface(exported, folders):
    from xml.etree import ElementTree

    interface = ElementTree.parse(folders["label-studio"][0] / "interface.xml").getroot()
    controls = {one.get("name"): one for one in interface if one.get("toName")}
    # Label Studio names the type of a result by the tag in lower case.
    assert {one.tag.lower() for one in controls.values()} == {"labels", "choices", "textarea"}
    tasks = json.loads((folders["label-studio"][0] / "tasks.json").read_text())
    results = [r for task in tasks for one in (*task["annotations"], *task["predictions"]) for r in one["result"]]
    assert {result["from_name"] for result in results} <= set(controls)
    values = {choice.get("value") for choice in controls["sign"]}
    assert {label for r in results if r["type"] == "labels" for label in r["value"]["labels"]} <= values
    assert len({task["id"] for task in tasks}) == len(tasks)


@pytest.mark.parametrize("name", ["features.yaml", "features-ilae-2025.yaml"])
def test_every_hed_tag_of_a_shipped_list_is_one_of_score(name):
    from hed.models.hed_string import HedString
    from hed.validator import HedValidator
    from s3harness_formats.hed import schema

    folder = Path(s3harness.__file__).parents[1] / "task_specs"
    tags = {one["name"]: one["hed"] for one in yaml.safe_load((folder / name).read_text())["features"]}
    validator = HedValidator(schema())
    wrong = {sign: validator.validate(HedString(tag, schema()), False) for sign, tag in tags.items()}
    assert {sign: found for sign, found in wrong.items() if found} == {}
    assert len(tags) >= 20
