"""The settings of a job: from a file, then `--set`, then options, or from Python; and the mark of the data in them."""

import dataclasses
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ostinato.errors import SettingsError
from ostinato.jobs.base import Job
from ostinato.runs.settings import from_table, load_settings


def complete(job: Job, settings: Any) -> Any:
    """The settings of a job from a table in which everything may be left out, or as they are. Raises `SettingsError`.

    ```python
    >>> from ostinato.jobs import job_of
    >>> complete(job_of("forecast"), {"data": {"test": 7}}).model.cell
    'gru'

    ```
    """
    if settings is None or isinstance(settings, Mapping):
        return from_table(job.settings(), settings or {})
    if not dataclasses.is_dataclass(settings) or isinstance(settings, type):
        raise SettingsError(f"settings: expected a table or a dataclass, got {type(settings).__name__}")
    return from_table(job.settings(), dataclasses.asdict(settings))


def combine(job: Job, file: Path | None, overrides: Iterable[str], given: Mapping[str, Any]) -> Any:
    """The settings from a TOML file, with `name=value` overrides on top, and above all a table of what was given.

    Raises `SettingsError`, which names the setting, and `DataError` where there is no such file.
    """
    spelt = [_in_full(job, override) for override in overrides]
    table = dataclasses.asdict(load_settings(job.settings(), file, spelt))
    return from_table(job.settings(), _merged(table, given))


def marked(settings: Any, digest: str) -> Any:
    """The settings with a digest of the data, so that a run is only resumed on the same."""
    if not hasattr(getattr(settings, "data", None), "sha256"):
        return settings
    return dataclasses.replace(settings, data=dataclasses.replace(settings.data, sha256=digest))


def _in_full(job: Job, override: str) -> str:
    for short, whole in job.shorthand.items():
        if override.startswith(short):
            return whole + override.removeprefix(short)
    return override


def _merged(table: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """The table with the entries given; tables inside are merged, where the settings have a table there."""
    result = dict(table)
    for name, value in given.items():
        old = result.get(name)
        result[name] = _merged(old, value) if isinstance(value, Mapping) and isinstance(old, Mapping) else value
    return result
