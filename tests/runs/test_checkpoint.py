"""Checkpoints: what goes in comes out, by name; what is damaged is refused and the one before it used."""

import errno
import json
import os
import struct
import time
from pathlib import Path
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
import safetensors.numpy

from ostinato.errors import CorruptFile, SettingsError, StorageError
from ostinato.runs import checkpoints, latest, load_checkpoint, load_weights, save_checkpoint, save_weights
from ostinato.runs.manifest import MANIFEST, digest, seal
from ostinato.runs.tree import named_leaves


class Layer(eqx.Module):
    W: Any
    R: Any
    act: Any = jnp.tanh
    size: int = eqx.field(static=True, default=3)


class Swapped(eqx.Module):
    """The same arrays as `Layer`, declared in another order."""

    R: Any
    W: Any
    act: Any = jnp.tanh
    size: int = eqx.field(static=True, default=3)


class Noisy(NamedTuple):
    key: Any
    count: Any
    inner: Any


def make_model(value: float = 1.0) -> dict[str, Any]:
    return {"layers": [Layer(jnp.full((2, 3), value), jnp.arange(6.0).reshape(2, 3) * value)]}


OPTIMIZER = optax.chain(optax.clip_by_global_norm(1.0), optax.adam(optax.cosine_decay_schedule(0.1, 10)))


def make_opt(model: Any) -> Noisy:
    state = OPTIMIZER.init(eqx.filter(model, eqx.is_inexact_array))
    return Noisy(jax.random.split(jax.random.key(7)), jnp.asarray(5, jnp.int32), state)


def save(folder: Path, step: int, value: float = 1.0, **options: Any) -> Path:
    model = make_model(value)
    return save_checkpoint(folder, step, model, make_opt(model), {"metrics": {"rmse": 0.1 + 0.2}}, **options)


def load(path: Path, **options: Any) -> Any:
    return load_checkpoint(path, make_model(0.0), make_opt(make_model(0.0)), **options)


def same_bits(a: Any, b: Any) -> None:
    found, expected = named_leaves(a), named_leaves(b)
    assert found.keys() == expected.keys()
    for name, leaf in found.items():
        if jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key):
            assert leaf.dtype == expected[name].dtype
            leaf, expected[name] = jax.random.key_data(leaf), jax.random.key_data(expected[name])
        assert leaf.dtype == expected[name].dtype
        assert np.asarray(leaf).tobytes() == np.asarray(expected[name]).tobytes()


def test_model_optimiser_keys_and_counts_come_back_bit_for_bit(tmp_path):
    path = save(tmp_path, 1200, 0.1, trees={"best": make_model(0.7)})
    assert path.name == "step-00001200"
    assert sorted(p.name for p in path.iterdir()) == [
        "best.safetensors",
        "manifest.json",
        "optimizer.safetensors",
        "weights.safetensors",
    ]
    found = load(path, trees={"best": make_model(0.0), "absent": make_model(0.0)})
    same_bits(found.model, make_model(0.1))
    same_bits(found.opt_state, make_opt(make_model(0.1)))
    same_bits(found.trees["best"], make_model(0.7))
    assert found.trees.keys() == {"best"}
    assert (found.step, found.extra) == (1200, {"metrics": {"rmse": 0.1 + 0.2}})
    assert found.model["layers"][0].act is jnp.tanh
    assert found.environment["jax"] == jax.__version__
    assert found.environment["devices"] == 2
    # The key draws what it would have drawn.
    assert jax.random.normal(found.opt_state.key[1]) == jax.random.normal(jax.random.split(jax.random.key(7))[1])


