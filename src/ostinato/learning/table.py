"""The table of learning rules, read by the command line, the docs and the tests."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from ostinato.learning.base import Rule
from ostinato.learning.bptt import BPTT
from ostinato.learning.continuous import ContinuousBPTT, ContinuousRTRL
from ostinato.learning.crbp import CRBP
from ostinato.learning.rbp import RBP
from ostinato.learning.truncated import TruncatedBPTT


@dataclass(frozen=True)
class RuleEntry:
    """A row: how to make the rule, what it is, where it is from."""

    make: Callable[..., Rule]
    description: str
    reference: str


RULES: dict[str, RuleEntry] = {
    "bptt": RuleEntry(BPTT, "exact on whole sequences, any model", "Werbos 1990"),
    "truncated-bptt": RuleEntry(
        TruncatedBPTT, "errors go back a window of steps; causal models, one output per step", "Williams and Peng 1990"
    ),
    "rbp": RuleEntry(RBP, "exact for filters as synapses (fir, iir)", "Campolucci et al. 1999"),
    "crbp": RuleEntry(
        CRBP, "causal and truncated, for filters as synapses (fir, iir), step by step", "Campolucci et al. 1999"
    ),
    "back-tsoi": RuleEntry(
        partial(CRBP, horizon=0), "errors pass filters through their first taps alone (fir, iir)", "Back and Tsoi 1991"
    ),
    "continuous-bptt": RuleEntry(
        ContinuousBPTT, "of the differential equation, back through a solver's steps (ctrnn)", "Pearlmutter 1995"
    ),
    "continuous-rtrl": RuleEntry(
        ContinuousRTRL, "of the differential equation, step by step (ctrnn)", "Pearlmutter 1995"
    ),
}
