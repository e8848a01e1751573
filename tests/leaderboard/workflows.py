"""The workflows of a repository that takes submissions, played step by step as GitHub would.

The repository is a copy of ``leaderboard/`` in a bare repository, with signers and annotations of its own. The lines of
a step's ``run`` are run by bash, with the environment that the workflow names; of the actions only the checkout is
played, as a clone of the main branch. The workflows are always those of the main branch.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from keys import allow, make_key

ROOT = Path(__file__).parents[2]
INSTALLS = "Install the scorer of the main branch"
PROGRAM = Path(sys.executable).parent
"""Where this environment's ``s3harness`` is."""


@dataclass
class Repository:
    """A bare repository that takes submissions, its maintainers' secrets, and what its steps printed."""

    folder: Path
    secrets: dict[str, str]
    output: list[str] = field(default_factory=list)

    @property
    def bare(self) -> Path:
        return self.folder / "origin.git"

    @property
    def head(self) -> str:
        return git(self.bare, "rev-parse", "main").strip()

    def clone(self, name: str) -> Path:
        """A submitter's clone."""
        out = self.folder / name
        git(self.folder, "clone", "--quiet", str(self.bare), str(out))
        git(out, "checkout", "--quiet", "-b", "mine")
        return out

    def open_pull_request(self, clone: Path) -> str:
        """Push the clone's last commit as a pull request's head, and return it."""
        git(clone, "push", "--quiet", "--force", "origin", "HEAD:refs/pull/1/head")
        return git(clone, "rev-parse", "HEAD").strip()

    def submit(self, head: str, reviewed: str = "") -> bool:
        """Play check and, if it succeeds, score; whether both succeeded."""
        return self.play("check", HEAD=head) and self.play("score", HEAD=head, REVIEWED=reviewed)

    def play(self, workflow: str, **event: str) -> bool:
        """Run a workflow of the main branch; whether every step succeeded."""
        text = git(self.bare, "show", f"main:.github/workflows/{workflow}.yml")
        (job,) = yaml.safe_load(text)["jobs"].values()
        temporary = Path(tempfile.mkdtemp(prefix=f"{workflow}-", dir=self.folder))
        checkout = temporary / "checkout"
        for step in job["steps"]:
            if step.get("uses", "").startswith("actions/checkout@"):
                git(temporary, "clone", "--quiet", str(self.bare), str(checkout))
            is_run = "run" in step and step.get("name") != INSTALLS
            if is_run and not self._run(step, job, checkout, temporary, event):
                return False
        self.site = checkout / "site"
        return True

    def _run(
        self, step: dict[str, Any], job: dict[str, Any], checkout: Path, temporary: Path, event: dict[str, str]
    ) -> bool:
        named = {**job.get("env", {}), **step.get("env", {})}
        environment = {"PATH": f"{PROGRAM}:{os.environ['PATH']}", "HOME": str(temporary), "RUNNER_TEMP": str(temporary)}
        environment |= {name: event[name] if name in event else self.secrets[name] for name in named}
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
            cwd=checkout,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        self.output.append(done.stdout + done.stderr)
        return done.returncode == 0


def make_repository(folder: Path, data: Path) -> Repository:
    """A repository with no submission yet."""
    key = make_key(folder, "verdict-key")
    annotations, work = folder / "annotations", folder / "work"
    shutil.copytree(data, annotations, ignore=shutil.ignore_patterns("videos"))
    _commit_all(annotations)
    shutil.copytree(ROOT / "leaderboard", work)
    allow(key, work / "allowed_signers")
    _commit_all(work)
    repository = Repository(folder, {"ANNOTATIONS": str(annotations), "SIGNING_KEY": key.read_text()})
    git(folder, "clone", "--quiet", "--bare", str(work), str(repository.bare))
    return repository


def git(folder: Path, *arguments: str, data: bytes | None = None) -> str:
    """What git prints, with nobody's configuration."""
    own = {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1", "PATH": os.environ["PATH"]}
    named = {f"GIT_{who}_{what}": "a@b.invalid" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    command = ["git", "-c", "protocol.file.allow=always", "-C", str(folder), *arguments]
    done = subprocess.run(command, input=data, env=own | named, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


def commit(clone: Path, message: str = "Add a submission") -> None:
    """Commit all that there is."""
    git(clone, "add", "--all", "--force")
    git(clone, "commit", "--quiet", "--allow-empty", "--message", message)


def _commit_all(folder: Path) -> None:
    git(folder, "init", "--quiet", "--initial-branch", "main")
    commit(folder, "Begin")
