"""The table of studies, read by `ostinato study` and the docs; each module is loaded only when its study runs."""

from importlib import import_module  # noqa: TID251 - only names that stand in this file

from ostinato.errors import SettingsError
from ostinato.studies.base import Study

# Name to module of this room; the module has a constant STUDY. Written here, never taken from a file.
STUDIES: dict[str, str] = {
    "temperature": "ostinato.studies.temperature",
    "ett": "ostinato.studies.ett",
    "stocks": "ostinato.studies.stocks",
    "vowels": "ostinato.studies.vowels",
    "digits": "ostinato.studies.digits",
    "adding": "ostinato.studies.adding",
    "reber": "ostinato.studies.reber",
    "temporal-order": "ostinato.studies.temporal_order",
    "recollect": "ostinato.studies.recollect",
    "recollect-curriculum": "ostinato.studies.curriculum",
    "recollect-gates": "ostinato.studies.gates",
    "augment": "ostinato.studies.augment",
    "bandit": "ostinato.studies.bandit",
    "reward-speed": "ostinato.studies.reward_speed",
    "crbp": "ostinato.studies.crbp",
    "oscillator": "ostinato.studies.oscillator",
    "beer-agents": "ostinato.studies.beer_agents",
    "stream": "ostinato.studies.stream",
    "truncation": "ostinato.studies.truncation",
    "kalman": "ostinato.studies.kalman",
    "evolution": "ostinato.studies.evolution",
    "associative": "ostinato.studies.associative",
    "reservoir": "ostinato.studies.reservoir",
    "microbiome": "ostinato.studies.microbiome",
    "simulated-communities": "ostinato.studies.simulated_communities",
    "passages": "ostinato.studies.passages",
    "alkanes": "ostinato.studies.alkanes",
    "parity": "ostinato.studies.parity",
    "compressor": "ostinato.studies.compressor",
    "ntm": "ostinato.studies.ntm",
    "mtrnn": "ostinato.studies.mtrnn",
    "clockwork": "ostinato.studies.clockwork",
    "evolved-agents": "ostinato.studies.evolved_agents",
    "listops": "ostinato.studies.listops",
    "sentiment": "ostinato.studies.sentiment",
    "dnc": "ostinato.studies.dnc",
    "graph-traversal": "ostinato.studies.graph_traversal",
    "babi": "ostinato.studies.babi",
    "ntm-tasks": "ostinato.studies.ntm_tasks",
    "stack": "ostinato.studies.stack",
}


def load_study(name: str) -> Study:
    """The study of that name; raises `SettingsError` with the known names."""
    if name not in STUDIES:
        raise SettingsError(f"study: expected one of {', '.join(STUDIES)}, got {name!r}")
    return import_module(STUDIES[name]).STUDY
