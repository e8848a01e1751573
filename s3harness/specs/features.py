"""The vocabulary: the 20 ictal signs of the benchmark, or a user's own list of signs, as data.

A process works with one list at a time, :func:`vocabulary`: the benchmark's, unless the data set or the run that is
read brings its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, ParamSpec, TypeVar, cast

from s3harness.errors import SpecError
from s3harness.specs.document import Document, form_problem, read_document, specs_directory, validate
from s3harness.types import Modality

SCHEMA = "s3harness/features/v1"
FILE = "features.yaml"
"""Name of the list of signs of a data set, in its directory."""
P = ParamSpec("P")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True, kw_only=True)
class Feature:
    """One sign of the vocabulary.

    ``question`` asks for its presence, ``statement`` completes "the moment when the patient …"; ``synonyms`` are
    other words for it; ``modality`` is video for signs that are seen, audio for those that are heard. ``ilae``,
    ``hed`` and ``snomed`` are its names in the ILAE's terms, in HED-SCORE and in SNOMED CT, empty where it has none.
    """

    name: str
    title: str
    question: str
    definition: str
    statement: str
    modality: Modality
    synonyms: tuple[str, ...]
    lateralised: bool
    has_interval: bool
    ilae: str = ""
    hed: str = ""
    snomed: str = ""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The features in the benchmark's order, the further signs that annotations may name, and the body parts.

    ``sided`` are the signs whose side Task 3 asks for. ``data`` is the list as it is written, empty for the
    benchmark's own.
    """

    features: tuple[Feature, ...]
    signs: tuple[str, ...]
    body_parts: tuple[str, ...]
    sided: tuple[str, ...] = ()
    data: Mapping[str, Any] = field(default_factory=dict, compare=False, hash=False)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the features, in order: 20 in the benchmark."""
        return tuple(feature.name for feature in self.features)

    @property
    def is_own(self) -> bool:
        """Return whether this is a user's own list and not the benchmark's."""
        return bool(self.data)

    def __getitem__(self, name: str) -> Feature:
        return next(feature for feature in self.features if feature.name == name)

    @property
    def synonyms(self) -> dict[str, str]:
        """Every name and synonym → the feature's name."""
        return {word: f.name for f in self.features for word in (f.name, *f.synonyms)}


_in_use: list[Vocabulary] = []
"""The list that this process works with, where it is not the benchmark's."""
_chosen: list[Vocabulary] = []
"""The list that a user names on the command line, for data sets without one of their own."""
_clearers: list[Callable[[], None]] = []


def vocabulary() -> Vocabulary:
    """Return the list of signs in use: that of the data set or run that was read last, by default the benchmark's."""
    return _in_use[-1] if _in_use else benchmark_vocabulary()


# Read in nearly every module, and the same for the whole process.
@lru_cache(maxsize=1)
def benchmark_vocabulary() -> Vocabulary:
    """Load the vocabulary of ``task_specs/features.yaml``."""
    return _vocabulary(read_document(specs_directory() / "features.yaml").data)


def choose_vocabulary(path: Path) -> None:
    """Make a list of signs the one of every data set that has none: a user's file, or the name of a shipped list.

    Raises :class:`SpecError` for a list that is wrong.
    """
    shipped = specs_directory() / f"features-{path}.yaml"
    is_name = not path.exists() and path.name == str(path) and shipped.is_file()
    _chosen[:] = [read_vocabulary(shipped if is_name else path)]
    use_vocabulary(_chosen[0])


def forget_choice() -> None:
    """End the choice of :func:`choose_vocabulary`."""
    _chosen.clear()
    use_vocabulary(benchmark_vocabulary())


def chosen_vocabulary() -> Vocabulary:
    """Return the list of signs of a data set without one of its own."""
    return _chosen[0] if _chosen else benchmark_vocabulary()


def use_vocabulary(words: Vocabulary) -> None:
    """Make a list of signs the one in use in this process, and forget what was computed for another."""
    if words == vocabulary():
        return
    _in_use[:] = [words] if words.is_own else []
    for clear in _clearers:
        clear()


