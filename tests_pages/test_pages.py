"""What a person does with the pages, in a real browser, at the width of a desk and of a hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest


def _names(page: Any) -> list[str]:
    return [str(text) for text in page.locator("table.board tbody tr td:first-child a").all_inner_texts()]


def _fits(page: Any) -> bool:
    """Whether only tables scroll sideways, never the page."""
    return bool(page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"))


def _wide_tables(page: Any) -> list[str]:
    """Headings of the tables that have to be scrolled sideways to be read."""
    page.evaluate("document.querySelectorAll('details.part').forEach((part) => { part.open = true; })")
    return [str(text) for text in page.evaluate(_WIDE)]


_WIDE = """[...document.querySelectorAll(".scroll")].filter((box) => box.scrollWidth > box.clientWidth + 1)
  .map((box) => box.querySelector("th")?.closest("tr").innerText ?? box.id)"""


@pytest.mark.parametrize("name", ["floors/report.html", "compare.html", "site/*.html"])
def test_no_column_is_off_the_screen_of_a_desk(page: Any, made: Path, name: str) -> None:
    paths = sorted(made.glob(name))
    assert paths
    for path in paths:
        page.goto(path.as_uri())
        assert _fits(page), path.name
        if page.viewport_size["width"] >= 1280:
            assert _wide_tables(page) == [], path.name


def test_the_board_sorts_and_filters(page: Any, made: Path) -> None:
    page.goto((made / "site" / "task1-features.html").as_uri())
    first = _names(page)
    assert len(first) == 2
    heading = page.locator("th button", has_text="score").first
    heading.click()
    descending = _names(page)
    heading.click()
    assert _names(page) == descending[::-1]
    page.get_by_label("Find").fill("oracle")
    assert _names(page) == ["oracle"]
    assert page.locator("output").inner_text() == "1 of 2"
    assert _fits(page)


def test_a_long_board_shows_its_first_rows_and_the_rest_when_asked(page: Any, crowded: Path) -> None:
    page.goto((crowded / "task1-features.html").as_uri())
    few = len(_names(page))
    assert few < 120
    assert page.locator("output").inner_text() == "120 of 120"
    more = page.get_by_role("button", name=f"Show {120 - few} more")
    more.click()
    assert len(_names(page)) == 120
    assert not more.is_visible()
    page.locator("th button", has_text="model").first.click()
    assert len(_names(page)) == 120


def test_a_long_board_is_printed_whole(page: Any, crowded: Path) -> None:
    page.goto((crowded / "task1-features.html").as_uri())
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert len(_names(page)) == 120


def test_published_rows_stand_beside_the_board_and_no_filter_touches_them(page: Any, made: Path) -> None:
    page.goto((made / "site" / "task1-features.html").as_uri())
    printed = page.locator("h2", has_text="As published").locator("xpath=following::table[1]").locator("tbody tr")
    before = printed.count()
    assert before > 5
    page.get_by_label("Find").fill("nobody")
    assert printed.count() == before
    assert page.locator("output").inner_text() == "0 of 2"


def test_disagreements_of_a_comparison_are_filtered(page: Any, made: Path) -> None:
    page.goto((made / "compare.html").as_uri())
    rows = page.locator("#list tbody tr")
    every = page.locator("#count").inner_text().split(" of ")[1]
    page.get_by_label("Task").select_option("7 diagnosis")
    assert 0 < rows.count() <= 8
    assert set(rows.locator("td:nth-child(2)").all_inner_texts()) == {"7 diagnosis"}
    page.get_by_label("Task").select_option("")
    page.get_by_label("Better").select_option("floors")
    assert rows.count() == 0, "nobody beats the truth"
    page.get_by_label("Better").select_option("oracle")
    page.get_by_label("Find").fill("tonic")
    assert 0 < rows.count() < int(every.split()[0])
    assert page.locator("#list img").count() == 0
    assert _fits(page)


def test_a_model_page_opens_from_the_board(page: Any, made: Path) -> None:
    page.goto((made / "site" / "index.html").as_uri())
    page.get_by_role("link", name="oracle").click()
    assert page.locator("h1").inner_text() == "oracle"
    assert page.get_by_text("always yes").count() > 0
    assert _fits(page)


def test_every_page_of_the_site_opens_and_runs_nothing_submitted(page: Any, made: Path) -> None:
    for path in sorted((made / "site").glob("*.html")):
        page.goto(path.as_uri())
        assert page.title() != "owned", path.name
        assert page.locator("h1").count() == 1
        assert _fits(page), path.name


def test_a_timeline_opens_and_shows_the_raw_answer(page: Any, made: Path) -> None:
    page.goto((made / "floors" / "report.html").as_uri())
    lanes = page.locator("#lanes .row")
    assert lanes.count() > 15
    lanes.first.click()
    answer = page.locator("#answers article > pre").last
    assert "onerror" in answer.inner_text(), "the answer is shown as the text that it is"
    sent = page.locator("#answers details").last
    sent.locator("summary").click()
    assert sent.inner_text().strip() != "request", "the request stands below the answer"
    assert page.locator("#answers img").count() == 0
    assert _fits(page)


def test_the_evidence_comes_first_and_a_link_unfolds_its_part(page: Any, made: Path) -> None:
    page.goto((made / "floors" / "report.html").as_uri())
    assert page.locator("main h2").first.inner_text() == "Evidence"
    assert page.get_by_role("heading", name="Summary").is_visible()
    assert not page.locator("#signs").locator("xpath=ancestor::details").locator("table").is_visible()
    page.get_by_role("link", name="Signs").click()
    page.locator("#signs").locator("xpath=ancestor::details").locator("table").wait_for()


def test_the_report_is_printed_on_few_pages(page: Any, made: Path) -> None:
    page.goto((made / "floors" / "report.html").as_uri())
    pdf = page.pdf(format="A4")
    assert pdf.count(b"/Type /Page\n") <= 2


def test_the_keyboard_is_enough(page: Any, made: Path) -> None:
    page.goto((made / "floors" / "report.html").as_uri())
    place = page.locator("#place")
    assert place.inner_text() == "1 of 4"
    page.locator("body").press("j")
    assert place.inner_text() == "2 of 4"
    page.locator("body").press("k")
    assert place.inner_text() == "1 of 4"
    before = page.locator("#lanes .row").count()
    page.locator("body").press("d")
    assert page.locator("#lanes .row").count() <= before
    page.locator("body").press("d")
    page.locator("#lanes .row").first.focus()
    page.keyboard.press("Enter")
    assert page.locator("#answers article").count() > 0


def test_disagreements_are_marked_by_more_than_colour(page: Any, made: Path) -> None:
    page.goto((made / "floors" / "report.html").as_uri())
    marks = page.locator("#lanes .row text:last-child").all_text_contents()
    assert {mark[0] for mark in marks} <= {"✓", "✗", "○"}
    assert page.locator("#lanes .row[aria-label]").count() == len(marks)
