"""The table of learning rules, read by the command line, the docs and the tests."""

from collections.abc import Callable
from dataclasses import dataclass

from ostinato.learning.base import Method
from ostinato.learning.bptt import BPTT
from ostinato.learning.cma import CMAES
from ostinato.learning.evolution_strategy import OpenAIES
from ostinato.learning.genetic import GeneticAlgorithm
from ostinato.learning.kalman import KalmanFilter
from ostinato.learning.online import FORCE, LMS, RLS
from ostinato.learning.plasticity import Hebb, IntrinsicPlasticity, Oja
from ostinato.learning.ridge import Ridge
from ostinato.learning.search import RandomSearch
from ostinato.learning.truncated import TruncatedBPTT


@dataclass(frozen=True)
class RuleEntry:
    """A row: how to make the rule, what it is, where it is from."""

    make: Callable[..., Method]
    description: str
    reference: str


RULES: dict[str, RuleEntry] = {
    "bptt": RuleEntry(BPTT, "exact on whole sequences, any model", "Werbos 1990"),
    "cma-es": RuleEntry(
        CMAES, "a normal distribution over weights that takes the shape of the loss", "Hansen and Ostermeier 2001"
    ),
    "evolution-strategy": RuleEntry(OpenAIES, "a gradient estimated from values of the loss", "Salimans et al. 2017"),
    "force": RuleEntry(
        FORCE, "recursive least squares of a read-out that feeds the network", "Sussillo and Abbott 2009"
    ),
    "genetic": RuleEntry(GeneticAlgorithm, "a population of networks, selection, crossover, mutation", "Holland 1975"),
    "hebb": RuleEntry(Hebb, "Hebb's rule for the read-out, with or without a teacher", "Hebb 1949"),
    "intrinsic-plasticity": RuleEntry(
        IntrinsicPlasticity, "gain and bias of reservoir units, for outputs distributed as wanted", "Triesch 2005"
    ),
    "kalman": RuleEntry(KalmanFilter, "extended Kalman filter over the weights", "Singhal and Wu 1988"),
    "lms": RuleEntry(LMS, "least mean squares of the read-out, at every step", "Widrow and Hoff 1960"),
    "oja": RuleEntry(Oja, "Hebb's rule with forgetting: principal components", "Oja 1982"),
    "random-search": RuleEntry(
        RandomSearch, "weights drawn anew, the best kept: the baseline of searches", "Schmidhuber and Hochreiter 1996"
    ),
    "ridge": RuleEntry(Ridge, "the best linear read-out, in closed form", "Jaeger 2001"),
    "rls": RuleEntry(
        RLS, "the best linear read-out for all steps so far, at every step", "Haykin, Adaptive filter theory"
    ),
    "truncated-bptt": RuleEntry(
        TruncatedBPTT, "errors go back a window of steps; causal models, one output per step", "Williams and Peng 1990"
    ),
}
