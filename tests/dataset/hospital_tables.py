"""Tables as hospitals keep them, of one truth: other languages, forms and words for the same videos and signs.

All names are invented. Every table gives the truth that an import of it must come to, by the name of the video file.
"""

from __future__ import annotations

import csv
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import openpyxl

SIGNS = [
    "occur_during_sleep",
    "head_turning",
    "blank_stare",
    "close_eyes",
    "eye_blinking",
    "face_pulling",
    "face_twitching",
    "tonic",
    "clonic",
    "arm_straightening",
    "arm_flexion",
    "figure4",
    "oral_automatisms",
    "limb_automatisms",
    "asynchronous_movement",
    "pelvic_thrusting",
    "full_body_shaking",
    "arms_move_simultaneously",
    "verbal_responsiveness",
    "ictal_vocalization",
]
LATERALISED = {"head_turning", "face_pulling", "face_twitching", "tonic", "clonic", "arm_straightening", "arm_flexion"}
WORDS = {
    "de": (
        "im Schlaf|Kopfwendung|Starren|Augenschluss|Lidflattern|Gesichtsverziehung|Zucken im "
        "Gesicht|Versteifung|Kloni|Arm gestreckt|Arm gebeugt|Zeichen der "
        "4|Schmatzen|Nesteln|asynchron|Beckenstoßen|Zittern am ganzen Körper|beide Arme gleichzeitig|reagiert"
        " verbal|Schrei"
    ),
    "es": (
        "durante el sueño|giro de la cabeza|mirada fija|ojos cerrados|parpadeo|mueca facial|sacudidas "
        "faciales|rigidez tónica|sacudidas clónicas|extensión del brazo|flexión del brazo|signo del "
        "cuatro|automatismos orales|automatismos manuales|movimientos asincrónicos|empuje pélvico|temblor de "
        "todo el cuerpo|movimiento simultáneo de los brazos|respuesta verbal|vocalización"
    ),
    "it": (
        "durante il sonno|rotazione del capo|sguardo fisso|occhi chiusi|ammiccamento|smorfia|scosse al "
        "volto|ipertono tonico|clonie|braccio esteso|braccio flesso|figura del 4|masticazione|automatismi "
        "delle mani|movimenti asincroni|spinte pelviche|tremore di tutto il corpo|braccia "
        "simultanee|risponde|grido"
    ),
    "fr": (
        "crise du sommeil|déviation de la tête|regard dans le vide|fermeture des yeux|battements de "
        "paupières|traction du visage|clonies faciales|raidissement tonique|secousses cloniques|bras "
        "tendu|bras fléchi|signe du quatre|mâchonnements|automatismes gestuels|mouvements "
        "désynchronisés|mouvements du bassin|tremblements de tout le corps|deux bras simultanément|réponse "
        "verbale|cri"
    ),
    "pt": (
        "durante o sono|rotação da cabeça|olhar fixo|olhos fechados|piscar|careta|abalos da "
        "face|rigidez|abalos clônicos|extensão do braço|flexão do braço|sinal do 4|mastigação|automatismos "
        "manuais|movimentos assíncronos|impulsos pélvicos|tremor do corpo inteiro|braços simultâneos|responde"
        " verbalmente|grito"
    ),
    "en": (
        "arising from sleep|versive head movement|vacant gaze|eyes shut|rapid blinks|mouth deviation|facial "
        "jerks|stiffening|rhythmic jerking|arm extended|elbow flexion|figure of four|lip smacking|hand "
        "fumbling|out-of-phase movements|pelvic thrusts|whole-body shaking|both arms together|answers "
        "questions|ictal cry"
    ),
    "de 2": (
        "Anfall aus dem Schlaf heraus|Version des Kopfes|leerer Blick|Augen "
        "zu|Blinkern|Mundwinkelverziehung|periorales Zucken|tonische Phase|klonische Zuckungen|Strecktonus "
        "Arm|Beugung im Ellenbogen|Figure-of-4|Kauen/Schmatzen|Automatismen der Extremitäten|ungeordnete "
        "Bewegungen|Beckenbewegungen|generalisiertes Schütteln|Arme synchron "
        "bewegt|Ansprechbarkeit|Vokalisation"
    ),
    "fr 2": (
        "survenue pendant le sommeil|rotation de la tête|fixité du regard|occlusion des yeux|clignement "
        "palpébral|contraction faciale|myoclonies du visage|phase tonique|phase clonique|extension du membre "
        "supérieur|flexion du membre supérieur|signe du chiffre 4|automatismes oro-alimentaires|automatismes "
        "manuels|gestes asynchrones|balancement du bassin|agitation du corps entier|mouvements simultanés des"
        " deux bras|répond aux questions|cri initial"
    ),
    "es 2": (
        "crisis nocturna|versión cefálica|mirada perdida|oclusión ocular|aleteo palpebral|contracción "
        "facial|clonías faciales|fase tónica|fase clónica|brazo extendido|codo flexionado|postura en "
        "4|chupeteo|automatismos distales|movimientos desorganizados|movimientos de la pelvis|convulsión "
        "generalizada|ambos brazos a la vez|contesta preguntas|gemidos"
    ),
    "en 2": (
        "from sleep|head version|staring|eye closure|eyelid fluttering|facial pulling|facial "
        "twitching|tonic|clonic|arm extension|arm flexion|fig. 4|oral automatisms|manual "
        "automatisms|asynchronous limb movements|pelvic thrusting|full-body shaking|simultaneous arm "
        "movements|verbal response|vocalisation"
    ),
    "es 3": (
        "asociado al sueño|lateralización cefálica|fijación de la mirada|párpados cerrados|guiños|distorsión "
        "facial|temblor facial|contracción tónica|clonias|hiperextensión del brazo|semiflexión del "
        "brazo|brazos en figura de 4|movimientos de chupeteo|manoseo|movimientos arrítmicos|movimientos "
        "pélvicos|agitación generalizada|elevación simultánea de los brazos|responde a órdenes|grito ictal"
    ),
    "it 3": (
        "in sonno|versione del capo|fissità dello sguardo|chiusura palpebrale|battito palpebrale|contrazione "
        "del viso|scosse del viso|irrigidimento|fase clonica|distensione del braccio|flessione del "
        "gomito|segno della figura 4|automatismi oro-alimentari|automatismi manuali|movimenti "
        "scoordinati|movimenti del bacino|scuotimento generalizzato|entrambe le braccia in movimento|risposta"
        " verbale|vocalizzazione"
    ),
    "pt 3": (
        "crise noturna|versão cefálica|olhar parado|fechamento ocular|pestanejo|desvio da boca|clonias "
        "faciais|postura tônica|clonias|braço estendido|braço fletido|sinal da figura 4|automatismos "
        "orais|automatismos das mãos|movimentos desordenados|movimentos da pelve|tremores "
        "generalizados|movimento simultâneo dos braços|resposta verbal|gemido"
    ),
    "fr 3": (
        "sortie du sommeil|déviation céphalique|arrêt avec regard fixe|yeux clos|papillonnement des "
        "paupières|crispation du visage|secousses faciales|hypertonie|secousses rythmées|bras en "
        "extension|bras replié|posture en chiffre 4|mouvements de mâchonnement|manipulation "
        "d'objets|mouvements anarchiques|coups de bassin|tremblement généralisé|mouvements synchrones des "
        "bras|réponse aux ordres|gémissements"
    ),
}
NAMES = ("Quandt", "Öztürk", "Lefèvre", "Nowak")


