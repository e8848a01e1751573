"""The cache of decoded frames on the command line: what it holds, and purging it, and nothing else."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from s3harness.cli import cli
from s3harness.media import MediaStore

DAY_S = 86_400


def call(*words: object, say: str = "") -> Result:
    return CliRunner().invoke(cli, ["cache", *(str(word) for word in words)], input=say)


@pytest.fixture
def kept(tmp_path) -> Path:
    """A cache with two slabs, one of them three days old, and a stranger's file beside them."""
    folder = tmp_path / "cache"
    MediaStore(folder)
    for name, days in (("old", 3), ("new", 0)):
        slab = folder / "media" / "slabs" / f"{name}.slab"
        slab.write_bytes(b"x" * 1_000_000)
        os.utime(slab, (time.time() - days * DAY_S,) * 2)
    (folder / "notes.txt").write_text("mine")
    return folder


def test_what_it_holds_and_since_when(kept):
    shown = call("info", "--cache", kept).output
    assert "2.0 MB in 2 files, the oldest unused for 3.0 days" in shown
    told = json.loads(call("info", "--cache", kept, "--json").output)
    expected = {"directory": str(kept), "bytes": 2_000_000, "files": 2, "oldest_days": 3.0, "private": True}
    assert told == expected


def test_that_others_can_look_into_it_is_said(kept):
    (kept / "media").chmod(0o755)
    assert "other users can read it" in call("info", "--cache", kept).output


@pytest.mark.parametrize(("say", "code", "left"), [("n\n", 1, 2), ("", 1, 2), ("y\n", 0, 0)])
def test_it_is_purged_by_who_says_yes(say, code, left, kept):
    done = call("purge", "--cache", kept, say=say)
    assert done.exit_code == code
    assert len(list(kept.rglob("*.slab"))) == left
    assert (kept / "notes.txt").read_text() == "mine"


def test_yes_can_be_said_before(kept):
    assert "2.0 MB deleted" in call("purge", "--cache", kept, "--yes").output
    assert "0.0 MB deleted" in call("purge", "--cache", kept).output, "nothing is there, so nobody is asked"


def test_a_link_out_of_it_is_not_followed(kept, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious.slab").write_text("mine")
    (kept / "media" / "slabs" / "link").symlink_to(outside)
    (kept / "media" / "link.slab").symlink_to(outside / "precious.slab")
    assert call("purge", "--cache", kept, "--yes").exit_code == 0
    assert (outside / "precious.slab").read_text() == "mine"
    assert not (kept / "media").exists()


def test_a_cache_that_is_a_link_itself_is_left_alone(kept, tmp_path):
    (kept / "media").rename(tmp_path / "elsewhere")
    (kept / "media").symlink_to(tmp_path / "elsewhere")
    assert call("purge", "--cache", kept, "--yes").exit_code == 0
    assert len(list((tmp_path / "elsewhere").rglob("*.slab"))) == 2
