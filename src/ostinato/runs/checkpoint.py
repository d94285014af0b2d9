"""Weights and optimiser state on disk: whole or absent, checksummed, named by path, and refused when damaged.

A checkpoint is a folder `step-00001200` with `weights.safetensors`, `optimizer.safetensors`, where wanted further
trees, and `manifest.json`, which is written last and vouches for the rest. A saved model is the same without the
optimiser.
"""

import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import safetensors
import safetensors.numpy
from jaxtyping import PyTree

from ostinato.errors import CorruptFile, SettingsError
from ostinato.runs.manifest import FORMAT, MANIFEST, digest, environment, read_manifest, seal
from ostinato.runs.storage import read_file, settled, storage_errors, write_folder
from ostinato.runs.tree import from_numpy, named_leaves, spec, stored_spec, to_numpy, with_leaves

WEIGHTS = "weights"
OPTIMIZER = "optimizer"

_STEP = re.compile(r"step-(\d{8,})")
_TREE = re.compile(r"[a-z][a-z0-9_]*")
_TAGS = {
    "BOOL": "bool",
    **{f"U{n}": f"uint{n}" for n in (8, 16, 32, 64)},
    **{f"I{n}": f"int{n}" for n in (8, 16, 32, 64)},
    **{f"F{n}": f"float{n}" for n in (16, 32, 64)},
    "BF16": "bfloat16",
    "F8_E4M3": "float8_e4m3fn",
    "F8_E5M2": "float8_e5m2",
}


class Checkpoint(NamedTuple):
    """What a checkpoint holds; `trees` are those beside model and optimiser, `extra` what the writer noted."""

    model: PyTree[Any]
    opt_state: PyTree[Any]
    trees: dict[str, PyTree[Any]]
    step: int
    extra: dict[str, Any]
    environment: dict[str, Any]
    path: Path


def save_checkpoint(
    folder: Path,
    step: int,
    model: PyTree[Any],
    opt_state: PyTree[Any],
    extra: Mapping[str, Any] | None = None,
    *,
    trees: Mapping[str, PyTree[Any]] | None = None,
    keep: int = 3,
) -> Path:
    """Write `folder/step-00000042` and only then remove all but the `keep` newest.

    `extra` (JSON: seed, epoch, metrics, settings ...) goes into the manifest; `trees` are further PyTrees by name, each
    in a file of its own.

    Raises `StorageError` (full disk, read-only folder), with the checkpoints before it untouched.
    """
    path = folder / f"step-{step:08d}"
    contents = {WEIGHTS: model, OPTIMIZER: opt_state, **(trees or {})}
    _write(path, contents, {"step": int(step), "extra": dict(extra or {})})
    for old in checkpoints(folder)[max(keep, 1) :]:
        with storage_errors(old):
            shutil.rmtree(old)
    return path


def load_checkpoint(
    path: Path,
    like_model: PyTree[Any],
    like_opt_state: PyTree[Any],
    *,
    trees: Mapping[str, PyTree[Any]] | None = None,
    strict: bool = True,
) -> Checkpoint:
    """Read a checkpoint into trees of the same structure as those given (arrays or `jax.ShapeDtypeStruct`s).

    `trees` gives the structure of further trees; those that the checkpoint lacks are absent from the result.
    With `strict=False` arrays that the file lacks stay as they are in `like_model`, and unknown ones are passed over.

    Raises `CorruptFile`, which names the missing, unexpected and different arrays, or what else is wrong.
    """
    manifest = read_manifest(path)
    step = manifest.get("step")
    if not isinstance(step, int):
        raise CorruptFile(f"{path / MANIFEST}: no step")
    present = {name: like for name, like in (trees or {}).items() if f"{name}.safetensors" in _files(manifest, path)}
    return Checkpoint(
        _read(path, manifest, WEIGHTS, like_model, strict),
        _read(path, manifest, OPTIMIZER, like_opt_state, strict),
        {name: _read(path, manifest, name, like, strict) for name, like in present.items()},
        step,
        _table(manifest, "extra", path),
        _table(manifest, "environment", path),
        path,
    )


