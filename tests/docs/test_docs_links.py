"""Links of pages that MkDocs does not see lead somewhere, and the pages made of the code have all of it."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest
import yaml
from doc_blocks import PLUGIN_PAGES, ROOT

from s3harness.plugins.builtins import COMMANDS, METRICS, RQI_PENALTIES
from s3harness.plugins.registry import KINDS

_LINK = re.compile(r"\]\(([^)#\s]+)(#[^)\s]*)?\)")
OTHERS = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "task_specs/README.md", "leaderboard/README.md")),
    ROOT / "benchmarks" / "README.md",
    ROOT / "docs" / "architecture.md",
    *PLUGIN_PAGES,
]


@pytest.mark.parametrize("page", OTHERS, ids=lambda page: str(page.relative_to(ROOT)))
def test_no_link_is_dead(page):
    links = [link for link, _ in _LINK.findall(page.read_text(encoding="utf-8")) if "://" not in link]
    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.fixture(scope="module")
def reference():
    """The module that makes the reference pages."""
    spec = importlib.util.spec_from_file_location("docs_reference", ROOT / "docs" / "reference.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_reference_has_every_command_metric_penalty_and_kind(reference):
    assert [name for name in COMMANDS if f"## s3harness {name}\n" not in reference.cli()] == []
    assert [name for name in METRICS if f"### `{name}`" not in reference.metrics()] == []
    assert [name for name in RQI_PENALTIES if f"### `{name}`" not in reference.rqi()] == []
    assert [kind for kind in KINDS if f"| `{kind}` |" not in reference.hooks()] == []


def test_every_metric_says_what_it_is(reference):
    sections = reference.metrics().split("### ")[1:]
    assert [section.splitlines()[0] for section in sections if len(section.split("`\n")[-1].split()) < 4] == []


def test_every_page_is_in_the_navigation(reference):
    said = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))
    listed = set(re.findall(r"[\w/-]+\.md", str(said["nav"])))
    written = {str(Path(page).relative_to(ROOT / "docs")) for page in (ROOT / "docs").rglob("*.md")}
    assert listed == written | set(reference.PAGES)
