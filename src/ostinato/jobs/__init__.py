"""What is done from a file to a report? Kinds of jobs, each run, judged and used by a command or from Python.

`run`, `evaluate`, `predict` and `explain` load JAX and come on first use; the table and its options need none.
"""

from typing import TYPE_CHECKING, Any

from .base import Explanation as Explanation
from .base import Job as Job
from .options import BadOption as BadOption
from .options import Option as Option
from .reporter import Reporter as Reporter
from .reporter import Silent as Silent
from .table import JOBS as JOBS
from .table import job_of as job_of

if TYPE_CHECKING:
    from .verbs import RunRecord as RunRecord
    from .verbs import evaluate as evaluate
    from .verbs import explain as explain
    from .verbs import predict as predict
    from .verbs import run as run

_LATER = ("RunRecord", "evaluate", "explain", "predict", "run")


def __getattr__(name: str) -> Any:
    if name in _LATER:
        from . import verbs

        return getattr(verbs, name)
    raise AttributeError(f"module 'ostinato.jobs' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_LATER])
