"""Every picture of the README and of the pages, and the written parts of the README: `python docs/make_pictures.py`.

Those that show a job come out of its run folder, below `.cache/pictures`: a run that is there is not made again.
"""

import contextlib
import doctest
import json
import math
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from building import figures, readme
from building.inserts import PICTURES, ROOT

import ostinato as ost
from ostinato.runs import Section, read_record
from ostinato.view import SECTIONS, Line, flow_figure, line_figure, matrix_figure, standalone, trial_figure

RUNS = ROOT / ".cache" / "pictures"


def command(words: str) -> None:
    """Run a command of the library among the runs of the pictures."""
    RUNS.mkdir(parents=True, exist_ok=True)
    print("ostinato", words, flush=True)
    subprocess.run([str(Path(sys.executable).parent / "ostinato"), *words.split(), "--quiet"], cwd=RUNS, check=True)


def section(run: str, kind: str, title: str = "") -> str:
    """A figure of a report, as it is drawn for a desk."""
    evaluation = read_record(RUNS / "runs" / run).evaluation
    assert evaluation is not None
    found = next(s for s in evaluation.sections if s.kind == kind and title.lower() in s.title.lower())
    return wide(SECTIONS[kind](found))


def wide(markup: str) -> str:
    """The drawing for a desk of a figure that is drawn twice."""
    found = re.search(r"<svg.*?</svg>", markup, re.DOTALL)
    assert found is not None
    return found[0]


def forecast() -> str:
    """The sunspots of years that were held out."""
    command("demo --out runs/demo")
    return section("demo", "lines", "truth")


def horizon() -> str:
    """How the error grows with the distance."""
    command("demo --out runs/demo")
    command("fit forecast runs/sunspots.csv --target sunspots --time year --horizon 8 --out runs/ahead")
    return section("ahead", "lines", "horizon")


def learning_curve() -> str:
    """Loss of one network in training and on validation rows."""
    command("demo --out runs/demo")
    command("fit forecast runs/sunspots.csv --target sunspots --time year --hidden 16 --epochs 40 --out runs/alone")
    rows = [json.loads(line) for line in (RUNS / "runs/alone/log.jsonl").read_text().splitlines()]
    rows = [row for row in rows if row["kind"] == "evaluation" and "metrics" in row]
    steps = [row["step"] for row in rows]
    lines = [
        Line("training", steps, [row["loss"] for row in rows], "other"),
        Line("validation", steps, [row["metrics"]["validation"] for row in rows], "ours"),
    ]
    return line_figure(lines, label="Learning curve", x_label="steps", y_label="loss", y_kind="log")


def tutorial(name: str) -> None:
    """Run the first Python blocks of a tutorial, for the files that they write."""
    RUNS.mkdir(parents=True, exist_ok=True)
    text = (ROOT / "docs" / "tutorials" / f"{name}.md").read_text(encoding="utf-8").partition("```sh")[0]
    with contextlib.chdir(RUNS):
        test = doctest.DocTestParser().get_doctest(text, {}, name, name, 0)
        doctest.DocTestRunner().run(test)


