"""The table of studies, read without JAX by the command and the docs; a module is loaded when its study runs."""

from importlib import import_module  # noqa: TID251 - only names that stand in this file
from typing import NamedTuple

from ostinato.errors import SettingsError, did_you_mean
from ostinato.studies.base import Study


class StudyEntry(NamedTuple):
    """A row: the wing (the folder that the study stands in), what is studied, and the data sets that it needs."""

    wing: str
    description: str
    data: tuple[str, ...] = ()


# A study is a file of its wing's folder with a function `run`, and `draw` where it has a picture. A dash in its name is
# an underscore in the file's.
STUDIES: dict[str, StudyEntry] = {
    "temperature": StudyEntry("series", "daily minimum temperature of Melbourne, one day ahead", ("univariate_small",)),
    "defaults": StudyEntry(
        "series",
        "A forecaster with nothing set on 25 measured series, beside linear maps, smoothing and theta (extra `demo`)",
        ("univariate_small", "vega_series", "etth1", "beijing_pm25", "exchange_rate", "santafe_laser"),
    ),
    "intervals": StudyEntry(
        "series",
        "Coverage of conformal intervals on 25 measured series, by simple forecasts (extra `demo`)",
        ("univariate_small", "vega_series", "etth1", "beijing_pm25", "exchange_rate", "santafe_laser"),
    ),
    "m4": StudyEntry("series", "M4, hourly and weekly: one network for all series of a kind", ("m4_hourly_weekly",)),
    "ett": StudyEntry("series", "ETTh1, oil temperature, 24 hours ahead", ("etth1",)),
    "stocks": StudyEntry("series", "S&P 500, one trading day ahead, beside the last price", ("vega_series",)),
    "verdicts": StudyEntry(
        "comparison", "Verdicts on models that are equal by construction: how often one is said to win"
    ),
    "vowels": StudyEntry(
        "sequences",
        "Japanese vowels: which of nine speakers; 270 sequences to train on, 370 to be judged by",
        ("japanese_vowels",),
    ),
    "digits": StudyEntry(
        "sequences", "Spoken digits: ten words by six speakers, the official split and each speaker left out", ("fsdd",)
    ),
    "classifiers": StudyEntry(
        "sequences",
        "The classifier as it comes on 17 sets, beside the nearest neighbour and linear maps (four sets are in the "
        "catalogue, the others ship inside packages that have to be installed)",
        ("japanese_vowels", "indoor_movement", "unipen_digits", "fsdd"),
    ),
    "adding": StudyEntry("sequences", "The adding problem over 1000 steps: IndRNN beside a tanh RNN"),
    "reber": StudyEntry("sequences", "Embedded Reber grammar: an LSTM of eight units beside an Elman network"),
    "temporal-order": StudyEntry(
        "sequences", "Temporal order of two and three marked symbols: an LSTM of eight units beside an Elman network"
    ),
    "parity": StudyEntry("sequences", "Parity of 256 bits after training on 40: Elman network, LSTM, sLSTM, minGRU"),
    "compressor": StudyEntry(
        "sequences", "Neural history compressor: long time lags in streams that are mostly predictable"
    ),
    "clockwork": StudyEntry(
        "sequences", "A clockwork network beside a plain one with as many weights, generating signals"
    ),
    "associative": StudyEntry(
        "memory", "Memories that settle: load of a Hopfield network, Kosko's BAM, a latch and a reverberating loop"
    ),
    "ntm": StudyEntry(
        "memory", "Copying with a neural Turing machine, to three times the length of training, beside an LSTM"
    ),
    "dnc": StudyEntry(
        "memory", "Repeat copy with a differentiable neural computer, and with its memory resized afterwards"
    ),
    "graph-traversal": StudyEntry(
        "memory", "Paths through random graphs of up to 8 nodes: differentiable neural computer and LSTM"
    ),
    "babi": StudyEntry(
        "memory", "bAbI tasks 1 and 20, a line a step: differentiable neural computer and LSTM", ("babi_en",)
    ),
    "ntm-tasks": StudyEntry(
        "memory", "Repeat copy, associative recall, N-grams, priority sort: a neural Turing machine and an LSTM"
    ),
    "stack": StudyEntry(
        "memory", "Reversal and nested brackets beyond the training: a network with a stack, and an LSTM"
    ),
    "recollect": StudyEntry(
        "reward", "RECOLLECT on delayed pro- and anti-saccades, beside AuGMEnT and gradients through time"
    ),
    "recollect-curriculum": StudyEntry("reward", "RECOLLECT with a delay of five steps: does a curriculum help?"),
    "recollect-gates": StudyEntry("reward", "RECOLLECT: plasticity of the gates from 0.1 to 2.5 times"),
    "augment": StudyEntry("reward", "AuGMEnT: saccades with and without shaping, classification of shapes"),
    "bandit": StudyEntry("reward", "RECOLLECT learns to learn: a reversal bandit with the weights held still"),
    "reward-speed": StudyEntry("reward", "speed of 64 RECOLLECT networks on all devices"),
    "crbp": StudyEntry(
        "learning", "CRBP beside RBP on random networks, and beside Back and Tsoi's rule on their system"
    ),
    "stream": StudyEntry("learning", "a stream of 1,000,000 steps learned online, in constant memory"),
    "truncation": StudyEntry(
        "learning", "gradient error of truncated BPTT against its window and the Lyapunov exponent"
    ),
    "kalman": StudyEntry("learning", "Samples that an extended Kalman filter and Adam need to predict Mackey-Glass"),
    "evolution": StudyEntry(
        "learning", "The genetic algorithm: XOR in time to each stopping rule, an oscillator of two neurons"
    ),
    "oscillator": StudyEntry("dynamics", "Beer's oscillator of two neurons: its period by each integrator"),
    "beer-agents": StudyEntry(
        "dynamics", "Beer's evolved visual agent and walker, run again to the published digits", ("beer_agents",)
    ),
    "mtrnn": StudyEntry("dynamics", "Movements put together from primitives, by fast and slow units"),
    "evolved-agents": StudyEntry(
        "dynamics", "An agent that tells discs from lines and a leg that walks, evolved from random networks"
    ),
    "reservoir": StudyEntry(
        "reservoirs",
        "Echo-state networks: NARMA-10, Mackey-Glass by itself, the Santa Fe laser, short-term memory",
        ("santafe_laser",),
    ),
    "alkanes": StudyEntry(
        "trees", "Boiling points of 150 alkanes by tree echo-state networks, ten-fold cross-validation", ("alkanes",)
    ),
    "listops": StudyEntry("trees", "Nested list operations by a recursive network over their trees", ("listops",)),
    "sentiment": StudyEntry("trees", "Sentiment of sentences by a recursive network over their trees", ("sst",)),
    "microbiome": StudyEntry(
        "communities", "synthetic gut communities: 25 species and 4 metabolites over 48 hours", ("microbiome",)
    ),
    "simulated-communities": StudyEntry(
        "communities", "simulated communities: a network beside Lotka-Volterra, pairs and strong threes"
    ),
    "passages": StudyEntry(
        "communities", "gut communities of 12 species with serial dilution over 60 hours", ("microbiome-passages",)
    ),
}


def load_study(name: str) -> Study:
    """The study of that name; raises `SettingsError` with the known names."""
    if name not in STUDIES:
        raise SettingsError(f"study: expected one of {', '.join(STUDIES)}, got {name!r}{did_you_mean(name, STUDIES)}")
    module = import_module(f"ostinato.studies.{STUDIES[name].wing}.{name.replace('-', '_')}")
    return Study(module.run, getattr(module, "draw", None))
