"""What the command compiled is kept for its next call, for this machine and these versions only, and within bounds."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ostinato.cli import compile_cache
from ostinato.cli.compile_cache import keep_compiled, prune

# What a command does: first the cache, then JAX. It says what was compiled and not found.
CHILD = """
from ostinato.cli.compile_cache import keep_compiled
folder = keep_compiled()
import jax
found = []
jax.monitoring.register_event_listener(lambda name, **_: found.append(name.rsplit("/", 1)[-1]))
print(folder, float(jax.jit(lambda x: 3 * x + 1)(2.0)), found.count("cache_hits"), found.count("cache_misses"))
"""


def entries(folder: Path) -> list[Path]:
    return sorted(folder.glob("ostinato/*/*-cache"))


def child(cache: Path, **more: str) -> list[str]:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("JAX_")}
    environment |= {"XDG_CACHE_HOME": str(cache), "JAX_PLATFORMS": "cpu", **more}
    done = subprocess.run([sys.executable, "-c", CHILD], env=environment, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return done.stdout.split()


def test_a_second_process_compiles_nothing_and_a_damaged_entry_is_compiled_anew(tmp_path):
    folder, value, hits, misses = child(tmp_path)
    assert Path(folder).parent == tmp_path / "ostinato"
    assert value == "7.0"
    assert (int(hits), int(misses) > 0) == (0, True)
    kept = entries(tmp_path)
    assert kept
    assert child(tmp_path) == [folder, "7.0", misses, "0"]
    for path in kept:
        path.write_bytes(path.read_bytes()[:-20])
    assert child(tmp_path)[:3] == [folder, "7.0", "0"]


@pytest.fixture
def fresh(tmp_path, monkeypatch):
    """As in a process that has not loaded JAX, in a home of its own; undone by hand: nothing may be left to others."""
    monkeypatch.delitem(sys.modules, "jax")
    for name in ("JAX_COMPILATION_CACHE_DIR", "XDG_CACHE_HOME", "OSTINATO_CACHE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(compile_cache.atexit, "register", lambda _: None)
    yield monkeypatch
    os.environ.pop("JAX_COMPILATION_CACHE_DIR", None)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, ".cache/ostinato"),
        ({"XDG_CACHE_HOME": "/elsewhere"}, "elsewhere/ostinato"),
        ({"XDG_CACHE_HOME": "relative"}, ".cache/ostinato"),
        ({"OSTINATO_CACHE": "/mine"}, "mine"),
        ({"OSTINATO_CACHE": "off"}, None),
        ({"JAX_COMPILATION_CACHE_DIR": "/given"}, None),
    ],
)
def test_where_it_is_kept_and_when_it_is_not(fresh, tmp_path, given, expected):
    for name, value in given.items():
        fresh.setenv(name, value.replace("/", f"{tmp_path}/", 1) if value.startswith("/") else value)
    before = os.environ.get("JAX_COMPILATION_CACHE_DIR")
    folder = keep_compiled()
    if expected is None:
        assert folder is None
        assert os.environ.get("JAX_COMPILATION_CACHE_DIR") == before
        assert list(tmp_path.iterdir()) == []
    else:
        assert folder is not None
        assert folder.parent == tmp_path / expected
        assert os.environ["JAX_COMPILATION_CACHE_DIR"] == str(folder)
        assert folder.stat().st_mode & 0o777 == 0o700


def test_nothing_is_kept_once_jax_is_loaded(fresh, tmp_path):
    fresh.setitem(sys.modules, "jax", compile_cache)
    assert keep_compiled() is None
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_others_can_write_to_or_that_is_none_is_left_alone(fresh, tmp_path):
    fresh.setenv("OSTINATO_CACHE", str(tmp_path / "open"))
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)
    assert keep_compiled() is None
    (tmp_path / "file").write_text("")
    fresh.setenv("OSTINATO_CACHE", str(tmp_path / "file"))
    assert keep_compiled() is None
    assert "JAX_COMPILATION_CACHE_DIR" not in os.environ


def test_another_version_or_processor_has_a_folder_of_its_own(fresh):
    folders = [keep_compiled()]
    os.environ.pop("JAX_COMPILATION_CACHE_DIR")
    with fresh.context() as other:
        other.setattr(compile_cache, "version", lambda name: "9.9" if name == "jaxlib" else "1")
        folders.append(keep_compiled())
    os.environ.pop("JAX_COMPILATION_CACHE_DIR")
    processor = compile_cache._processor()
    assert processor is not None
    assert "model name" in processor or "CPU part" in processor
    fresh.setattr(compile_cache, "_processor", lambda: f"{processor} avx10")
    folders.append(keep_compiled())
    assert len(set(folders)) == 3
    os.environ.pop("JAX_COMPILATION_CACHE_DIR")
    fresh.setattr(compile_cache, "_processor", lambda: None)
    assert keep_compiled() is None


def test_entries_used_longest_ago_go_first(tmp_path):
    for age, name in enumerate(["newest", "middle", "oldest"]):
        path = tmp_path / f"versions{age % 2}" / f"jit_{name}-cache"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(bytes(100))
        os.utime(path, (1e9 - age, 1e9 - age))
    (tmp_path / "versions0" / "notes.txt").write_bytes(bytes(1000))
    os.utime(tmp_path / "versions0" / "jit_oldest-cache", (2e9, 0))  # written first, read last
    prune(tmp_path, largest=250)
    assert sorted(path.name for path in tmp_path.glob("*/*-cache")) == ["jit_newest-cache", "jit_oldest-cache"]
    prune(tmp_path, largest=250)
    prune(tmp_path, largest=0)
    assert [path.name for path in tmp_path.glob("*/*")] == ["notes.txt"]
