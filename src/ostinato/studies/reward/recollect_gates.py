"""RECOLLECT with slower and faster gates, and whether slow plasticity of the gates is what makes learning stable."""

from typing import Any

from ostinato.agents import make_learner
from ostinato.environments import Antisaccade
from ostinato.studies import Bar, Claim, StudySettings
from ostinato.view import Line, line_figure, standalone

from .population import trained

GATES = (0.1, 0.25, 0.4, 0.6, 1.0, 1.5, 2.5)
NETWORKS, TRIALS = 32, 80_000
SOURCE = "van den Berg, Roelfsema and Bohte 2024, by an article about it: fast gates make learning less stable"


def run(settings: StudySettings) -> list[Claim]:
    """The learning rate of gates from 0.1 to 2.5 times that of the other synapses, with the end signal, delay 2."""
    networks, trials = (2, 300) if settings.quick else (NETWORKS, TRIALS)
    env = Antisaccade(interval=1, delay=2, end_signal=True)
    claims = []
    for gate in GATES[::6] if settings.quick else GATES:
        learner = make_learner("recollect", env, {"gate": gate})
        _, found = trained(settings, f"gates at {gate:g}", learner, env, networks, trials)
        beside = {"share that learned": found["share"], "unstable networks": float(found["unstable"])}
        name = f"gates at {gate:g} times: median trials"
        claims.append(Claim(name, SOURCE, None, found["median"], Bar.reported(), beside, found))
    slow, fast = claims[0].detail, claims[-1].detail
    name = "share that learned, gates at 0.1 times less gates at 2.5 times (the claim: more than 0)"
    difference = slow["share"] - fast["share"]
    verdict = {
        "what_it_says": "a difference above 0 supports the claim that slower gates are more stable; the medians of the "
        "rows above say how fast they are"
    }
    beside = {"unstable, slow": float(slow["unstable"]), "unstable, fast": float(fast["unstable"])}
    return [*claims, Claim(name, SOURCE, None, difference, Bar.above(0), beside, verdict)]


def draw(claims: list[dict[str, Any]]) -> str:
    """Median trials to criterion, with quartiles, over the plasticity of the gates."""
    rows = [c["detail"] for c in claims if "settings" in c["detail"]]
    gates = [detail["settings"]["gate"] for detail in rows]
    number = lambda v: float("nan") if v is None else v
    lines = [
        Line(name, gates, [number(detail[key]) for detail in rows], "ours" if key == "median" else "other", True)
        for name, key in (("median", "median"), ("first quartile", "p25"), ("third quartile", "p75"))
    ]
    x, y = "plasticity of gates relative to other synapses", "trials to criterion"
    return standalone(line_figure(lines, label="plasticity of gates", x_label=x, y_label=y, zero=True))
