"""The table of networks that settle: a name for each."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .bam import BAM
from .circuits import ThresholdCircuit
from .hopfield import Hopfield
from .modern import ModernHopfield


@dataclass(frozen=True)
class AssociativeEntry:
    """A row: what makes it from patterns (or from matrices), one line of description, where it was published."""

    make: Callable[..., Any]
    description: str
    reference: str


ASSOCIATIVE: dict[str, AssociativeEntry] = {
    "bam": AssociativeEntry(BAM.store, "two layers, either of which recalls the other", "Kosko 1988"),
    "hopfield": AssociativeEntry(Hopfield.store, "units of ±1 that ask one another until at rest", "Hopfield 1982"),
    "modern-hopfield": AssociativeEntry(
        ModernHopfield, "real patterns recalled by softmax, as in attention", "Ramsauer et al. 2021"
    ),
    "threshold-circuit": AssociativeEntry(
        ThresholdCircuit, "neurons that fire or do not, with loops", "McCulloch and Pitts 1943"
    ),
}
