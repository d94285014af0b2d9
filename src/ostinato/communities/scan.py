"""What every community of given sizes would make: all predicted, in batches, to a file that can be gone on with."""

import hashlib
import json
import math
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ostinato.communities.design.codes import Codes, candidates
from ostinato.communities.model import CommunityModel
from ostinato.errors import CorruptFile, SettingsError
from ostinato.runs import write_file

CHUNK, BATCH = 256, 1 << 14
"""Communities that go through the network side by side (their gates stay in the second cache), and in one call."""
BLOCK, ROUND = 1 << 19, 1 << 18
"""Numbers of communities that are looked at in one piece; communities, at least, between two notes of how far it is."""


def scan(
    model: CommunityModel,
    folder: str | Path,
    sizes: tuple[int, int],
    *,
    total: float = 0.0066,
    required: int = 0,
    excluded: int = 0,
    callback: Callable[[int, int], None] | None = None,
) -> tuple[Codes, Float[np.ndarray, "n metabolites"]]:
    """Predict the metabolites at the last time for all communities of `sizes[0]` to `sizes[1]` species.

    A community begins with `total` shared out equally, and the metabolites of the medium. Results go to
    `folder/codes.npy` and `folder/metabolites.npy` (float32), which are mapped and not read into memory; a scan that
    was stopped goes on where it was. `callback(done, of)` is told after every block.

    A scan of another model or of other settings that is there is replaced. Raises `SettingsError` (sizes, no
    metabolites) and `CorruptFile`.
    """
    model.check_fitted()
    species, folder = len(model.species_), Path(folder)
    if not 1 <= sizes[0] <= sizes[1] <= species:
        raise SettingsError(f"sizes: expected 1 to {species} species, smallest first, got {sizes[0]} to {sizes[1]}")
    if not model.metabolites_ or species > 32:
        raise SettingsError("scan: expected a model with metabolites and at most 32 species")
    count = _how_many(species, sizes, required, excluded)
    asked = {
        "sizes": list(sizes),
        "total": total,
        "required": required,
        "excluded": excluded,
        "count": count,
        "model": _digest(model),
    }
    folder.mkdir(parents=True, exist_ok=True)
    note = folder / "scan.json"
    done = _progress(note, asked)
    mode: Any = "r+" if done[0] else "w+"
    try:
        codes = np.lib.format.open_memmap(folder / "codes.npy", mode, np.uint32, (count,))
        found = np.lib.format.open_memmap(
            folder / "metabolites.npy", mode, np.float32, (count, len(model.metabolites_))
        )
    except (OSError, ValueError) as error:
        raise CorruptFile(f"{folder}: the scan there cannot be gone on with ({error}); remove the folder") from error
    if codes.shape != (count,) or found.shape != (count, len(model.metabolites_)):
        raise CorruptFile(f"{folder}: the scan there has other sizes; remove the folder")
    predict = _predictor(model, total)
    row = done[1]
    # One call keeps little more than one core busy; the next ones fill the others.
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for number, chosen in _rounds(done[0], 1 << species, sizes, required, excluded):
            parts = [chosen[begin : begin + BATCH] for begin in range(0, len(chosen), BATCH)]
            for part, made in zip(parts, pool.map(predict, parts), strict=True):
                codes[row : row + len(part)], found[row : row + len(part)] = part, made
                row += len(part)
            codes.flush()
            found.flush()
            write_file(note, json.dumps({"asked": asked, "number": number, "row": row}).encode())
            if callback is not None:
                callback(row, count)
    return codes, found


def _rounds(number: int, end: int, sizes: tuple[int, int], required: int, excluded: int) -> Iterator[tuple[int, Codes]]:
    """The number to go on from and the communities before it, enough of them at a time to fill batches."""
    while number < end:
        parts: list[Codes] = []
        while number < end and sum(map(len, parts)) < ROUND:
            last = min(number + BLOCK, end)
            parts.append(candidates(number, last, sizes, required=required, excluded=excluded))
            number = last
        yield number, np.concatenate(parts)


