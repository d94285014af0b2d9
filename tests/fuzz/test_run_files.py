"""Files of a run folder with bytes changed at random: refused as `CorruptFile`, or exactly what was written."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given

from ostinato.errors import CorruptFile, OstinatoError
from ostinato.runs import Log, load_checkpoint, read_settings, save_checkpoint, to_toml
from ostinato.runs.manifest import MANIFEST, digest, seal

MODEL = {"layers": [{"W": jnp.arange(6.0).reshape(2, 3), "b": jnp.ones(3)}]}
OPT = ({"mu": jnp.full(3, 0.5)}, jnp.asarray(7, jnp.int32))

# Where (as a share of the length), how many bytes go, and what comes in their place.
CHANGE = st.tuples(st.floats(0, 1), st.integers(0, 12), st.binary(max_size=12))
CHANGES = st.lists(CHANGE, min_size=1, max_size=4)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=6),
    lambda v: st.lists(v, max_size=3) | st.dictionaries(st.text(max_size=6), v, max_size=3),
    max_leaves=6,
)


def changed(content: bytes, changes: list[tuple[float, int, bytes]]) -> bytes:
    for where, gone, new in changes:
        at = int(where * len(content))
        content = content[:at] + new + content[at + gone :]
    return content


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return save_checkpoint(tmp_path_factory.mktemp("run"), 12, MODEL, OPT, {"epoch": 1.5, "note": "ü"})


@pytest.fixture(scope="module")
def whole(folder) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


# Seconds on however slow a machine: no content may send the reader off to fill its memory or to wait.
HANGS = 60


def load(folder: Path) -> Any:
    start = time.monotonic()
    try:
        return load_checkpoint(folder, MODEL, OPT)
    except CorruptFile:
        return None
    finally:
        assert time.monotonic() - start < HANGS


def restored(folder: Path, whole: dict[str, bytes], **files: bytes) -> None:
    for name, content in whole.items():
        (folder / name).write_bytes(files.get(name.split(".")[0], content))


@pytest.mark.parametrize("name", ["weights", "optimizer", "manifest"])
@given(changes=CHANGES)
def test_a_changed_file_is_never_taken_for_the_one_that_was_written(folder, whole, name, changes):
    full = next(file for file in whole if file.startswith(name))
    content = changed(whole[full], changes)
    restored(folder, whole, **{name: content})
    found = load(folder)
    if found is None:
        assert content != whole[full]
        return
    assert found.step == 12
    assert found.extra == {"epoch": 1.5, "note": "ü"}
    np.testing.assert_array_equal(found.model["layers"][0]["W"], MODEL["layers"][0]["W"])
    np.testing.assert_array_equal(found.opt_state[0]["mu"], OPT[0]["mu"])


@given(changes=CHANGES)
def test_weights_with_a_manifest_that_agrees_are_read_as_arrays_of_the_model_or_refused(folder, whole, changes):
    content = changed(whole["weights.safetensors"], changes)
    manifest = json.loads(whole[MANIFEST])
    del manifest["sha256"]
    manifest["files"]["weights.safetensors"].update(bytes=len(content), sha256=digest(content))
    restored(folder, whole, weights=content, manifest=seal(manifest))
    found = load(folder)
    if found is not None:
        assert found.model["layers"][0]["W"].shape == (2, 3)
        assert found.model["layers"][0]["W"].dtype == jnp.float32


def replace(tree: Any, path: list[int], value: Any) -> Any:
    """A JSON tree with the entry at the end of a path (places, modulo the number of entries) replaced."""
    if not path or not isinstance(tree, dict) or not tree:
        return value
    keys = sorted(tree)
    key = keys[path[0] % len(keys)]
    return {**tree, key: replace(tree[key], path[1:], value)}


@given(path=st.lists(st.integers(0, 20), min_size=1, max_size=5), value=JSON)
def test_any_manifest_with_a_right_checksum_is_read_or_refused(folder, whole, path, value):
    manifest = json.loads(whole[MANIFEST])
    del manifest["sha256"]
    restored(folder, whole, manifest=seal(replace(manifest, path, value)))
    found = load(folder)
    if found is not None:
        np.testing.assert_array_equal(found.model["layers"][0]["W"], MODEL["layers"][0]["W"])


def survives(read: Callable[[], Any]) -> Any:
    try:
        return read()
    except OstinatoError:
        return None


@given(changes=CHANGES)
def test_changed_settings_are_read_or_refused(tmp_path_factory, changes):
    folder = tmp_path_factory.getbasetemp()
    text = to_toml({"cell": "lstm", "rate": 0.001, "data": {"horizon": 7, "columns": ["a", "ü"]}})
    (folder / "settings.toml").write_bytes(changed(text.encode(), changes))
    found = survives(lambda: read_settings(folder))
    assert found is None or isinstance(found, dict)


@given(changes=CHANGES, step=st.integers(0, 5))
def test_a_changed_log_gives_whole_records_only(tmp_path_factory, changes, step):
    log = Log(tmp_path_factory.getbasetemp() / "log.jsonl")
    log.path.unlink(missing_ok=True)
    for i in range(5):
        log.write({"kind": "evaluation", "step": i, "loss": 0.5 * i})
    log.path.write_bytes(changed(log.path.read_bytes(), changes))
    log.rewind(step)
    log.write({"kind": "end", "step": step})
    records = log.records()
    assert all(r["step"] <= step for r in records)
    assert records[-1]["kind"] == "end"
