"""What can go wrong, as types: every error that Ostinato raises on purpose derives from `OstinatoError`.

Each also derives from the built-in that a caller would expect, so `except ValueError` goes on working.
`exit_code` is what the command line returns for it.
"""

from collections.abc import Iterable


def did_you_mean(name: object, known: Iterable[str], place: str = "") -> str:
    """A hint for the end of a message, where one of the known names is near to a wrong one; else nothing.

    `place` stands before the name, as `model.` before a setting.

    ```python
    >>> did_you_mean("gruu", ["gru", "lstm"]), did_you_mean("epoch", ["epochs"], "model."), did_you_mean("x", ["gru"])
    ("; did you mean 'gru'?", "; did you mean 'model.epochs'?", '')

    ```
    """
    import difflib  # Only a wrong name needs it.

    near = difflib.get_close_matches(str(name).lower(), list(known), n=1, cutoff=0.65)
    return f"; did you mean {place + near[0]!r}?" if near else ""


class OstinatoError(Exception):
    """Root of all errors raised on purpose."""

    exit_code = 3


class ShapeError(OstinatoError, ValueError):
    """An array has the wrong shape; the message names the axes, what was expected and what came."""


class StateError(ShapeError):
    """An initial state is not one of the cell or network that it is given to, or not of so many rows."""


class LengthError(OstinatoError, ValueError):
    """A sequence length lies outside 0..time."""


class NonFiniteError(OstinatoError, ValueError):
    """A value, loss or gradient is NaN or infinite where it must not be."""


class NotConverged(OstinatoError, ArithmeticError):
    """A method that repeats until nothing changes did not get there; no result is given."""


class DataError(OstinatoError, ValueError):
    """A file or table does not hold what was asked of it: a missing column, text in a number, nothing at all."""


class LeakError(DataError):
    """The target, or a value not known at forecast time, stands among the inputs."""


class SettingsError(OstinatoError, ValueError):
    """A setting is unknown, out of range, or differs from that of the run folder."""

    exit_code = 3


class CorruptFile(OstinatoError, OSError):
    """A file is truncated, damaged or not what its manifest says."""

    exit_code = 4


class StorageError(OstinatoError, OSError):
    """A file could not be written (full disk, read-only folder); what stood there before is kept."""


class RunLocked(OstinatoError, OSError):
    """Another process is writing to the run folder."""


class Interrupted(OstinatoError):
    """A signal stopped the run after a checkpoint; start it again to go on."""

    exit_code = 75


class NotFitted(OstinatoError, ValueError, AttributeError):
    """A model was asked for a result before `fit`."""


class InfeasibleAlignment(OstinatoError, ValueError):
    """A label sequence cannot be aligned with so few steps."""


class UnsupportedRule(OstinatoError, TypeError):
    """A learning rule does not hold for a model; raised before anything is trained."""

    def __init__(self, rule: str, cell: str, why: str):
        super().__init__(f"{rule} does not hold for {cell}: {why}")
        self.rule = rule
        self.cell = cell
        self.why = why
