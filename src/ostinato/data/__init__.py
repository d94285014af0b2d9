"""How do sequences come in: the sequence type, readers, windows, buckets, scaling, catalogue, deterministic order."""

from .batch import Examples as Examples
from .batch import SequenceBatch as SequenceBatch
from .batches import Batches as Batches
from .batches import FunctionBatches as FunctionBatches
from .buckets import bucket_edges as bucket_edges
from .calendar import calendar as calendar
from .frequency import Frequency as Frequency
from .frequency import infer_frequency as infer_frequency
from .order import permutation as permutation
from .order import stream as stream
from .read import read_table as read_table
from .scale import Standardizer as Standardizer
from .series import Series as Series
from .series import to_series as to_series
from .sources import Rows as Rows
from .sources import SequenceSource as SequenceSource
from .sources import Source as Source
from .sources import WindowSource as WindowSource
from .table import Table as Table