@dataclass
class Event:
    """One event of the truth: its file, its patient, and the signs with presence, times and side."""

    file: str
    patient: str
    diagnosis: str
    start: datetime
    onset: float
    offset: float
    signs: dict[str, tuple[str, float | None, float | None, str]] = field(default_factory=dict)


def events(seed: int, ending: str = ".mp4", number: int = 8) -> list[Event]:
    """Return events of which each sign occurs in some and is absent in others."""
    rng = random.Random(seed)
    result = []
    for n in range(number):
        begin = datetime(2021, 3 + n % 4, 14 + n, (21 + n) % 24, 58, 7)
        onset = round(rng.uniform(2, 40), 2)
        offset = round(onset + rng.uniform(30, 90), 2)
        event = Event(f"{NAMES[n % 4]}_{n:02}{ending}", NAMES[n % 4], "ES" if n % 3 else "NES", begin, onset, offset)
        for sign in SIGNS:
            present = rng.random() < 0.45 or n == SIGNS.index(sign) % number
            start = round(rng.uniform(onset, offset - 10), 2)
            side = rng.choice(("left", "right", "both", "")) if sign in LATERALISED else ""
            interval = (start, round(start + rng.uniform(1, 9), 2)) if sign != "occur_during_sleep" else (None, None)
            event.signs[sign] = ("yes", *interval, side) if present else ("no", None, None, "")
        result.append(event)
    return result


def comma(value: float | None) -> str:
    """Return a number with a decimal comma."""
    return "" if value is None else f"{value:.2f}".replace(".", ",")


def clock(event: Event, value: float | None, form: str = "%H:%M:%S") -> str:
    """Return seconds of the video as a time of day."""
    return "" if value is None else f"{event.start + timedelta(seconds=value):{form}}"


def minutes(value: float | None) -> str:
    """Return seconds as MM:SS."""
    return "" if value is None else f"{int(value) // 60:02}:{int(value) % 60:02}"


