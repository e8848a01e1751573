"""The workflows of the leaderboard, played on a bare repository: honest pull requests are ranked, hostile ones not."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from calling import call
from keys import make_key
from models import ask, submit_model
from tampering import cover_up, edit
from workflows import ROOT, Repository, commit, git, make_repository

from s3harness.leaderboard.folder import MAX_FILE_BYTES

WORKFLOWS = sorted((ROOT / "leaderboard" / ".github" / "workflows").glob("*.yml"))


@pytest.fixture(scope="session")
def with_one_entry(tmp_path_factory: pytest.TempPathFactory, dataset: Path, first_model: Path) -> Repository:
    """A repository with the submission of an honest model, which came by a pull request."""
    repository = make_repository(tmp_path_factory.mktemp("repository"), dataset)
    clone = repository.clone("honest")
    shutil.copytree(first_model, clone / "submissions" / "first-model")
    commit(clone)
    assert repository.submit(repository.open_pull_request(clone)), repository.output
    return repository


@pytest.fixture
def repository(tmp_path: Path, with_one_entry: Repository) -> Repository:
    copy = Repository(tmp_path / "repository", with_one_entry.secrets)
    shutil.copytree(with_one_entry.bare, copy.bare)
    return copy


@pytest.fixture
def clone(repository: Repository) -> Path:
    return repository.clone("hostile")


def _models(site: Path) -> list[str]:
    return re.findall(r'<a href="model-([\w.-]+)\.html">', (site / "index.html").read_text())


def test_an_honest_pull_request_is_ranked(repository: Repository, clone: Path, second_model: Path) -> None:
    shutil.copytree(second_model, clone / "submissions" / "second-model")
    commit(clone)
    assert repository.submit(repository.open_pull_request(clone)), repository.output[-1]
    names = git(repository.bare, "ls-tree", "--name-only", "main", "submissions/").split()
    ends = ("", ".verdict.json", ".verdict.json.sig")
    assert {f"submissions/second-model{end}" for end in ends} <= set(names)
    assert repository.play("pages")
    assert sorted(_models(repository.site)) == ["first-model", "second-model"]
    assert ">re-scored</td>" in (repository.site / "index.html").read_text()


Hostile = Callable[[Path, dict[str, Path]], None]


def _put(clone: Path, source: Path, name: str = "mine") -> Path:
    return Path(shutil.copytree(source, clone / "submissions" / name))


def alter_the_truth(clone: Path, sources: dict[str, Path]) -> None:
    """Own answers as the truth, and the scores that come of it."""
    folder = _put(clone, sources["second"])
    told = json.loads((folder / "predictions" / "task7_diagnosis.jsonl").read_text().splitlines()[0])
    edit(folder / "items.jsonl", lambda line: line | {"truth": told["value"]} if "task7" in line["item"] else line)
    cover_up(folder)


def raise_the_scores(clone: Path, sources: dict[str, Path]) -> None:
    folder = _put(clone, sources["second"])
    edit(folder / "scores.json", lambda scores: [score.update(value=0.99) for score in scores["scores"]] and None)
    cover_up(folder)


def rewrite_another_folder(clone: Path, sources: dict[str, Path]) -> None:
    edit(clone / "submissions" / "first-model" / "scores.json", lambda scores: scores["scores"][0].update(value=0.0))


def rename_another_folder(clone: Path, sources: dict[str, Path]) -> None:
    (clone / "submissions" / "first-model").rename(clone / "submissions" / "mine")


def remove_another_folder(clone: Path, sources: dict[str, Path]) -> None:
    _put(clone, sources["second"])
    shutil.rmtree(clone / "submissions" / "first-model")


def remove_another_verdict(clone: Path, sources: dict[str, Path]) -> None:
    _put(clone, sources["second"])
    (clone / "submissions" / "first-model.verdict.json").unlink()


def replay_under_another_name(clone: Path, sources: dict[str, Path]) -> None:
    _put(clone, sources["replay"])


def copy_a_folder(clone: Path, sources: dict[str, Path]) -> None:
    _put(clone, clone / "submissions" / "first-model")


def forge_a_verdict(clone: Path, sources: dict[str, Path]) -> None:
    _put(clone, sources["second"])
    record = json.loads((clone / "submissions" / "first-model.verdict.json").read_text())
    (clone / "submissions" / "mine.verdict.json").write_text(json.dumps(record | {"submission": "mine"}))


def sign_by_an_own_key(clone: Path, sources: dict[str, Path]) -> None:
    """A verdict signed by a key of the submitter's, and that key among those allowed."""
    folder, key = _put(clone, sources["second"]), make_key(sources["tmp"], "own")
    assert call("leaderboard", "verify", folder, "--among", sources["tmp"], "--record", "--sign", key).exit_code == 0
    with (clone / "allowed_signers").open("a") as file:
        file.write(f"own {key.with_name('own.pub').read_text()}")


