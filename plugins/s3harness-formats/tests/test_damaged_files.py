"""Whatever becomes of a file, a reader reads it or says which file is wrong; it never fails in another way."""

from __future__ import annotations

import warnings
from importlib import import_module
from random import Random

import pytest
from round_trips import annotations
from s3harness_formats.labels import LabelMeanings

import s3harness

FILES = {"elan": "v0001.eaf", "boris": "annotations.boris", "edf": "v0001.edf", "label_studio": "tasks.json"}
MUTATIONS = 60


def mutated(content: bytes, random: Random) -> bytes:
    """Some bytes changed, a piece cut out, doubled, or the end lost."""
    first, last = sorted(random.randrange(len(content)) for _ in range(2))
    changes = (
        lambda: (
            content[:first] + bytes(random.randrange(256) for _ in range(random.randint(1, 4))) + content[first + 3 :]
        ),
        lambda: content[:first] + content[min(last, first + 200) :],
        lambda: content[:last] + content[first:],
        lambda: content[:first],
        lambda: content.replace(random.choice((b"0", b'"', b"<", b"{", b"\t", b"1")), random.choice((b"", b"-", b"x"))),
    )
    return random.choice(changes)()


@pytest.mark.parametrize("name", [*FILES, "bids"])
@pytest.mark.filterwarnings("ignore")
def test_a_mutated_file_is_read_or_refused(name, tmp_path):
    module = import_module(f"s3harness_formats.{name}")
    getattr(module, f"export_{name}")(annotations(40), tmp_path)
    path = tmp_path / FILES[name] if name in FILES else next(tmp_path.rglob("*_events.tsv"))
    content, random, labels = path.read_bytes(), Random(7), LabelMeanings()
    refused = 0
    for _ in range(MUTATIONS):
        path.write_bytes(mutated(content, random))
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                read = getattr(module, f"read_{name}")(path, labels)
            assert isinstance(read.recordings, list)
        except s3harness.S3HarnessError as error:
            refused += 1
            assert path.name in str(error)
    assert 0 < refused < MUTATIONS