def words(language: str) -> dict[str, str]:
    """Return sign → its word in a language."""
    return dict(zip(SIGNS, WORDS[language].split("|"), strict=True))


def present(event: Event) -> Iterator[tuple[str, float | None, float | None, str]]:
    """Yield the signs that occurred, with times and side."""
    return ((sign, start, end, side) for sign, (yes, start, end, side) in event.signs.items() if yes == "yes")


def german_ward(folder: Path, truth: list[Event]) -> Path:
    """Write a row per video under two rows of title; cells are +, - and n.u., with sides, as xlsx."""
    sides = {"left": " li", "right": " re", "both": " bds", "": ""}
    word = {"ES": "epileptisch", "NES": "dissoziativ"}
    head = [
        "Pat.-Kürzel",
        "Alter",
        "Videodatei",
        "Anfallsklassifikation",
        "Beginn des Anfalls (s)",
        "Ende des Anfalls (s)",
    ]
    rows = [
        [e.patient, 30, e.file, word[e.diagnosis], e.onset, e.offset]
        + [("+" + sides[side] if yes == "yes" else "-") for yes, _, _, side in e.signs.values()]
        for e in truth
    ]
    titles = [["Station 4: Anfallsprotokolle"], []]
    return _workbook(folder / "station.xlsx", [*titles, [*head, *words("de").values()], *rows])


def spanish_clocks(folder: Path, truth: list[Event]) -> Path:
    """Write a row per sign with times of day and the start of the recording, semicolons, Windows-1252."""
    sides = {"left": "izq.", "right": "der.", "both": "bilat.", "": ""}
    head = (
        "NHC;Archivo de vídeo;Tipo de crisis;Inicio de la grabación;Hora de inicio de la crisis;"
        "Hora de fin de la crisis;Signo;Desde;Hasta;Lado;Seguridad;Observaciones"
    )
    word = {"ES": "epiléptica", "NES": "psicógena no epiléptica"}
    rows = [
        [
            f"H{hash_number(e.patient)}",
            e.file,
            word[e.diagnosis],
            f"{e.start:%H:%M:%S}",
            clock(e, e.onset),
            clock(e, e.offset),
            words("es")[sign],
            clock(e, start),
            clock(e, end),
            sides[side],
            "alta" if n % 3 else "baja",
            "",
        ]
        for e in truth
        for n, (sign, start, end, side) in enumerate(present(e))
    ]
    return _csv(folder / "crisis.csv", [head.split(";"), *rows], ";", "cp1252")


def italian_long(folder: Path, truth: list[Event]) -> Path:
    """Write a row per sign with yes, no and not assessable, MM:SS, tabs."""
    sides = {"left": "sx", "right": "dx", "both": "bilaterale", "": ""}
    head = [
        "Codice paziente",
        "Nome del file",
        "Segno",
        "Presente",
        "Inizio (mm:ss)",
        "Fine (mm:ss)",
        "Lato",
        "Diagnosi",
    ]
    word = {"ES": "epilettica", "NES": "CPNE"}
    rows = [
        [
            e.patient,
            e.file,
            words("it")[sign],
            {"yes": "sì", "no": "no"}[yes],
            minutes(start),
            minutes(end),
            sides[side],
            word[e.diagnosis],
        ]
        for e in truth
        for sign, (yes, start, end, side) in e.signs.items()
    ]
    return _csv(folder / "segni.tsv", [head, *rows], "\t", "utf-8")


def french_merged(folder: Path, truth: list[Event]) -> Path:
    """Write a row per sign, cells of patient and video merged over their rows, times of day with dates, as xlsx."""
    sides = {"left": "G", "right": "D", "both": "bilatéral", "": ""}
    head = [
        "N° de dossier",
        "Vidéo",
        "Début de l'enregistrement",
        "Début de la crise",
        "Fin de la crise",
        "Classification",
        "Sémiologie",
        "de",
        "à",
        "Côté",
    ]
    word = {"ES": "focale", "NES": "CNEP"}
    form = "%d/%m/%Y %H:%M:%S"
    rows, spans = [head], []
    for e in truth:
        first = len(rows) + 1
        for sign, start, end, side in present(e):
            about = [
                e.patient,
                e.file,
                f"{e.start:{form}}",
                clock(e, e.onset, form),
                clock(e, e.offset, form),
                word[e.diagnosis],
            ]
            rows.append(
                [
                    *(about if len(rows) + 1 == first else [None] * 6),
                    words("fr")[sign],
                    clock(e, start, form),
                    clock(e, end, form),
                    sides[side],
                ]
            )
        spans.append((first, len(rows)))
    return _workbook(folder / "crises.xlsx", rows, [(a, b, column) for a, b in spans for column in range(1, 7)])


