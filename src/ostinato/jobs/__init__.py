"""What is done from a file to a report? Kinds of jobs, each run, judged and used by a command or from Python."""

from typing import TYPE_CHECKING

from ostinato.tables import on_first_use

from .base import Explanation as Explanation
from .base import Job as Job
from .base import Predictions as Predictions
from .options import BadOption as BadOption
from .options import Option as Option
from .reporter import Reporter as Reporter
from .reporter import Silent as Silent
from .table import JOBS as JOBS
from .table import job_of as job_of

if TYPE_CHECKING:
    from .public import *
else:
    __getattr__, __dir__ = on_first_use(__name__)