def test_every_kind_of_array_comes_back(tmp_path, x64):
    rng = np.random.default_rng(0)
    kinds = ["float64", "float32", "float16", "bfloat16", "int64", "int8", "uint32", "bool"]
    tree = {kind: jnp.asarray(rng.normal(size=(2, 3)) * 3).astype(kind) for kind in kinds}
    both = rng.normal(size=(2, 3)) + 1j * rng.normal(size=(2, 3))
    tree |= {kind: jnp.asarray(both.astype(kind)) for kind in ("complex64", "complex128")}
    tree |= {
        "scalar": jnp.asarray(1.5),
        "empty": jnp.zeros((0, 3)),
        "numpy": np.arange(3),
        "rbg": jax.random.key(3, impl="rbg"),
    }
    tree["nan"] = jnp.asarray([np.nan, np.inf, -0.0])
    save_weights(tmp_path / "model", tree)
    like = jax.tree.map(lambda a: a if isinstance(a, np.ndarray) else jax.ShapeDtypeStruct(a.shape, a.dtype), tree)
    found, _ = load_weights(tmp_path / "model", like)
    same_bits(found, tree)
    assert isinstance(found["numpy"], np.ndarray)


def test_files_are_plain_safetensors_with_names_from_the_path(tmp_path):
    path = save(tmp_path, 1)
    weights = safetensors.numpy.load_file(path / "weights.safetensors")
    assert sorted(weights) == ["layers.0.R", "layers.0.W"]
    np.testing.assert_array_equal(weights["layers.0.R"], np.arange(6.0).reshape(2, 3))
    assert "inner.1.0.mu.layers.0.W" in safetensors.numpy.load_file(path / "optimizer.safetensors")
    manifest = json.loads((path / MANIFEST).read_bytes())
    assert manifest["files"]["weights.safetensors"]["tensors"]["layers.0.W"] == {"shape": [2, 3], "dtype": "float32"}


def test_arrays_are_found_by_name_when_the_order_of_the_fields_changes(tmp_path):
    save_weights(tmp_path / "model", make_model(2.0))
    found, _ = load_weights(tmp_path / "model", {"layers": [Swapped(jnp.zeros((2, 3)), jnp.zeros((2, 3)))]})
    np.testing.assert_array_equal(found["layers"][0].W, np.full((2, 3), 2.0))
    np.testing.assert_array_equal(found["layers"][0].R, 2.0 * np.arange(6.0).reshape(2, 3))


def test_another_model_is_refused_with_every_name_that_does_not_fit(tmp_path):
    save_weights(tmp_path / "model", {"W": jnp.ones((2, 3)), "b": jnp.ones(3), "old": jnp.ones(1)})
    like = {"W": jnp.zeros((3, 2)), "b": jnp.zeros(3, jnp.int32), "new": jnp.full(2, 9.0)}
    with pytest.raises(CorruptFile) as caught:
        load_weights(tmp_path / "model", like)
    lines = str(caught.value).splitlines()[1:]
    assert lines == [
        "  W: expected float32 [3, 2], got float32 [2, 3]",
        "  b: expected int32 [3], got float32 [3]",
        "  new: missing",
        "  old: unexpected",
    ]
    like = {"b": jnp.zeros(3), "new": jnp.full(2, 9.0)}
    found, _ = load_weights(tmp_path / "model", like, strict=False)
    np.testing.assert_array_equal(found["b"], np.ones(3))
    np.testing.assert_array_equal(found["new"], np.full(2, 9.0))


def test_two_arrays_of_one_name_are_refused(tmp_path):
    with pytest.raises(SettingsError, match=r"'a\.b'"):
        save_weights(tmp_path / "model", {"a": {"b": jnp.ones(1)}, "a.b": jnp.ones(1)})
    assert list(tmp_path.iterdir()) == []


def test_only_the_newest_are_kept_and_saving_a_step_again_replaces_it(tmp_path):
    for step in (5, 10, 100_000_000, 15):
        save(tmp_path, step, float(step), keep=2)
    assert [p.name for p in checkpoints(tmp_path)] == ["step-100000000", "step-00000015"]
    save(tmp_path, 15, 3.0, keep=2)
    same_bits(load(tmp_path / "step-00000015").model, make_model(3.0))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["step-00000015", "step-100000000"]


