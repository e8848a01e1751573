"""Plugins: what they bring can be used, and what is wrong with one is said and harms nothing else."""

from __future__ import annotations

import inspect
import json
import re
from pathlib import Path

import pytest

from s3harness.plugins import hookspecs
from s3harness.plugins.manager import manager
from s3harness.plugins.registry import KINDS, Registrar

HEAD = "import s3harness\n@s3harness.hookimpl\ndef s3harness_register(registry):\n"
FRIEND = "registry.backend('friendly', 'good_plugin:Backend')"


def test_what_a_plugin_registers_is_listed_with_its_package_and_version_and_not_imported(site):
    site.registering("good-plugin", "registry.backend('friendly', 'good_parts:Backend')", version="2.5")
    (site.folder / "good_parts.py").write_text("raise RuntimeError('imported')")
    rows = [row for row in site.listed("plugins", "list") if row["package"] == "good-plugin"]
    assert rows == [
        {"kind": "backend", "name": "friendly", "package": "good-plugin", "version": "2.5", "state": "registered"}
    ]


BROKEN = {
    "fails to import": ("raise RuntimeError('no driver')", "RuntimeError: no driver"),
    "has a syntax error": ("def broken(:", "SyntaxError"),
    "needs a package that is not there": ("import no_such_engine", "No module named 'no_such_engine'"),
    "leaves Python": ("import sys; sys.exit('no licence')", "SystemExit: no licence"),
    "raises while registering": (HEAD + "    registry.backend('half', 'x:y'); raise ValueError('tired')", "tired"),
    "registers an unknown kind": (HEAD + "    registry.bakend('b', 'x:y')", "did you mean backend?"),
    "registers too little": (HEAD + "    registry.backend('b')", "TypeError"),
    "has a hook of a wrong name": (
        HEAD.replace("_register", "_registre") + "    pass",
        "did you mean s3harness_register",
    ),
    "has a hook of wrong arguments": (HEAD.replace("registry", "nonsense") + "    pass", "nonsense"),
}
PARTLY = {
    "a built-in backend": ("registry.backend('floors', 'x:y')", "is built in"),
    "a built-in model": ("registry.model('lingshu-32b', 'x:y')", "is built in"),
    "a built-in command": ("registry.command('run', 'x:y')", "is built in"),
    "a built-in metric": ("registry.metric('rqi', 'x:y')", "is built in"),
    "a name twice": ("registry.backend('b', 'x:y'); registry.backend('b', 'x:z')", "registered twice"),
    "no import string": ("registry.backend('b', 'just a word')", "not an import string"),
    "a file for a target": ("registry.backend('b', '/tmp/x.py:B')", "not an import string"),
    "a target that is no text": ("registry.backend('b', print)", "not an import string"),
    "a name with blanks": ("registry.backend('two words', 'x:y')", "a name has letters"),
    "a command of a group that takes none": ("registry.command('cache shrink', 'x:y')", "to the group data, not to"),
    "an empty name": ("registry.backend('', 'x:y')", "a name has letters"),
    "a name that is no text": ("registry.backend(None, 'x:y')", "a name has letters"),
}


@pytest.mark.parametrize(("source", "reason"), BROKEN.values(), ids=BROKEN)
def test_a_plugin_that_is_broken_is_named_with_its_reason_and_registers_nothing(site, source, reason):
    site.install("bad-plugin", source)
    site.registering("good-plugin", FRIEND)
    states = site.states()
    assert reason in states.pop(("plugin", "bad_plugin", "bad-plugin"))
    assert states == {("backend", "friendly", "good-plugin"): "registered"}


@pytest.mark.parametrize(("line", "reason"), PARTLY.values(), ids=PARTLY)
def test_a_registration_that_is_wrong_is_named_and_the_others_of_its_plugin_stand(site, line, reason):
    site.registering("bad-plugin", line, "registry.sampler('fine', 'bad_plugin:y')")
    site.registering("good-plugin", FRIEND)
    states = site.states()
    state = states.pop(("plugin", "bad_plugin", "bad-plugin"))
    assert reason in state
    assert "bad-plugin" in state or "import string" in reason or "letters" in reason or "group" in reason
    assert states[("sampler", "fine", "bad-plugin")] == "registered"
    assert states[("backend", "friendly", "good-plugin")] == "registered"


