"""The help of every command: at once, without JAX, with an example."""

import subprocess
import sys
from collections.abc import Iterator

import typer.main

from ostinato.cli.application import application

from .conftest import call

PROBE = """
import sys
from ostinato.cli.application import application
for line in sys.stdin.read().splitlines():
    try:
        application()([*line.split(), "--help"])
    except SystemExit as leave:
        assert leave.code == 0, line
heavy = {"jax", "numpy", "scipy", "equinox", "optax", "diffrax", "pandas", "matplotlib", "pyarrow"} & sys.modules.keys()
assert not heavy, f"imported for a help: {sorted(heavy)}"
"""


def commands(command: object, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The paths of all commands and groups."""
    yield path
    for name, inner in getattr(command, "commands", {}).items():
        if not inner.hidden:
            yield from commands(inner, (*path, name))


PATHS = list(commands(typer.main.get_command(application())))


def test_every_command_has_an_example() -> None:
    assert len(PATHS) > 15
    for path in PATHS:
        result = call(*path, "--help")
        assert result.exit_code == 0, path
        groups = ((), ("fit",), ("data",), ("study",), ("community",))
        if path not in groups:
            assert f"Example: ostinato {' '.join(path)}" in " ".join(result.stdout.split()), path


def test_help_loads_nothing_heavy() -> None:
    """What makes a help slow is what it imports, and that can be named; seconds depend on the machine."""
    lines = "\n".join(" ".join(path) for path in PATHS)
    done = subprocess.run([sys.executable, "-c", PROBE], input=lines, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_version_and_usage() -> None:
    from ostinato import __version__

    assert call("--version").stdout.strip() == f"ostinato {__version__}"
    for args in (
        ["nonsense"],
        ["fit", "forecast"],
        ["list", "nothing"],
        ["study", "run"],
        ["fit", "forecast", "a", "--x"],
    ):
        result = call(*args)
        assert result.exit_code == 2, args
        assert result.stdout == ""


def test_bad_numbers_are_usage_errors() -> None:
    for args in (["--hidden", "a"], ["--hidden", "3.5"], ["--hidden", "3,4", "--layers", "3"], ["--test", "much"]):
        result = call("fit", "forecast", "data.csv", *args)
        assert result.exit_code == 2, args
        assert args[0] in result.stderr


def test_where_design_is_now() -> None:
    result = call("design", "runs/gut", "--maximize", "butyrate", "--json")
    assert (result.exit_code, result.stdout) == (2, "")
    said = "`ostinato design` is now `ostinato community design runs/gut --maximize butyrate --json`"
    assert result.stderr == f"Error: {said}\n"
    assert " design " not in call("--help").stdout