def latest(
    folder: Path,
    like_model: PyTree[Any],
    like_opt_state: PyTree[Any],
    *,
    trees: Mapping[str, PyTree[Any]] | None = None,
) -> tuple[Checkpoint | None, list[str]]:
    """The newest checkpoint that is whole, and in words why each newer one was passed over.

    `(None, [])` where there is none at all. Raises `CorruptFile` where there are some and none is whole: to start again
    from nothing is for the user to decide.
    """
    skipped: list[str] = []
    for path in checkpoints(folder):
        try:
            return load_checkpoint(path, like_model, like_opt_state, trees=trees), skipped
        except CorruptFile as error:
            skipped.append(str(error))
    if skipped:
        raise CorruptFile(f"{folder}: no checkpoint can be used:\n  " + "\n  ".join(skipped))
    return None, []


def checkpoints(folder: Path) -> list[Path]:
    """The checkpoints in a folder, newest first; their content is not looked at."""
    if not folder.is_dir():
        return []
    found = [(int(m.group(1)), p) for p in folder.iterdir() if (m := _STEP.fullmatch(p.name)) and p.is_dir()]
    return [path for _, path in sorted(found, reverse=True)]


def save_weights(folder: Path, model: PyTree[Any], extra: Mapping[str, Any] | None = None) -> Path:
    """Write a model as a folder of its weights and their manifest, replacing one that is there. Raises `StorageError`.

    ```python
    >>> import pathlib, tempfile
    >>> import jax, jax.numpy as jnp
    >>> folder = pathlib.Path(tempfile.mkdtemp()) / "model"
    >>> path = save_weights(folder, {"W": jnp.arange(3)}, {"note": "three"})
    >>> model, extra = load_weights(path, {"W": jax.ShapeDtypeStruct((3,), jnp.int32)})
    >>> model["W"].tolist(), extra
    ([0, 1, 2], {'note': 'three'})

    ```
    """
    _write(folder, {WEIGHTS: model}, {"extra": dict(extra or {})})
    return folder


def load_weights(folder: Path, like: PyTree[Any], *, strict: bool = True) -> tuple[PyTree[Any], dict[str, Any]]:
    """The model in a folder, in the structure of `like`, and what was noted with it.

    Raises `CorruptFile`, and `SettingsError` where it was written in another precision.
    """
    folder = settled(folder)
    manifest = read_manifest(folder)
    return _read(folder, manifest, WEIGHTS, like, strict), _table(manifest, "extra", folder)


def _write(path: Path, contents: Mapping[str, PyTree[Any]], entries: dict[str, Any]) -> None:
    files: dict[str, bytes] = {}
    described: dict[str, Any] = {}
    for name, tree in contents.items():
        if not _TREE.fullmatch(name):
            raise SettingsError(f"trees: expected a name of lower-case letters, got {name!r}")
        leaves = named_leaves(tree)
        arrays = {n: np.ascontiguousarray(to_numpy(leaf)).reshape(stored_spec(leaf)[0]) for n, leaf in leaves.items()}
        content = safetensors.numpy.save(arrays)
        files[f"{name}.safetensors"] = content
        described[f"{name}.safetensors"] = {
            "bytes": len(content),
            "sha256": digest(content),
            "tensors": {n: spec(leaf) for n, leaf in leaves.items()},
        }
    manifest = {"format": FORMAT, **entries, "environment": environment(), "files": described}
    write_folder(path, {**files, MANIFEST: seal(manifest)})


