"""What studies of agents have in common: a population trained to criterion, as a row of a table."""

from dataclasses import asdict
from typing import Any

from ostinato.agents import AgentsResult, Criterion, Learner, train_agents
from ostinato.environments import Environment
from ostinato.studies import StudySettings
from ostinato.view import Line, line_figure, standalone

INVESTIGATED = "measured anew for this library; no published figure"


def trained(
    settings: StudySettings,
    what: str,
    learner: Learner,
    env: Environment,
    networks: int,
    trials: int,
    criterion: Criterion | None = None,
    seed: int = 0,
) -> tuple[AgentsResult, dict[str, Any]]:
    """Train a population and note what came out; its figures for the detail of a claim."""
    criterion = criterion or Criterion()
    result = train_agents(learner, env, networks=networks, trials=trials, criterion=criterion, seed=seed)
    found = result.summary()
    settings.note(
        f"{what}: {found['learned']} of {networks} networks learned it within {trials} trials, median {found['median']}"
    )
    detail = {
        **found,
        "trials_at_most": trials,
        "trials_to_criterion": [int(n) for n in result.learned],
        "seconds": round(result.seconds, 1),
        "network_steps": result.steps * networks,
        "learner": type(learner).__name__,
        "settings": {f: getattr(learner, f) for f in learner.__dataclass_fields__},
        "task": {f: getattr(env, f) for f in env.__dataclass_fields__},
        "criterion": asdict(criterion),
        "seed": seed,
    }
    return result, detail


def draw_learned(claims: list[dict[str, Any]]) -> str:
    """How many networks have met the criterion after so many trials, one curve for each population of the claims."""
    lines, known = [], set()
    for claim in claims:
        times = claim["detail"].get("trials_to_criterion")
        label = claim["name"].split(":")[0]
        if not times or label in known:
            continue
        known.add(label)
        reached = sorted(t for t in times if t >= 0)
        lines.append(Line(label, [0, *reached], [n / len(times) for n in range(len(reached) + 1)], "other"))
    figure = line_figure(lines, label="networks that learned the task", x_label="trials", y_label="share", zero=True)
    return standalone(figure)
