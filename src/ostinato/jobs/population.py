"""A population of agents as the model of a job: made from settings, trained, saved and read again."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from ostinato.agents import Criterion, make_environment, make_learner, train_agents
from ostinato.agents.load import load_networks
from ostinato.agents.train import AgentsResult, summary_of
from ostinato.environments import Environment
from ostinato.environments.classification import WINDOWS, Classification
from ostinato.errors import SettingsError
from ostinato.jobs.agent_settings import AgentSettings
from ostinato.runs import Run, save_weights
from ostinato.runs.manifest import read_manifest
from ostinato.training import Event


class TrainedPopulation:
    """The learner, the task and the criterion that settings describe.

    After `fit`: `result_`, and `network_`, the networks with a leading axis. Raises `SettingsError`.
    """

    result_: AgentsResult
    network_: Any

    def __init__(self, settings: AgentSettings):
        self.asked = settings
        env = make_environment(settings.environment, settings.settings.task)
        self.learner = make_learner(settings.learner, env, settings.settings.learner)
        window = settings.window
        judged = isinstance(env, Classification) and window is None
        self.criterion = Criterion(settings.share, WINDOWS if judged else (window or 100,), examine=env.examined)
        if settings.networks < 1 or settings.trials < 1:
            raise SettingsError("--networks, --trials: expected 1 or more")

    def fit(
        self, env: Environment, *, run: Run, callback: Callable[[Event], None], devices: int | None = None
    ) -> "TrainedPopulation":
        """Train all networks; see `agents.train_agents`."""
        self.result_ = train_agents(
            self.learner,
            env,
            networks=self.asked.networks,
            trials=self.asked.trials,
            criterion=self.criterion,
            seed=self.asked.seed,
            devices=devices,
            run=run,
            callback=callback,
        )
        self.network_ = self.result_.students.carry.network
        return self

    def save(self, folder: Path) -> Path:
        """Write the networks, with the trials that each needed, -1 where it did not learn the task."""
        found = self.result_
        return save_weights(folder, self.network_, {n: getattr(found, n).tolist() for n in ("learned", "unstable")})

    def load(self, folder: Path) -> "TrainedPopulation":
        """Read the networks. Raises `CorruptFile`."""
        self.network_, _ = load_networks(folder, self.learner, self.asked.networks)
        return self


def noted(folder: Path) -> tuple[list[int], dict[str, Any]]:
    """What a run folder says of its networks: the trials that each needed, and their summary. Raises `CorruptFile`."""
    extra = read_manifest(folder / "model")["extra"]
    learned = np.asarray(extra["learned"], int)
    return learned.tolist(), summary_of(learned, np.asarray(extra.get("unstable", []), bool))
