"""The exporters keep the contract of their kind, and the command line reaches them."""

from __future__ import annotations

import subprocess
import sys

import pytest
from s3harness_formats import NAMES

from s3harness.testing import check, promises


@pytest.mark.parametrize("promise", promises("exporter"))
@pytest.mark.parametrize("name", NAMES)
def test_an_exporter_keeps(name, promise):
    check("exporter", name, promise)


def test_a_data_set_is_exported_by_name_and_the_command_says_what_has_no_place(tmp_path):
    data = tmp_path / "data"
    data.mkdir()
    (data / "dataset.json").write_text('{"schema": "s3harness/dataset/v1", "name": "small"}')
    header = "video_id,patient_id,file,diagnosis,split,duration_s,onset_s,offset_s,onset_body_part"
    (data / "videos.csv").write_text(f"{header}\nv0001,p1,,ES,,60,2,40,\n")
    (data / "features.csv").write_text(
        "video_id,feature,present,start_s,end_s,side,justification\nv0001,tonic,yes,3,20,left,\nv0001,clonic,no,,,,\n"
    )
    command = [sys.executable, "-m", "s3harness", "data", "export", str(data), "--to", "elan"]
    ended = subprocess.run([*command, "--output", str(tmp_path / "out")], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    assert "not exported: diagnosis of 1 video" in ended.stdout
    from pympi.Elan import Eaf

    eaf = Eaf(str(tmp_path / "out" / "v0001.eaf"), suppress_version_warning=True)
    assert eaf.get_annotation_data_for_tier("truth") == [(2000, 40000, "seizure")]
    assert eaf.get_annotation_data_for_tier("truth 2") == [(3000, 20000, "tonic")]
    again = subprocess.run([*command, "--output", str(tmp_path / "out")], capture_output=True, text=True, check=False)
    assert again.returncode == 2
    assert "exists; name another --output" in again.stderr
