"""Installing a package with a plugin into a folder, as pip would leave it there."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from s3harness.cli import main
from s3harness.plugins.manager import manager
from s3harness.testing import ContractVerdict, verdict
from s3harness.testing.trial import TrialSettings

HEAD = "import s3harness\n\n@s3harness.hookimpl\ndef s3harness_register(registry):\n"


class Ended(NamedTuple):
    """What a command left behind."""

    returncode: int
    stdout: str
    stderr: str


@dataclass
class Site:
    """A folder that can be put on the path."""

    folder: Path
    variables: dict[str, str] = field(default_factory=dict)

    def install(self, package: str, source: str = "", version: str = "1.0", entry: str | None = None) -> None:
        """Install a package of one module, which holds ``source``."""
        module = package.replace("-", "_")
        (self.folder / f"{module}.py").write_text(textwrap.dedent(source), encoding="utf-8")
        info = self.folder / f"{module}-{version}.dist-info"
        info.mkdir()
        about = f"Metadata-Version: 2.1\nName: {package}\nVersion: {version}\n\nName: not this\n"
        (info / "METADATA").write_text(about, encoding="utf-8")
        points = f"[console_scripts]\nnone = none:none\n\n[s3harness]\n{entry or f'{module} = {module}'}\n"
        (info / "entry_points.txt").write_text(points, encoding="utf-8")

    def registering(self, package: str, *lines: str, version: str = "1.0") -> None:
        """Install a package whose plugin does ``lines`` with ``registry``."""
        self.install(package, HEAD + textwrap.indent("\n".join(lines), "    "), version)

    def run(self, *arguments: str, **variables: str) -> Ended:
        """``s3harness`` in this process, as it would start with these packages installed."""
        out, err = io.StringIO(), io.StringIO()
        with self._installed(variables), redirect_stdout(out), redirect_stderr(err):
            try:
                main(arguments)
            except SystemExit as ended:
                return Ended(int(ended.code or 0), out.getvalue(), err.getvalue())
        raise AssertionError("the command line always exits")

    def verdict(self, kind: str, name: str, limit_s: float) -> ContractVerdict:
        """What the contract tests say of something, tried in this process."""
        with self._installed({}), redirect_stderr(io.StringIO()):
            return verdict(kind, name, TrialSettings(limit_s=limit_s))

    def python(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """A Python process with these packages installed."""
        environment = {**os.environ, "PYTHONPATH": str(self.folder), **self.variables, **variables}
        return subprocess.run(
            [sys.executable, *arguments], env=environment, capture_output=True, text=True, timeout=600, check=False
        )

    @contextmanager
    def _installed(self, variables: dict[str, str]) -> Iterator[None]:
        """The packages on the path, and forgotten afterwards."""
        modules = set(sys.modules)
        with pytest.MonkeyPatch.context() as patch:
            patch.syspath_prepend(str(self.folder))
            for name, value in variables.items():
                patch.setenv(name, value)
            manager.cache_clear()
            try:
                yield
            finally:
                manager.cache_clear()
                for name in {path.stem for path in self.folder.glob("*.py")} & (set(sys.modules) - modules):
                    del sys.modules[name]

    def listed(self, *arguments: str, **variables: str) -> list[dict[str, Any]]:
        """The rows of a listing command."""
        result = self.run(*arguments, "--json", **variables)
        assert result.returncode == 0, result.stderr
        return list(json.loads(result.stdout))

    def states(self, **variables: str) -> dict[tuple[str, str, str], str]:
        """(kind, name, package) → state, of what neither the harness nor a plugin of this repository brings."""
        rows = self.listed("plugins", "list", **variables)
        strange = [row for row in rows if not row["package"].startswith("s3harness")]
        return {(row["kind"], row["name"], row["package"]): row["state"] for row in strange}
