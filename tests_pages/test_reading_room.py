"""The reading room and the exam in a real browser: by keyboard alone, on a phone, in the dark, with hostile answers."""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from room_server import RoomServer


@pytest.fixture(scope="session")
def many(made: Path) -> Path:
    """A run of 10,000 items: the floors' run, with each video many times over."""
    run = made / "many"
    shutil.copytree(made / "floors", run)
    items = [json.loads(line) for line in (made / "floors" / "items.jsonl").read_text().splitlines()]
    with (run / "items.jsonl").open("w") as file:
        for n in range(10_000):
            item = items[n % len(items)]
            video = f"v{n // len(items):03d}{item['video_id'][1:]}"
            name = f"{item['task']}/{video}/{item['subject']}"
            file.write(json.dumps(item | {"item": name, "video_id": video}) + "\n")
    return run


def encode(path: Path, codec: str, container: str) -> None:
    """36 s of a moving square."""
    with av.open(str(path), "w", format=container) as out:
        stream: Any = out.add_stream(codec, rate=10)
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
        for n in range(360):
            pixels = np.zeros((64, 96, 3), np.uint8)
            pixels[10:40, n % 60 : n % 60 + 20] = 255
            out.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, "rgb24")))
        out.mux(stream.encode(None))


@pytest.fixture(scope="session")
def room(made: Path, many: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RoomServer]:
    """A room of the runs, whose first two videos are an AVI and a WMV file behind the same annotations."""
    os.environ["S3HARNESS_CACHE"] = str(tmp_path_factory.mktemp("cache"))
    data = tmp_path_factory.mktemp("old") / "data"
    shutil.copytree(made / "data", data)
    # The table, and so the fingerprint, is as it was: the files alone are others, as after a conversion.
    encode(data / "videos" / "v0001.mp4", "mpeg4", "avi")
    encode(data / "videos" / "v0002.mp4", "wmv2", "asf")
    served = RoomServer.start("view", made / "floors", made / "oracle", many, "--data", data)
    yield served
    served.stop()


@pytest.fixture(params=[(1280, 860), (390, 844)], ids=["desktop", "phone"])
def tab(browser: Any, request: pytest.FixtureRequest) -> Iterator[Any]:
    """A page that notes errors, and requests to any other address than its own."""
    width, height = request.param
    context = browser.new_context(viewport={"width": width, "height": height})
    opened = context.new_page()
    opened.troubles = []
    opened.on("pageerror", lambda error: opened.troubles.append(str(error)))
    opened.on("request", lambda sent: sent.url.startswith("http://127.0.0.1:") or opened.troubles.append(sent.url))
    yield opened
    assert opened.troubles == []
    assert opened.title() != "owned"
    context.close()


def wait_until(page: Any, expression: str, seconds: float = 60) -> None:
    """Wait for an expression; the content policy forbids the strings that playwright's own waiting evaluates."""
    end = time.monotonic() + seconds
    while not page.evaluate(expression):
        assert time.monotonic() < end, expression
        page.wait_for_timeout(50)


def violations(page: Any) -> list[str]:
    from axe_playwright_python.sync_playwright import Axe

    # axe is injected through the debugger, which no content policy of the page applies to.
    results = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21aa"]}).response
    return [f"{v['id']}: {v['nodes'][0]['html'][:120]}" for v in results["violations"]]


def fits(page: Any) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"))


def open_items(page: Any, room: RoomServer, run: str) -> None:
    page.goto(room.address)
    page.get_by_role("link", name=run, exact=True).focus()
    page.keyboard.press("Enter")
    page.wait_for_selector(".items .body .row")


def test_three_keys_lead_from_the_runs_to_a_wrong_answer_playing_at_the_claimed_second(
    tab: Any, room: RoomServer
) -> None:
    tab.goto(room.address)
    tab.wait_for_selector("a.open:focus")
    tab.keyboard.press("Enter")
    tab.wait_for_selector(".items .body .row")
    tab.keyboard.press("w")
    tab.keyboard.press("Enter")
    wait_until(tab, "document.querySelector('video')?.currentTime > 0 && !document.querySelector('video').paused")
    assert tab.locator(".card.answer .chip.bad").count() == 1
    tab.keyboard.press(" ")
    shown_at = tab.evaluate("document.querySelector('video').currentTime")
    window = tab.locator(".request .when").first.inner_text()
    start, end = ((60 * float(m) + float(s)) for m, s in re.findall(r"(\d+):([\d.]+)", window))
    assert start <= shown_at <= end, window
    assert fits(tab)


