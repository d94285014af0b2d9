"""Sessions beyond one machine's Python: each supported version, the oldest and the newest dependencies."""

import re
import tomllib
from pathlib import Path

import nox

PYTHONS = ["3.11", "3.12", "3.13"]
TEST = ["pytest", "-n", "2", "--dist", "loadfile", "--no-loadscope-reorder"]

nox.options.sessions = ["tests"]
nox.options.default_venv_backend = "uv|virtualenv"


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """The suite with the pinned versions."""
    session.install("-c", "constraints.txt", "-e", ".[test]")
    session.run(*TEST, *session.posargs)


@nox.session(python=PYTHONS[0])
def oldest(session: nox.Session) -> None:
    """The suite with the lower bound of every dependency of the library."""
    project = tomllib.loads(Path("pyproject.toml").read_text())["project"]
    bounds = [re.sub(r">=([^,]+).*", r"==\1", line) for line in project["dependencies"]]
    session.install("-e", ".[test]", *bounds)
    session.run(*TEST, *session.posargs)


@nox.session(python=PYTHONS[-1])
def newest(session: nox.Session) -> None:
    """The suite with the newest version of everything, pre-releases of JAX among them."""
    session.install("--upgrade", "-e", ".[test]")
    session.install("--upgrade", "--pre", "jax", "jaxlib")
    session.run(*TEST, *session.posargs)


@nox.session(python=PYTHONS[0])
def sktime(session: nox.Session) -> None:
    """What sktime itself asks of a forecaster; it needs an older pandas than the suite."""
    session.install("-e", ".[sktime]", "beartype", "pytest", "pytest-xdist")
    session.run("pytest", "-m", "full or not full", "tests/interop/test_sktime.py", *session.posargs)
