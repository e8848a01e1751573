"""Check that the plugins which a run names for scoring are installed, with the package to install if not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from s3harness.errors import PluginError
from s3harness.plugins.manager import manager
from s3harness.plugins.registry import BUILTIN
from s3harness.rundir.manifest import scoring_plugins
from s3harness.specs.tasks import TaskSpec


def check_installed(specs: Iterable[TaskSpec], packages: Mapping[str, str]) -> None:
    """Raise :class:`PluginError` if a task names a metric, parser or aggregator that no installed package brings.

    ``packages`` are those that the run was made with, package → version, as its manifest has them.
    """
    # Without loading: an import error is reported where the plugin is used.
    entries = manager().registry.entries
    named = dict.fromkeys(name for spec in specs for name in scoring_plugins(spec))
    lacking = [f"{kind} {name!r}" for kind, name in named if (kind, name) not in entries]
    if lacking:
        raise PluginError(
            f"the run uses {', '.join(lacking)}, which no installed package provides; {_remedy(packages)}"
        )


def _remedy(packages: Mapping[str, str]) -> str:
    here = {plugin.package: plugin for plugin in manager().plugins}
    differences = []
    for package, version in packages.items():
        known = here.get(package)
        if known is None:
            differences.append(
                f"the run was made with {package} {version}, which is not installed: pip install {package}=={version}"
            )
        # Another version of the harness itself is no fault: it scores older runs.
        elif package != BUILTIN and (known.error or known.version != version):
            why = (
                f"is broken here ({known.error})"
                if known.error
                else f"is {known.version} here: pip install {package}=={version}"
            )
            differences.append(f"the run was made with {package} {version}, which {why}")
    return "; ".join(differences) or "s3harness plugins list shows the installed ones"