@pytest.mark.parametrize("video", ["v0001", "v0002"], ids=["avi", "wmv"])
def test_videos_that_no_browser_plays_are_played(tab: Any, room: RoomServer, video: str) -> None:
    tab.goto(room.address)
    tab.goto(f"{room.address.split('/?')[0]}/#/item?run=oracle&item=s3/task1_features/{video}/head_turning")
    wait_until(tab, "document.querySelector('video')?.currentTime > 0.2")
    assert tab.evaluate("document.querySelector('video').videoWidth") == 96
    assert tab.evaluate("document.querySelector('video').duration") == pytest.approx(36, abs=0.5)


def test_ten_thousand_items_are_filtered_sorted_and_scrolled_by_the_rows_in_sight_alone(
    tab: Any, room: RoomServer
) -> None:
    open_items(tab, room, "many")
    assert tab.locator("output.count").inner_text() == "10,000 of 10,000"
    assert tab.locator(".items .body .row").count() < 60
    tab.get_by_label("Task").select_option(label="Ictal feature recognition")
    few = int(tab.locator("output.count").inner_text().split(" of ")[0].replace(",", ""))
    assert 0 < few < 10_000
    tab.get_by_role("grid").evaluate("(box) => { box.scrollTop = 100000 }")
    wait_until(tab, "Number(document.querySelector('.items .body .row').getAttribute('aria-rowindex')) > 2000")
    assert tab.locator(".items .body .row").count() < 60
    tab.keyboard.press("End")
    assert tab.locator(".row.here").get_attribute("aria-rowindex") == str(few + 1)


def test_the_search_finds_text_of_answers(tab: Any, room: RoomServer) -> None:
    open_items(tab, room, "oracle")
    tab.keyboard.press("/")
    tab.keyboard.type("head turn")
    every = int(tab.locator("output.count").inner_text().split(" of ")[1].replace(",", ""))
    wait_until(tab, f"!document.querySelector('output.count').textContent.startsWith('{every:,} of')")
    assert "q=head" in tab.url, "the table has a link"


def test_a_hostile_answer_is_text(tab: Any, room: RoomServer) -> None:
    open_items(tab, room, "floors")
    tab.goto(f"{room.address.split('/?')[0]}/#/item?run=floors&item=s3/task1_features/v0001/head_turning")
    tab.locator(".card.answer summary").first.click()
    assert "onerror" in tab.locator("pre.raw").first.inner_text()
    assert tab.locator(".evidence img").count() == 0


def test_a_verdict_key_writes_a_verdict_that_is_there_on_the_next_visit(tab: Any, room: RoomServer, made: Path) -> None:
    address = f"{room.address.split('/?')[0]}/#/item?run=oracle&item=s3/task1_features/v0003/blank_stare"
    tab.goto(room.address)
    tab.goto(address)
    tab.wait_for_selector(".card.answer .judge")
    tab.keyboard.press("4")
    tab.wait_for_selector(".card.answer .judge [aria-pressed=true]")
    assert '"verdict": "ambiguous"' in (made / "oracle" / "verdicts.jsonl").read_text()
    tab.reload()
    pressed = tab.locator(".card.answer .judge [aria-pressed=true]")
    pressed.wait_for()
    assert pressed.inner_text().startswith("ambiguous")