def commands_of(name: str) -> list[str]:
    """The commands of a tutorial, without the word `ostinato`."""
    text = (ROOT / "docs" / "tutorials" / f"{name}.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```sh\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    return [line.removeprefix("ostinato ").replace("'", "") for block in blocks for line in block.splitlines()]


def confusion() -> str:
    """Which gesture is taken for which."""
    tutorial("classify")
    command(next(line for line in commands_of("classify") if line.startswith("fit")))
    return section("gestures", "confusion")


def communities() -> str:
    """Predicted against measured, communities that were held out."""
    tutorial("communities")
    command(next(line for line in commands_of("communities") if line.startswith("fit")))
    evaluation = read_record(RUNS / "runs" / "gut").evaluation
    assert evaluation is not None
    flat = [s for part in evaluation.sections for s in inside(part) if s.kind == "scatter"]
    return wide(SECTIONS["scatter"](max(flat, key=lambda s: len(s.data["truth"]))))


def inside(part: Any) -> list[Any]:
    """A section, or those that stand side by side in it."""
    if part.kind != "multiples":
        return [part]
    return [Section(**made) if isinstance(made, dict) else made for made in part.data["sections"]]


def influences() -> str:
    """Who influences whom, in the community of the tutorial."""
    communities()
    explained = ost.jobs.explain(RUNS / "runs" / "gut")
    found = [s for s in explained.page.sections if s.kind == "network"]
    return wide(SECTIONS["network"](found[0]))


def trial() -> str:
    """An anti-saccade, done right."""
    env = ost.environments.Antisaccade(delay=2, interval=1, end_signal=True)
    noise = jnp.array([0.6])
    state, seen = env.reset(noise)
    shown, actions, rewards = [seen.observation], [], []
    for action in (0, 0, 0, 0, 0, 0, 0, 2):
        state, seen = env.step(state, action, noise)
        shown.append(seen.observation)
        actions.append(env.actions[action])
        rewards.append(float(seen.reward))
    return trial_figure(
        np.asarray(shown[:-1]), env.inputs, label="a trial of the anti-saccade", actions=actions, rewards=rewards
    )


def reservoir() -> str:
    """Mackey-Glass by itself, beside the truth."""
    series = np.tanh(np.asarray(ost.tasks.mackey_glass(3300), float).ravel() - 1)
    model = ost.models.ESN(hidden_size=400, spectral_radius=0.9, leak=0.5, bias_scaling=0.2).fit(series[:3000])
    made = np.asarray(model.forecast(300)).ravel()
    steps = np.arange(300)
    lines = [Line("Mackey-Glass", steps, series[3000:], "truth"), Line("reservoir by itself", steps, made, "ours")]
    return line_figure(lines, label="A reservoir that runs by itself", x_label="steps", y_label="value")


def oscillator() -> str:
    """Two neurons that oscillate: the network of the study of that name."""
    from ostinato.studies.dynamics.oscillator import BIASES, START, WEIGHTS

    cell = ost.cells.CTRNN(0, 2, step=0.1, theta=BIASES, key=jax.random.key(0))
    cell = eqx.tree_at(lambda c: c.R, cell, jnp.array([WEIGHTS]))
    ys, _ = ost.unroll(ost.cells.RungeKutta(cell), jnp.zeros((1200, 0)), ost.cells.Potential(jnp.array(START)))
    at = np.arange(0, 1200, 3) * 0.1
    lines = [Line(f"neuron {i + 1}", at, np.asarray(ys[::3, i]), "ours" if i else "truth") for i in range(2)]
    return line_figure(lines, label="An oscillator of two neurons", x_label="time", y_label="output")


def graph() -> Any:
    """The graph of the page on signal flow."""
    from ostinato.graphs import Branch, Node, SignalFlowGraph

    branches = [
        *(Branch("x", "f", 0.5), Branch("x", "f", -0.25, delay=1), Branch("f", "f", 0.8, delay=1)),
        *(Branch("f", "s"), Branch("s", "f", -0.4, delay=2), Branch("s", "y", 1.5), Branch("f", "y", 0.2)),
    ]
    nodes = [Node("x"), Node("f"), Node("s", "tanh"), Node("y")]
    return SignalFlowGraph(nodes, branches, inputs=["x"], outputs=["y"])


def recall() -> str:
    """Two letters, spoiled, and as they are recalled."""
    from ostinato.associative import Hopfield, bipolar

    letters = bipolar(["10011001111110011001", "10001000100010001111"])
    spoiled = letters.at[:, :6].multiply(-1.0)
    found = Hopfield.store(letters).recall(spoiled, key=jax.random.key(0))
    parts = [np.asarray(p).reshape(2, 5, 4) for p in (letters, spoiled, found.state)]
    gap = np.full((5, 1), math.nan)
    rows = np.hstack([column for i in range(2) for part in parts for column in (part[i], gap)])
    names = [""] * rows.shape[1]
    return matrix_figure(rows.tolist(), [""] * 5, names, label="stored, spoiled, recalled: two letters")


DRAWN: dict[str, Callable[[], str]] = {
    **figures.PICTURES,
    "forecast": forecast,
    "horizon": horizon,
    "learning-curve": learning_curve,
    "confusion": confusion,
    "communities": communities,
    "influences": influences,
    "trial": trial,
    "reservoir": reservoir,
    "oscillator": oscillator,
    "flow": lambda: flow_figure(graph()),
    "flow-adjoint": lambda: flow_figure(graph().adjoint()),
    "recall": recall,
}


def main() -> None:
    """Make those that are named, or all."""
    PICTURES.mkdir(exist_ok=True)
    for name in sys.argv[1:] or DRAWN:
        (PICTURES / f"{name}.svg").write_text(standalone(DRAWN[name]()) + "\n", encoding="utf-8")
        print(f"docs/pictures/{name}.svg", flush=True)
    readme.README.write_text(readme.written(readme.README.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
