"""Tiny models of all families, a golden video, and answers of a backend."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
import torch
from s3harness_transformers.tiny import tiny_model
from transformers_cases import Cases
from transformers_golden import write_data

from s3harness.media import MediaStore

torch.set_num_threads(1)


class TinyModels(dict[str, Path]):
    """Family → the directory of its tiny model, which is built when it is first asked for."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder

    def __missing__(self, family: str) -> Path:
        self[family] = tiny_model(family, self._folder / family)
        return self[family]


@pytest.fixture(scope="session")
def tiny(tmp_path_factory):
    """Family → the directory of its tiny model."""
    return TinyModels(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="session")
def golden(tmp_path_factory):
    """The data set of the golden video."""
    return write_data(tmp_path_factory.mktemp("golden") / "data")


@pytest.fixture(scope="session")
def cases(tiny, golden, tmp_path_factory):
    """Plans, encoders and backends for a family's model and the golden video."""
    return Cases(tiny, golden, MediaStore(tmp_path_factory.mktemp("cache")))


@pytest.fixture
def answers():
    """Answers of a backend to requests, all sent at the same time; an exception stands for one that failed."""

    def ask(backend, requests):
        async def all_of_them():
            async with backend:
                return await asyncio.gather(*map(backend.generate, requests), return_exceptions=True)

        return asyncio.run(all_of_them())

    return ask