def change_the_workflow(clone: Path, sources: dict[str, Path]) -> None:
    """A workflow that accepts everything: the main branch's is played, and the change is one too many."""
    _put(clone, sources["second"])
    (clone / ".github" / "workflows" / "score.yml").write_text("jobs: {score: {steps: [{run: 'true'}]}}")


def change_the_scorer(clone: Path, sources: dict[str, Path]) -> None:
    _put(clone, sources["second"])
    (clone / "requirements.txt").write_text("./submissions/mine\n")


def bring_a_program(clone: Path, sources: dict[str, Path]) -> None:
    (_put(clone, sources["second"]) / "setup.py").write_text("raise SystemExit\n")


def make_a_file_executable(clone: Path, sources: dict[str, Path]) -> None:
    (_put(clone, sources["second"]) / "scores.json").chmod(0o755)


def bring_attributes(clone: Path, sources: dict[str, Path]) -> None:
    (_put(clone, sources["second"]) / ".gitattributes").write_text("*.json filter=lfs\n")


def answer_as_the_oracle(clone: Path, sources: dict[str, Path]) -> None:
    _put(clone, sources["oracle"])


def link_a_file(clone: Path, sources: dict[str, Path]) -> None:
    folder = _put(clone, sources["second"])
    (folder / "scores.json").unlink()
    (folder / "scores.json").symlink_to("/etc/passwd")


def link_a_folder(clone: Path, sources: dict[str, Path]) -> None:
    (clone / "submissions" / "mine").symlink_to("first-model")


def bring_a_submodule(clone: Path, sources: dict[str, Path]) -> None:
    other = sources["tmp"] / "other"
    other.mkdir()
    git(other, "init", "--quiet")
    git(other, "commit", "--quiet", "--allow-empty", "--message", "x")
    git(clone, "submodule", "--quiet", "add", str(other), "submissions/mine")


def bring_a_submodule_without_its_list(clone: Path, sources: dict[str, Path]) -> None:
    git(clone, "update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},submissions/mine")
    git(clone, "commit", "--quiet", "--message", "x")


def bring_a_huge_file(clone: Path, sources: dict[str, Path]) -> None:
    os.truncate(_put(clone, sources["second"]) / "responses.jsonl", MAX_FILE_BYTES + 1)


def bring_many_files(clone: Path, sources: dict[str, Path]) -> None:
    folder = _put(clone, sources["second"])
    for number in range(300):
        (folder / "predictions" / f"task_{number}.jsonl").write_text("")


def bring_two_folders(clone: Path, sources: dict[str, Path]) -> None:
    for name in ("mine", "mine-too"):
        _put(clone, sources["second"], name)


def use_other_case(clone: Path, sources: dict[str, Path]) -> None:
    _put(clone, sources["second"], "FIRST-model")


def use_a_name_of_a_verdict(clone: Path, sources: dict[str, Path]) -> None:
    _put(clone, sources["second"], "first-model.verdict.json.sig.verdict.json")


