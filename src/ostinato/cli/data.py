"""`ostinato data`: the catalogue of public data sets."""

from dataclasses import asdict
from typing import Annotated, Any

import typer

from ostinato.cli import options as o
from ostinato.cli.app import App
from ostinato.cli.lists import show_kind
from ostinato.cli.output import emit, pairs

app = App(help="The catalogue of public data sets.")

Name = Annotated[str, typer.Argument(metavar="NAME", show_default=False, help="See `ostinato data list`.")]


@app.command("list")
def list_(ctx: typer.Context, json: o.Json = False) -> None:
    """The data sets of the catalogue: what each is for, how large, and under which licence.

    Their names stand in the place of a file: `ostinato fit classify japanese_vowels`.

    Example: `ostinato data list`
    """
    show_kind(ctx, "datasets")


@app.command()
def show(ctx: typer.Context, name: Name, json: o.Json = False) -> None:
    """What a data set is, whose it is and under which licence, before it is used.

    Example: `ostinato data show japanese_vowels`
    """
    from ostinato.data.catalogue import entry_of

    entry = entry_of(name)
    result: dict[str, Any] = {
        key: getattr(entry, key) for key in ("name", "task", "gives", "split", "licence", "citation", "size")
    }
    result["files"] = [asdict(file) for file in entry.files]
    shown = {**result, "files": [file.name for file in entry.files]}
    emit(ctx, result, lambda console: console.print(pairs(shown.items())))


@app.command()
def fetch(ctx: typer.Context, name: Name, json: o.Json = False) -> None:
    """Where the files of a data set lie, downloaded if need be, each checked against its SHA-256.

    Looked for in `$OSTINATO_DATA`, then in the cache, then at the pinned address.

    Example: `ostinato data fetch japanese_vowels`
    """
    from ostinato.data import fetch

    paths = {key: str(path) for key, path in fetch(name).items()}
    emit(ctx, {"name": name, "files": paths}, lambda console: console.print(pairs(paths.items())))