def test_a_built_in_name_that_a_plugin_claims_goes_on_meaning_the_built_in(site):
    site.registering(
        "greedy",
        "registry.backend('floors', 'x:y')",
        "registry.model('qwen2.5-vl-7b', 'x:y')",
        "registry.command('tasks', 'x:y')",
    )
    rows = {(r["kind"], r["name"]): r["package"] for r in site.listed("plugins", "list")}
    assert rows["backend", "floors"] == rows["model", "qwen2.5-vl-7b"] == rows["command", "tasks"] == "s3harness"
    shown = site.run("models", "show", "qwen2.5-vl-7b", "--json")
    assert json.loads(shown.stdout)["weights"] == "Qwen/Qwen2.5-VL-7B-Instruct"


@pytest.mark.parametrize("order", [("a-plugin", "z-plugin"), ("z-plugin", "a-plugin")])
def test_a_name_that_two_plugins_claim_can_be_used_of_neither_and_both_are_named(site, order):
    for package in order:
        site.registering(package, f"registry.backend('mine', '{package[0]}:y')")
    states = site.states()
    assert states["backend", "mine", "a-plugin"] == "unusable: z-plugin registers it too"
    assert states["backend", "mine", "z-plugin"] == "unusable: a-plugin registers it too"
    used = site.run("run", "--backend", "mine")
    assert used.returncode == 2
    assert "'a-plugin'" in used.stderr
    assert "'z-plugin'" in used.stderr


def test_a_third_claimant_does_not_get_the_name_either(site):
    for package in ("a-plugin", "b-plugin", "c-plugin"):
        site.registering(package, "registry.backend('mine', 'x:y')")
    states = site.states()
    assert [states["backend", "mine", f"{p}-plugin"].split(":")[0] for p in "abc"] == ["unusable"] * 3


def test_an_unknown_name_is_answered_with_the_plugins_that_are_broken(site):
    site.install("bad-plugin", "raise RuntimeError('no driver')")
    result = site.run("run", "--backend", "vlm")
    assert result.returncode == 2
    assert "broken plugins: bad-plugin" in result.stderr


def test_an_object_that_cannot_be_imported_is_named_with_its_package_when_it_is_used(site):
    site.registering("good-plugin", "registry.backend('absent', 'good_plugin:Absent')")
    result = site.run("run", "--backend", "absent")
    assert result.returncode == 2
    for part in ("absent", "good-plugin", "good_plugin:Absent", "AttributeError"):
        assert part in result.stderr


def test_what_is_no_entry_point_is_named_as_broken(site):
    site.install("odd-plugin", "", entry="odd = odd_plugin:nothing_there")
    assert "nothing_there" in site.states()["plugin", "odd", "odd-plugin"]


def test_a_package_that_points_at_the_built_ins_changes_nothing(site):
    before = [row for row in site.listed("plugins", "list") if row["package"] == "s3harness"]
    site.install("aaa", "", entry="aaa = s3harness.plugins.builtins")
    after = [row for row in site.listed("plugins", "list") if row["package"] == "s3harness"]
    assert before == after
    assert len(before) > 50
    assert site.states()["plugin", "aaa", "aaa"].startswith("broken")


def test_what_a_plugin_prints_is_kept_out_of_the_output(site):
    site.install(
        "loud-plugin", "print('hello')\n" + HEAD + "    print('again'); registry.backend('loud', 'loud_plugin:y')"
    )
    assert site.states() == {("backend", "loud", "loud-plugin"): "registered"}


def test_plugins_can_be_switched_off(site):
    site.registering("good-plugin", FRIEND)
    assert site.states(S3HARNESS_PLUGINS="off") == {}
    assert site.states(S3HARNESS_PLUGINS="on") != {}
    assert site.run("tasks", "list", S3HARNESS_PLUGINS="off").returncode == 0


def test_plugins_can_be_traced_on_standard_error(site):
    site.registering("good-plugin", FRIEND, version="2.5")
    result = site.run("plugins", "list", "--json", S3HARNESS_PLUGINS="trace")
    json.loads(result.stdout)
    line = next(line for line in result.stderr.splitlines() if "good_plugin" in line)
    assert "good-plugin 2.5" in line
    assert line.endswith(" ms")


def test_a_wrong_word_for_the_switch_is_an_error(site):
    result = site.run("plugins", "list", S3HARNESS_PLUGINS="none")
    assert result.returncode == 2
    assert "on, off or trace" in result.stderr


