"""A name that a package of the project brings is answered with what to install."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest

from s3harness.errors import UsageError
from s3harness.plugins.known_packages import OWN_PACKAGES
from s3harness.plugins.registry import Registrar, Registry

PLUGINS = Path(__file__).parents[2] / "plugins"


def registered(folder):
    """(Kind, name) of all that a package registers."""
    (module,) = folder.glob("s3harness_*/__init__.py")
    spec = importlib.util.spec_from_file_location(module.parent.name, module)
    plugin = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(plugin)
    names = []
    plugin.s3harness_register(Registrar(names.append))
    return [(registration.kind, registration.name) for registration in names]


def test_every_name_of_every_own_package_is_known():
    folders = sorted(PLUGINS.glob("s3harness-*"))
    assert folders
    # The demo needs two packages, so an extra is what to install.
    expected = {key: folder.name for folder in folders for key in registered(folder)}
    assert expected | {("command", "demo"): "s3harness[demo]"} == OWN_PACKAGES


@pytest.mark.parametrize(("kind", "name"), OWN_PACKAGES)
def test_the_error_says_what_to_install(kind, name):
    package = OWN_PACKAGES[kind, name]
    quoted = f"'{package}'" if "[" in package else package
    with pytest.raises(UsageError, match=re.escape(f"no {kind} named '{name}' here: pip install {quoted}") + "$"):
        Registry().entry(kind, name)