def test_saving_over_a_model_and_dying_in_between_still_reads(tmp_path):
    save_weights(tmp_path / "best", make_model(1.0))
    (tmp_path / "best").rename(tmp_path / ".ostinato-old-best")
    same_bits(load_weights(tmp_path / "best", make_model(0.0))[0], make_model(1.0))


def flip(path: Path, at: int) -> None:
    content = bytearray(path.read_bytes())
    content[at] ^= 0x10
    path.write_bytes(content)


def misread(path: Path, text: bytes, other: bytes) -> None:
    """Other words in a manifest that is still valid JSON: only its own checksum can tell."""
    content = (path / MANIFEST).read_bytes()
    assert content.count(text) == 1
    (path / MANIFEST).write_bytes(content.replace(text, other))


def append(path: Path, junk: bytes) -> None:
    path.write_bytes(path.read_bytes() + junk)


def rewrite(path: Path, change: Any) -> None:
    """A manifest whose own checksum is right: what an attacker would write."""
    manifest = json.loads((path / MANIFEST).read_bytes())
    manifest.pop("sha256")
    change(manifest)
    (path / MANIFEST).write_bytes(seal(manifest))


def swap_shapes(path: Path) -> None:
    """A consistent pair of file and manifest for arrays of other shapes under the names of the model."""
    content = safetensors.numpy.save(
        {"layers.0.W": np.ones((3, 2), np.float32), "layers.0.R": np.ones((2, 3), np.float32)}
    )
    (path / "weights.safetensors").write_bytes(content)
    rewrite(path, lambda m: m["files"]["weights.safetensors"].update(bytes=len(content), sha256=digest(content)))


def huge(path: Path) -> None:
    """A header that promises an exabyte, checksummed."""
    header = json.dumps({"layers.0.W": {"dtype": "F32", "shape": [1 << 58], "data_offsets": [0, 1 << 60]}}).encode()
    content = struct.pack("<Q", len(header)) + header
    (path / "weights.safetensors").write_bytes(content)
    rewrite(path, lambda m: m["files"]["weights.safetensors"].update(bytes=len(content), sha256=digest(content)))


def sparse(path: Path) -> None:
    """A file of a terabyte that takes no room, with a manifest that agrees."""
    with open(path / "weights.safetensors", "r+b") as stream:
        stream.truncate(1 << 40)
    rewrite(path, lambda m: m["files"]["weights.safetensors"].update(bytes=1 << 40))


def elsewhere(path: Path) -> None:
    rewrite(path, lambda m: m.update(files={"/etc/passwd": m["files"]["weights.safetensors"], **m["files"]}))
    (path / "weights.safetensors").unlink()
    (path / "weights.safetensors").symlink_to("/etc/passwd")