def use_a_deceiving_name(clone: Path, sources: dict[str, Path]) -> None:
    _put(clone, sources["second"], "m\u202eine")


def use_a_line_break_in_a_name(clone: Path, sources: dict[str, Path]) -> None:
    _put(clone, sources["second"], "mine\nsubmissions")


def leave_the_folder(clone: Path, sources: dict[str, Path]) -> None:
    """A tree with an entry "..": git makes none by itself, and checks none that it is sent."""
    _put(clone, sources["second"])
    commit(clone)
    blob = git(clone, "hash-object", "-w", "--stdin", data=b"{}").strip()
    inner = git(clone, "mktree", data=f"100644 blob {blob}\tscores.json\n".encode()).strip()
    mine = git(clone, "ls-tree", "HEAD:submissions/mine") + f"040000 tree {inner}\t..\n"
    submissions = re.sub(
        r"040000 tree \w+\tmine", f"040000 tree {git(clone, 'mktree', data=mine.encode()).strip()}\tmine",
        git(clone, "ls-tree", "HEAD:submissions"),
    )  # fmt: skip
    top = re.sub(
        r"040000 tree \w+\tsubmissions",
        f"040000 tree {git(clone, 'mktree', data=submissions.encode()).strip()}\tsubmissions",
        git(clone, "ls-tree", "HEAD"),
    )
    tree = git(clone, "mktree", data=top.encode()).strip()
    made = git(clone, "commit-tree", tree, "-p", "HEAD", "-m", "x").strip()
    git(clone, "update-ref", "refs/heads/mine", made)


def share_no_history(clone: Path, sources: dict[str, Path]) -> None:
    git(clone, "checkout", "--quiet", "--orphan", "other")
    _put(clone, sources["second"])
    commit(clone)


def undo_by_a_merge(clone: Path, sources: dict[str, Path]) -> None:
    """A merge that has both histories and drops the other's folder."""
    _put(clone, sources["second"])
    shutil.rmtree(clone / "submissions" / "first-model")
    commit(clone)
    git(clone, "merge", "--quiet", "--strategy", "ours", "--message", "x", "origin/main")


def add_nothing(clone: Path, sources: dict[str, Path]) -> None:
    """A commit without a change."""


HOSTILE: tuple[Hostile, ...] = (
    *(alter_the_truth, raise_the_scores, rewrite_another_folder, rename_another_folder, remove_another_folder),
    *(remove_another_verdict, replay_under_another_name, copy_a_folder, forge_a_verdict, sign_by_an_own_key),
    *(change_the_workflow, change_the_scorer, bring_a_program, make_a_file_executable, bring_attributes),
    *(answer_as_the_oracle, link_a_file, link_a_folder, bring_a_submodule, bring_a_submodule_without_its_list),
    *(bring_a_huge_file, bring_many_files, bring_two_folders, use_other_case, use_a_name_of_a_verdict),
    *(use_a_deceiving_name, use_a_line_break_in_a_name, leave_the_folder, share_no_history, undo_by_a_merge),
    add_nothing,
)


@pytest.fixture(scope="session")
def sources(
    tmp_path_factory: pytest.TempPathFactory, dataset: Path, baseline: Path, second_model: Path
) -> dict[str, Path]:
    """Submissions to begin with: an honest one, a replay of what is there, the truth under a model's name."""
    folder = tmp_path_factory.mktemp("sources")
    oracle = ask("oracle", dataset, folder / "oracle-run")
    edit(oracle / "manifest.json", lambda manifest: manifest["run"].update(sees_truth=False))
    return {
        "second": second_model,
        "replay": submit_model(baseline, folder / "replay", "new-model", differs=0.02),
        "oracle": submit_model(oracle, folder / "oracle", "lingshu-33b"),
    }


