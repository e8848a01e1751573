"""``docs/numbers.md`` says what the code computes of the release today: a changed number fails, and so does a claim."""

from __future__ import annotations

import importlib.util
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from s3harness.paper.layout import open_release

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture(scope="module")
def module():
    spec = importlib.util.spec_from_file_location("published_numbers", DOCS / "published_numbers.py")
    loaded = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


@pytest.fixture(scope="module")
def numbers(module, release):
    return module.compute_numbers(open_release(release))


def test_the_page_is_what_the_release_gives_today(module, numbers):
    """Written by: python docs/published_numbers.py CHECKOUT"""
    assert module.page(numbers) == (DOCS / "numbers.md").read_text(encoding="utf-8")


def test_a_claim_that_no_longer_holds_stops_the_writing(module, numbers):
    with pytest.raises(module.ClaimError, match="no longer true; rewrite the sentence"):
        module.page(replace(numbers, mismatches=1))
