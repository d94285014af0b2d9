"""How fast is it on this machine? Timings beside a peer and a floor; `BENCHES` is the table."""

from .base import Bench as Bench
from .base import BenchSettings as BenchSettings
from .base import Peer as Peer
from .base import Row as Row
from .runner import run_bench as run_bench
from .table import BENCHES as BENCHES
from .table import BenchEntry as BenchEntry
from .table import load_bench as load_bench
from .timer import interleaved as interleaved
