"""`ostinato study` and `ostinato bench`: claims re-run, and times beside a peer's."""

from pathlib import Path
from typing import Annotated, Any

import typer

from ostinato.cli import options as o
from ostinato.cli.app import App
from ostinato.cli.output import as_json, emit, note, table

studies = App(help="Claims of papers and of this library, re-run.")

Out = Annotated[Path | None, typer.Option("--out", "-o", help="Also write the JSON to a file.")]
Quick = Annotated[bool, typer.Option("--quick", help="The short version: the same code, fewer steps.")]


@studies.command("list")
def study_list(ctx: typer.Context, json: o.Json = False) -> None:
    """The studies by wing, with the data that each needs.

    Example: `ostinato study list`
    """
    from ostinato.studies import STUDIES

    rows = [{"name": n, "wing": e.wing, "description": e.description, "data": list(e.data)} for n, e in STUDIES.items()]

    def show(console: Any) -> None:
        for wing in dict.fromkeys(row["wing"] for row in rows):
            console.print(f"[bold]{wing}[/bold]")
            own = (([row["name"], row["description"], row["data"]], None) for row in rows if row["wing"] == wing)
            console.print(table(["name", "description", "data"], own))

    emit(ctx, {"studies": rows}, show)


@studies.command("run")
def study_run(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", show_default=False, help="See `ostinato study list`.")],
    quick: Quick = False,
    seeds: Annotated[int | None, typer.Option(min=1, help="How many.", show_default="the study's own")] = None,
    out: Out = None,
    figure: Annotated[Path | None, typer.Option(help="Also draw its picture (SVG), where the study has one.")] = None,
    quiet: o.Quiet = False,
    json: o.Json = False,
) -> None:
    """Run a study: each claim with its source, the published figure, ours, the baselines and the verdict.

    Example: `ostinato study run vowels --seeds 3 --out vowels.json`
    """
    from ostinato.studies import StudySettings, load_study, run_study

    settings = StudySettings(quick=quick, seeds=seeds, note=lambda words: note(ctx, words))
    result = run_study(name, settings)
    if out is not None:
        _write(out, as_json(result, indent=1))
    if figure is not None:
        draw = load_study(name).draw
        if draw is None:
            note(ctx, f"{name} has no picture.")
        else:
            _write(figure, draw(result["claims"]))

    def show(console: Any) -> None:
        head = ["claim", "source", "published", "ours", "to hold", "baselines", "holds"]
        rows = [
            (
                [
                    claim["name"],
                    claim["source"],
                    claim["published"],
                    claim["ours"],
                    claim["tolerance"],
                    ", ".join(f"{key} {value:.4g}" for key, value in claim["baseline"].items()),
                    _VERDICTS[claim["holds"]],
                ],
                "bold red" if claim["holds"] is False else None,
            )
            for claim in result["claims"]
        ]
        console.print(table(head, rows))
        console.print(f"{result['seconds']:g} s on {result['machine']['processor']}", markup=False)

    emit(ctx, result, show)


def bench(
    ctx: typer.Context,
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME|list]", help="One bench.", show_default="all of them")
    ] = None,
    quick: Quick = False,
    repeats: Annotated[int | None, typer.Option(min=1, help="Of each case.", show_default="the bench's own")] = None,
    out: Out = None,
    quiet: o.Quiet = False,
    json: o.Json = False,
) -> None:
    """Measure our time beside a peer's on the same work, in microseconds, and the least that the work could take.

    Peers that are no dependency (PyTorch, ReservoirPy) are measured by `python benchmarks/peers NAME` in a checkout.

    Example: `ostinato bench hoist`
    """
    from ostinato.benches import BENCHES, BenchSettings, run_bench

    if name == "list":
        entries = [{"name": n, "description": entry.description} for n, entry in BENCHES.items()]
        rows = [(list(entry.values()), None) for entry in entries]
        emit(ctx, {"benches": entries}, lambda console: console.print(table(["name", "description"], rows)))
        return
    settings = BenchSettings(quick=quick, repeats=repeats, note=lambda words: note(ctx, words))
    found = [run_bench(each, settings) for each in ([name] if name is not None else BENCHES)]
    result = found[0] if name is not None else {"benches": found}
    if out is not None:
        _write(out, as_json(result, indent=1))

    def show(console: Any) -> None:
        head = ["case", "ours µs", "peer", "peer µs", "ratio", "floor µs", "detail"]
        for one in found:
            console.print(f"[bold]{one['bench']}[/bold]")
            rows = [([*list(row.values())[:-1], _words(row["detail"])], None) for row in one["rows"]]
            console.print(table(head, rows))
        console.print(f"ratio: how many times faster ours is; {found[0]['machine']['processor']}", markup=False)

    emit(ctx, result, show)


_VERDICTS = {True: "yes", False: "NO", None: "-"}


def _words(detail: dict[str, Any]) -> str:
    return ", ".join(
        f"{key} {value:.4g}" if isinstance(value, float) else f"{key} {value}" for key, value in detail.items()
    )


def _write(path: Path, text: str) -> None:
    from ostinato.runs import write_file

    path.parent.mkdir(parents=True, exist_ok=True)
    write_file(path, text.encode())
