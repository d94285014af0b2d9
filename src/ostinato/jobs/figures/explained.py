"""What a community model has learned: the numbers of all its analyses, as `explain.json` holds them."""

from typing import Any

import numpy as np

from ostinato.communities import CommunityModel, carbon, gradients, influences, sensitivity, surrogate
from ostinato.communities.explain import CARBON


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
