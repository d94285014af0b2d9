"""What `ostinato explain` does: the analyses of a community model, its numbers and its page."""

from pathlib import Path
from typing import Any

import numpy as np
import typer

from ostinato.cli.design_work import community_model
from ostinato.cli.output import as_json, emit, note, plain, table
from ostinato.communities import CommunityModel, carbon, explained, gradients, influences, sensitivity, surrogate
from ostinato.communities.explain import CARBON
from ostinato.errors import SettingsError
from ostinato.runs import Record, write_file
from ostinato.view import render

SHOWN = 15


def explain_run(ctx: typer.Context, folder: Path, least: float, share: float, out: Path | None) -> None:
    """Compute, write `explain.json` and the page, print the strongest influences."""
    if least < 0 or share < 0:
        raise SettingsError(f"--least, --share: expected 0 or more, got {least:g} and {share:g}")
    model = community_model(folder)
    found = plain(analysed(model, least, share))
    if not model.folds:
        note(ctx, "No maps of what is known: the run has no folds; fit it with --folds 10.")
    path = folder / "explain.html" if out is None else out
    write_file(folder / "explain.json", as_json(found, indent=1).encode())
    path.parent.mkdir(parents=True, exist_ok=True)
    write_file(path, render(Record(folder.resolve().name, evaluation=explained(found))).encode())
    result = {"run": str(folder), "report": str(path), **found}

    def show(console: Any) -> None:
        rows = [([e["source"], e["target"], e["effect"]], None) for e in found["influences"][:SHOWN]]
        console.print(table(["species", "on", "effect"], rows))
        if found["carbon"]:
            console.print(f"Carbon in products: {found['carbon']['mean']:.4g} mM on average.", markup=False)
        console.print(f"{len(found['influences'])} influences, page {path}", markup=False)

    emit(ctx, result, show)


def analysed(model: CommunityModel, least: float, share: float) -> dict[str, Any]:
    """All analyses of a model on its training communities, as plain values."""
    data, some = model.communities_, len(model.species_)
    unseen = model.unseen_ if model.folds else None
    local = surrogate(model, data)
    edges = influences(data, local, unseen, least=least, share=share)
    slopes = gradients(model, data)[:, -1, some:]
    there = data.present[:, None, :]
    mean = np.where(there, slopes, 0).sum(0) / np.maximum(there.sum(0), 1)
    # An abundance that a species begins with, so that the numbers are changes one could see.
    usual = float(data.initial[:, :some][data.present].mean())
    made = model.predict(data).values
    chemistry = None
    if any(name.lower() in CARBON for name in model.metabolites_):
        balance = carbon(model.metabolites_, made[:, -1, some:], made[:, 0, some:])
        chemistry = {
            "products": balance.products,
            "mean": balance.total.mean(),
            "deviation": balance.total.std(),
            "net": balance.net.mean(),
            "trade_offs": balance.trade_offs,
        }
    return {
        "species": model.species_,
        "metabolites": model.metabolites_,
        "least": least,
        "share": share,
        "influences": [edge._asdict() for edge in edges],
        "surrogate_r2": dict(zip(data.features, np.median(local.r2, axis=0), strict=True)),
        "sensitivity": {n: sensitivity(data, unseen, n) for n in model.metabolites_} if unseen is not None else {},
        "gradients": mean * usual,
        "gradient_note": (
            f"Mean slope over the communities that hold the species, for {usual:.3g} more of it, at the last time."
        ),
        "carbon": chemistry,
    }