def _read(path: Path, manifest: dict[str, Any], name: str, like: PyTree[Any], strict: bool) -> PyTree[Any]:
    """One tree; the manifest is held against `like` before a byte is read, so that sizes are bounded by the model."""
    file = path / f"{name}.safetensors"
    entry = _table(_files(manifest, path), file.name, path)
    wanted, promised = named_leaves(like), _table(entry, "tensors", path)
    _compare(file, {n: spec(leaf) for n, leaf in wanted.items()}, promised, strict)
    size, checksum = entry.get("bytes"), entry.get("sha256")
    if not isinstance(size, int) or not isinstance(checksum, str):
        raise CorruptFile(f"{path / MANIFEST}: no size or checksum for {file.name}")
    largest = size if not strict else _largest(wanted)
    content = read_file(file, largest=largest, exactly=size)
    if digest(content) != checksum:
        raise CorruptFile(f"{file}: its SHA-256 does not match the manifest")
    try:
        stored = dict(safetensors.deserialize(content))
    except safetensors.SafetensorError as error:
        raise CorruptFile(f"{file}: {error}") from error
    leaves = {}
    for n, leaf in wanted.items():
        if n in promised:
            leaves[n] = from_numpy(_array(file, n, stored.get(n), *stored_spec(leaf)), leaf)
    return with_leaves(like, leaves)


def _compare(file: Path, wanted: dict[str, Any], promised: dict[str, Any], strict: bool) -> None:
    lines = [
        f"{n}: expected {_said(wanted[n])}, got {_said(promised[n])}"
        for n in sorted(wanted.keys() & promised.keys())
        if wanted[n] != promised[n]
    ]
    if strict:
        lines += [f"{n}: missing" for n in sorted(wanted.keys() - promised.keys())]
        lines += [f"{n}: unexpected" for n in sorted(promised.keys() - wanted.keys())]
    if lines and not any(line.endswith((": missing", ": unexpected")) for line in lines):
        _check_precision(file, wanted, promised)
    if lines:
        more = [f"and {len(lines) - 20} more"] if len(lines) > 20 else []
        raise CorruptFile(f"{file}: does not fit the model:\n  " + "\n  ".join(lines[:20] + more))


def _check_precision(file: Path, wanted: dict[str, Any], promised: dict[str, Any]) -> None:
    """Raise `SettingsError` where nothing differs but the precision: the file is whole, the process is another."""
    pairs = [(wanted[n], promised[n]) for n in wanted.keys() & promised.keys() if wanted[n] != promised[n]]
    shapes = all(isinstance(p, dict) and p.get("shape") == w["shape"] for w, p in pairs)
    found = {(w["dtype"], p["dtype"]) for w, p in pairs} if shapes else set()
    if found and found <= {("float32", "float64"), ("int32", "int64"), ("complex64", "complex128")}:
        raise SettingsError(f"{file}: written in float64, which is off here; set JAX_ENABLE_X64=1")
    if found and found <= {("float64", "float32"), ("int64", "int32"), ("complex128", "complex64")}:
        raise SettingsError(f"{file}: written in float32, and this process computes in float64; set JAX_ENABLE_X64=0")


def _said(entry: Any) -> str:
    if isinstance(entry, dict) and entry.keys() == {"shape", "dtype"}:
        return f"{entry['dtype']!s:.40} {entry['shape']!s:.80}"
    return f"{entry!s:.80}"


def _largest(wanted: dict[str, Any]) -> int:
    """More than the file can need: the data, and for each array a line in the header."""
    sizes = (stored_spec(leaf) for leaf in wanted.values())
    data = sum(int(np.prod(shape, dtype=object)) * dtype.itemsize for shape, dtype in sizes)
    return data + sum(256 + 12 * len(n) for n in wanted) + 4096


def _array(file: Path, name: str, entry: Any, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    if entry is None:
        raise CorruptFile(f"{file}: {name} is missing")
    if _TAGS.get(entry["dtype"]) != str(dtype) or tuple(entry["shape"]) != shape:
        raise CorruptFile(f"{file}: {name} is {entry['dtype']} {entry['shape']}, expected {dtype} {list(shape)}")
    return np.frombuffer(entry["data"], dtype).reshape(shape)


def _files(manifest: dict[str, Any], path: Path) -> dict[str, Any]:
    return _table(manifest, "files", path)


def _table(parent: dict[str, Any], name: str, path: Path) -> dict[str, Any]:
    value = parent.get(name)
    if not isinstance(value, dict):
        raise CorruptFile(f"{path / MANIFEST}: no entry for {name}")
    return value
