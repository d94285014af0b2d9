"""The tables of the library: every row leads to a constructor, and none of them needs JAX to be read."""

import subprocess
import sys
from importlib import import_module  # noqa: TID251 - names of our own rooms
from pathlib import Path

import pytest

import ostinato
from ostinato.tables import Entry

TABLES = {
    "agents": "LEARNERS",
    "associative": "ASSOCIATIVE",
    "cells": "CELLS",
    "environments": "ENVIRONMENTS",
    "learning": "RULES",
    "memory": "MEMORIES",
    "tasks": "TASKS",
    "trees": "TREE_CELLS",
}
LISTED = ("cells", "tasks", "environments", "learners", "associative", "memories")


@pytest.mark.parametrize(("room", "table"), TABLES.items())
def test_every_row_leads_to_a_constructor_of_its_room(room, table):
    for name, entry in getattr(getattr(ostinato, room), table).items():
        assert entry.made_by.startswith(f"{room}."), name
        assert callable(entry.make), name
        assert entry.make is entry.make
        assert entry.description, name
        assert entry.reference, name
        where = entry.made_by.partition(":")[0]
        assert Path(ostinato.__path__[0], *where.split(".")).with_suffix(".py").is_file(), name


def test_a_name_of_a_room_loads_its_own_module_alone():
    code = (
        "import sys; from ostinato.cells import LSTM; from ostinato.learning import BPTT\n"
        "loaded = {name for name in sys.modules if name.startswith(('ostinato.cells.', 'ostinato.learning.'))}\n"
        "assert 'ostinato.cells.lstm' in loaded and 'ostinato.learning.bptt' in loaded\n"
        "assert not loaded & {'ostinato.cells.gru', 'ostinato.learning.rtrl', 'ostinato.learning.public'}, loaded"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, timeout=120)


def test_the_settings_of_a_row_are_given_and_can_be_overruled():
    entry = Entry(dict, "a dictionary", "the manual", {"a": 1, "b": 2})
    assert entry.make(b=3) == {"a": 1, "b": 3}
    assert Entry(dict, "a dictionary", "the manual").make is dict


@pytest.mark.parametrize("room", TABLES)
def test_no_module_of_a_room_has_the_name_of_something_else_in_it(room):
    """Such a module, once imported, would stand in the place of the name."""
    module = getattr(ostinato, room)
    listed = set(dir(module))
    public = {name for name in vars(import_module(f"ostinato.{room}.public")) if name[0] != "_"}
    assert all(getattr(module, name) is getattr(import_module(f"ostinato.{room}.public"), name) for name in public)
    assert public <= listed
    assert public & {path.stem for path in Path(module.__path__[0]).glob("*.py")} == set()
    with pytest.raises(AttributeError, match=f"'ostinato.{room}' has no attribute 'nothing'"):
        _ = module.nothing


@pytest.mark.parametrize("kind", LISTED)
def test_what_there_is_is_listed_without_jax(kind):
    code = (
        f"import contextlib, sys; sys.argv = ['ostinato', 'list', {kind!r}]\n"
        "with contextlib.suppress(SystemExit):\n    from ostinato.cli.main import main; main()\n"
        "assert 'jax' not in sys.modules and 'equinox' not in sys.modules and 'numpy' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) > 4
