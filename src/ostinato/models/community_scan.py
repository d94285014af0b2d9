"""What every community of given sizes would make: all predicted, in batches, to a file that can be gone on with."""

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ostinato.errors import CorruptFile, SettingsError
from ostinato.models.community import CommunityModel
from ostinato.models.design import Codes, candidates
from ostinato.training import write_file

BATCH = 8192
BLOCK = 1 << 19
"""Numbers of communities that are looked at between two notes of how far the scan is."""


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
    number, row = done
    while number < 1 << species:
        last = min(number + BLOCK, 1 << species)
        chosen = candidates(number, last, sizes, required=required, excluded=excluded)
        for begin in range(0, len(chosen), BATCH):
            part = chosen[begin : begin + BATCH]
            padded = np.concatenate([part, np.full(BATCH - len(part), 1, np.uint32)])
            made = np.asarray(predict(jnp.asarray(padded)))[: len(part)]
            codes[row : row + len(part)], found[row : row + len(part)] = part, made
            row += len(part)
        number = last
        codes.flush()
        found.flush()
        write_file(note, json.dumps({"asked": asked, "number": number, "row": row}).encode())
        if callback is not None:
            callback(row, count)
    return codes, found


def _predictor(model: CommunityModel, total: float) -> Callable[[Array], Array]:
    """Numbers of communities to metabolites at the last time, the mean of the members, in one compiled step."""
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
    def predict(members: Any, begin: Array, nothing: Array, end: Array, codes: Array) -> Array:
        there = ((codes[:, None] >> bits[None, :]) & jnp.uint32(1)) == 1
        each = jnp.asarray(total, dtype) / jnp.sum(there, axis=1, keepdims=True, dtype=dtype)
        acids = jnp.broadcast_to(medium[None, :], (len(codes), len(medium)))
        first = jnp.concatenate([jnp.where(there, each, jnp.zeros_like(each)), acids], axis=1)

        def one(member: Any, begin: Array, nothing: Array, end: Array) -> Array:
            z = (first - begin[0][None, :]) / begin[1][None, :]
            # To the last bit what the cell takes for no abundance.
            z = jnp.concatenate([jnp.where(there, z[:, :species], nothing[None, :]), z[:, species:]], axis=1)
            y = member.forecast(z, steps)[:, -1, species:]
            return jnp.maximum(y * end[1][None, :] + end[0][None, :], 0)

        return jnp.mean(eqx.filter_vmap(one)(members, begin, nothing, end), axis=0)

    absent = [jnp.asarray((-s.mean / s.scale)[0, :species], dtype) for s in scales]
    stacked = jnp.stack(begin), jnp.stack(absent), jnp.stack(end)
    return lambda codes: predict(members, *stacked, codes)


def _how_many(species: int, sizes: tuple[int, int], required: int, excluded: int) -> int:
    """How many communities there are: the free species make up what the required ones leave."""
    if required & excluded:
        raise SettingsError("scan: a species is required and excluded")
    fixed, free = int(required).bit_count(), species - int(required | excluded).bit_count()
    count = sum(math.comb(free, k - fixed) for k in range(max(sizes[0], fixed), min(sizes[1], fixed + free) + 1))
    if not count:
        raise SettingsError("scan: no community has these sizes and species")
    return count


def _digest(model: CommunityModel) -> float:
    """Tells one model from another: the sum of all weights."""
    leaves = jax.tree.leaves(eqx.filter(model.networks_.networks, eqx.is_inexact_array))
    return float(sum(np.abs(np.asarray(leaf, np.float64)).sum() for leaf in leaves))


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