@pytest.mark.parametrize("attack", HOSTILE, ids=lambda attack: attack.__name__)
def test_a_hostile_pull_request_ends_in_no_ranking(
    repository: Repository, clone: Path, sources: dict[str, Path], tmp_path: Path, attack: Hostile
) -> None:
    before, begun = repository.head, git(clone, "rev-parse", "HEAD")
    attack(clone, sources | {"tmp": tmp_path})
    if git(clone, "rev-parse", "HEAD") == begun:
        commit(clone)
    assert not repository.submit(repository.open_pull_request(clone)), "\n".join(repository.output)
    assert repository.head == before, "the main branch has changed"
    assert "Traceback" not in repository.output[-1]
    assert (
        "s3harness: " in repository.output[-1]
        or "Rejected" in repository.output[-1]
        or "Needs review" in repository.output[-1]
    )


def test_a_partial_entry_gets_a_board_of_its_own(
    repository: Repository, clone: Path, dataset: Path, tmp_path: Path
) -> None:
    run = ask("kinematics", dataset, tmp_path / "run", "--limit", "5")
    submit_model(run, clone / "submissions" / "part", "part", differs=0.9, seed=8)
    commit(clone)
    assert repository.submit(repository.open_pull_request(clone)), repository.output[-1]
    assert repository.play("pages")
    index = (repository.site / "index.html").read_text()
    whole, part = re.findall(r"<h2>.*?</table>", index, re.DOTALL)
    assert ">part</a>" not in whole
    assert ">part</a>" in part
    assert "mean skill" not in part


def test_what_is_held_back_is_ranked_after_a_look(
    repository: Repository, clone: Path, sources: dict[str, Path]
) -> None:
    _put(clone, sources["oracle"], "lingshu-33b")
    commit(clone)
    head = repository.open_pull_request(clone)
    assert not repository.submit(head)
    assert "review: scores.json" in repository.output[-1]
    assert "Needs review" in repository.output[-1]
    assert repository.submit(head, reviewed="Watched it being run.")
    record = json.loads(git(repository.bare, "show", "main:submissions/lingshu-33b.verdict.json"))
    assert record["reviewed"] == "Watched it being run."
    assert any("perfect score on" in review for review in record["reviews"])


def test_no_step_tells_the_truth(repository: Repository, clone: Path, sources: dict[str, Path], dataset: Path) -> None:
    """Who guesses the truth of each item in a submission learns how many are wrong, and not which."""
    folder = _put(clone, sources["second"])
    edit(folder / "items.jsonl", lambda line: line | {"truth": "no"} if "task1" in line["item"] else line)
    cover_up(folder)
    commit(clone)
    assert not repository.submit(repository.open_pull_request(clone))
    said = "\n".join(repository.output)
    assert re.search(r"items.jsonl:truth: \d+ items differ from the data set's", said)
    assert not re.search(r"s3/task1_features/v\d+", said)


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_puts_nothing_of_an_event_into_a_command(path: Path) -> None:
    """What an event holds is a stranger's; in a ``run`` line it would be run."""
    steps = [step for job in yaml.safe_load(path.read_text())["jobs"].values() for step in job["steps"]]
    assert all("${{" not in step.get("run", "") for step in steps)


def test_secrets_are_only_where_no_code_of_a_pull_request_runs() -> None:
    texts: dict[str, Any] = {path.stem: (path.read_text(), yaml.safe_load(path.read_text())) for path in WORKFLOWS}
    assert set(texts) == {"check", "pages", "score"}
    assert "secrets." not in texts["check"][0]
    assert texts["check"][1]["permissions"] == {"contents": "read"}
    assert "pull_request_target" not in "".join(text for text, _ in texts.values())
    assert "pull_request" not in texts["score"][1][True], "YAML reads the key on as true"
    (job,) = texts["score"][1]["jobs"].values()
    assert job["environment"] == "scoring"
    checkouts = [step["with"]["ref"] for step in job["steps"] if step.get("uses", "").startswith("actions/checkout")]
    assert checkouts == ["${{ github.event.repository.default_branch }}"]
