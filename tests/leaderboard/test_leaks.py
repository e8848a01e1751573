"""What may not leave is found wherever it stands; what a clean run holds is not taken for it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from calling import call
from tampering import edit

from s3harness.guard.identifiers.find import find_identifiers
from s3harness.guard.identifiers.kinds import KINDS
from s3harness.guard.private_words import PrivateWords

PLANTED = {
    "path": (
        "/home/anna/emu/rec.mp4", "/mnt/nas/videos", "~/data/film", "C:\\Users\\anna\\film", "\\\\server\\share\\emu",
        "../private/list", "see seizure_04.mp4", "in EMU-17.edf", "file list.csv", "/srv/telemetry/bed4/rec",
        "notes.docx",
        "/data is full", "still.JPG", "./run.sh", "bed4.nk", "cam1.m2t", "night.eeg", "A0001.MXF", "huber.trc",
        "0004562A.21E", "seizure_2.set", "rec.vhdr",
    ),
    "date": (
        "2019-03-14", "2019/3/14", "14.03.2019", "3/14/2019", "20190314", "14 March 2019", "14th of March",
        "March 14, 2019",
        "Mar 2019", "14. März 2019", "on 3-14-19", "DOB: 1974", "born in 1974", "rec_20190314_b", "2019_03_14", "2 Jan",
        "12MAR2021", "12-Mar-21", "on 12.3.", "12.3.", "03/2021", "2021-03", "am 12. März", "le 12 mars 2021",
        "12 de marzo de 2021", "12 marzo 2021", "12 Mart 2021", "12 marca 2021", "the fourteenth of March",
        "am vierzehnten März", "14. 03. 2019", "geb. 14.3.74", "*14.03.1974", "né en 1974", "ur. 1974",
        "１４.０３.２０１９", "14\u200b.03.2019",
    ),
    "time of day": ("14:35 Uhr", "2:35 pm", "14h35", "at 14:35:07", "a las 14:35", "saat 14:35", "godz. 14:35"),
    "age": (
        "aged 93", "93-year-old", "93 years old", "age: 91", "94 y/o", "93 Jahre alt", "93-jährig", "im Alter von 94",
        "âgé de 92 ans", "95 años", "93 yaşında", "93 lat", "ninety-three years old", "zweiundneunzigjährige",
        "a nonagenarian", "in her nineties", "101 years",
    ),
    "name": (
        "Dr. Weber", "Mr Jones", "Mrs. O'Neil", "Prof Schmidt", "Patient: Anna", "Name: Huber", "name=Huber",
        "called Anna",
        "the patient Anna Huber", "Nurse Betty", "Huber, Anna (f)", "a man named Karl", "Herr Müller", "examiner: Ruth",
        "SMITH^JOHN", "Smith^John",
        "his wife Anna", "nurse Kowalska", "patient Müller", "Frau Dr. Huber",
        "Schwester Eva", "Pfleger Tom", "Mme Dupont", "M. Dupont", "Sra. García", "Ayşe Hanım", "Bay Demir",
        "Pani Anna",
        "Mr. Todd", "ihre Mutter Anna", "sa femme Claire", "su esposa María", "eşi Ayşe", "jego żona Zofia",
        "Herr von Bülow", "Anna Huber", "pt. A.H.", "gez. Müller", "Kacper Wojtowicz",
    ),
    "number": (
        "0170 1234567", "+49 89 1234567", "(555) 123-4567", "123-45-6789", "4711004712", "MRN 48213", "id 482137",
        "case#48213",
        "NHS 943 476 5919", "Fallnummer 48213", "tel. 4471", "PESEL 85031412345", "NHC 48213", "DNI 12345678Z",
        "661 723 216", "01 23 45 67 89", "No. 04562", "health plan A1234567", "licence plate M-AB 1234",
        "583 8 723", "531 596 923", "114122B03354851",
    ),
    "serial": ("S/N 0456-221", "serial no. NK1200-77", "Seriennummer 88213", "n° de série X8821",
               "SN: A7731", "UDI 0064300"),
    "e-mail": ("anna.huber@klinik.de", "anna (at) klinik.de", "a+b@c.org", "anna at klinik dot de", "anna＠klinik.de",
               "anna [at] klinik [dot] de"),
    "address": (
        "http://10.0.0.5/api", "https://emu.klinik.de", "192.168.1.17", "emu-server.local",
        "nas01.intern.lan", "www.klinik.de", "00:1B:44:11:3A:B7", "00-1b-44-11-3a-b7", "001b.4411.3ab7",
        "fe80::1b44:113a", "emu.klinik.de",
    ),
    "place": (
        "Hauptstraße 12", "Hauptstr. 12, 80331 München", "12 Oak Street", "221B Baker Street", "rue de la Paix",
        "12 rue de la Paix", "Calle Mayor 5", "ul. Długa 7", "Atatürk Caddesi", "Springfield, IL 62704", "Via Roma 12",
        "Apt. 12", "P.O. Box 441", "80331 München", "lives in Munich", "Klinikum Großhadern",
    ),
    "media": ("data:image/png;base64,iVBORw0KGgo", "A" * 40 + "b1+/" * 40),
    "key": ("hf_abcdefghijklmnopqrstuv", "sk-abcdefghijklmnopqrstuvwx", "Bearer abcdefghijk", "-----BEGIN PRIVATE KEY"),
}  # fmt: skip

CLEAN = (
    '{"answer": "no", "justification": "The measured head rest is 0.13266, not under 0.027."}',
    '{"time": "01:23"}', '["head_turning", "tonic", "clonic"]',
    "The head turns to the patient's left at 00:12 and the left arm is raised until 00:45.",
    "Patient is awake. Clonic jerking of both arms follows; the eyes stay closed for 34 seconds.",
    "1. Tonic phase (5-12 s) 2. Clonic phase (12-40 s). May be a tonic-clonic seizure, i.e. ES.",
    "The patient lies in bed / on the side and/or turns. Ratio 3/4, frames 1/2, 25.5 fps, 640x360.",
    "Figure 4 sign; the right arm extends, the left flexes. GTCS. 0.123456789012 and 12345.678",
    "Sign present: Yes. Confidence: 0.87. Duration: 00:01:23.500. Then The Patient Sat Up.",
    "I cannot tell, as the Examiner does not ask. Video shows a Person in a Bed.",
    "Todd's paresis of the left arm; no Jackson march, Babinski negative.", "Lennox-Gastaut or Dravet syndrome.",
    "EEG by the 10-20 system, electrodes F3, T4 and P3.", "5 mg lorazepam, then 10 mg/kg Levetiracetam.",
    "This may 3 times be seen; in May the list was not used.", "Values 10 20 30 40 of 100; 5-10-15 s.",
    "The patient. Leave out staff and furniture.", "Nurse: Raise your left arm! Patient: Yes.",
    "Head, Arm, and Leg move. Tonic, Clonic and Automatisms are absent.",
    "Heart rate 92 bpm, SpO2 95 %, score 98/100.",
    "Kopf nach links, Arm gestreckt. Schwester fragt, keine Antwort.", "Die Mutter hält seine Hand, Patient starrt.",
    "Glasgow Coma Scale 15; Sturge-Weber syndrome was considered.", "About 12.3 s later, at 12.5, it ends.",
    "Figur-4-Zeichen rechts, tonische Streckung 12,5 s.", "la paralysie de Todd, regard fixe à 00:14",
    "Step 1: head turns. Step 2: arm lifts (see Table 3, Section 2.1).",
    "The clip lasts 100 s, of which 95 % are seen.",
    "Frames 112 145 190 and samples 120 4 310 are missing; 120 5 310 ms.",
)  # fmt: skip

ALL = [(kind, text) for kind, texts in PLANTED.items() for text in texts]


def leak_kinds(text: str) -> list[str]:
    return [one.kind for one in find_identifiers(text)]


def test_there_are_enough_kinds() -> None:
    assert len(ALL) >= 180
    assert {*PLANTED, "private"} == KINDS.keys()


@pytest.mark.parametrize(("kind", "text"), ALL)
def test_it_is_found(kind: str, text: str) -> None:
    assert kind in leak_kinds(f"The left arm rises; {text} and then both legs stretch.")


@pytest.mark.parametrize("text", CLEAN)
def test_a_clean_answer_is_let_through(text: str) -> None:
    assert leak_kinds(text) == []


@pytest.mark.parametrize(("kind", "text"), ALL[::5])
def test_no_leak_is_packed(tmp_path: Path, ran: Path, kind: str, text: str) -> None:
    run = shutil.copytree(ran, tmp_path / "run")
    lines = (run / "responses.jsonl").read_text(encoding="utf-8").splitlines()
    line = json.loads(lines[17])
    lines[17] = json.dumps(line | {"text": f"{line['text']} {text}"})
    (run / "responses.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    result = call("submit", "pack", run, "--out", str(tmp_path / "out"))
    assert result.exit_code == 1
    assert "responses.jsonl:18:text" in result.output
    assert text not in result.output, "the message repeats what should not be seen"
    assert not (tmp_path / "out").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


@pytest.mark.parametrize("named", [True, False], ids=["by the data set", "by fingerprints"])
@pytest.mark.parametrize("word", ["p1", "v0002.mp4"])
def test_private_words_of_the_data_set_are_found(
    tmp_path: Path, ran: Path, dataset: Path, word: str, named: bool
) -> None:
    run = shutil.copytree(ran, tmp_path / "run")
    edit(run / "manifest.json", lambda manifest: manifest["run"]["options"].update(note=f"as for {word} before"))
    where = ["--data", str(dataset)] if named else []
    result = call("submit", "pack", run, "--out", str(tmp_path / "out"), *where)
    assert result.exit_code == 1
    assert "manifest.json:run.options.note: holds a private word of the data set" in result.output


@pytest.fixture(scope="module")
def imported(tmp_path_factory: pytest.TempPathFactory, dataset: Path) -> tuple[Path, Path]:
    """A data set that keeps what its patients and files were called, and a run on it."""
    data = shutil.copytree(dataset, tmp_path_factory.mktemp("imported") / "data")
    (data / "private").mkdir()
    (data / "private" / "sources.csv").write_text('video_id,source,patient\nv0001,emu bed4.avi,"Huber, Anna"\n')
    run = data.with_name("run")
    assert call("run", "--backend", "oracle", "--data", data, "--out", run, "--tasks", "3").exit_code == 0
    return data, run


@pytest.mark.parametrize("named", [True, False], ids=["by the data set", "by fingerprints"])
@pytest.mark.parametrize("word", ["ANNA HUBER", "Huber, Anna", "a note says huber", "EMU BED4"])
def test_a_name_of_before_the_import_is_found_in_an_answer(
    tmp_path: Path, imported: tuple[Path, Path], word: str, named: bool
) -> None:
    data, run = imported[0], shutil.copytree(imported[1], tmp_path / "run")
    where = ["--data", str(data)] if named else []
    assert call("audit", run, *where).exit_code == 0
    edit(run / "responses.jsonl", lambda line: line | {"text": f"{line['text']} {word}"})
    result = call("submit", "pack", run, "--out", str(tmp_path / "out"), *where)
    assert result.exit_code == 1
    assert "responses.jsonl:1:text: holds a private word of the data set" in result.output
    assert call("audit", run, *where).exit_code == 1


def test_what_only_looks_like_a_leak_is_packed_when_it_is_named(tmp_path: Path, ran: Path) -> None:
    run, out = shutil.copytree(ran, tmp_path / "run"), tmp_path / "out"
    edit(run / "responses.jsonl", lambda line: line | {"text": line["text"] + " on 14 March"})
    command = ["submit", "pack", str(run), "--out", str(out)]
    assert call(*command).exit_code == 1
    assert call(*command, "--allow", "on 14 March").exit_code == 0
    assert json.loads((out / "submission.json").read_text())["leak_check"]["allowed"] == ["on 14 March"]


def test_a_run_that_does_not_know_its_private_words_is_not_packed(tmp_path: Path, ran: Path) -> None:
    run = shutil.copytree(ran, tmp_path / "run")
    (run / "private.json").unlink()
    result = call("submit", "pack", run, "--out", str(tmp_path / "out"))
    assert result.exit_code == 2
    assert "--data" in result.output


def test_fingerprints_hold_no_word() -> None:
    words = {"Anna Huber", "emu_2019-03-14_bed4.mp4", "p17"}
    hashed = PrivateWords.hashed(words)
    assert not any(word in str(hashed) for word in ("Anna", "Huber", "emu", "2019", "p17"))
    assert hashed.are_in("as seen with anna-huber before")
    assert hashed.are_in("file EMU 2019 03 14 bed4 mp4")
    assert not hashed.are_in("anna and the huber family, p 17")


def test_likely_leaks_are_confirmed_by_the_code_of_their_list_and_taken_so_by_others(tmp_path: Path, ran: Path) -> None:
    run, out = shutil.copytree(ran, tmp_path / "run"), tmp_path / "out"
    edit(run / "responses.jsonl", lambda line: line | {"text": line["text"] + " Beate turns."})
    command = ["submit", "pack", str(run), "--out", str(out)]
    refused = call(*command)
    assert refused.exit_code == 1
    assert "may hold what looks like a person's name; please review" in refused.output
    code = refused.output.rpartition("--reviewed ")[2].split()[0]
    assert call(*command, "--reviewed", "00000000").exit_code == 2
    assert call(*command, "--reviewed", code).exit_code == 0
    assert "Beate" not in (out / "submission.json").read_text()
    assert call("audit", run).exit_code == 0
    assert call("submit", "export", out, "--out", str(tmp_path / "exports")).exit_code == 0
    edit(out / "submission.json", lambda about: about["leak_check"].pop("reviewed") and about)
    refused = call("submit", "export", out, "--out", str(tmp_path / "more"))
    assert refused.exit_code == 1
    assert "please review" in refused.output


@pytest.mark.parametrize("page", ["report.html", "compare.html", "sweep.svg", "table.csv"])
def test_pages_pictures_and_tables_of_a_run_are_searched(tmp_path: Path, ran: Path, page: str) -> None:
    run = shutil.copytree(ran, tmp_path / "run")
    markup = '<!DOCTYPE html><style>a {}</style><p>TEXT</p><script type="application/json">["TEXT"]</script>'
    content = "a,b\nTEXT\n" if page.endswith("csv") else markup
    for said, code in (("Tonic phase of 12 s", 0), ("seen by Frau Meier", 1), ("p1 again", 1)):
        (run / page).write_text(content.replace("TEXT", said), encoding="utf-8")
        result = call("audit", run)
        assert result.exit_code == code, result.output
        assert (f"found: {page}: holds" in result.output) == bool(code)


def test_a_report_says_that_it_is_not_for_sharing(tmp_path: Path, ran: Path) -> None:
    run = shutil.copytree(ran, tmp_path / "run")
    assert call("report", run).exit_code == 0
    assert "Show it only to people who may see the data set" in (run / "report.html").read_text(encoding="utf-8")
    assert "do not share: report.html: experts' texts and raw answers" in call("audit", run).output
