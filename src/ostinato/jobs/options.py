"""Options of a job as plain rows: what they are called, what they take, and which setting they stand for."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ostinato.errors import SettingsError

DATA, NETWORK, TRAINING = "The data", "The network", "Training"


class BadOption(SettingsError):
    """An option whose text is no value of its setting; `flag` is how it is spelt."""

    def __init__(self, flag: str, words: str):
        super().__init__(f"{flag}: {words}")
        self.flag, self.words = flag, words


Reader = Callable[[Any, Mapping[str, Any]], Any]
"""Gives the value of a setting, from what was typed and from all options of the command; raises `BadOption`."""


@dataclass(frozen=True)
class Option:
    """One option of a job, and the setting that it gives.

    * `name`: in Python; the command spells it `--name`, with dashes, unless `flag` says how.
    * `kind`: `str`, `int`, `float`, `bool` (a flag without a value) or `Path`; `many`: it may be repeated.
    * `group`: the heading that it stands under in the help; `default`: in words, what holds where it is not given.
    * `part`: the table of the settings that it belongs to, with dots, `""` for the outermost; `setting`: its name
      there, where that is another. None for `part`: it is no setting, and is handed to `Job.fit` as it is.
    * `read(value, given)`: the value of the setting, from what was typed and from all options; raises `BadOption`.

    ```python
    >>> Option("batch_size", "Examples in a step.", int).spelling
    '--batch-size'

    ```
    """

    name: str
    help: str
    kind: type = str
    group: str | None = DATA
    default: str | None = None
    part: str | None = "data"
    setting: str | None = None
    flag: str | None = None
    many: bool = False
    read: Reader | None = None

    @property
    def spelling(self) -> str:
        """As it is typed."""
        return self.flag or f"--{self.name.replace('_', '-')}"


def settings_of(options: Sequence[Option], given: Mapping[str, Any]) -> dict[str, Any]:
    """The table of settings that options give; those that are None, empty or False were not given. Raises `BadOption`.

    ```python
    >>> rows = (Option("horizon", "Steps.", int, part="model"), Option("test", "Held out.", read=amount("--test")))
    >>> settings_of(rows, {"horizon": 7, "test": "0.25"})
    {'model': {'horizon': 7}, 'data': {'test': 0.25}}

    ```
    """
    table: dict[str, Any] = {}
    for option in options:
        value = given.get(option.name)
        if option.part is None or value is None or value is False or value == []:
            continue
        if option.read is not None:
            value = option.read(value, given)
        inner = table
        for name in filter(None, option.part.split(".")):
            inner = inner.setdefault(name, {})
        inner[option.setting or option.name] = value
    return table


def amount(flag: str, setting: str = "data.test", *, file: bool = False) -> Reader:
    """Reads a number of rows, a share, or where it is allowed the name of a file."""

    def read(text: str, given: Mapping[str, Any]) -> int | float | str:
        from ostinato.data.holdout import read_amount

        del given
        try:
            return read_amount(setting, text, file=file)
        except SettingsError as error:
            if file or _is_number(text):
                raise
            raise BadOption(flag, f"expected a number, got {text!r}") from error

    return read


def choice(flag: str, values: Mapping[str, Any]) -> Reader:
    """Reads one of the given words."""

    def read(text: str, given: Mapping[str, Any]) -> Any:
        del given
        if text not in values:
            raise BadOption(flag, f"expected {' or '.join(values)}, got {text!r}")
        return values[text]

    return read


def words(text: str | Sequence[str], given: Mapping[str, Any] | None = None) -> list[str]:
    """The parts between commas, without empty ones."""
    del given
    text = text if isinstance(text, str) else ",".join(text)
    return [part.strip() for part in text.split(",") if part.strip()]


def numbers(flag: str) -> Reader:
    """Reads numbers with commas between."""

    def read(text: str, given: Mapping[str, Any]) -> list[float]:
        del given
        try:
            return [float(part) for part in text.split(",")]
        except ValueError as error:
            raise BadOption(flag, f"expected numbers with commas between, got {text!r}") from error

    return read


def _sizes(text: str, given: Mapping[str, Any]) -> int | list[int]:
    """Units of one layer, or of each."""
    found = numbers("--hidden")(text, given)
    for number in found:
        if not number.is_integer():
            raise BadOption("--hidden", f"expected whole numbers, got {number:g}")
    layers = given.get("layers")
    if len(found) > 1 and layers not in (None, len(found)):
        raise BadOption("--hidden", f"{len(found)} sizes, but --layers {layers}")
    return int(found[0]) if len(found) == 1 else [int(number) for number in found]


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _whole(value: float, given: Mapping[str, Any]) -> int | float:
    del given
    return int(value) if value.is_integer() else value


HEADER = Option(
    "header",
    "Whether the first line names the columns: yes or no.",
    default="by its content",
    read=choice("--header", {"yes": True, "no": False}),
)


def network(cell: str = "gru", hidden: str = "64", example: str = "64, or 64,32 for two layers") -> tuple[Option, ...]:
    """Rows for the recurrent layers."""
    return (
        Option("cell", "See `ostinato list cells`.", group=NETWORK, default=cell, part="model"),
        Option(
            "hidden",
            f"Units, e.g. {example}.",
            group=NETWORK,
            default=hidden,
            part="model",
            setting="hidden_size",
            read=_sizes,
        ),
        Option("layers", "Layers of that size.", int, NETWORK, "1", "model", "num_layers"),
    )


def dropout(rate: str = "0") -> Option:
    """The row of dropout, with what holds where it is not given."""
    return Option("dropout", "Rate between the layers.", float, NETWORK, rate, "model")


def training(epochs: str, batch_size: str, rate: str) -> tuple[Option, ...]:
    """Rows of how long and how fast, with what holds where they are not given."""
    return (
        Option("epochs", "Passes over the data.", float, TRAINING, epochs, "model", read=_whole),
        Option("batch_size", "Examples in a step.", int, TRAINING, batch_size, "model"),
        Option("lr", "Learning rate.", float, TRAINING, rate, "model", "learning_rate"),
    )


SEED = Option("seed", "Of everything random.", int, TRAINING, "0", "model")
PATIENCE = Option("patience", "Stop after so many epochs without improvement.", int, TRAINING, "never", "model")


def validation(words: str, default: str) -> Option:
    """The row of the part on which the best weights are chosen."""
    return Option(
        "validation",
        words,
        group=TRAINING,
        default=default,
        part="model",
        read=amount("--validation", "model.validation"),
    )


RULE = (
    Option(
        "rule",
        "See `ostinato list rules`; its settings with --set model.rule_settings.NAME=VALUE.",
        group=TRAINING,
        default="bptt",
        part="model",
    ),
    Option(
        "window",
        "Of truncated-bptt: steps that errors go back.",
        int,
        TRAINING,
        "all",
        part="model",
        setting="rule_settings",
        read=lambda steps, _: {"window": steps},
    ),
)