DAMAGE = {
    "weights truncated": lambda p: os.truncate(p / "weights.safetensors", 40),
    "weights empty": lambda p: os.truncate(p / "weights.safetensors", 0),
    "a bit of a weight flipped": lambda p: flip(p / "weights.safetensors", -3),
    "a bit of the header flipped": lambda p: flip(p / "weights.safetensors", 20),
    "junk behind": lambda p: append(p / "optimizer.safetensors", b"junk"),
    "optimiser missing": lambda p: (p / "optimizer.safetensors").unlink(),
    "manifest missing": lambda p: (p / MANIFEST).unlink(),
    "manifest truncated": lambda p: os.truncate(p / MANIFEST, 100),
    "manifest empty": lambda p: os.truncate(p / MANIFEST, 0),
    "a digit of the step flipped": lambda p: flip(p / MANIFEST, (p / MANIFEST).read_bytes().index(b'"step": ') + 8),
    "another step": lambda p: misread(p, b'"step": 20', b'"step": 30'),
    "another note": lambda p: misread(p, b'"rmse": 0.3', b'"rmse": 0.2'),
    "manifest no object": lambda p: (p / MANIFEST).write_text("[1, 2]"),
    "manifest deep": lambda p: (p / MANIFEST).write_text("[" * 100_000),
    "manifest of a gigabyte": lambda p: os.truncate(p / MANIFEST, 1 << 30),
    "manifest of a long number": lambda p: (p / MANIFEST).write_text('{"step": ' + "9" * 100_000 + "}"),
    "newer layout": lambda p: rewrite(p, lambda m: m.update(format=2)),
    "no step": lambda p: rewrite(p, lambda m: m.pop("step")),
    "no files": lambda p: rewrite(p, lambda m: m.update(files=[])),
    "other shapes promised": lambda p: rewrite(
        p, lambda m: m["files"]["weights.safetensors"]["tensors"]["layers.0.W"].update(shape=[3, 2])
    ),
    "a huge shape promised": lambda p: rewrite(
        p, lambda m: m["files"]["weights.safetensors"]["tensors"]["layers.0.W"].update(shape=[1 << 62, 1 << 62])
    ),
    "other shapes in the file": swap_shapes,
    "a huge array in the header": huge,
    "a terabyte of nothing": sparse,
    "paths elsewhere": elsewhere,
    "a pipe": lambda p: ((p / "weights.safetensors").unlink(), os.mkfifo(p / "weights.safetensors")),
}


# Seconds on however slow a machine: far less than waiting for a pipe or reading a terabyte would take.
HANGS = 60


@pytest.mark.parametrize("name", DAMAGE)
def test_a_damaged_checkpoint_is_refused_at_once_and_the_one_before_it_used(tmp_path, name):
    save(tmp_path, 10, 1.0)
    path = save(tmp_path, 20, 2.0)
    DAMAGE[name](path)
    start = time.monotonic()
    with pytest.raises(CorruptFile):
        load(path)
    found, skipped = latest(tmp_path, make_model(0.0), make_opt(make_model(0.0)))
    assert time.monotonic() - start < HANGS
    assert found is not None
    assert found.step == 10
    same_bits(found.model, make_model(1.0))
    assert len(skipped) == 1
    assert "step-00000020" in skipped[0]


def test_where_no_checkpoint_is_whole_nothing_is_started_again(tmp_path):
    like = (make_model(0.0), make_opt(make_model(0.0)))
    assert latest(tmp_path, *like) == (None, [])
    for step in (1, 2):
        os.truncate(save(tmp_path, step) / "weights.safetensors", 9)
    with pytest.raises(CorruptFile, match=r"(?s)no checkpoint can be used.*step-00000002.*step-00000001"):
        latest(tmp_path, *like)


def test_a_full_disk_keeps_the_checkpoints_that_are_there(tmp_path, monkeypatch):
    save(tmp_path, 10, keep=1)
    real = os.fsync

    def full(descriptor):
        if os.readlink(f"/proc/self/fd/{descriptor}").endswith("optimizer.safetensors"):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageError, match="No space left"):
        save(tmp_path, 20, keep=1)
    assert [p.name for p in tmp_path.iterdir()] == ["step-00000010"]
    same_bits(load(tmp_path / "step-00000010").model, make_model(1.0))


def test_another_precision_is_no_damage(tmp_path):
    for here, there, switch in ((np.float32, np.float64, 1), (np.float64, np.float32, 0)):
        save_weights(tmp_path / "m", {"W": np.ones(2, there), "n": np.ones(1, np.int32)})
        with pytest.raises(SettingsError, match=f"written in {np.dtype(there)}, .*set JAX_ENABLE_X64={switch}"):
            load_weights(tmp_path / "m", {"W": np.ones(2, here), "n": np.ones(1, np.int32)})
        with pytest.raises(CorruptFile, match="does not fit the model"):
            load_weights(tmp_path / "m", {"W": np.ones(3, here), "n": np.ones(1, np.int32)})
