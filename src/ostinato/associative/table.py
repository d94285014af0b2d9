"""The table of networks that settle: a name for each."""

from typing import Any

from ostinato.tables import Entry

ASSOCIATIVE: "dict[str, Entry[Any]]" = {
    "bam": Entry("associative.bam:BAM.store", "two layers, either of which recalls the other", "Kosko 1988"),
    "hopfield": Entry(
        "associative.hopfield:Hopfield.store", "units of ±1 that ask one another until at rest", "Hopfield 1982"
    ),
    "modern-hopfield": Entry(
        "associative.modern:ModernHopfield",
        "real patterns recalled by softmax, as in attention",
        "Ramsauer et al. 2021",
    ),
    "threshold-circuit": Entry(
        "associative.circuits:ThresholdCircuit", "neurons that fire or do not, with loops", "McCulloch and Pitts 1943"
    ),
}
"""`make` takes patterns, or matrices."""
