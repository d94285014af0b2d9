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
from ostinato.runs import STOP_SIGNALS, Run, describe_machine, save_weights, write_file
from ostinato.view.agents import agents_report

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
        found = described(learner, env, result, settings)
        save_weights(folder / "model", result.students.carry.network, {"learned": result.learned.tolist()})
        run.write_json("agents.json", plain(found))
        report = folder / "report.html"
        write_file(report, agents_report(plain(found)).encode())
        run.write_json("metrics.json", plain({**found["summary"], "steps": result.steps}))
        run.write_json("environment.json", describe_machine())
    told = {"run": str(folder), **found["summary"], "verdict": found["verdict"], "seconds": result.seconds}
    told |= {"steps": result.steps, "report": str(report)}
    note(ctx, "")
    emit(ctx, told, lambda console: console.print(pairs(told.items())))


def described(learner: Learner, env: Environment, result: AgentsResult, settings: dict[str, Any]) -> dict[str, Any]:
    """Everything that the report shows."""
    summary = result.summary()
    name, task = settings["learner"], settings["environment"]
    words = f"{summary['learned']} of {summary['networks']} networks met the criterion"
    if summary["learned"]:
        words += f", the median after {summary['median']:.0f} trials"
    words += f"; none made more than {settings['trials']} trials." if summary["learned"] < summary["networks"] else "."
    with np.errstate(all="ignore"):
        there = np.isfinite(result.curve)
        mean = np.where(there, result.curve, 0).sum(axis=1) / there.sum(axis=1)
    found = {
        "title": f"{name} on {task}",
        "verdict": words,
        "summary": summary,
        "trials_to_criterion": result.learned.tolist(),
        "curve": {"steps": result.curve_steps.tolist(), "right": mean.tolist()},
        "settings": settings,
    }
    if isinstance(learner, TaggedSarsa):
        found |= watched(learner, env, result)
    return found


def watched(learner: Learner, env: Environment, result: AgentsResult) -> dict[str, Any]:
    """One network without learning and exploration: a trial, its units by condition, its values, its gates."""
    there = np.flatnonzero(result.learned >= 0)
    chosen = int(there[0]) if len(there) else 0
    one = jax.tree.map(lambda a: a[chosen : chosen + 1], result.students)
    made = {k: v[0] for k, v in play(learner, env, one, WATCHED).items()}
    ends = np.flatnonzero(made["done"])
    if len(ends) < 3:
        return {}
    start, stop = int(ends[1]) + 1, int(ends[2]) + 1
    trial = {k: made[k][start:stop].tolist() for k in ("observation", "action", "reward")}
    found: dict[str, Any] = {"trial": {**trial, "inputs": list(env.inputs), "actions": list(env.actions)}}
    starts = ends[:-1] + 1
    length = int(np.median(np.diff(ends)))
    kinds = made["condition"][ends[1:]]
    panels, tables = [], []
    windows = aligned(made["h"], starts, 0, length - 1)
    if len(np.unique(kinds)) > 1:
        # A network that has learned little ends its trials at once: then there is one step, the last.
        middle = windows[:, max(length - 2, 0)]
        whole = np.isfinite(middle).all(axis=1)
        explained = tuning(middle[whole], kinds[whole])
        rows = [[f"unit {u}", float(explained.explained[u]), float(explained.f[u])] for u in range(middle.shape[1])]
        tables.append(
            {
                "title": "Tuning to the kind of trial, in the step before the last",
                "head": ["", "share of variance explained", "F"],
                "rows": rows,
            }
        )
        best = int(np.nanargmax(explained.explained))
        curves = {f"condition {k}": np.nanmean(windows[kinds == k, :, best], axis=0).tolist() for k in np.unique(kinds)}
        panels.append(_panel(f"Memory unit {best} by kind of trial", curves, "activity"))
    values = aligned(made["q"], starts, 0, length - 1)
    first = kinds == kinds[0]
    curves = {a: np.nanmean(values[first, :, i], axis=0).tolist() for i, a in enumerate(env.actions)}
    panels.append(_panel(f"Values of the actions in trials of condition {int(kinds[0])}", curves, "value"))
    if "gate" in made:
        at_end, else_ = flush(made["gate"], made["done"])
        rows = [[f"unit {u}", float(a), float(b)] for u, (a, b) in enumerate(zip(at_end, else_, strict=True))]
        tables.append(
            {
                "title": "Gates: near 0 the memory is replaced",
                "head": ["", "in the step that sees the end of a trial", "in the other steps"],
                "rows": rows,
            }
        )
    return {**found, "inside": panels, "tables": tables}


def _panel(title: str, curves: dict[str, list[float]], y_label: str) -> dict[str, Any]:
    x = list(range(len(next(iter(curves.values())))))
    return {
        "title": title,
        "x": x,
        "curves": curves,
        "x_label": "step after the end of the last trial",
        "y_label": y_label,
    }


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
