"""Where the instructions of a training step go, counted by callgrind: `python benchmarks/instructions.py`.

An LSTM of 128 units, 32 rows, 200 steps, 32 inputs: value and gradients of its weights, twice, on one thread. Needs
valgrind; takes minutes, most of them for JAX to compile. As valgrind knows no AVX-512, it is the AVX2 build that is
counted. What is kept in benchmarks/results/instructions.json: instructions by function of the compiled kernels, those
without a name (the loop itself and its vector programs) together, and of everything else.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
RESULT = HERE / "results" / "instructions.json"
BATCH, TIME, INPUT, HIDDEN, REPEATS = 32, 200, 32, 128, 2
LINE = re.compile(r"^\s*([\d,]+) \([^)]*\)\s+\S*?:(.+?)\s*(?:\[([^\]]*)\])?$")
NAMED = re.compile(r"ostinato::\w+::(\w+)<")


def main(arguments: list[str]) -> int:
    """0, or 2 where valgrind is not there; with `inside` the program that is counted."""
    if arguments == ["inside"]:
        return inside()
    if shutil.which("valgrind") is None:
        print("valgrind is not installed", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as folder:
        found = f"{folder}/callgrind.out"
        tool = ["valgrind", "--tool=callgrind", "--instr-atstart=no", f"--callgrind-out-file={found}"]
        subprocess.run([*tool, sys.executable, __file__, "inside"], check=True)
        shown = subprocess.run(
            ["callgrind_annotate", "--threshold=100", found], check=True, capture_output=True, text=True
        )
    keep(shown.stdout)
    return 0


def inside() -> int:
    """Two training steps between switching the counting on and off."""
    os.environ["OSTINATO_THREADS"] = "1"
    import equinox as eqx
    import jax
    import jax.numpy as jnp

    import ostinato as ost

    cell = ost.cells.LSTM(INPUT, HIDDEN, key=jax.random.key(0))
    xs = jax.random.normal(jax.random.key(1), (BATCH, TIME, INPUT))
    weights, rest = eqx.partition(cell, eqx.is_array)

    @jax.jit
    def train(weights: Any, xs: Any) -> Any:
        loss = lambda w: jnp.sum(jnp.square(ost.unroll(eqx.combine(w, rest), xs, kernel="native")[0]))
        return jax.value_and_grad(loss)(weights)

    jax.block_until_ready(train(weights, xs))
    count = lambda on: subprocess.run(["callgrind_control", "-i", on, str(os.getpid())], check=True)
    count("on")
    for _ in range(REPEATS):
        jax.block_until_ready(train(weights, xs))
    count("off")
    return 0


def keep(shown: str) -> None:
    """Write the result from what `callgrind_annotate` shows."""
    from ostinato.runs.machine import describe_machine

    shares: Counter[str] = Counter()
    for line in shown.splitlines():
        if (found := LINE.match(line)) and "PROGRAM TOTALS" not in line:
            number, function, library = found.groups()
            if "_native" in (library or ""):
                name = NAMED.search(function)
                function = name.group(1) if name else "loop and vector programs"
            else:
                function = "outside the kernels"
            shares[function] += int(number.replace(",", ""))
    # Multiply-adds of the three products: forward with the inputs, backward, gradients of both matrices.
    gates, rows = 4 * HIDDEN, BATCH * TIME
    multiply_adds = rows * gates * (2 * (HIDDEN + INPUT) + HIDDEN)
    result = {
        "instructions": {name: count // REPEATS for name, count in shares.most_common()},
        "case": {"batch": BATCH, "time": TIME, "input": INPUT, "hidden": HIDDEN, "cell": "lstm"},
        "vector_multiply_adds_of_8": multiply_adds // 8,
        "machine": describe_machine(),
    }
    RESULT.write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps(result["instructions"], indent=1))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
