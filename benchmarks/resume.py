"""Does training that is killed (kill -9) again and again end with the same bits as training that was not?

    python benchmarks/resume.py                 # 20 kills, into benchmarks/results/resume.json
    python benchmarks/resume.py --kills 3 --steps 60 --out - --json

A small network is trained once without interruption and once in as many lives as it takes: the first life ends at a
random moment of its start, each other one a random time after a random evaluation, so that some end while a checkpoint
is being written. At the end the SHA-256 of weights, optimiser state and best weights, the log and the metrics have to
be equal.
"""

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

EVERY = 5


def train(folder: Path, steps: int) -> int:
    """One life: a recurrent layer behind dropout, clipped Adam with a schedule, validation and its counters."""
    import jax
    import jax.numpy as jnp
    import optax

    import ostinato as ost
    from ostinato.data import FunctionBatches
    from ostinato.errors import OstinatoError
    from ostinato.layers import Dropout
    from ostinato.runs import Run
    from ostinato.training import fit

    def make(key: Any) -> ost.Examples:
        xs = jax.random.normal(key, (4, 9, 2))
        return ost.Examples(ost.SequenceBatch(xs), jnp.cumsum(xs, axis=1)[..., :1], jnp.full((4, 9), 1 / 36))

    k0, k1 = jax.random.split(jax.random.key(0))
    cell = ost.cells.Elman(2, 16, init="torch", key=k0)
    model = ost.Stack([Dropout(2, 0.2), cell, ost.Readout(16, 1, key=k1)])
    held_out = FunctionBatches(make, 1, seed=4, name="held out").at(0)
    optimizer = optax.chain(optax.clip_by_global_norm(1.0), optax.adam(optax.cosine_decay_schedule(1e-2, steps)))

    @jax.jit
    def score(model: Any, examples: ost.Examples) -> Any:
        return jnp.mean((ost.unroll(model, examples.inputs)[0] - examples.targets) ** 2)

    try:
        with Run(folder, {"steps": steps}, save_seconds=0.0) as run:
            fit(
                model,
                FunctionBatches(make, EVERY, seed=3),
                loss=ost.losses.squared,
                optimizer=optimizer,
                steps=steps,
                seed=7,
                run=run,
                validate=lambda model: {"mse": score(model, held_out)},
                patience=steps,
                callback=lambda event: print(event.kind, event.step, flush=True),
            )
    except OstinatoError as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr, flush=True)
        return error.exit_code
    return 0


def start(folder: Path, steps: int) -> "subprocess.Popen[str]":
    """A life in a process of its own."""
    command = [sys.executable, __file__, "--child", str(folder), "--steps", str(steps)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def watch(process: "subprocess.Popen[str]", step: int | None = None) -> list[float]:
    """The times of the evaluations, until that of a step, or to the end."""
    assert process.stdout is not None
    times = []
    for line in process.stdout:
        kind, at = line.split()
        if kind == "evaluation":
            times.append(time.monotonic())
            if step is not None and int(at) >= step:
                break
    return times


def kill(process: "subprocess.Popen[str]", folder: Path) -> dict[str, Any]:
    """End a life, and say what it left: where it stood, and whether it was writing."""
    process.kill()
    process.communicate()
    writing = sorted(p.name for p in folder.rglob(".ostinato-*"))
    whole = sorted(p.name for p in folder.glob("checkpoints/step-*"))
    return {"newest": whole[-1] if whole else None, "writing": writing}


def outcome(folder: Path) -> dict[str, Any]:
    """What has to be equal: checksums of the last checkpoint and of the best weights, evaluations, metrics."""
    newest = max(folder.glob("checkpoints/step-*"))
    files = json.loads((newest / "manifest.json").read_bytes())["files"]
    best = json.loads((folder / "best" / "manifest.json").read_bytes())["files"]
    records = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    evaluations = [r for r in records if r["kind"] == "evaluation"]
    metrics = json.loads((folder / "metrics.json").read_bytes())
    for record in [*evaluations, metrics["last"]]:
        record.pop("seconds")  # the one thing that may differ
    return {
        "checkpoint": newest.name,
        **{name: entry["sha256"] for name, entry in files.items()},
        "best/weights.safetensors": best["weights.safetensors"]["sha256"],
        "evaluations": evaluations,
        "metrics": metrics,
    }


def measure(kills: int, steps: int, seed: int, folder: Path) -> dict[str, Any]:
    """The whole comparison, in a folder that is empty."""
    draw, began = random.Random(seed), time.monotonic()
    alone = start(folder / "alone", steps)
    first = time.monotonic()
    times = watch(alone)
    if alone.wait():
        raise SystemExit(f"the uninterrupted run ended with {alone.returncode}")
    starting, period = times[0] - first, (times[-1] - times[0]) / (len(times) - 1)
    moments = sorted(draw.sample(range(EVERY, steps - EVERY, EVERY), kills - 1))
    lives = []
    for moment in [None, *moments]:
        process = start(folder / "killed", steps)
        if moment is not None:
            watch(process, moment)
        time.sleep(draw.uniform(0, starting if moment is None else period))
        lives.append({"after_evaluation": moment, **kill(process, folder / "killed")})
    last = start(folder / "killed", steps)
    watch(last)
    if last.wait():
        raise SystemExit(f"the last life ended with {last.returncode}")
    expected, found = outcome(folder / "alone"), outcome(folder / "killed")
    return {
        "bench": "resume",
        "claim": "killed at random moments and resumed, training ends with the bits of the uninterrupted run",
        "kills": len(lives),
        "while_writing": sum(bool(life["writing"]) for life in lives),
        "steps": steps,
        "seed": seed,
        "equal": {name: expected[name] == found[name] for name in expected},
        "holds": expected == found,
        "sha256": {name: value for name, value in expected.items() if name.endswith(".safetensors")},
        "lives": lives,
        "seconds": round(time.monotonic() - began, 1),
    }


def main() -> int:
    results = Path(__file__).parent / "results" / "resume.json"
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=20, help="how often (default 20)")
    parser.add_argument("--steps", type=int, default=400, help="of training (default 400)")
    parser.add_argument("--seed", type=int, default=0, help="of the moments (default 0)")
    parser.add_argument("--out", default=str(results), help="the result file; - for none")
    parser.add_argument("--json", action="store_true", help="the result on standard output")
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child is not None:
        return train(given.child, given.steps)
    if not 1 <= given.kills <= given.steps // EVERY - 1:
        parser.error(f"--kills: expected 1 to {given.steps // EVERY - 1}")
    with tempfile.TemporaryDirectory() as folder:
        result = measure(given.kills, given.steps, given.seed, Path(folder))
    from ostinato.runs.machine import describe_machine

    text = json.dumps({**result, "machine": describe_machine()}, indent=1)
    if given.out != "-":
        Path(given.out).write_text(text + "\n")
    if given.json:
        print(text)
    else:
        verdict = "equal" if result["holds"] else "NOT EQUAL"
        print(f"{result['kills']} kills, {result['while_writing']} of them while writing: {verdict}")
    return 0 if result["holds"] else 1


if __name__ == "__main__":
    sys.exit(main())
