"""The job `community`: communities of microbes from a table, some of them held out, a model, its figures."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ostinato.errors import DataError, SettingsError
from ostinato.jobs import options as o
from ostinato.jobs.base import Explanation, Job, Predictions
from ostinato.jobs.options import NETWORK, Option

if TYPE_CHECKING:
    from ostinato.communities import CommunityModel
    from ostinato.data import Communities
    from ostinato.runs import Evaluation

LEVEL = 0.9
MOST_HOURS = 10_000


@dataclass(frozen=True)
class CommunityData:
    """Which columns are what, and which communities are held out: a share, the number of the last ones, another file.

    `species` and `metabolites` are columns or patterns, None where they are to be found; no metabolites is `("",)`.
    `sha256`: of the file; `test_sha256`: of the other one.
    """

    species: tuple[str, ...] | None = None
    metabolites: tuple[str, ...] | None = None
    community: str | None = None
    time: str | None = None
    test: int | float | str = 0.2
    header: bool | None = None
    sha256: str = ""
    test_sha256: str | None = None


class Community(Job):
    """What a community of microbes becomes, from what it is put together from."""

    name, title, plural = "community", "Communities", "communities"
    help = """Learn how communities of microbes and their products develop.

    One row for each sample: community, time in hours, a column for each species and each metabolite. Whole
    communities are held out, and what the network says of them is printed beside the mean of the others, a linear map
    of who is there, and a Lotka-Volterra model.

    Example: `ostinato fit community data.csv --species '*_OD' --out runs/gut`
    """
    data_settings = CommunityData
    options = (
        Option(
            "species",
            "Columns of abundances, with commas, or a pattern such as '*_OD'.",
            default="those with a common ending",
            many=True,
            read=o.words,
        ),
        Option(
            "metabolites",
            "Columns of concentrations; '' for none.",
            default="the others",
            many=True,
            read=lambda given, _: [part.strip() for part in ",".join(given).split(",")],
        ),
        Option("community", "Column of names of communities.", default="the one of text"),
        Option("time", "Column of hours.", default="by its name"),
        Option(
            "test",
            "Held out: a share, so many last ones, a file, or 0.",
            default="0.2",
            read=o.amount("--test", file=True),
        ),
        o.HEADER,
        *o.network("lstm", "128", "128, or 64,32"),
        Option("members", "Networks whose mean is the prediction.", int, NETWORK, "5", "model"),
        Option("folds", "Networks whose errors give the intervals.", int, NETWORK, "10", "model"),
        *o.training("80", "20", "0.005"),
        o.SEED,
    )
    asked = (
        Option("hours", "Communities: 0:72:4 (from, to, step) or 0,16,48.", group=None, default="as measured"),
        Option("intervals", "Communities: bounds for 90 % of measured values.", bool, None),
    )
    explained = (
        Option("least", "Effect on a metabolite that is drawn, in its unit.", float, None, "5"),
        Option("share", "Effect on a species that is drawn, of its own.", float, None, "0.2"),
    )

    def estimator(self) -> "type[CommunityModel]":
        from ostinato.communities import CommunityModel

        return CommunityModel

    def read(self, source: Any, settings: Any) -> "Communities":
        """The communities in a file, in a table or frame, or as they are."""
        from ostinato.data import Communities, read_table, to_communities

        if isinstance(source, Communities):
            return source
        given = settings.data
        metabolites = None if given.metabolites is None else [name for name in given.metabolites if name]
        table = read_table(source, header=given.header) if isinstance(source, str | Path) else source
        return to_communities(table, given.species, metabolites, community=given.community, time=given.time)

    def split(self, data: "Communities", settings: Any) -> "tuple[Communities, Communities | None]":
        """Those to train on, and those held out: a share by the seed, the last ones, or another file."""
        import numpy as np

        from ostinato.data.holdout import check_amount, count_of, held_rows

        test, count = check_amount("data.test", settings.data.test, file=True), len(data)
        if isinstance(test, str):
            return data, self.read(Path(test), settings)
        held = count_of(test, count)
        if not held:
            return data, None
        if held > count - 2:
            raise DataError(f"data.test: {test} held out of {count} communities leaves fewer than two to train on")
        if isinstance(test, int):
            return data.take(slice(None, -held)), data.take(slice(-held, None))
        chosen = held_rows(test, settings.model.seed, count, name="data.test", streams=("test", "test"))
        return data.take(np.setdiff1d(np.arange(count), chosen)), data.take(chosen)

    def describe(self, data: "Communities") -> dict[str, Any]:
        """How many communities, of which species and metabolites, at which hours."""
        import numpy as np

        together = data.present.sum(1)
        return {
            "communities": len(data),
            "species": data.species,
            "metabolites": data.metabolites,
            "hours": [float(h) for h in data.hours],
            "fewest species": int(together.min()),
            "most species": int(together.max()),
            "missing": int(np.isnan(data.values).sum()),
        }

    def notes(self, data: "Communities") -> tuple[str, ...]:
        """Which columns were taken for what, and what is odd about the data."""
        found = f"Species: {', '.join(data.species)}. Metabolites: {', '.join(data.metabolites) or 'none'}."
        return (found, *data.notes)

    def check(self, model: Any, train: "Communities", held: "Communities | None", settings: Any) -> None:
        """Whether the communities of another file have the features and the times of the model."""
        if held is None:
            return
        if (held.species, held.metabolites) != (train.species, train.metabolites):
            there, known = set(held.features), set(train.features)
            named = sorted(there ^ known) or ["the order of the columns"]
            raise DataError(f"{settings.data.test}: other species or metabolites than those to train on: {named[0]}")
        strange = [float(h) for h in held.hours if float(h) not in train.hours]
        if strange:
            raise DataError(f"{settings.data.test}: a sample at {strange[0]:g} h, which those to train on have not")

    def evaluate(self, model: Any, baselines: Mapping[str, Any], held: "Communities", settings: Any) -> "Evaluation":
        from ostinato.jobs.figures.communities import of_communities

        of = f", of {Path(settings.data.test).name}" if isinstance(settings.data.test, str) else ""
        return of_communities(model, held, f"{len(held)} communities that were held out{of}")

    def unseen(self, model: Any, baselines: Mapping[str, Any], data: "Communities", settings: Any) -> "Evaluation":
        from ostinato.jobs.figures.communities import of_communities

        return of_communities(model, data, f"{len(data)} communities")

    def predict(
        self, model: Any, source: Any, settings: Any, hours: str | None = None, intervals: bool = False
    ) -> Predictions:
        """Species and metabolites over time for the compositions in a table."""
        import numpy as np

        from ostinato.data import compositions, read_table

        given, first = settings.data, float(model.hours_[0])
        asked = compositions(
            read_table(source, header=given.header) if isinstance(source, str | Path) else source,
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
        return Predictions(columns)

    def explain(self, model: Any, settings: Any, least: float = 5.0, share: float = 0.2) -> Explanation:
        """Who influences whom, where the model knows little, where the carbon goes: on its training communities."""
        from ostinato.communities import explained
        from ostinato.jobs.figures.explained import analysed
        from ostinato.runs.evaluation import plain

        del settings
        if least < 0 or share < 0:
            raise SettingsError(f"--least, --share: expected 0 or more, got {least:g} and {share:g}")
        found = plain(analysed(model, least, share))
        lacking = () if model.folds else ("No maps of what is known: the run has no folds; fit it with --folds 10.",)
        return Explanation(explained(found), found, lacking)


def _hours(text: str | None, first: float) -> Any:
    """`from:to:step`, both ends included, or numbers with commas between."""
    import numpy as np

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
