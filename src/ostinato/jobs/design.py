"""Which communities to build: all are predicted, some are chosen, and tables say which and what to pipette."""

import math
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ostinato.communities import CommunityModel
from ostinato.communities.design import codes_of, desirability, name_of, pipetting, presence_of
from ostinato.communities.design import corners as corner_design
from ostinato.communities.scan import scan
from ostinato.errors import SettingsError
from ostinato.jobs.columns import write_columns
from ostinato.jobs.folder import job_and_settings, model_of
from ostinato.jobs.reporter import SILENT, Reporter
from ostinato.training import Event


def design(
    folder: Path,
    *,
    wishes: dict[str, str],
    corners: str | None = None,
    size: str | None = None,
    count: int = 80,
    required: Sequence[str] = (),
    excluded: Sequence[str] = (),
    spread: str = "hamming",
    amounts: dict[str, float],
    out: Path | None = None,
    reporter: Reporter = SILENT,
) -> dict[str, Any]:
    """Scan, choose, write; the arguments are those of `ostinato community design`.

    Gives what was written where, and the chosen communities as `columns`. Raises `SettingsError`, `StorageError`.
    """
    model = _community_model(folder)
    species, metabolites = model.species_, model.metabolites_
    if bool(wishes) == (corners is not None):
        raise SettingsError("design: expected --maximize and --minimize, or --corners")
    if corners is not None and count % 16:
        raise SettingsError(f"--count: expected a multiple of 16, as there are 16 corners, got {count}")
    wanted = {_one_of(name, metabolites, "metabolite"): wish for name, wish in wishes.items()}
    if len(wanted) < len(wishes):
        raise SettingsError("--maximize, --minimize: a metabolite stands in both, or twice")
    planes = [_one_of(name.strip(), metabolites, "metabolite") for name in (corners or "").split(",") if name.strip()]
    if corners is not None and len(set(planes)) != 4:
        raise SettingsError(f"--corners: expected four metabolites, two planes of two, got {corners!r}")
    chosen_species = [
        sum(int(codes_of(np.eye(len(species))[[species.index(_one_of(n, species, "species"))]])[0]) for n in names)
        for names in (sorted(set(required)), sorted(set(excluded)))
    ]
    sizes = _sizes(size, len(species))
    codes, found = _scanned(reporter, model, folder, sizes, amounts["total"], *chosen_species)
    columns: dict[str, Any] = {}
    if planes:
        quantities = np.asarray(found[:, [metabolites.index(name) for name in planes]])
        made = corner_design(quantities, codes, per_corner=count // 16, spread=spread)
        rows = np.concatenate([corner.rows for corner in made])
        words = [" ".join(f"{n} {'high' if up else 'low'}" for n, up in zip(planes, c.high, strict=True)) for c in made]
        columns["corner"] = np.repeat(np.array(words, object), [len(c.rows) for c in made])
    else:
        worth = desirability(found, metabolites, dict(wanted))
        count = min(count, len(worth))
        rows = np.argpartition(-worth, count - 1)[:count]
        rows = rows[np.lexsort((codes[rows], -worth[rows]))]
        columns["desirability"] = np.asarray(worth[rows], float)
    present = presence_of(codes[rows], len(species))
    names = np.array([name_of(row, species) for row in present], object)
    columns = {"community": names, "species": present.sum(1), **columns}
    columns |= {name: np.asarray(found[rows, j], float).round(4) for j, name in enumerate(metabolites)}
    path = folder / "design.csv" if out is None else out
    write_columns(path, columns)
    recipe = path.with_name(f"{path.stem}-pipetting.csv")
    total, volume, stock = (amounts[name] for name in ("total", "volume", "stock"))
    write_columns(recipe, pipetting(codes[rows], species, total=total, volume=volume, stock=stock))
    return {
        "run": str(folder),
        "scanned": len(codes),
        "chosen": len(rows),
        "out": str(path),
        "pipetting": str(recipe),
        "columns": columns,
    }


def _one_of(name: str, known: Sequence[str], what: str) -> str:
    """The one of the known names that is meant, whatever its case, with or without the ending after `_`."""
    near = [k for k in known if name.lower() in (k.lower(), k.lower().rpartition("_")[0])]
    if name in known:
        return name
    if len(near) != 1:
        raise SettingsError(f"no {what} {name!r} in the model; it has {', '.join(known)}")
    return near[0]


def _community_model(folder: Path) -> CommunityModel:
    """The model of a run of communities. Raises `SettingsError` where it is another kind of run."""
    job, settings = job_and_settings(folder)
    if job.name != "community":
        raise SettingsError(f"{folder}: expected a run of `fit community`, got one of {job.name}")
    return model_of(job, settings, folder)


def _scanned(reporter: Reporter, model: CommunityModel, folder: Path, *asked: Any) -> tuple[Any, Any]:
    sizes, total, required, excluded = asked
    began = time.monotonic()
    with reporter.progress("communities") as callback:

        def told(done: int, of: int) -> None:
            seconds = time.monotonic() - began
            callback(Event("steps", done, of, math.nan, math.nan, {}, seconds, ""))

        where = folder / "design"
        return scan(model, where, sizes, total=total, required=required, excluded=excluded, callback=told)


def _sizes(text: str | None, species: int) -> tuple[int, int]:
    if text is None:
        return 1, species
    try:
        low, _, high = text.partition(":")
        return int(low), int(high or low)
    except ValueError as error:
        raise SettingsError(f"--size: expected 11:25 or a number, got {text!r}") from error
