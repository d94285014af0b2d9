"""Which claims were re-run? The published figure, ours and the verdict; `STUDIES` is the table, a folder a wing."""

from .bar import Bar as Bar
from .base import Claim as Claim
from .base import Study as Study
from .base import StudySettings as StudySettings
from .runner import run_study as run_study
from .table import STUDIES as STUDIES
from .table import StudyEntry as StudyEntry
from .table import load_study as load_study
