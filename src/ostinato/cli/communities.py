"""The task `community`: communities from a table, some of them held out, a model, its figures."""

from pathlib import Path
from typing import Any

import numpy as np

from ostinato import data
from ostinato.cli.verdicts import of_communities
from ostinato.communities import CommunityModel
from ostinato.data import compositions, permutation, read_table
from ostinato.errors import DataError, SettingsError
from ostinato.models import Estimator
from ostinato.runs import Evaluation

LEVEL = 0.9
MOST_HOURS = 10_000


class Communities:
    """What `fit`, `predict` and `evaluate` do with communities of microbes."""

    asked = ("hours", "intervals")

    def read(self, path: Path, settings: Any) -> data.Communities:
        """The communities in a file."""
        given = settings.data
        metabolites = None if given.metabolites is None else [name for name in given.metabolites if name]
        return data.read_communities(path, given.species, metabolites, community=given.community, time=given.time)

    def split(self, communities: data.Communities, settings: Any) -> tuple[data.Communities, data.Communities | None]:
        """Those to train on, and those held out: a share by the seed, the last ones, or another file."""
        test, count = settings.data.test, len(communities)
        if isinstance(test, str):
            return communities, self.read(Path(test), settings)
        if isinstance(test, bool) or test < 0 or (isinstance(test, float) and test >= 1):
            raise SettingsError(f"data.test: expected a share below 1.0, a number, or a file, got {test!r}")
        held = round(test * count) if isinstance(test, float) else test
        if not held:
            return communities, None
        if held > count - 2:
            raise DataError(f"data.test: {test} held out of {count} communities leaves fewer than two to train on")
        if isinstance(test, int):
            return communities.take(slice(None, -held)), communities.take(slice(-held, None))
        order = permutation(count, settings.model.seed, name="test")
        return communities.take(np.sort(order[held:])), communities.take(np.sort(order[:held]))

    def describe(self, communities: data.Communities) -> dict[str, Any]:
        """The data in a few lines."""
        together = communities.present.sum(1)
        return {
            "communities": len(communities),
            "species": communities.species,
            "metabolites": communities.metabolites,
            "hours": [float(h) for h in communities.hours],
            "fewest species": int(together.min()),
            "most species": int(together.max()),
            "missing": int(np.isnan(communities.values).sum()),
        }

    def notes(self, communities: data.Communities) -> tuple[str, ...]:
        """Which columns were taken for what, and what is odd about the data."""
        found = (
            f"Species: {', '.join(communities.species)}. Metabolites: {', '.join(communities.metabolites) or 'none'}."
        )
        return (found, *communities.notes)

    def train(self, model: Estimator, communities: data.Communities, **options: Any) -> None:
        """Fit the model."""
        assert isinstance(model, CommunityModel)
        model.fit(communities, **options)

    def baselines(self, model: Estimator, communities: data.Communities, settings: Any) -> dict[str, Estimator]:
        """None of their own: the model holds its baselines."""
        del model, communities, settings
        return {}

    def held_out(
        self, model: Estimator, baselines: dict[str, Any], communities: data.Communities, settings: Any
    ) -> Evaluation:
        """The model on what was held out."""
        del baselines
        of = f", of {Path(settings.data.test).name}" if isinstance(settings.data.test, str) else ""
        assert isinstance(model, CommunityModel)
        return of_communities(model, communities, f"{len(communities)} communities that were held out{of}")

    def unseen(self, model: Estimator, baselines: dict[str, Any], communities: data.Communities) -> Evaluation:
        """The model on the communities of a file."""
        del baselines
        assert isinstance(model, CommunityModel)
        return of_communities(model, communities, f"{len(communities)} communities")

    def predict(
        self, model: Estimator, path: Path, settings: Any, hours: str | None = None, intervals: bool = False
    ) -> dict[str, Any]:
        """Species and metabolites over time for the compositions in a table, as columns."""
        assert isinstance(model, CommunityModel)
        given, first = settings.data, float(model.hours_[0])
        asked = compositions(
            read_table(path),
            model.species_,
            model.metabolites_,
            medium=dict(zip(model.metabolites_, model.medium_.tolist(), strict=True)),
            community=given.community,
            time=given.time,
        )
        if intervals and not model.folds:
            raise SettingsError("--intervals: the run has none; fit it with --folds 10")
        made = model.predict(asked, _hours(hours, first), level=LEVEL if intervals else None)
        shape = made.values.shape[:2]
        columns: dict[str, Any] = {
            "community": np.repeat(np.array(made.names, object), shape[1]),
            "hours": np.tile(made.hours, shape[0]),
        }
        for j, name in enumerate(made.features):
            columns[name] = made.values[..., j].ravel()
            if made.lower is not None and made.upper is not None:
                columns[f"{name}_lower"] = made.lower[..., j].ravel()
                columns[f"{name}_upper"] = made.upper[..., j].ravel()
        return columns


def _hours(text: str | None, first: float) -> np.ndarray | None:
    """`from:to:step`, both ends included, or numbers with commas between."""
    if text is None:
        return None
    try:
        if ":" in text:
            start, stop, step = (float(part) for part in text.split(":"))
            if not (step > 0 and stop >= start) or (stop - start) / step > MOST_HOURS:
                raise ValueError
            hours = start + step * np.arange(int((stop - start) / step + 1e-9) + 1)
        else:
            hours = np.array([float(part) for part in text.split(",")])
    except ValueError as error:
        raise SettingsError(f"--hours: expected 0:72:4 (from, to, step) or 0,16,48, got {text!r}") from error
    if not np.isfinite(hours).all() or hours.min() < first:
        raise SettingsError(f"--hours: expected times from {first:g} h on, got {text!r}")
    return hours