def test_runs_are_filtered_and_compared_from_their_table(tab: Any, room: RoomServer) -> None:
    tab.goto(room.address)
    tab.wait_for_selector("a.open")
    runs = tab.locator("article.run")
    assert runs.count() == 3
    tab.keyboard.press("/")
    tab.keyboard.type("ora")
    assert [text.strip() for text in tab.locator("a.open").all_inner_texts()] == ["oracle"]
    assert tab.locator("output.count").inner_text() == "1 of 3"
    tab.get_by_label("Find").fill("nothing of this name")
    assert tab.get_by_text("No run matches the filters.").is_visible()
    tab.get_by_label("Find").fill("")
    compare = tab.get_by_role("button", name="Compare the chosen runs")
    assert compare.is_disabled()
    for name in ("floors", "oracle"):
        runs.filter(has=tab.get_by_role("link", name=name, exact=True)).get_by_label("choose").check()
    compare.click()
    tab.wait_for_selector(".compared tbody tr", timeout=120_000)
    heads = tab.locator(".compared thead th").all_inner_texts()
    assert heads[:3] == ["task", "floors", "oracle"], "runs are called by their names"
    assert tab.locator(".compared tbody tr").count() == 7
    first = tab.locator(".compared tbody tr").first.locator("td").all_inner_texts()
    assert first[1] == "1.000", "the truth against itself"
    assert fits(tab)
    assert violations(tab) == []
    tab.locator(".compared tbody a").first.click()
    tab.wait_for_selector(".items .body .row")
    assert "differs=1" in tab.url


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_passes_axe(tab: Any, room: RoomServer, scheme: str) -> None:
    tab.emulate_media(color_scheme=scheme)
    tab.goto(room.address)
    tab.wait_for_selector("a.open")
    assert violations(tab) == []
    tab.get_by_role("link", name="floors", exact=True).click()
    tab.wait_for_selector(".items .body .row")
    assert violations(tab) == []
    assert fits(tab)
    tab.keyboard.press("Enter")
    tab.wait_for_selector(".card.answer")
    assert violations(tab) == []
    assert fits(tab)


def test_print_shows_the_evidence_without_the_controls(tab: Any, room: RoomServer) -> None:
    tab.goto(room.address)
    tab.goto(f"{room.address.split('/?')[0]}/#/item?run=oracle&item=s3/task1_features/v0003/blank_stare")
    tab.wait_for_selector(".card.answer")
    tab.emulate_media(media="print")
    tab.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert not tab.locator(".controls").is_visible()
    assert tab.locator(".card.answer .raw").first.is_visible()


def answers_of(run: Path) -> dict[str, str]:
    """Request → the right answer, by the oracle's run."""
    lines = [json.loads(line) for line in (run / "responses.jsonl").read_text().splitlines()]
    return {line["id"]: json.loads(line["text"])["answer"] for line in lines if "task1" in line["task"]}


@pytest.mark.parametrize(("reader", "error"), [("anna", 0.10), ("ben", 0.25), ("cem", 0.40)])
def test_a_scripted_reader_takes_the_exam_by_keyboard(
    browser: Any, made: Path, tmp_path: Path, reader: str, error: float
) -> None:
    out, truths, rng = tmp_path / reader, answers_of(made / "oracle"), random.Random(reader)
    served = RoomServer.start("read", made / "data", "--reader", reader, "--tasks", "1", "--sample", 24, "--out", out)
    page = browser.new_page()
    page.goto(served.address)
    given: dict[str, str] = {}
    while True:
        page.wait_for_selector(f".question:not([data-id='{next(reversed(given), '')}']), h1:has-text('That was all')")
        if page.get_by_text("That was all").count():
            break
        request = page.locator(".question").get_attribute("data-id")
        choices = [text.split("\n")[0] for text in page.locator(".choices button").all_inner_texts()]
        choices = [re.sub(r"\d$", "", choice).strip() for choice in choices]
        truth = truths[request] if truths[request] in choices else choices[-1]
        wanted = next(c for c in choices if c != truth) if rng.random() < error else truth
        given[request] = wanted
        page.keyboard.press(str(choices.index(wanted) + 1))
        page.keyboard.press("Enter")
    page.close()
    assert served.finish() == 0
    lines = [json.loads(line) for line in (out / "responses.jsonl").read_text().splitlines()]
    assert {line["id"]: json.loads(line["text"])["answer"] for line in lines} == given
