"""The names of the room, loaded when the first of them is used."""

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
