"""Install the wheel beside the oldest and newest JAX, and build it where there is no compiler; ask the doctor in each.

    python benchmarks/wheels.py        # a few minutes; into benchmarks/results/wheels.json

A handler that does not fit the JAX it is registered with can keep JAX's CPU backend from starting, so each case is an
environment and a process of its own. Packages come from where pip finds them.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import venv
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
RESULT = HERE / "results" / "wheels.json"


def oldest() -> str:
    """The lower bound of JAX in pyproject.toml."""
    found = re.search(r'"jax>=([\d.]+)', (HERE.parent / "pyproject.toml").read_text())
    assert found
    return found.group(1)


def newest() -> str:
    """The version of JAX that the suite runs with."""
    found = re.search(r"^jax==([\d.]+)$", (HERE.parent / "constraints.txt").read_text(), re.MULTILINE)
    assert found
    return found.group(1)


def build(folder: Path, compiler: bool) -> Path:
    """The wheel, with or without a compiler at hand."""
    folder.mkdir()
    env = dict(os.environ) if compiler else {**os.environ, "CXX": str(folder / "no-compiler")}
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "--wheel-dir",
        str(folder),
        str(HERE.parent),
    ]
    subprocess.run(command, check=True, env=env)
    return next(folder.glob("*.whl"))


def examine(folder: Path, wheel: Path, jax: str) -> dict[str, Any]:
    """What the doctor says in a fresh environment with that JAX."""
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    subprocess.run([python, "-m", "pip", "install", "--quiet", f"jax=={jax}", f"jaxlib=={jax}", str(wheel)], check=True)
    done = subprocess.run(
        [folder / "bin" / "ostinato", "doctor", "--json", "--quiet"],
        capture_output=True,
        text=True,
        cwd=folder,
        check=False,
    )
    if done.returncode not in (0, 1):
        return {"jax": jax, "exit_code": done.returncode, "error": done.stderr[-2000:]}
    told = json.loads(done.stdout)
    differences = {c["kernel"]: max(c["forward"], c["gradients"]) for c in told["comparisons"]}
    keep = ("jax", "jaxlib", "equinox", "python")
    return {
        **{name: told["machine"][name] for name in keep},
        "native": told["native"],
        "healthy": told["healthy"],
        "largest_difference_by_kernel": differences,
    }


def main() -> int:
    """0 where every case is healthy, and the compiled loop runs where there was a compiler."""
    from ostinato.runs.machine import describe_machine

    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch)
        wheel, bare = build(root / "built", True), build(root / "bare", False)
        cases = {
            "oldest JAX": examine(root / "oldest", wheel, oldest()),
            "newest JAX": examine(root / "newest", wheel, newest()),
            "no compiler": examine(root / "without", bare, newest()),
        }
        result = {
            "what": "the wheel in fresh environments, `ostinato doctor` in each",
            "wheel_bytes": wheel.stat().st_size,
            "machine": describe_machine(),
            "cases": cases,
        }
    RESULT.write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps(cases, indent=1))
    healthy = all(case.get("healthy") for case in cases.values())
    compiled = all("compiled for" in cases[name].get("native", "") for name in ("oldest JAX", "newest JAX"))
    return 0 if healthy and compiled and "not installed" in cases["no compiler"]["native"] else 1


if __name__ == "__main__":
    sys.exit(main())
