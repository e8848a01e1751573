"""Reports with identifiers are refused and listed; once they are replaced, none of them reaches a server."""

from __future__ import annotations

import csv
import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from misbehaving import Misbehaving
from openai_runs import Runner, command

PLANTED = (
    ("de", "Frau Hagedorn dreht den Kopf nach links und stöhnt.", "Hagedorn"),
    ("de", "Der Anfall am 14.03.2021 begann aus dem Schlaf.", "14.03.2021"),
    ("de", "Um 03:42 Uhr tritt eine tonische Anspannung auf.", "03:42"),
    ("de", "Rückfragen bitte an Tel. 0761 2704481.", "0761 2704481"),
    ("de", "Der Patient wohnt in der Lindenstraße 17, 79104 Freiburg.", "Lindenstraße 17"),
    ("de", "Aufnahme aus dem Universitätsklinikum Marburg, Kopfversion nach rechts.", "Marburg"),
    ("de", "Fallnummer 4471209, fokaler Anfall mit Automatismen.", "4471209"),
    ("de", "Schwester Beate spricht den Patienten an, keine Antwort.", "Beate"),
    ("de", "Siehe Datei Hagedorn_2021-03-14.mp4 ab Minute zwei.", "Hagedorn_2021-03-14.mp4"),
    ("de", "Kontakt: epilepsie.station@klinik-beispiel.de", "epilepsie.station@klinik-beispiel.de"),
    ("en", "Mrs. Thistlewood turns her head to the left.", "Thistlewood"),
    ("en", "The event on March 3, 2022 started from sleep.", "March 3, 2022"),
    ("en", "At 2:15 pm the patient becomes stiff.", "2:15 pm"),
    ("en", "MRN 88231745: bilateral tonic stiffening.", "88231745"),
    ("en", "The patient, 93 years old, does not respond.", "93"),
    ("en", "Recorded with camera S/N AXQ-77120-B.", "AXQ-77120-B"),
    ("en", "Exported from 10.20.30.40 for a second opinion.", "10.20.30.40"),
    ("en", "Nurse Oyelaran tests her memory.", "Oyelaran"),
    ("en", "Stored at /srv/emu/thistlewood/clip7.avi for review.", "/srv/emu/thistlewood/clip7.avi"),
    ("en", "Call her son Rupert at +44 7700 900123.", "+44 7700 900123"),
    ("fr", "Mme Bertholon tourne la tête vers la droite.", "Bertholon"),
    ("fr", "La crise du 7 juin 2020 dure une minute.", "7 juin 2020"),
    ("fr", "À 23h10, raidissement tonique des deux bras.", "23h10"),
    ("fr", "Numéro de dossier 20-118834, clonies du bras gauche.", "20-118834"),
    ("fr", "Le patient habite à Villeurbanne.", "Villeurbanne"),
    ("fr", "L'infirmière Clémence lui parle sans réponse.", "Clémence"),
    ("fr", "Clé du serveur : hf_QwErTyUiOp1234567890, à ne pas diffuser.", "hf_QwErTyUiOp1234567890"),
    ("fr", "Appeler le 06 12 34 56 78 en cas de question.", "06 12 34 56 78"),
    ("fr", "Son mari, Aurélien, tient sa main.", "Aurélien"),
    ("fr", "Né le 02/11/1968, crises depuis l'enfance.", "02/11/1968"),
    ("es", "La Sra. Echeverría gira la cabeza a la izquierda.", "Echeverría"),
    ("es", "La crisis del 9 de octubre de 2019 empezó en sueño.", "9 de octubre de 2019"),
    ("es", "A las 04:55 h presenta rigidez.", "04:55"),
    ("es", "NHC 5529817, automatismos orales.", "5529817"),
    ("es", "DNI 48392716K, sin respuesta verbal.", "48392716K"),
    ("es", "El caso Quijorna, como lo llama la planta, presenta rigidez.", "Quijorna"),
    ("es", "El enfermero Iñaki le habla.", "Iñaki"),
    ("es", "Domicilio: calle Mayor 12, 2º B.", "calle Mayor 12"),
    ("es", "Enviar a neuro.video@hospital-ejemplo.es el informe.", "neuro.video@hospital-ejemplo.es"),
    ("es", "La paciente, de 95 años, cierra los ojos.", "95"),
)
"""Language, sentence of a report, and the identifier in it, of twelve kinds in all; nobody is meant."""
IDENTIFIERS = [identifier for _, _, identifier in PLANTED]


@pytest.fixture
def named(data: Path, tmp_path: Path) -> Path:
    """The data set, its two reports full of identifiers."""
    copy = shutil.copytree(data, tmp_path / "named")
    with (copy / "videos.csv").open(newline="") as table:
        ids = [row["video_id"] for row in csv.DictReader(table)]
    texts = [" ".join(sentence for _, sentence, _ in PLANTED[n::2]) for n in range(2)]
    with (copy / "reports.csv").open("w", newline="") as table:
        csv.writer(table).writerows([("video_id", "report"), *zip(ids, texts, strict=True)])
    (copy / "private").mkdir()
    (copy / "private" / "sources.csv").write_text(f"video_id,source,patient\n{ids[0]},Quijorna 2.avi,Quijorna\n")
    return copy


def test_identifiers_are_refused_and_listed_and_once_replaced_none_reaches_a_server(named, cache, tmp_path):
    run = Runner(named, cache, tmp_path)
    with Misbehaving() as server:
        refused = run(server.url, tasks="7", out="refused")
        assert refused.code == 2
        assert server.requests == []
        unlisted = [identifier for identifier in IDENTIFIERS if not _is_listed(identifier, refused.err)]
        assert len(unlisted) <= 0.05 * len(IDENTIFIERS), unlisted
    with Misbehaving() as server:
        assert run(server.url, "--allow-identifiers", "a test", tasks="7", out="allowed").code == 0
        assert [identifier for identifier in IDENTIFIERS if not _is_sent(identifier, server)] == []
    with Misbehaving() as server:
        table = json.loads(command("data", "deidentify", named, "--json")[1])
        with Path(table["table"]).open(newline="") as proposals:
            kinds = {row["kind"] for row in csv.DictReader(proposals)}
        assert len(kinds) >= 12, kinds
        assert command("data", "deidentify", named, "--confirmed", table["code"])[0] == 0
        assert run(server.url, tasks="7", out="done").code == 0
        assert [identifier for identifier in IDENTIFIERS if _is_sent(identifier, server)] == []
        assert _is_sent("[name]", server)


def _is_listed(identifier: str, listed: str) -> bool:
    """Return whether the list has an identifier, masked: alone, or as a part of a longer one."""
    dots = re.sub(r"[^\W_]", "•", identifier)
    return identifier[0] + dots[1:] in listed or dots in listed


def _is_sent(identifier: str, server: Misbehaving) -> bool:
    """Return whether any text that the server got has an identifier; an age only with its unit."""
    texts = [text for request in server.requests for text in _texts(request.json)]
    pattern = re.escape(identifier) + (r"\s(?:years|años)" if identifier in ("93", "95") else "")
    return any(re.search(pattern, text) for text in texts)


def _texts(value: object) -> Iterator[str]:
    """Yield every text of a JSON value."""
    if isinstance(value, str):
        yield value
    for part in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _texts(part)
