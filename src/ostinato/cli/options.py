"""Options that several commands have, each written once."""

from pathlib import Path
from typing import Annotated

import typer

from ostinato.cli.output import remember_json, remember_quiet

Json = Annotated[
    bool, typer.Option("--json", callback=remember_json, is_eager=True, help="One JSON object on standard output.")
]
Quiet = Annotated[
    bool, typer.Option("--quiet", "-q", callback=remember_quiet, is_eager=True, help="No progress, no notes.")
]

DataFile = Annotated[Path, typer.Argument(metavar="FILE", show_default=False, help="CSV, TSV or Parquet.")]
SequenceFile = Annotated[
    Path, typer.Argument(metavar="FILE", show_default=False, help="Sequences: .npz, or a table in long layout.")
]
RunFolder = Annotated[Path, typer.Argument(metavar="RUN", show_default=False, help="A run folder made by `fit`.")]

_MODEL, _TRAINING, _RUN = "The network", "Training", "The run"

Cell = Annotated[
    str | None, typer.Option(rich_help_panel=_MODEL, help="See `ostinato list cells`.", show_default="gru")
]
Hidden = Annotated[
    str | None, typer.Option(rich_help_panel=_MODEL, help="Units, e.g. 64, or 64,32 for two layers.", show_default="64")
]
Layers = Annotated[int | None, typer.Option(rich_help_panel=_MODEL, help="Layers of that size.", show_default="1")]
Dropout = Annotated[
    float | None, typer.Option(rich_help_panel=_MODEL, help="Rate between the layers.", show_default="0")
]

Epochs = Annotated[float | None, typer.Option(rich_help_panel=_TRAINING, help="Passes over the data.")]
BatchSize = Annotated[int | None, typer.Option(rich_help_panel=_TRAINING, help="Examples in a step.")]
Rate = Annotated[float | None, typer.Option("--lr", rich_help_panel=_TRAINING, help="Learning rate.")]
Patience = Annotated[
    int | None, typer.Option(rich_help_panel=_TRAINING, help="Stop after so many epochs without improvement.")
]
Validation = Annotated[
    str | None,
    typer.Option(rich_help_panel=_TRAINING, help="Held out to choose the best weights: a share, e.g. 0.1."),
]
RuleName = Annotated[
    str | None,
    typer.Option(
        "--rule",
        rich_help_panel=_TRAINING,
        help="See `ostinato list rules`; its settings with --set model.rule_settings.NAME=VALUE.",
        show_default="bptt",
    ),
]
Window = Annotated[
    int | None, typer.Option(rich_help_panel=_TRAINING, help="Of truncated-bptt: steps that errors go back.")
]
Seed = Annotated[int | None, typer.Option(rich_help_panel=_TRAINING, help="Of everything random.", show_default="0")]

SettingsFile = Annotated[
    Path | None,
    typer.Option("--settings", rich_help_panel=_RUN, help="TOML file, e.g. settings.toml of another run."),
]
Overrides = Annotated[
    list[str] | None,
    typer.Option("--set", rich_help_panel=_RUN, help="Any setting, e.g. --set model.clip=0.5. May be repeated."),
]
Out = Annotated[
    Path | None, typer.Option("--out", "-o", rich_help_panel=_RUN, help="Run folder.", show_default="runs/NAME")
]
Resume = Annotated[
    bool,
    typer.Option("--resume/--no-resume", rich_help_panel=_RUN, help="Go on where a run of the same settings stopped."),
]
Fresh = Annotated[
    bool, typer.Option("--fresh", rich_help_panel=_RUN, help="Begin anew; a run that is there is moved aside.")
]
