"""The job `agent`: many networks that learn a task from reward, until each meets a criterion."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from ostinato.errors import SettingsError
from ostinato.jobs.agent_settings import AgentSettings
from ostinato.jobs.base import Job
from ostinato.jobs.options import NETWORK, TRAINING, Option

if TYPE_CHECKING:
    from ostinato.environments import Environment
    from ostinato.jobs.population import TrainedPopulation
    from ostinato.runs import Evaluation, Record

TASK = "The task"


class Agent(Job):
    """Networks that learn by trial and error."""

    name, title, plural = "agent", "Agents", "agents"
    progress = "trials"
    help = """Train many networks on a task by trial and error, until each meets a criterion.

    How many trials that took is printed with quantiles; the report shows the learning curve, a trial, and the units of
    a trained network. Any setting of the task or of the learner: `--set task.shaping=0`, `--set learner.gate=1.0`.

    Example: `ostinato fit agent --task antisaccade --cell recollect --networks 64 --out runs/saccade`
    """
    source = None
    shorthand = MappingProxyType({"task.": "settings.task.", "learner.": "settings.learner."})
    options = (
        Option(
            "task",
            "See `ostinato list environments`.",
            group=TASK,
            default="antisaccade",
            part="",
            setting="environment",
        ),
        Option("delay", "Steps to remember, where the task has them.", int, TASK, "by task", part="settings.task"),
        Option(
            "interval", "Steps between trials, where the task has them.", int, TASK, "by task", part="settings.task"
        ),
        Option("end_signal", "An input that says that a trial ended.", bool, TASK, part="settings.task"),
        Option("curriculum", "Begin with short delays.", bool, TASK, part="settings.task"),
        Option("cell", "See `ostinato list learners`.", group=NETWORK, default="recollect", part="", setting="learner"),
        Option("networks", "How many, side by side.", int, TRAINING, "64", ""),
        Option("trials", "At most, of each network.", int, TRAINING, "100000", ""),
        Option("share", "Of the last trials that are to be right.", float, TRAINING, "0.85", ""),
        Option("window", "How many last trials.", int, TRAINING, "by task", ""),
        Option("seed", "Of everything random.", int, TRAINING, "0", ""),
        Option("devices", "That share the networks.", int, TRAINING, "all cores", None),
    )

    def settings(self) -> type:
        return AgentSettings

    def prepare(self, given: Mapping[str, Any]) -> None:
        """One device of JAX for each core, as long as the networks can be shared equally."""
        if "jax" in sys.modules:
            return
        devices, networks = given.get("devices"), given.get("networks") or AgentSettings.networks
        there = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        cores = devices if devices is not None else max(n for n in range(1, there + 1) if max(networks, 1) % n == 0)
        flag = f"--xla_force_host_platform_device_count={max(cores, 1)}"
        os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} {flag}".strip()

    def default_folder(self, source: Path | None, settings: AgentSettings) -> Path:
        del source
        return Path("runs") / settings.environment

    def read(self, source: Any, settings: AgentSettings) -> "Environment":
        """The task, which its settings describe; there is no file to read."""
        from ostinato.agents import make_environment
        from ostinato.environments import check_environment

        if source is not None:
            raise SettingsError(f"data: agents learn a task that their settings name, got {type(source).__name__}")
        env = make_environment(settings.environment, settings.settings.task)
        check_environment(env)
        return env

    def plan(self, settings: AgentSettings) -> tuple[str, ...]:
        """Which networks learn which task, until when: it may be minutes or hours, and nobody gave a file."""
        asked = f"{settings.networks} networks ({settings.learner}) learn the task {settings.environment}"
        until = f"each until {100 * settings.share:g} % of its last trials of each kind are right"
        return (
            f"{asked}, {until}, at most {settings.trials:,} trials. --task, --cell and --networks choose others.",
            "That may take minutes, or hours where a task is hard; stopped with Ctrl-C, the same command goes on.",
        )

    def split(self, data: "Environment", settings: AgentSettings) -> "tuple[Environment, Environment]":
        """All of it serves both: what counts is how soon the task is learned."""
        del settings
        return data, data

    def build(self, settings: AgentSettings) -> "TrainedPopulation":
        from ostinato.jobs.population import TrainedPopulation

        return TrainedPopulation(settings)

    def fit(self, model: Any, train: Any, run: Any, callback: Any, **options: Any) -> None:
        model.fit(train, run=run, callback=callback, **options)

    def evaluate(
        self, model: Any, baselines: Mapping[str, Any], held: "Environment", settings: AgentSettings
    ) -> "Evaluation":
        from ostinato.jobs.figures.agents import described

        return described(model.learner, held, model.result_, settings)

    def load(self, folder: Path, settings: AgentSettings) -> "TrainedPopulation":
        from ostinato.jobs.population import TrainedPopulation

        return TrainedPopulation(settings).load(folder)

    def about(self, record: "Record", folder: Path) -> dict[str, Any]:
        """Who learned the task, and quantiles of the trials that it took."""
        from ostinato.jobs.population import noted

        learned, summary = noted(folder)
        return {"summary": summary, "trials_to_criterion": learned}

    def outcome(self, record: "Record", folder: Path) -> dict[str, Any]:
        """Quantiles of the trials that it took, steps and seconds."""
        return self.about(record, folder)["summary"] | {n: record.metrics.get(n) for n in ("steps", "seconds")}
