"""The stemmer of ROUGE, nltk's Porter stemmer, without the rest of nltk.

``import nltk`` brings scikit-learn, pandas and scipy.stats with it, which takes longer than scoring a small run.
"""

from __future__ import annotations

import sys
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import Any

_PACKAGES = ("nltk", "nltk.stem")
_MODULE = "nltk.stem.porter"


@cache
def porter_stemmer() -> Any:
    """The stemmer, with a method ``stem(word)``."""
    return _porter().PorterStemmer()


def _porter() -> ModuleType:
    """The stemmer's module, its packages standing empty while it is imported, and forgotten after that.

    So ``import nltk`` means the whole of it for whoever says it later. Where it was said before, nothing is saved.
    """
    found = None if "nltk" in sys.modules else find_spec("nltk")
    if found is None or not found.submodule_search_locations:
        return import_module(_MODULE)
    folder = found.submodule_search_locations[0]
    for name in _PACKAGES:
        package = ModuleType(name)
        package.__path__ = ["/".join([folder, *name.split(".")[1:]])]
        sys.modules[name] = package
    try:
        return import_module(_MODULE)
    finally:
        for name in [name for name in sys.modules if name.partition(".")[0] == "nltk"]:
            del sys.modules[name]
