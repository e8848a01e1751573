"""The report shows what a server really got: the text, letter by letter, and the frames with their times."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from misbehaving import Misbehaving, ReceivedRequest
from openai_runs import Runner, command

SETTINGS = ("temperature", "max_tokens", "response_format", "logprobs")


@pytest.fixture(scope="module")
def long_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One video of 70 s, so that windows of 30 s, 60 s and a rest differ."""
    folder = tmp_path_factory.mktemp("long") / "data"
    words = ["--videos", 1, "--seconds", 70, "--resolution", "96x54", "--seed", 4]
    code, _, err = command("data", "synth", "--out", folder, *words)
    assert code == 0, err
    return folder


@pytest.fixture
def run(long_data: Path, cache: Path, tmp_path: Path) -> Runner:
    return Runner(long_data, cache, tmp_path)


def page_data(folder: Path) -> dict[str, Any]:
    """What the report of a run shows, as its page holds it."""
    code, _, err = command("report", folder)
    assert code == 0, err
    match = re.search(
        r'<script type="application/json" id="data">(.*?)</script>', (folder / "report.html").read_text(), re.S
    )
    assert match is not None
    return json.loads(match[1])


def shown_of(page: dict[str, Any], request: str) -> dict[str, str]:
    """Kind → text of what the page says was sent for a request."""
    records = [page["sent"][name] for name in page["answers"][request]["sent"]]
    return {record["kind"]: record["text"] for record in records}


def got(request: ReceivedRequest) -> tuple[str, list[str]]:
    """The prompt of a request as it came, and the labels of its pictures."""
    texts = [part["text"] for part in request.content if part["type"] == "text"]
    return texts[-1], texts[:-1]


def clock(seconds: float) -> str:
    tenths = round(seconds * 10)
    return f"{tenths // 600:02d}:{tenths % 600 // 10:02d}.{tenths % 10}:"


def times_of(text: str) -> list[float]:
    match = re.search(r"at ([\d., ]+) s$", text)
    assert match is not None, text
    return [float(time) for time in match[1].split(", ")]


@pytest.mark.parametrize(
    ("words", "tasks"),
    [
        ((), "1,4,6"),
        (("--sampling", "window_s=30"), "1,4"),
        (("--sampling", "window_s=30", "--sampling", "fps=0.5"), "4"),
        (("--transform", "reverse"), "1"),
        (("--transform", "blank"), "4"),
        (("--protocol", "paper"), "1,4"),
    ],
)
def test_the_report_shows_exactly_what_the_server_got(words, tasks, run):
    with Misbehaving() as server:
        done = run(server.url, *words, tasks=tasks)
    assert done.code == 0, done.err
    compare(server, done.folder, page_data(done.folder))


def compare(server: Misbehaving, folder: Path, page: dict[str, Any]) -> None:
    """Each request that came has its like in the page, and no other is there."""
    lines = [json.loads(line) for line in (folder / "responses.jsonl").read_text().splitlines()]
    assert len(server.requests) == len(lines) > 0
    recorded, received = [], []
    for line in lines:
        shown = shown_of(page, line["id"])
        times, start = times_of(shown["media"]), line["clip"]["start_s"]
        assert f"from {start:g} s to {line['clip']['end_s']:g} s" in shown["media"]
        assert f"{len(times)} frames sent as frames" in shown["media"]
        settings = json.loads(shown["settings"])
        sent = {name: settings.get(name) for name in SETTINGS}
        recorded.append(
            (shown["prompt"], tuple(clock(time - start) for time in times), json.dumps(sent, sort_keys=True))
        )
    for request in server.requests:
        prompt, labels = got(request)
        assert len(labels) == sum(part["type"] == "image_url" for part in request.content)
        sent = {name: request.json.get(name) for name in SETTINGS}
        received.append((prompt, tuple(labels), json.dumps(sent, sort_keys=True)))
    assert sorted(recorded) == sorted(received)