def _predictor(model: CommunityModel, total: float) -> Callable[[Codes], np.ndarray]:
    """At most `BATCH` communities to metabolites at the last time, the mean of the members, in one compiled call."""
    side, species, steps = model.networks_, len(model.species_), len(model.hours_) - 1
    chosen = slice(0, model.members)
    members = jax.tree.map(lambda leaf: leaf[chosen] if eqx.is_array(leaf) else leaf, side.networks.members)
    scales = side.scales[chosen]
    dtype = jnp.result_type(float)
    begin = tuple(jnp.asarray(np.stack([a[0] for a in (s.mean, s.scale)]), dtype) for s in scales)
    end = tuple(jnp.asarray(np.stack([a[-1, species:] for a in (s.mean, s.scale)]), dtype) for s in scales)
    medium = jnp.asarray(model.medium_, dtype)
    bits = jnp.arange(species, dtype=jnp.uint32)

    @eqx.filter_jit
    def predict(members: Any, begin: Array, nothing: Array, end: Array, batch: Array) -> Array:
        def one(member: Any, begin: Array, nothing: Array, end: Array, first: Array, there: Array) -> Array:
            z = (first - begin[0][None, :]) / begin[1][None, :]
            # To the last bit what the cell takes for no abundance.
            z = jnp.concatenate([jnp.where(there, z[:, :species], nothing[None, :]), z[:, species:]], axis=1)
            y = member.forecast(z, steps)[:, -1, species:]
            return jnp.maximum(y * end[1][None, :] + end[0][None, :], 0)

        def of(codes: Array) -> Array:
            there = ((codes[:, None] >> bits[None, :]) & jnp.uint32(1)) == 1
            each = jnp.asarray(total, dtype) / jnp.sum(there, axis=1, keepdims=True, dtype=dtype)
            acids = jnp.broadcast_to(medium[None, :], (len(codes), len(medium)))
            first = jnp.concatenate([jnp.where(there, each, jnp.zeros_like(each)), acids], axis=1)
            axes = (eqx.if_array(0), 0, 0, 0, None, None)
            return jnp.mean(eqx.filter_vmap(one, in_axes=axes)(members, begin, nothing, end, first, there), axis=0)

        return jax.lax.map(of, batch)

    absent = [jnp.asarray((-s.mean / s.scale)[0, :species], dtype) for s in scales]
    stacked = jnp.stack(begin), jnp.stack(absent), jnp.stack(end)

    def padded(codes: Codes) -> np.ndarray:
        whole = np.concatenate([codes, np.ones(BATCH - len(codes), np.uint32)])
        made = predict(members, *stacked, jnp.asarray(whole.reshape(-1, CHUNK)))
        return np.asarray(made).reshape(BATCH, -1)[: len(codes)]

    return padded


def _how_many(species: int, sizes: tuple[int, int], required: int, excluded: int) -> int:
    """How many communities there are: the free species make up what the required ones leave."""
    if required & excluded:
        raise SettingsError("scan: a species is required and excluded")
    fixed, free = int(required).bit_count(), species - int(required | excluded).bit_count()
    count = sum(math.comb(free, k - fixed) for k in range(max(sizes[0], fixed), min(sizes[1], fixed + free) + 1))
    if not count:
        raise SettingsError("scan: no community has these sizes and species")
    return count


def _digest(model: CommunityModel) -> str:
    """Tells one model from another: the SHA-256 of all weights and scales."""
    found = hashlib.sha256()
    arrays = [model.medium_, *(a for s in model.networks_.scales for a in (s.mean, s.scale))]
    for leaf in [*jax.tree.leaves(eqx.filter(model.networks_.networks, eqx.is_array)), *arrays]:
        found.update(np.ascontiguousarray(leaf).tobytes())
    return found.hexdigest()


def _progress(note: Path, asked: dict[str, Any]) -> tuple[int, int]:
    """The number and the row to go on from."""
    if not note.exists():
        return 0, 0
    try:
        found = json.loads(note.read_text())
        there, number, row = found["asked"], int(found["number"]), int(found["row"])
    except (ValueError, KeyError, TypeError) as error:
        raise CorruptFile(f"{note}: not the note of a scan ({error})") from error
    if there != asked:
        return 0, 0
    return number, row
