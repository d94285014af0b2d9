"""A population of agents, trained to criterion: progress, checkpoints, resuming, and what came out."""

import contextlib
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from ostinato.agents.base import Learner
from ostinato.agents.figures import learned_and_right
from ostinato.agents.population import Criterion, Population, Student
from ostinato.data import stream
from ostinato.environments import Environment
from ostinato.errors import CorruptFile, Interrupted, SettingsError
from ostinato.runs.checkpoint import latest, save_checkpoint
from ostinato.runs.run import Run
from ostinato.training.progress import Event
from ostinato.view import Figure


class AgentsResult(NamedTuple):
    """What came out of a population.

    * `students`: every network with its state, its task and its record, leaves with the leading axis networks.
    * `learned`: trials to the criterion, -1 where it was not met; `trials`: how many were made; `unstable`.
    * `curve`: share of right trials, `(stretches, networks)`, and `curve_steps`, the steps after which each ends.
    * `steps`: of each network; `seconds`: without compilation.
    """

    students: Student
    learned: np.ndarray
    trials: np.ndarray
    unstable: np.ndarray
    curve: np.ndarray
    curve_steps: np.ndarray
    steps: int
    seconds: float

    def plot(self) -> Figure:
        """How many networks learned the task after how many trials, and the share of right answers on the way."""
        return Figure(*learned_and_right(self.learned, self.curve, self.curve_steps))

    def _repr_html_(self) -> str:
        return self.plot()._repr_html_()

    def __repr__(self) -> str:
        found = self.summary()
        median = "" if found["median"] is None else f", the median after {found['median']:.0f} trials"
        return f"AgentsResult({found['learned']} of {found['networks']} networks learned{median})"

    def summary(self) -> dict[str, Any]:
        """Share of networks that learned the task, and quantiles of their trials to criterion."""
        return summary_of(self.learned, self.unstable)


def summary_of(learned: np.ndarray, unstable: np.ndarray) -> dict[str, Any]:
    """How many networks learned a task, and quantiles of the trials that it took those."""
    there = learned[learned >= 0]
    found: dict[str, Any] = {
        "networks": len(learned),
        "learned": len(there),
        "share": len(there) / len(learned),
        "unstable": int(unstable.sum()),
    }
    for name, level in (("p10", 10), ("p25", 25), ("median", 50), ("p75", 75), ("p90", 90)):
        found[name] = float(np.percentile(there, level)) if len(there) else None
    return found


