"""What `ostinato fit agent` does: train, look inside, write it down."""

import signal
import tomllib
from pathlib import Path
from typing import Any

import jax
import numpy as np
import typer

from ostinato.agents import (
    AgentsResult,
    Criterion,
    Learner,
    TaggedSarsa,
    make_environment,
    make_learner,
    play,
    train_agents,
)
from ostinato.analysis import aligned, flush, tuning
from ostinato.cli.output import emit, note, pairs, plain
from ostinato.cli.progress import Bar
from ostinato.cli.work import move_aside
from ostinato.environments import Environment, check_environment
from ostinato.environments.classification import WINDOWS, Classification
from ostinato.errors import SettingsError
from ostinato.runs import STOP_SIGNALS, Evaluation, Run, Score, Section, describe_machine, save_weights
from ostinato.view import Curve, Lines, Table, Trial, numbers, section, write_report

WATCHED = 600
"""Steps for which a trained network is watched."""


def fit_agent(
    ctx: typer.Context,
    settings: dict[str, Any],
    given: dict[str, Any],
    overrides: list[str],
    folder: Path,
    devices: int | None,
    resume: bool,
    fresh: bool,
) -> None:
    """Train a population into a run folder and print what came out."""
    task = {name: value for name, value in given.items() if value is not None}
    options: dict[str, Any] = {}
    for name, value in _parsed(overrides):
        (task if name[0] == "task" else options)[name[1]] = value
    env = make_environment(settings["environment"], task)
    check_environment(env)
    learner = make_learner(settings["learner"], env, options)
    window = settings["window"]
    judged = isinstance(env, Classification) and window is None
    criterion = Criterion(settings["share"], WINDOWS if judged else (window or 100,), examine=env.examined)
    # Refused before there is a folder.
    if settings["networks"] < 1 or settings["trials"] < 1:
        raise SettingsError("--networks, --trials: expected 1 or more")
    if fresh:
        move_aside(ctx, folder)
    table = {"task": "agent", **settings, "settings": {"task": task, "learner": options}}
    with Run(folder, table, resume=resume, signals=(*STOP_SIGNALS, signal.SIGINT)) as run:
        with Bar(ctx, "trials") as bar:
            result = train_agents(
                learner,
                env,
                networks=settings["networks"],
                trials=settings["trials"],
                criterion=criterion,
                seed=settings["seed"],
                devices=devices,
                run=run,
                callback=bar,
            )
        made = described(learner, env, result, settings)
        save_weights(folder / "model", result.students.carry.network, {"learned": result.learned.tolist()})
        run.write_json("evaluation.json", made.to_dict())
        run.write_json("metrics.json", plain({**result.summary(), "steps": result.steps}))
        run.write_json("environment.json", describe_machine())
        report = write_report(folder)
    told = {"run": str(folder), **result.summary(), "verdict": made.verdict, "seconds": result.seconds}
    told |= {"steps": result.steps, "report": str(report)}
    note(ctx, "")
    emit(ctx, told, lambda console: console.print(pairs(told.items())))


def described(learner: Learner, env: Environment, result: AgentsResult, settings: dict[str, Any]) -> Evaluation:
    """Who learned the task and when, the learning curve, and what is inside one network."""
    summary = result.summary()
    learned, networks = summary["learned"], summary["networks"]
    words = f"{learned} of {networks} networks met the criterion"
    if learned:
        words += f", the median after {summary['median']:.0f} trials"
    words += f"; none made more than {settings['trials']} trials." if learned < networks else "."
    sections = []
    times = np.sort(result.learned[result.learned >= 0])
    if len(times):
        share = Curve("networks", "ours", numbers(np.arange(len(times) + 1) / networks))
        drawn = Lines((0.0, *numbers(times)), (share,), "trials", "share of networks", zero=True)
        sections.append(section("Networks that learned the task", drawn))
    if len(result.curve_steps):
        with np.errstate(all="ignore"):
            there = np.isfinite(result.curve)
            mean = np.where(there, result.curve, 0).sum(axis=1) / there.sum(axis=1)
        right = Curve("mean of the networks that still learn", "ours", numbers(mean))
        drawn = Lines(numbers(result.curve_steps), (right,), "steps", "share of right answers", zero=True)
        sections.append(section("Learning curve", drawn))
    if isinstance(learner, TaggedSarsa):
        sections += watched(learner, env, result)
    name, task = settings["learner"], settings["environment"]
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
        curves = {f"condition {k}": np.nanmean(windows[kinds == k, :, best], axis=0) for k in np.unique(kinds)}
        figures.append(_over_steps(f"Memory unit {best} by kind of trial", curves, "activity"))
    values = aligned(made["q"], starts, 0, length - 1)
    first = kinds == kinds[0]
    curves = {a: np.nanmean(values[first, :, i], axis=0) for i, a in enumerate(env.actions)}
    figures.append(_over_steps(f"Values of the actions in trials of condition {int(kinds[0])}", curves, "value"))
    if "gate" in made:
        names = ("in the step that sees the end of a trial", "in the other steps")
        tables.append(_by_unit("Gates: near 0 the memory is replaced", names, *flush(made["gate"], made["done"])))
    return [*figures, *tables]


def _over_steps(title: str, curves: dict[str, np.ndarray], y_label: str) -> Section:
    shown = tuple(Curve(name, "other", numbers(ys)) for name, ys in curves.items())
    steps = len(shown[0].y)
    label = "step after the end of the last trial"
    return section(title, Lines(numbers(range(steps)), shown, label, y_label, points=steps < 40))


def _by_unit(title: str, names: tuple[str, str], *columns: np.ndarray) -> Section:
    rows = tuple((f"unit {u}", *map(float, row)) for u, row in enumerate(zip(*columns, strict=True)))
    return section(title, Table(("", *names), rows))


def _parsed(overrides: list[str]) -> list[tuple[list[str], Any]]:
    """`task.delay=3` as `(["task", "delay"], 3)`."""
    found = []
    for text in overrides:
        path, equals, value = text.partition("=")
        name = path.strip().split(".")
        if not equals or len(name) != 2 or name[0] not in ("task", "learner"):
            raise SettingsError(f"--set: expected task.NAME=VALUE or learner.NAME=VALUE, got {text!r}")
        try:
            found.append((name, tomllib.loads(f"value = {value}")["value"]))
        except tomllib.TOMLDecodeError:
            found.append((name, value.strip()))
    return found