def test_a_probe_that_asks_in_other_words_is_shown_in_those_words(run, long_data, cache, tmp_path):
    with Misbehaving() as server:
        code, _, err = command(
            *("probe", "polarity", "--backend", "openai", "--model", run.card, "--data", long_data, "--cache", cache),
            *("--out", tmp_path / "probes", "--tasks", "1", "-o", f"base_url={server.url}"),
            *("--allow-blind", "a server without a model"),
        )
        assert code == 0, err
    base, probed = (page_data(tmp_path / "probes" / name) for name in ("baseline", "probe-polarity"))
    prompts = [{r["text"] for r in page["sent"].values() if r["kind"] == "prompt"} for page in (base, probed)]
    assert prompts[0] != prompts[1]
    assert prompts[0] | prompts[1] == {got(request)[0] for request in server.requests}


def test_a_run_shown_as_a_file_says_so_and_claims_no_times(run):
    with Misbehaving() as server:
        done = run(server.url, tasks="1", media="mp4")
    assert done.code == 0, done.err
    page = page_data(done.folder)
    for line in done.lines:
        assert "a video file, from which the engine chose frames itself" in shown_of(page, line["id"])["media"]


def test_the_settings_that_a_server_did_not_take_are_not_shown_as_sent(run):
    from misbehaving import refuses

    def no_schema(request: ReceivedRequest):
        return (
            refuses(400, "response_format is not supported")
            if request.key and "response_format" in request.json
            else None
        )

    with Misbehaving(no_schema) as server:
        done = run(server.url, tasks="1", in_flight=1)
    assert done.code == 0, done.err
    page = page_data(done.folder)
    assert all("response_format" not in shown_of(page, line["id"])["settings"] for line in done.lines)


def test_a_report_that_was_given_is_kept_in_private_and_withheld_from_the_page(run, long_data):
    import csv

    with (long_data / "reports.csv").open() as file:
        report = next(csv.DictReader(file))["report"]
    with Misbehaving() as server:
        done = run(server.url, tasks="7")
    assert done.code == 0, done.err
    assert any(report in got(request)[0] for request in server.requests)
    records = done.folder / "sent.jsonl"
    assert records.stat().st_mode & 0o077 == 0
    assert report in "".join(json.loads(line).get("prompt", "") for line in records.read_text().splitlines())
    page = page_data(done.folder)
    assert report not in (done.folder / "report.html").read_text()
    withheld = [r["text"] for r in page["sent"].values() if "[the written report of this video]" in r["text"]]
    whole = next(got(request)[0] for request in server.requests if report in got(request)[0])
    assert whole.replace(report, "[the written report of this video]") in withheld


def test_a_run_of_before_says_that_nothing_was_recorded(run):
    with Misbehaving() as server:
        done = run(server.url, tasks="1")
    (done.folder / "sent.jsonl").unlink()
    old = [{k: v for k, v in line.items() if k not in ("sent", "by")} for line in done.lines]
    (done.folder / "responses.jsonl").write_text("".join(json.dumps(line) + "\n" for line in old))
    page = page_data(done.folder)
    assert page["sent"] == {}
    assert page["not_recorded"].startswith("Not recorded")
    assert all(answer["sent"] == [] for answer in page["answers"].values())


def test_many_requests_share_few_records(run):
    with Misbehaving() as server:
        done = run(server.url, tasks="1", out="all")
    records = [json.loads(line) for line in (done.folder / "sent.jsonl").read_text().splitlines()]
    kinds = [record["kind"] for record in records]
    assert kinds == sorted(kinds, key=["prompt", "media", "settings"].index)
    n_clips = len({(line["clip"]["start_s"], line["clip"]["end_s"]) for line in done.lines})
    assert (kinds.count("media"), kinds.count("settings")) == (n_clips, 1)
    assert kinds.count("prompt") < len(done.lines)
