"""The table of jobs. A new one is a file beside this and a row here; commands, choices and help follow from it."""

from ostinato.errors import SettingsError
from ostinato.jobs.agent import Agent
from ostinato.jobs.base import Job
from ostinato.jobs.classify import Classify
from ostinato.jobs.community import Community
from ostinato.jobs.forecast import Forecast
from ostinato.jobs.regress import Regress

JOBS: dict[str, Job] = {job.name: job for job in (Forecast(), Classify(), Regress(), Community(), Agent())}


def job_of(name: str, source: str = "job") -> Job:
    """A row of `JOBS`. Raises `SettingsError` where there is none of that name.

    ```python
    >>> job_of("forecast").title
    'Forecast'

    ```
    """
    if name not in JOBS:
        raise SettingsError(f"{source}: expected a run of {', '.join(JOBS)}, got one of {name!r:.40}")
    return JOBS[name]
