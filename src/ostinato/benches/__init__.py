"""How fast is it, and how right, on this machine? Timings beside a peer and a floor (`BENCHES`), and the doctor."""

from .base import Bench as Bench
from .base import BenchSettings as BenchSettings
from .base import Row as Row
from .runner import run_bench as run_bench
from .table import BENCHES as BENCHES
from .table import load_bench as load_bench
from .timer import interleaved as interleaved
