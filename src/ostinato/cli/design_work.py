"""What `ostinato design` does: predict all communities, choose, write the tables."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import typer

from ostinato.cli.columns import write_columns
from ostinato.cli.output import console, emit, is_quiet, table
from ostinato.cli.work import model_of, settings_of
from ostinato.communities import CommunityModel
from ostinato.communities.design import codes_of, corners, desirability, name_of, pipetting, presence_of
from ostinato.communities.scan import scan
from ostinato.errors import SettingsError

SHOWN = 20


def community_model(folder: Path) -> CommunityModel:
    """The model of a run of communities. Raises `SettingsError` where it is another kind of run."""
    task, _ = settings_of(folder)
    model = model_of(folder)
    if not isinstance(model, CommunityModel):
        raise SettingsError(f"{folder}: expected a run of `fit community`, got one of {task}")
    return model


def design_file(
    ctx: typer.Context,
    folder: Path,
    *,
    wishes: dict[str, str],
    corners: str | None,
    size: str | None,
    count: int,
    required: list[str],
    excluded: list[str],
    spread: str,
    amounts: dict[str, float],
    out: Path | None,
) -> None:
    """Scan, choose, write; the arguments are those of the command."""
    model = community_model(folder)
    species, metabolites = model.species_, model.metabolites_
    if bool(wishes) == (corners is not None):
        raise SettingsError("design: expected --maximize and --minimize, or --corners")
    if corners is not None and count % 16:
        raise SettingsError(f"--count: expected a multiple of 16, as there are 16 corners, got {count}")
    wanted = {one_of(name, metabolites, "metabolite"): wish for name, wish in wishes.items()}
    if len(wanted) < len(wishes):
        raise SettingsError("--maximize, --minimize: a metabolite stands in both, or twice")
    planes = [one_of(name.strip(), metabolites, "metabolite") for name in (corners or "").split(",") if name.strip()]
    if corners is not None and len(set(planes)) != 4:
        raise SettingsError(f"--corners: expected four metabolites, two planes of two, got {corners!r}")
    chosen_species = [
        sum(int(codes_of(np.eye(len(species))[[species.index(one_of(n, species, "species"))]])[0]) for n in names)
        for names in (sorted(set(required)), sorted(set(excluded)))
    ]
    sizes = _sizes(size, len(species))
    codes, found = _scanned(ctx, model, folder, sizes, amounts["total"], *chosen_species)
    columns: dict[str, Any] = {}
    if planes:
        made = _corners(found, codes, [metabolites.index(name) for name in planes], count, spread)
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
    result = {
        "run": str(folder),
        "scanned": len(codes),
        "chosen": len(rows),
        "out": str(path),
        "pipetting": str(recipe),
    }
    result["columns"] = columns

    def show(console: Any) -> None:
        head = [name for name in columns if name != "community"]
        shown = list(zip(*(columns[name].tolist() for name in head), strict=True))[:SHOWN]
        console.print(table(["", *head], (([str(i + 1), *row], None) for i, row in enumerate(shown))))
        console.print(f"{len(rows)} of {len(codes)} communities in {path}, what to pipette in {recipe}", markup=False)

    emit(ctx, result, show)


def one_of(name: str, known: Sequence[str], what: str) -> str:
    """The one of the known names that is meant, whatever its case, with or without the ending after `_`."""
    near = [k for k in known if name.lower() in (k.lower(), k.lower().rpartition("_")[0])]
    if name in known:
        return name
    if len(near) != 1:
        raise SettingsError(f"no {what} {name!r} in the model; it has {', '.join(known)}")
    return near[0]


def _scanned(ctx: typer.Context, model: CommunityModel, folder: Path, *asked: Any) -> tuple[Any, Any]:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    screen = console(stderr=True)
    sizes, total, required, excluded = asked
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TimeRemainingColumn(compact=True),
        console=screen,
        transient=True,
        disable=is_quiet(ctx) or not screen.is_terminal,
    ) as bar:
        task = bar.add_task("communities", total=None)
        return scan(
            model,
            folder / "design",
            sizes,
            total=total,
            required=required,
            excluded=excluded,
            callback=lambda done, of: bar.update(task, completed=done, total=of),
        )


def _corners(found: Any, codes: Any, planes: list[int], count: int, spread: str) -> Any:
    return corners(np.asarray(found[:, planes]), codes, per_corner=count // 16, spread=spread)


def _sizes(text: str | None, species: int) -> tuple[int, int]:
    if text is None:
        return 1, species
    try:
        low, _, high = text.partition(":")
        return int(low), int(high or low)
    except ValueError as error:
        raise SettingsError(f"--size: expected 11:25 or a number, got {text!r}") from error
