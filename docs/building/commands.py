"""The page of the command line, from the commands themselves: their help, arguments and options."""

from typing import Any

import typer

from ostinato.cli.application import application


def command_line() -> str:
    """Every command under its heading, with a table of its options for each group of them."""
    root = typer.main.get_command(application())
    parts = [_help(root)]
    for words, command in _commands(root, ("ostinato",)):
        parts += [f"## `{' '.join(words)}`\n", _help(command), *_tables(command)]
    return "\n".join(parts)


def _commands(group: Any, words: tuple[str, ...]) -> list[tuple[tuple[str, ...], Any]]:
    found = []
    for name in group.list_commands(None):
        command = group.commands[name]
        if command.hidden:
            continue
        path = (*words, name)
        found += _commands(command, path) if hasattr(command, "commands") else [(path, command)]
    return found


def _help(command: Any) -> str:
    paragraphs = (command.help or "").strip().split("\n\n")
    return "\n\n".join(_example(part) for part in paragraphs) + "\n"


def _example(part: str) -> str:
    """An example of the help as a block to copy."""
    if part.startswith("Example: `") and part.endswith("`"):
        return f"```sh\n{part.removeprefix('Example: `')[:-1]}\n```"
    return part


def _tables(command: Any) -> list[str]:
    groups: dict[str, list[str]] = {}
    for parameter in command.params:
        if parameter.hidden:
            continue
        panel = parameter.rich_help_panel or ("Argument" if _is_argument(parameter) else "Output")
        groups.setdefault(panel, []).append(_row(parameter))
    made = []
    for panel, rows in groups.items():
        made.append(f"**{panel}**\n\n| option | | default |\n| --- | --- | --- |\n" + "\n".join(rows) + "\n")
    return made


def _is_argument(parameter: Any) -> bool:
    return not parameter.opts[0].startswith("-")


def _row(parameter: Any) -> str:
    if _is_argument(parameter):
        name = f"`{parameter.metavar or parameter.name.upper()}`"
    else:
        names = [*parameter.opts, *parameter.secondary_opts]
        takes = "" if parameter.is_flag else f" {_kind(parameter)}"
        name = " ".join(f"`{spelled}{takes}`" for spelled in names)
    words = (parameter.help or "").replace("|", "\\|").replace("\n", " ")
    return f"| {name} | {words} | {_default(parameter)} |"


def _kind(parameter: Any) -> str:
    annotation = parameter.type_descriptor.annotation
    inner = getattr(annotation, "__args__", (annotation,))[0]
    names = {str: "TEXT", int: "N", float: "X"}
    return parameter.metavar or names.get(inner, getattr(inner, "__name__", "TEXT").upper())


def _default(parameter: Any) -> str:
    if parameter.required:
        return "asked for"
    if isinstance(parameter.show_default, str):
        return parameter.show_default
    value = parameter.default
    return "" if value in (None, False, True) or callable(value) else f"`{value}`"
