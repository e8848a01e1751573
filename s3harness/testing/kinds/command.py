"""Promises of a command."""

from __future__ import annotations

from collections.abc import Mapping

from s3harness.testing.trial import Bench

PROMISES: Mapping[str, str] = {
    "form": "it is a click command",
    "help": "its help describes the command and each option",
    "wrong calls": "an unknown option ends it with exit code 2",
}


def try_it(bench: Bench) -> None:
    """Invoke a command's help, and a wrong call of it."""
    # In the function, for the promises are listed without click.
    import click
    from click.testing import CliRunner

    if not bench.must("form", isinstance(bench.thing, click.Command), f"it is {type(bench.thing).__name__}"):
        return
    with bench.trying("help"):
        result = CliRunner().invoke(bench.thing, ["--help"])
        bench.must("help", result.exit_code == 0 and bool(bench.thing.help), f"--help ends with {result.exit_code}")
        silent = [
            p.name or "" for p in bench.thing.params if isinstance(p, click.Option) and not p.help and not p.hidden
        ]
        bench.must("help", not silent, f"no help for {', '.join(silent)}")
    with bench.trying("wrong calls"):
        # A code of its own for wrong calls lets scripts tell them from failures; 2 is that of click.
        result = CliRunner().invoke(bench.thing, ["--no-such-option"])
        bench.must("wrong calls", result.exit_code == 2, f"--no-such-option ends with {result.exit_code}")
