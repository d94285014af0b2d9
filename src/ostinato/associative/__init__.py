"""What does a network settle to? Memories that are recalled from a part of them, and circuits that hold a pulse."""

from .bam import BAM as BAM
from .bam import Association as Association
from .circuits import ThresholdCircuit as ThresholdCircuit
from .circuits import latch as latch
from .circuits import reverberating_loop as reverberating_loop
from .hopfield import Hopfield as Hopfield
from .modern import ModernHopfield as ModernHopfield
from .patterns import Settled as Settled
from .patterns import bipolar as bipolar
from .patterns import overlap as overlap
from .table import ASSOCIATIVE as ASSOCIATIVE
from .table import AssociativeEntry as AssociativeEntry