COMMAND = """
    import click, s3harness

    @click.command()
    def greet():
        \"\"\"Say hello.\"\"\"
        click.echo("hello")

    not_a_command = 3

    @s3harness.hookimpl
    def s3harness_register(registry):
        registry.command("greet", "good_plugin:greet")
        registry.command("odd", "good_plugin:not_a_command")
"""


def test_the_command_of_a_plugin_is_in_the_help_and_can_be_called(site):
    site.install("good-plugin", COMMAND)
    assert "greet From good-plugin." in " ".join(site.run("--help").stdout.split())
    assert site.run("greet").stdout == "hello\n"
    assert "Say hello." in site.run("greet", "--help").stdout
    odd = site.run("odd")
    assert odd.returncode == 2
    assert "'good-plugin'" in odd.stderr


GROUP_COMMAND = """
    import click, s3harness

    @click.command()
    def count():
        \"\"\"Count the videos.\"\"\"
        click.echo("none")

    @s3harness.hookimpl
    def s3harness_register(registry):
        registry.command("data count", "good_plugin:count")
        registry.command("tally", "good_plugin:count", summary="How many videos there are.")
"""


def test_the_command_of_a_plugin_can_belong_to_a_group(site):
    site.install("good-plugin", GROUP_COMMAND)
    assert "count Count the videos." in " ".join(site.run("data", "--help").stdout.split())
    assert site.run("data", "count").stdout == "none\n"
    shown = " ".join(site.run("--help").stdout.split())
    assert "tally How many videos there are." in shown
    assert "data count" not in shown


@pytest.mark.parametrize(
    ("command", "remedy"),
    [("demo", "'s3harness[demo]'"), ("data synth", "s3harness-synth")],
    ids=["demo", "data synth"],
)
def test_a_command_of_an_own_package_that_is_not_installed_is_answered_with_what_to_install(site, command, remedy):
    called = site.run(*command.split(), S3HARNESS_PLUGINS="off")
    assert called.returncode == 2
    assert f"there is no command named '{command}' here: pip install {remedy}" in " ".join(called.stderr.split())


def test_a_plugin_can_bring_models_as_a_file_as_a_directory_or_by_a_function(site):
    card = "schema: s3harness/model/v1\nname: {0}\ntitle: T\nweights: null\nfamily: f\nmodalities: [video]\n"
    (site.folder / "cards").mkdir()
    for name in ("by-file", "by-folder", "by-function", "misnamed"):
        (site.folder / "cards" / f"{name}.yaml").write_text(card.format(name.replace("misnamed", "other")))
    site.install(
        "good-plugin",
        """
        from pathlib import Path
        import s3harness
        FOLDER = Path(__file__).parent / "cards"
        FILE = str(FOLDER / "by-file.yaml")
        def function(): return FOLDER / "by-function.yaml"
        def fails(): raise RuntimeError("no disk")

        @s3harness.hookimpl
        def s3harness_register(registry):
            registry.model("by-file", "good_plugin:FILE")
            registry.model("by-folder", "good_plugin:FOLDER")
            registry.model("by-function", "good_plugin:function")
            registry.model("misnamed", "good_plugin:FOLDER")
            registry.model("fails", "good_plugin:fails")
        """,
    )
    listing = site.run("models", "list", "--json")
    assert {"by-file", "by-folder", "by-function"} < {row["model"] for row in json.loads(listing.stdout)}
    assert "no disk" in listing.stderr
    for name in ("by-file", "by-folder", "by-function"):
        assert json.loads(site.run("models", "show", name, "--json").stdout)["name"] == name
    assert "'other' is not the name 'misnamed'" in site.run("models", "show", "misnamed").stderr


SPECS = """
from pathlib import Path
import s3harness
SPECS = Path(__file__).parent / "{0}_specs"

@s3harness.hookimpl
def s3harness_register(registry):
    registry.task_specs("{0}", "{0}:SPECS")
"""


def _install_specs(site, package: str, **tasks: str) -> None:
    site.install(package, SPECS.format(package))
    folder = site.folder / f"{package}_specs" / "tasks"
    folder.mkdir(parents=True)
    for name, text in tasks.items():
        (folder / f"{name}.yaml").write_text(text)


def _spec(name: str) -> str:
    source = Path(__file__).parents[2] / "task_specs" / "tasks" / "task6_report.yaml"
    return source.read_text(encoding="utf-8").replace("s3/task6_report", name)


