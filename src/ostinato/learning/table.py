"""The table of learning rules, read by the command line, the docs and the tests."""

import difflib
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ostinato.errors import SettingsError
from ostinato.learning.adaptive import FORCE, LMS, RLS
from ostinato.learning.base import Method, Rule
from ostinato.learning.bptt import BPTT
from ostinato.learning.cma import CMAES
from ostinato.learning.continuous import ContinuousBPTT, ContinuousRTRL
from ostinato.learning.crbp import CRBP, BackTsoi
from ostinato.learning.direct import DirectRule
from ostinato.learning.evolution_strategy import OpenAIES
from ostinato.learning.flow_adjoint import FlowAdjoint
from ostinato.learning.genetic import GeneticAlgorithm
from ostinato.learning.kalman import KalmanFilter
from ostinato.learning.kf_rtrl import KFRTRL
from ostinato.learning.local_rules import LSTM1997, RFLO, EProp
from ostinato.learning.plasticity import Hebb, IntrinsicPlasticity, Oja
from ostinato.learning.rbp import RBP
from ostinato.learning.ridge import Ridge
from ostinato.learning.rtrl import RTRL, Hybrid
from ostinato.learning.search import RandomSearch
from ostinato.learning.snap import SnAp
from ostinato.learning.truncated import TruncatedBPTT
from ostinato.learning.uoro import UORO


@dataclass(frozen=True)
class RuleEntry:
    """A row: how to make the rule, what it is, where it is from."""

    make: Callable[..., Method]
    description: str
    reference: str


RULES: dict[str, RuleEntry] = {
    # Exact through time, truncated, forward in time.
    "bptt": RuleEntry(BPTT, "exact on whole sequences, any model", "Werbos 1990"),
    "truncated-bptt": RuleEntry(
        TruncatedBPTT, "errors go back a window of steps; causal models, one output per step", "Williams and Peng 1990"
    ),
    "rtrl": RuleEntry(RTRL, "exact, one step at a time; diagonal where units do not meet", "Williams and Zipser 1989"),
    "hybrid": RuleEntry(Hybrid, "exact, blocks of steps in fixed storage", "Williams 1989, Schmidhuber 1992"),
    "lstm-1997": RuleEntry(
        LSTM1997, "errors end at gate inputs, exact inside the memory", "Hochreiter and Schmidhuber 1997"
    ),
    "snap": RuleEntry(SnAp, "a weight's effect within n steps; n=1 is local", "Menick et al. 2021"),
    "uoro": RuleEntry(UORO, "unbiased, two vectors in place of all derivatives", "Tallec and Ollivier 2018"),
    "kf-rtrl": RuleEntry(KFRTRL, "unbiased, a Kronecker product in place of all derivatives", "Mujika et al. 2018"),
    "rflo": RuleEntry(RFLO, "local traces of leaking units, random feedback", "Murray 2019"),
    "e-prop": RuleEntry(EProp, "local traces of any gated cell", "Bellec et al. 2020"),
    # For filters, signal-flow graphs and differential equations.
    "rbp": RuleEntry(RBP, "exact for filters as synapses (fir, iir)", "Campolucci et al. 1999"),
    "crbp": RuleEntry(
        CRBP, "causal and truncated, for filters as synapses (fir, iir), step by step", "Campolucci et al. 1999"
    ),
    "back-tsoi": RuleEntry(
        BackTsoi, "errors pass filters through their first taps alone (fir, iir)", "Back and Tsoi 1991"
    ),
    "flow-adjoint": RuleEntry(
        FlowAdjoint, "the reversed graph run on the errors, for signal-flow graphs", "Wan and Beaufays 1996"
    ),
    "continuous-bptt": RuleEntry(
        ContinuousBPTT, "of the differential equation, back through a solver's steps (ctrnn)", "Pearlmutter 1995"
    ),
    "continuous-rtrl": RuleEntry(
        ContinuousRTRL, "of the differential equation, step by step (ctrnn)", "Pearlmutter 1995"
    ),
    # By values of the loss alone.
    "evolution-strategy": RuleEntry(OpenAIES, "a gradient estimated from values of the loss", "Salimans et al. 2017"),
    "cma-es": RuleEntry(
        CMAES, "a normal distribution over weights that takes the shape of the loss", "Hansen and Ostermeier 2001"
    ),
    "genetic": RuleEntry(GeneticAlgorithm, "a population of networks, selection, crossover, mutation", "Holland 1975"),
    "random-search": RuleEntry(
        RandomSearch, "weights drawn anew, the best kept: the baseline of searches", "Schmidhuber and Hochreiter 1996"
    ),
    # Filters and read-outs, with a teacher and without.
    "kalman": RuleEntry(KalmanFilter, "extended Kalman filter over the weights", "Singhal and Wu 1988"),
    "ridge": RuleEntry(Ridge, "the best linear read-out, in closed form", "Jaeger 2001"),
    "rls": RuleEntry(
        RLS, "the best linear read-out for all steps so far, at every step", "Haykin, Adaptive filter theory"
    ),
    "lms": RuleEntry(LMS, "least mean squares of the read-out, at every step", "Widrow and Hoff 1960"),
    "force": RuleEntry(
        FORCE, "recursive least squares of a read-out that feeds the network", "Sussillo and Abbott 2009"
    ),
    "intrinsic-plasticity": RuleEntry(
        IntrinsicPlasticity, "gain and bias of reservoir units, for outputs distributed as wanted", "Triesch 2005"
    ),
    "hebb": RuleEntry(Hebb, "Hebb's rule for the read-out, with or without a teacher", "Hebb 1949"),
    "oja": RuleEntry(Oja, "Hebb's rule with forgetting: principal components", "Oja 1982"),
}


def make_rule(rule: str | Method, settings: Mapping[str, Any] | None = None) -> Rule | DirectRule:
    """The rule of a name in `RULES` with settings such as `{"window": 20}`, or the rule itself.

    Raises `SettingsError` for an unknown name or setting, and where one is missing.

    ```python
    >>> make_rule("truncated-bptt", {"window": 20})
    TruncatedBPTT(window=20, stride=20)

    ```
    """
    if not isinstance(rule, str):
        if settings:
            raise SettingsError("rule_settings: a rule that is made already brings its own")
        return _either(rule)
    if rule not in RULES:
        near = difflib.get_close_matches(rule, RULES, n=1, cutoff=0.5)
        advice = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(RULES)}"
        raise SettingsError(f"rule: no such rule {rule!r}; {advice}")
    settings, make = dict(settings or {}), RULES[rule].make
    known = inspect.signature(make).parameters
    for name in settings:
        if name not in known:
            raise SettingsError(f"rule_settings.{name}: no such setting of {rule}; it has {', '.join(known) or 'none'}")
    for name, parameter in known.items():
        plain = parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)
        if plain and parameter.default is parameter.empty and name not in settings:
            raise SettingsError(f"rule_settings.{name}: {rule} needs it")
    return _either(make(**settings))


def _either(rule: Method) -> Rule | DirectRule:
    if not isinstance(rule, Rule | DirectRule):
        raise SettingsError(f"rule: expected one that gives gradients or changes weights itself, got {rule!r}")
    return rule
