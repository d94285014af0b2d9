"""The table of learning rules, read by the command line, the docs and the tests."""

from typing import TYPE_CHECKING

from ostinato.tables import Entry

if TYPE_CHECKING:
    from ostinato.learning.base import LearningRule

RULES: "dict[str, Entry[LearningRule]]" = {
    # Exact through time, truncated, forward in time.
    "bptt": Entry("learning.bptt:BPTT", "exact on whole sequences, any model", "Werbos 1990"),
    "truncated-bptt": Entry(
        "learning.truncated:TruncatedBPTT",
        "errors go back a window of steps; causal models, one output per step",
        "Williams and Peng 1990",
    ),
    "rtrl": Entry(
        "learning.rtrl:RTRL", "exact, one step at a time; diagonal where units do not meet", "Williams and Zipser 1989"
    ),
    "hybrid": Entry(
        "learning.rtrl:HybridRTRL", "exact, blocks of steps in fixed storage", "Williams 1989, Schmidhuber 1992"
    ),
    "lstm-1997": Entry(
        "learning.local_rules:LSTM1997",
        "errors end at gate inputs, exact inside the memory",
        "Hochreiter and Schmidhuber 1997",
    ),
    "snap": Entry("learning.snap:SnAp", "a weight's effect within n steps; n=1 is local", "Menick et al. 2021"),
    "uoro": Entry(
        "learning.uoro:UORO", "unbiased, two vectors in place of all derivatives", "Tallec and Ollivier 2018"
    ),
    "kf-rtrl": Entry(
        "learning.kf_rtrl:KFRTRL", "unbiased, a Kronecker product in place of all derivatives", "Mujika et al. 2018"
    ),
    "rflo": Entry("learning.local_rules:RFLO", "local traces of leaking units, random feedback", "Murray 2019"),
    "e-prop": Entry("learning.local_rules:EProp", "local traces of any gated cell", "Bellec et al. 2020"),
    # For filters, signal-flow graphs and differential equations.
    "rbp": Entry("learning.rbp:RBP", "exact for filters as synapses (fir, iir)", "Campolucci et al. 1999"),
    "crbp": Entry(
        "learning.crbp:CRBP",
        "causal and truncated, for filters as synapses (fir, iir), step by step",
        "Campolucci et al. 1999",
    ),
    "back-tsoi": Entry(
        "learning.crbp:BackTsoi", "errors pass filters through their first taps alone (fir, iir)", "Back and Tsoi 1991"
    ),
    "flow-adjoint": Entry(
        "learning.flow_adjoint:FlowAdjoint",
        "the reversed graph run on the errors, for signal-flow graphs",
        "Wan and Beaufays 1996",
    ),
    "continuous-bptt": Entry(
        "learning.continuous:ContinuousBPTT",
        "of the differential equation, back through a solver's steps (ctrnn)",
        "Pearlmutter 1995",
    ),
    "continuous-rtrl": Entry(
        "learning.continuous:ContinuousRTRL", "of the differential equation, step by step (ctrnn)", "Pearlmutter 1995"
    ),
    # By values of the loss alone.
    "evolution-strategy": Entry(
        "learning.evolution_strategy:OpenAIES", "a gradient estimated from values of the loss", "Salimans et al. 2017"
    ),
    "cma-es": Entry(
        "learning.cma:CMAES",
        "a normal distribution over weights that takes the shape of the loss",
        "Hansen and Ostermeier 2001",
    ),
    "genetic": Entry(
        "learning.genetic:GeneticAlgorithm", "a population of networks, selection, crossover, mutation", "Holland 1975"
    ),
    "random-search": Entry(
        "learning.search:RandomSearch",
        "weights drawn anew, the best kept: the baseline of searches",
        "Schmidhuber and Hochreiter 1996",
    ),
    # Filters and read-outs, with a teacher and without.
    "kalman": Entry("learning.kalman:KalmanFilter", "extended Kalman filter over the weights", "Singhal and Wu 1988"),
    "ridge": Entry("learning.ridge:Ridge", "the best linear read-out, in closed form", "Jaeger 2001"),
    "rls": Entry(
        "learning.adaptive:RLS",
        "the best linear read-out for all steps so far, at every step",
        "Haykin, Adaptive filter theory",
    ),
    "lms": Entry("learning.adaptive:LMS", "least mean squares of the read-out, at every step", "Widrow and Hoff 1960"),
    "force": Entry(
        "learning.adaptive:FORCE",
        "recursive least squares of a read-out that feeds the network",
        "Sussillo and Abbott 2009",
    ),
    "intrinsic-plasticity": Entry(
        "learning.plasticity:IntrinsicPlasticity",
        "gain and bias of reservoir units, for outputs distributed as wanted",
        "Triesch 2005",
    ),
    "hebb": Entry("learning.plasticity:Hebb", "Hebb's rule for the read-out, with or without a teacher", "Hebb 1949"),
    "oja": Entry("learning.plasticity:Oja", "Hebb's rule with forgetting: principal components", "Oja 1982"),
}
"""`make(**settings)`; `make_rule` makes one of a name and settings."""