def english_wide(folder: Path, truth: list[Event]) -> Path:
    """Write a row per video with columns of presence, onset, end and side for each sign."""
    head = ["Subject ID", "Clip", "Dx", "Seizure onset (s)", "Seizure end (s)"]
    head += [f"{word} {part}".strip() for word in words("en").values() for part in ("", "onset", "end", "side")]
    rows = [
        [e.patient, e.file, {"ES": "epileptic", "NES": "PNES"}[e.diagnosis], e.onset, e.offset]
        + [
            cell
            for yes, start, end, side in e.signs.values()
            for cell in ({"yes": "Y", "no": "N"}[yes], start, end, side[:1].upper())
        ]
        for e in truth
    ]
    return _csv(folder / "clips.csv", [head, *rows], ",", "utf-8-sig")


def portuguese_events(folder: Path, truth: list[Event]) -> Path:
    """Write a row per sign, two events in each file, times in seconds with commas."""
    for event, first in zip(truth[4:], truth, strict=False):
        event.file, event.patient, event.diagnosis = first.file, first.patient, first.diagnosis
    sides = {"left": "esq", "right": "dir", "both": "bilateral", "": "-"}
    head = [
        "Código do paciente",
        "Arquivo",
        "Nº da crise",
        "Início da crise",
        "Fim da crise",
        "Diagnóstico",
        "Sinal",
        "Início",
        "Fim",
        "Lado",
    ]
    word = {"ES": "epiléptica", "NES": "não epiléptica"}
    rows = [
        [
            e.patient,
            e.file,
            1 + n // 4,
            comma(e.onset),
            comma(e.offset),
            word[e.diagnosis],
            words("pt")[sign],
            comma(start),
            comma(end),
            sides[side],
        ]
        for n, e in enumerate(truth)
        for sign, start, end, side in present(e)
    ]
    return _csv(folder / "crises.csv", [head, *rows], ";", "utf-8")


def german_rows(folder: Path, truth: list[Event]) -> Path:
    """Write a row per sign with two columns that begin: the event's, and the sign's in clock times or seconds."""
    head = ["Nr.", "Name, Vorname", "geb.", "Dateiname", "Untersuchungsdatum", "Beginn Aufzeichnung", "Anfang", "Ende"]
    head += ["Anfallstyp", "Symptom", "Start", "Stopp", "Lateralisierung", "Konfidenz", "Anmerkungen"]
    sides = {"left": "links", "right": "rechts", "both": "beidseits", "": "–"}
    word = {"ES": "fokal bewusst", "NES": "dissoziativ"}
    rows = []
    for number, e in enumerate(truth):
        about = [number, f"{e.patient}, Ada", "01.01.1970", e.file, f"{e.start:%d.%m.%Y}", f"{e.start:%H:%M:%S}"]
        about += [clock(e, e.onset), clock(e, e.offset), word[e.diagnosis]]
        for sign, start, end, side in present(e):
            times = [clock(e, one) if number % 2 else comma(one) for one in (start, end)]
            sure = "sicher" if number % 3 else "fraglich"
            rows.append([*about, words("de 2")[sign], *times, sides[side], sure, "Frau Ada ruft"])
    return _workbook(folder / "anfall.xlsx", [head, *rows])


def english_reader(folder: Path, truth: list[Event]) -> Path:
    """Write a shuffled row per sign as a reader exports it, in UTF-16."""
    head = ["rater", "recording", "participant", "item", "observed?", "t_start", "t_end", "laterality"]
    rows = [
        ["AB", e.file, e.patient, words("en 2")[s], {"yes": "present", "no": "absent"}[yes], start, end, side]
        for e in truth
        for s, (yes, start, end, side) in e.signs.items()
    ]
    random.Random(3).shuffle(rows)
    return _csv(folder / "reader.csv", [head, *rows], ",", "utf-16")


TABLES: dict[str, Callable[[Path, list[Event]], Path]] = {
    "german, a row per video in xlsx": german_ward,
    "spanish, times of day": spanish_clocks,
    "italian, yes and no in tabs": italian_long,
    "french, merged cells in xlsx": french_merged,
    "english, four columns a sign": english_wide,
    "portuguese, two events a file": portuguese_events,
    "german, names and two pairs of times": german_rows,
    "english, a reader's rows": english_reader,
}


def hash_number(name: str) -> int:
    """Return a number of a patient."""
    return 1000 + NAMES.index(name)


def _csv(path: Path, rows: list[list[Any]], delimiter: str, encoding: str) -> Path:
    with path.open("w", encoding=encoding, newline="") as file:
        csv.writer(file, delimiter=delimiter).writerows(rows)
    return path


def _workbook(path: Path, rows: list[list[Any]], merged: list[tuple[int, int, int]] = ()) -> Path:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    for first, last, column in merged:
        book.active.merge_cells(start_row=first, end_row=last, start_column=column, end_column=column)
    book.save(path)
    return path