def cached_per_vocabulary(maxsize: int) -> Callable[[Callable[P, Result]], Callable[P, Result]]:
    """Cache a function whose results depend on the list of signs in use."""

    def decorate(function: Callable[P, Result]) -> Callable[P, Result]:
        cached = lru_cache(maxsize=maxsize)(function)
        _clearers.append(cached.cache_clear)
        return cast("Callable[P, Result]", cached)

    return decorate


def read_vocabulary(path: Path) -> Vocabulary:
    """Read a user's own list of signs; raise :class:`SpecError` naming file, line and field.

    Of a sign only the name is needed: see :func:`completed`.
    """
    document = read_document(path)
    whole = Document(path, completed(document.data))
    validate(whole, "features")
    if problem := _ambiguity(whole.data):
        raise SpecError(f"{path.name}: {problem}")
    return _vocabulary(whole.data, is_own=True)


def vocabulary_of(data: Mapping[str, Any]) -> Vocabulary:
    """Return the list of signs that a manifest holds; raise :class:`SpecError` if it is none, ``{}`` is ours."""
    if not data:
        return benchmark_vocabulary()
    if problem := form_problem(data, "features") or _ambiguity(data):
        raise SpecError(f"the list of signs: {problem}")
    return _vocabulary(data, is_own=True)


def completed(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return a list of signs with what a user left out: words made of the name, a sign that is seen and has a time."""
    features = data.get("features")
    whole = {"schema": SCHEMA, "signs": [], "body_parts": list(benchmark_vocabulary().body_parts), **data}
    if isinstance(features, list):
        whole["features"] = [_completed(one) if isinstance(one, Mapping) else one for one in features]
    return whole


def _completed(feature: Mapping[str, Any]) -> dict[str, Any]:
    name = str(feature.get("name", ""))
    # A sign of the benchmark's name, with no title of its own, is the benchmark's sign.
    if "title" not in feature and name in benchmark_vocabulary().names:
        known = asdict(benchmark_vocabulary()[name])
        ours = {key: list(value) if isinstance(value, tuple) else value for key, value in known.items() if value != ""}
        return ours | dict(feature)
    title = str(feature.get("title") or name.replace("_", " ").capitalize())
    words = title[:1].lower() + title[1:]
    return {
        "title": title,
        "question": f"Does the patient show this sign during the event: {words}?",
        "definition": f"The sign that clinicians call {words} is seen or heard during the event.",
        "statement": f"first shows this sign: {words}",
        "modality": "video",
        "synonyms": [" ".join(words.lower().replace("-", " ").split())],
        "lateralised": False,
        "has_interval": True,
        **feature,
    }


def _ambiguity(data: Mapping[str, Any]) -> str:
    """Return the words of which it is not clear which sign they mean, as a sentence; "" if all are clear."""
    owners: dict[str, str] = {}
    for feature in data["features"]:
        # A name in blanks and one in underscores are the same word to a reader of answers.
        for word in dict.fromkeys(str(w).replace("_", " ") for w in (feature["name"], *feature["synonyms"])):
            if owners.setdefault(word, feature["name"]) != feature["name"]:
                return f"{word!r} is a word of both {owners[word]} and {feature['name']}; leave it with one of them"
    names = [*(feature["name"] for feature in data["features"]), *data["signs"]]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        return f"the name {twice[0]} is given twice"
    unknown = sorted(set(data.get("sided", ())) - set(names))
    return f"sided: there is no sign named {unknown[0]}" if unknown else ""


def _vocabulary(data: Mapping[str, Any], *, is_own: bool = False) -> Vocabulary:
    features = tuple(Feature(**{**entry, "synonyms": tuple(entry["synonyms"])}) for entry in data["features"])
    sided = data.get("sided", [feature.name for feature in features if feature.lateralised])
    return Vocabulary(
        features, tuple(data["signs"]), tuple(data["body_parts"]), tuple(sided), dict(data) if is_own else {}
    )
