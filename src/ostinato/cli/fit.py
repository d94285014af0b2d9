"""`ostinato fit`: from a file of sequences to a trained model, compared with its baselines, in a run folder."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from ostinato.cli import options as o
from ostinato.cli.agents import agent
from ostinato.cli.app import App
from ostinato.cli.community import community

app = App(help="Train on a file, compare with baselines, keep everything in a run folder.")

_DATA, _MODEL = "The data", "The network"


@app.command()
def forecast(
    ctx: typer.Context,
    file: o.DataFile,
    target: Annotated[
        list[str] | None,
        typer.Option(rich_help_panel=_DATA, help="Column to forecast; may be repeated.", show_default="all numbers"),
    ] = None,
    horizon: Annotated[
        int | None, typer.Option(rich_help_panel=_DATA, help="Steps to forecast.", show_default="1")
    ] = None,
    time: Annotated[
        str | None, typer.Option(rich_help_panel=_DATA, help="Column of times.", show_default="found by its content")
    ] = None,
    series: Annotated[
        str | None, typer.Option(rich_help_panel=_DATA, help="Column that tells series apart (long layout).")
    ] = None,
    past: Annotated[
        list[str] | None, typer.Option(rich_help_panel=_DATA, help="Covariate known up to now; may be repeated.")
    ] = None,
    future: Annotated[
        list[str] | None, typer.Option(rich_help_panel=_DATA, help="Covariate known ahead; may be repeated.")
    ] = None,
    static: Annotated[
        list[str] | None, typer.Option(rich_help_panel=_DATA, help="Column constant in a series; may be repeated.")
    ] = None,
    calendar: Annotated[
        str | None,
        typer.Option(rich_help_panel=_DATA, help="Waves of the date: hour, weekday, month, yearday:2, ..."),
    ] = None,
    season: Annotated[
        int | None,
        typer.Option(rich_help_panel=_DATA, help="Steps in a season, for that baseline.", show_default="by the times"),
    ] = None,
    missing: Annotated[
        bool, typer.Option("--missing", rich_help_panel=_DATA, help="Allow missing values; the network sees which.")
    ] = False,
    test: Annotated[
        str | None,
        typer.Option(rich_help_panel=_DATA, help="Held-out end: rows, or a share.", show_default="0.2"),
    ] = None,
    context: Annotated[
        int | None, typer.Option(rich_help_panel=_MODEL, help="Past steps that it reads.", show_default="by season")
    ] = None,
    cell: o.Cell = None,
    hidden: o.Hidden = None,
    layers: o.Layers = None,
    mode: Annotated[
        str | None,
        typer.Option(rich_help_panel=_MODEL, help="direct, or recursive: any horizon.", show_default="direct"),
    ] = None,
    quantiles: Annotated[str | None, typer.Option(rich_help_panel=_MODEL, help="E.g. 0.1,0.5,0.9.")] = None,
    subtract_last: Annotated[
        bool, typer.Option("--subtract-last", rich_help_panel=_MODEL, help="Forecast changes from the last value.")
    ] = False,
    linear_skip: Annotated[
        bool, typer.Option("--linear-skip", rich_help_panel=_MODEL, help="Add a trained linear map of the context.")
    ] = False,
    dropout: o.Dropout = None,
    epochs: o.Epochs = None,
    batch_size: o.BatchSize = None,
    lr: o.Rate = None,
    patience: o.Patience = None,
    validation: o.Validation = None,
    rule: o.RuleName = None,
    window: o.Window = None,
    seed: o.Seed = None,
    settings: o.SettingsFile = None,
    set_: o.Overrides = None,
    out: o.Out = None,
    resume: o.Resume = True,
    fresh: o.Fresh = False,
    quiet: o.Quiet = False,
    json: o.Json = False,
) -> None:
    """Forecast one or many series.

    The end of each series is held out, and what the network says of it is printed beside persistence, the season
    before, the mean and a linear autoregression.

    Example: `ostinato fit forecast data.csv --target Temp --horizon 7 --cell lstm --hidden 64 --out runs/temp`
    """
    given = {
        "data": {
            "target": target or None,
            "time": time,
            "series": series,
            "season": season,
            "test": amount("--test", test),
        },
        "model": {
            "horizon": horizon,
            "past": past or None,
            "future": future or None,
            "static": static or None,
            "calendar": words(calendar),
            "missing": "observed" if missing else None,
            "context": context,
            "mode": mode,
            "quantiles": _numbers("--quantiles", quantiles),
            "subtract_last": subtract_last or None,
            "linear_skip": linear_skip or None,
            **network(cell, hidden, layers, dropout),
            **training(epochs, batch_size, lr, patience, validation, seed),
            **_rule(rule, window),
        },
    }
    _fit(ctx, "forecast", file, given, settings, set_, out, resume, fresh)


def _sequence_command(task: str, words: str) -> Callable[..., None]:
    """Classification and regression take the same options."""

    def command(
        ctx: typer.Context,
        file: o.SequenceFile,
        series: Annotated[
            str | None,
            typer.Option(rich_help_panel=_DATA, help="Table: column that tells sequences apart.", show_default="id"),
        ] = None,
        time: Annotated[
            str | None, typer.Option(rich_help_panel=_DATA, help="Table: column of times.", show_default="time")
        ] = None,
        label: Annotated[
            str | None, typer.Option(rich_help_panel=_DATA, help="Table: column of labels.", show_default="label")
        ] = None,
        missing: Annotated[
            bool, typer.Option("--missing", rich_help_panel=_DATA, help="Allow missing values.")
        ] = False,
        test: Annotated[
            str | None,
            typer.Option(rich_help_panel=_DATA, help="Held out: a share, another file, or 0.", show_default="0.2"),
        ] = None,
        cell: o.Cell = None,
        hidden: o.Hidden = None,
        layers: o.Layers = None,
        bidirectional: Annotated[
            bool, typer.Option("--bidirectional", rich_help_panel=_MODEL, help="Read in both directions.")
        ] = False,
        pool: Annotated[
            str | None, typer.Option(rich_help_panel=_MODEL, help="last, mean or max over time.", show_default="last")
        ] = None,
        dropout: o.Dropout = None,
        epochs: o.Epochs = None,
        batch_size: o.BatchSize = None,
        lr: o.Rate = None,
        patience: o.Patience = None,
        validation: o.Validation = None,
        rule: o.RuleName = None,
        window: o.Window = None,
        seed: o.Seed = None,
        settings: o.SettingsFile = None,
        set_: o.Overrides = None,
        out: o.Out = None,
        resume: o.Resume = True,
        fresh: o.Fresh = False,
        quiet: o.Quiet = False,
        json: o.Json = False,
    ) -> None:
        given = {
            "data": {"series": series, "time": time, "label": label, "test": amount("--test", test, or_file=True)},
            "model": {
                "missing": missing or None,
                "bidirectional": bidirectional or None,
                "pool": pool,
                **network(cell, hidden, layers, dropout),
                **training(epochs, batch_size, lr, patience, validation, seed),
                **_rule(rule, window),
            },
        }
        _fit(ctx, task, file, given, settings, set_, out, resume, fresh)

    command.__doc__ = words
    return command


app.command("classify")(
    _sequence_command(
        "classify",
        """Classify sequences of any lengths, a label each.

        A share of each class is held out, and the accuracy on it is printed beside the most frequent class and a
        linear map of means and deviations.

        Example: `ostinato fit classify train.npz --bidirectional --out runs/vowels`
        """,
    )
)
app.command("regress")(
    _sequence_command(
        "regress",
        """Predict a number for each sequence.

        A share of the sequences is held out, and the error on it is printed beside the mean and a linear map of means
        and deviations.

        Example: `ostinato fit regress engines.csv --series unit --time cycle --label life --out runs/engines`
        """,
    )
)


app.command("agent")(agent)
app.command("community")(community)


def _fit(ctx: typer.Context, task: str, file: Path, given: dict[str, Any], settings: Path | None, *rest: Any) -> None:
    from ostinato.cli.work import fit_file

    fit_file(ctx, task, file, given, settings, *rest)


def network(cell: str | None, hidden: str | None, layers: int | None, dropout: float | None) -> dict[str, Any]:
    """The settings of a network from its options; None for what was not given."""
    sizes = _numbers("--hidden", hidden)
    whole = None if sizes is None else [_whole("--hidden", size) for size in sizes]
    if whole is not None and len(whole) > 1 and layers not in (None, len(whole)):
        raise typer.BadParameter(f"{len(whole)} sizes, but --layers {layers}", param_hint="--hidden")
    size = whole[0] if whole is not None and len(whole) == 1 else whole
    return {"cell": cell, "hidden_size": size, "num_layers": layers, "dropout": dropout}


def training(
    epochs: float | None,
    batch_size: int | None,
    lr: float | None,
    patience: int | None,
    validation: str | None,
    seed: int | None,
) -> dict[str, Any]:
    """The settings of training from its options; None for what was not given."""
    return {
        "epochs": int(epochs) if epochs is not None and epochs.is_integer() else epochs,
        "batch_size": batch_size,
        "learning_rate": lr,
        "patience": patience,
        "validation": amount("--validation", validation),
        "seed": seed,
    }


def _rule(rule: str | None, window: int | None) -> dict[str, Any]:
    return {"rule": rule, "rule_settings": None if window is None else {"window": window}}


def amount(name: str, text: str | None, or_file: bool = False) -> int | float | str | None:
    """A number of rows, a share, or where it is allowed the name of a file."""
    if text is None:
        return None
    try:
        return int(text)
    except ValueError:
        pass
    try:
        return float(text)
    except ValueError as error:
        if or_file:
            return text
        raise typer.BadParameter(f"expected a number, got {text!r}", param_hint=name) from error


def _numbers(name: str, text: str | None) -> list[float] | None:
    if text is None:
        return None
    try:
        return [float(part) for part in text.split(",")]
    except ValueError as error:
        raise typer.BadParameter(f"expected numbers with commas between, got {text!r}", param_hint=name) from error


def _whole(name: str, number: float) -> int:
    if not number.is_integer():
        raise typer.BadParameter(f"expected whole numbers, got {number:g}", param_hint=name)
    return int(number)


def words(text: str | None) -> list[str] | None:
    """The parts between commas."""
    return None if text is None else [part.strip() for part in text.split(",") if part.strip()]