def test_the_tasks_of_a_plugin_are_listed_after_the_benchmarks_and_asked_only_by_name(site):
    _install_specs(site, "mine", extra=_spec("mine/task6_more"))
    names = [row["task"] for row in site.listed("tasks", "list")]
    assert [name for name in names if name.startswith("s3/")] == names[:8]
    assert names[8:] == ["mine/task6_more"]
    assert site.run("tasks", "show", "mine/task6_more", "--json").returncode == 0
    assert json.loads(site.run("tasks", "show", "6", "--json").stdout)["name"] == "s3/task6_report"
    asked = site.python("-c", "from s3harness.specs.loading import task_names; print(*task_names())").stdout.split()
    assert asked == names[:7]


def test_wrong_task_specs_of_plugins_are_named_and_take_nothing_down(site):
    _install_specs(site, "broken", bad="name: [", fine=_spec("broken/task_fine"))
    _install_specs(site, "greedy", taken=_spec("s3/task6_report"))
    _install_specs(site, "one", same=_spec("both/task_same"))
    _install_specs(site, "two", same=_spec("both/task_same"))
    site.install("empty", SPECS.format("empty"))
    result = site.run("tasks", "list", "--json")
    names = [row["task"] for row in json.loads(result.stdout)]
    assert len([name for name in names if name.startswith("s3/")]) == 8
    assert names[8:] == ["broken/task_fine"]
    for package in ("broken", "greedy", "one", "two", "empty"):
        assert f"'{package}'" in result.stderr
    unknown = site.run("tasks", "show", "both/task_same")
    assert unknown.returncode == 2
    assert "cannot be used" in unknown.stderr


MEDDLER = """
    import s3harness

    @s3harness.hookimpl
    def s3harness_run_started(run):
        raise RuntimeError("not today")

    @s3harness.hookimpl
    def s3harness_response(request, response):
        if isinstance(request.answer_schema, dict):
            request.answer_schema.clear()
        if request.subject == "tonic":
            raise RuntimeError("not this one")

    @s3harness.hookimpl
    def s3harness_run_finished(run, scores):
        for score in scores:
            score.parts.clear()
            object.__setattr__(score, "value", 1.0)
"""


def _scores(site, dataset: Path, out: Path) -> tuple[bytes, str, str]:
    run = site.run("run", "--backend", "floors", "--data", str(dataset), "--out", str(out), "--tasks", "1,4,7")
    assert run.returncode == 0, run.stderr
    table = re.sub(r"^Time per answer: .*$", "", run.stdout.replace(str(out), "OUT"), flags=re.MULTILINE)
    return (out / "scores.json").read_bytes(), table, run.stderr


def test_installing_a_plugin_changes_no_score_whatever_it_does_while_observing(site, dataset, tmp_path):
    before, table, _ = _scores(site, dataset, tmp_path / "before")
    site.install("meddler", MEDDLER)
    site.registering("greedy", "registry.metric('feature_macro_f1', 'x:y')")
    _install_specs(site, "mine", extra=_spec("mine/task6_more"))
    after, table_after, messages = _scores(site, dataset, tmp_path / "after")
    assert after == before
    assert table_after == table
    assert "meddler" in messages
    assert "RuntimeError: not today" in messages
    assert "RuntimeError: not this one" in messages


def test_every_kind_has_a_documented_method_of_the_registrar():
    methods = {name: method for name, method in inspect.getmembers(Registrar, inspect.isfunction) if name[0] != "_"}
    assert set(methods) == set(KINDS)
    for name, method in methods.items():
        further = {"command": ["summary"], "dataset": ["files"]}.get(name, [])
        expected = ["self", "name", "target", *further]
        assert list(inspect.signature(method).parameters) == expected, name
        assert inspect.getdoc(method), name


def test_every_hook_is_documented_and_typed():
    hooks = {name: hook for name, hook in vars(hookspecs).items() if name.startswith("s3harness_")}
    assert set(hooks) == {"s3harness_register", "s3harness_run_started", "s3harness_response", "s3harness_run_finished"}
    for name, hook in hooks.items():
        assert inspect.getdoc(hook), name
        assert all(p.annotation is not inspect.Parameter.empty for p in inspect.signature(hook).parameters.values())


def test_every_built_in_object_can_be_imported():
    entries = [entry for entry in manager().registry.entries.values() if entry.package == "s3harness"]
    assert {entry.kind for entry in entries} >= {"backend", "sampler", "parser", "aggregator", "metric", "model"}
    for entry in entries:
        entry.load()
