"""Agents from what a command or a run folder says: made by name and settings, and trained ones read again."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp

from ostinato.agents.actor import Actor
from ostinato.agents.base import Learner
from ostinato.agents.table import LEARNERS
from ostinato.environments import ENVIRONMENTS, Environment
from ostinato.errors import CorruptFile, DataError, SettingsError, did_you_mean
from ostinato.runs import load_weights, read_settings

WEIGHTS = "model"
"""Where a run folder keeps the networks."""


def make_environment(name: str, settings: Mapping[str, Any]) -> Environment:
    """A row of `ENVIRONMENTS`, made with settings. Raises `SettingsError` for an unknown name or setting."""
    return _made("task", ENVIRONMENTS, name, (), settings)


def make_learner(name: str, env: Environment, settings: Mapping[str, Any] | None = None) -> Learner:
    """A row of `LEARNERS` for a task. Raises `SettingsError` for an unknown name or setting."""
    given = ({"blank": env.blank} if name == "augment" else {}) | dict(settings or {})
    return _made("cell", LEARNERS, name, (env.observation_size, env.action_size), given)


def load_agent(folder: str | Path, network: int | None = None, *, learning: bool = False, seed: int = 0) -> Actor:
    """A trained network of a run of `ostinato fit agent`, ready to act in any world of Gymnasium's form.

    * `network`: which one; the first that met the criterion, or 0, where it is None.

    Raises `DataError` where the folder is no such run or has not ended, `CorruptFile` where it is damaged,
    `SettingsError` where there is no such network.
    """
    folder = Path(folder)
    if not (folder / "settings.toml").is_file():
        raise DataError(f"{folder}: not a run folder, it has no settings.toml")
    found = read_settings(folder)
    if found.get("task") != "agent":
        raise DataError(f"{folder}: expected a run of agents, got one of {found.get('task')!r:.40}")
    if not (folder / WEIGHTS).is_dir():
        raise DataError(f"{folder}: its training has not ended yet; run the same `fit agent` again to go on")
    try:
        given, count = found.get("settings", {}), int(found["networks"])
        env = make_environment(found["environment"], given.get("task", {}))
        learner = make_learner(found["learner"], env, given.get("learner", {}))
    except KeyError as error:
        raise CorruptFile(f"{folder / 'settings.toml'}: has no {error}") from error
    networks, extra = load_networks(folder / WEIGHTS, learner, count)
    if network is None:
        network = next((i for i, trials in enumerate(extra.get("learned", [])) if trials >= 0), 0)
    if not 0 <= network < count:
        raise SettingsError(f"network: expected 0 to {count - 1}, got {network}")
    one = jax.tree.map(lambda a: jnp.asarray(a)[network], networks)
    fresh: Any = learner.init(jax.random.key(seed))
    return Actor(learner, fresh._replace(network=one), learning=learning, seed=seed)


def load_networks(folder: Path, learner: Learner, count: int) -> tuple[Any, dict[str, Any]]:
    """So many networks of a learner from their folder, and what was noted with them. Raises `CorruptFile`."""
    keys = jax.ShapeDtypeStruct((count,), jax.random.key(0).dtype)
    like = eqx.filter_eval_shape(jax.vmap(learner.init), keys).network
    return load_weights(folder, like)


def _made(what: str, table: Any, name: str, sizes: tuple[int, ...], settings: Mapping[str, Any]) -> Any:
    if name not in table:
        raise SettingsError(f"{what}: expected one of {', '.join(table)}, got {name!r}{did_you_mean(name, table)}")
    known = table[name].make(*sizes)
    fields = [f for f in known.__dataclass_fields__ if f not in ("observation_size", "action_size")]
    for key, value in settings.items():
        if key not in fields:
            raise SettingsError(f"{name}: has no setting {key!r}; it has {', '.join(fields) or 'none'}")
        there = getattr(known, key)
        kinds = (int, float) if isinstance(there, float) else (int, type(None)) if there is None else (type(there),)
        if not isinstance(value, kinds) or (isinstance(value, bool) and not isinstance(there, bool)):
            raise SettingsError(f"{name}.{key}: expected {type(there).__name__}, got {value!r}")
    return table[name].make(*sizes, **settings)
