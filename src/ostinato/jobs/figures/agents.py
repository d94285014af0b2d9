"""What a report says of a population of agents: who learned the task and when, and what is inside one network."""

import jax
import numpy as np

from ostinato.agents import AgentsResult, Learner, TaggedSarsa, play
from ostinato.agents.figures import learned_and_right
from ostinato.analysis import aligned, flush, tuning
from ostinato.environments import Environment
from ostinato.jobs.agent_settings import AgentSettings
from ostinato.runs import Evaluation, Score, Section
from ostinato.view import Curve, Lines, Table, Trial, numbers, section

WATCHED = 600
"""Steps for which a trained network is watched."""


def described(learner: Learner, env: Environment, result: AgentsResult, settings: AgentSettings) -> Evaluation:
    """Who learned the task and when, the learning curve, and what is inside one network."""
    summary = result.summary()
    learned, networks = summary["learned"], summary["networks"]
    words = f"{learned} of {networks} networks met the criterion"
    if learned:
        words += f", the median after {summary['median']:.0f} trials"
    words += f"; none made more than {settings.trials} trials." if learned < networks else "."
    sections = learned_and_right(result.learned, result.curve, result.curve_steps)
    if isinstance(learner, TaggedSarsa):
        sections += watched(learner, env, result)
    name, task = settings.learner, settings.environment
    figures = {"learned": float(learned), "networks": float(networks), "median trials": summary["median"]}
    scores = (Score(name, True, figures),)
    return Evaluation("agent", "", "", words, scores, tuple(sections), title=f"{name} on {task}")


def watched(learner: Learner, env: Environment, result: AgentsResult) -> list[Section]:
    """One network without learning and exploration: a trial, its units by condition, its values, its gates."""
    there = np.flatnonzero(result.learned >= 0)
    chosen = int(there[0]) if len(there) else 0
    one = jax.tree.map(lambda a: a[chosen : chosen + 1], result.students)
    made = {k: v[0] for k, v in play(learner, env, one, WATCHED).items()}
    ends = np.flatnonzero(made["done"])
    if len(ends) < 3:
        return []
    start, stop = int(ends[1]) + 1, int(ends[2]) + 1
    trial = Trial(
        tuple(map(tuple, made["observation"][start:stop].tolist())),
        tuple(env.inputs),
        tuple(env.actions[a] for a in made["action"][start:stop]),
        tuple(made["reward"][start:stop].tolist()),
    )
    figures, tables = [section("A trial", trial, "Of a trained network, without learning and exploration.")], []
    starts = ends[:-1] + 1
    length = int(np.median(np.diff(ends)))
    kinds = made["condition"][ends[1:]]
    windows = aligned(made["h"], starts, 0, length - 1)
    if len(np.unique(kinds)) > 1:
        # A network that has learned little ends its trials at once: then there is one step, the last.
        middle = windows[:, max(length - 2, 0)]
        whole = np.isfinite(middle).all(axis=1)
        explained = tuning(middle[whole], kinds[whole])
        title = "Tuning to the kind of trial, in the step before the last"
        tables.append(_by_unit(title, ("share of variance explained", "F"), explained.explained, explained.f))
        best = int(np.nanargmax(explained.explained))
        names = env.condition_names
        curves = {names[k]: np.nanmean(windows[kinds == k, :, best], axis=0) for k in np.unique(kinds)}
        figures.append(_over_steps(f"Memory unit {best} by kind of trial", curves, "activity"))
    values = aligned(made["q"], starts, 0, length - 1)
    first = kinds == kinds[0]
    curves = {a: np.nanmean(values[first, :, i], axis=0) for i, a in enumerate(env.actions)}
    kind = env.condition_names[int(kinds[0])]
    figures.append(_over_steps(f"Values of the actions in trials of the kind “{kind}”", curves, "value"))
    if "gate" in made:
        names = ("in the step that sees the end of a trial", "in the other steps")
        tables.append(_by_unit("Gates: near 0 the memory is replaced", names, *flush(made["gate"], made["done"])))
    return [*figures, *tables]


def _over_steps(title: str, curves: dict[str, np.ndarray], y_label: str) -> Section:
    shown = tuple(Curve(name, "other", numbers(ys)) for name, ys in curves.items())
    # Each value holds for one step, the last one too.
    held = tuple(Curve(n.name, n.role, (*n.y, n.y[-1])) for n in shown)
    label = "step after the end of the last trial"
    return section(title, Lines(numbers(range(len(held[0].y))), held, label, y_label, steps=True))


def _by_unit(title: str, names: tuple[str, str], *columns: np.ndarray) -> Section:
    rows = tuple((f"unit {u}", *map(float, row)) for u, row in enumerate(zip(*columns, strict=True)))
    return section(title, Table(("", *names), rows))