def train_agents(
    learner: Learner,
    env: Environment,
    *,
    networks: int = 64,
    trials: int = 100_000,
    criterion: Criterion | None = None,
    seed: int = 0,
    devices: int | None = None,
    blocks: int = 250,
    run: Run | None = None,
    callback: Callable[[Event], None] | None = None,
) -> AgentsResult:
    """Train networks 0, 1, 2, ... until each meets the criterion, becomes unstable, or has made `trials` trials.

    * `devices`: how many of JAX's devices share the networks; default all of them that divide their number.
    * `blocks`: of 32 steps between two looks from outside; checkpoints and signals wait for them.
    * `run`: a folder to log into and to go on from, bit for bit, after a stop.

    Raises `SettingsError`, `Interrupted`, `StorageError`, `CorruptFile`.

    ```python
    >>> from ostinato.agents import LEARNERS
    >>> from ostinato.environments import ReversalBandit
    >>> env = ReversalBandit()
    >>> learner = LEARNERS["recollect"].make(env.observation_size, env.action_size)
    >>> result = train_agents(learner, env, networks=2, trials=500, blocks=4, devices=1)
    >>> result.learned.shape, bool((result.trials >= 500).all())
    ((2,), True)

    ```
    """
    if networks < 1 or blocks < 1:
        raise SettingsError(f"networks, blocks: expected 1 or more, got {networks} and {blocks}")
    population = Population(learner, env, criterion or Criterion(), trials)
    shared = _devices(devices, networks)
    advance, key = population.advance(shared), stream(seed, "agents")
    students = population.begin(key, networks)
    done, curve, before = 0, np.zeros((0, networks), np.float32), 0.0
    if run is not None:
        found, notes = latest(run.checkpoints, students, {"curve": jax.ShapeDtypeStruct((), jnp.int32)})
        if found is not None:
            students, done = found.model, found.step
            curve, before = _restored(found.extra, networks, seed, found.path)
        run.log.rewind(done)
        for note in notes:
            run.log.write({"kind": "warning", "step": done, "message": note})
    began = saved = time.monotonic()
    total = networks * trials
    compiled = advance.lower(students, key, jnp.int32(0), blocks).compile()

    def tell(kind: str, message: str = "") -> None:
        if callback is not None:
            made = int(np.minimum(np.asarray(students.trials), trials).sum())
            learned = np.asarray(students.learned) >= 0
            right = float(np.nanmean(curve[-1])) if len(curve) and np.isfinite(curve[-1]).any() else float("nan")
            step = total if not bool(jnp.any(population.active(students))) else min(made, total)
            metrics = {"learned": float(learned.mean()), "right": right}
            seconds = before + time.monotonic() - began
            callback(Event(kind, step, total, done, float("nan"), metrics, seconds, message))

    def save() -> None:
        assert run is not None
        extra = {"curve": _plain(curve), "seed": seed, "seconds": before + time.monotonic() - began}
        save_checkpoint(run.checkpoints, done, students, {"curve": jnp.int32(len(curve))}, extra, keep=run.keep)

    began = saved = time.monotonic()
    tell("start" if done == 0 else "resume")
    with run.stopping() if run is not None else contextlib.nullcontext() as stopper:
        while bool(jnp.any(population.active(students))):
            students, share = compiled(students, key, jnp.int32(done))
            done += blocks
            found_share = np.asarray(share)
            there = np.isfinite(found_share)
            mean = np.where(there, found_share, 0).sum(0) / np.maximum(there.sum(0), 1)
            curve = np.concatenate([curve, np.where(there.any(0), mean, np.nan)[None].astype(np.float32)])
            tell("steps")
            if run is None:
                continue
            learned = int((np.asarray(students.learned) >= 0).sum())
            run.log.write({"kind": "steps", "step": done, "learned": learned})
            asked = stopper is not None and stopper.caught is not None
            if asked or time.monotonic() - saved >= run.save_seconds:
                save()
                saved = time.monotonic()
            if asked:
                assert stopper is not None
                raise Interrupted(
                    f"{stopper.caught}: stopped after {done * population.steps} steps, with a checkpoint; start it "
                    f"again with the folder {run.folder} to go on"
                )
    seconds = before + time.monotonic() - began
    if run is not None:
        save()
        run.write_metrics({"steps": done * population.steps, "seconds": seconds})
    tell("end")
    return AgentsResult(
        students,
        np.asarray(students.learned),
        np.asarray(students.trials),
        np.asarray(students.unstable),
        curve,
        (1 + np.arange(len(curve))) * blocks * population.steps,
        done * population.steps,
        seconds,
    )


def _devices(asked: int | None, networks: int) -> int:
    there = len(jax.devices())
    if asked is None:
        return max(n for n in range(1, there + 1) if networks % n == 0)
    if not 1 <= asked <= there or networks % asked:
        raise SettingsError(
            f"devices: expected 1 to {there}, among which {networks} networks can be shared equally, got {asked}"
        )
    return asked


def _plain(curve: np.ndarray) -> list[list[float | None]]:
    return [[None if not np.isfinite(v) else round(float(v), 4) for v in row] for row in curve]


def _restored(extra: Any, networks: int, seed: int, path: Any) -> tuple[np.ndarray, float]:
    try:
        rows = [[np.nan if v is None else float(v) for v in row] for row in extra["curve"]]
        there, seconds = int(extra["seed"]), float(extra["seconds"])
    except (KeyError, TypeError, ValueError) as error:
        raise CorruptFile(f"{path}: the manifest does not say where training stood ({error!r})") from error
    if there != seed:
        raise SettingsError(f"seed: {path} was made with {there}, {seed} asked for")
    return np.asarray(rows, np.float32).reshape(len(rows), networks), seconds
