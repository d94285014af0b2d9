"""The strict world in which every test and every doctest runs."""

import ast
import gc
import json
import os
import time
from collections import Counter
from importlib.util import find_spec
from pathlib import Path

# Two devices on any machine, so that sharded runs are tested everywhere; read by JAX when it is first imported.
FLAGS = ["--xla_force_host_platform_device_count=2"]
# `make test-full` compiles as users do, and checks the annotations of every function.
FULL = os.environ.get("OSTINATO_TEST_COMPILE") == "full"
# Compilation is most of the time of a test: it is cut to a third by leaving out what makes the programs fast.
if not FULL:
    FLAGS += [
        "--xla_backend_optimization_level=0",
        "--xla_cpu_use_fusion_emitters=false",
        "--xla_cpu_parallel_codegen_split_count=1",
    ]
os.environ["XLA_FLAGS"] = " ".join([os.environ.get("XLA_FLAGS", ""), *FLAGS]).strip()
os.environ.setdefault("JAX_PLATFORMS", "cpu")
# What was compiled once is not compiled again, in the next run neither.
os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(Path(__file__).parent / ".cache" / "jax"))
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES", "-1")

import jax
import pytest
from jaxtyping import _import_hook, install_import_hook

jax.config.update("jax_numpy_dtype_promotion", "strict")
jax.config.update("jax_numpy_rank_promotion", "raise")

# Annotations, shapes among them, are checked at every call; has to come before the first import of a room.
# The tower: an int is a float to beartype too, as it is to every type checker.
CHECKER = "beartype.beartype(conf=beartype.BeartypeConf(is_pep484_tower=True))"


class OutermostFunctions(_import_hook.JaxtypingTransformer):
    """Checks the functions of modules and classes, and not those that these define anew at every call: making their
    checks, again and again, is a third of the time of the tests that trace most."""

    def generic_visit(self, node: ast.AST) -> None:
        if not isinstance(node, ast.FunctionDef):
            super().generic_visit(node)


if not FULL:
    _import_hook.JaxtypingTransformer = OutermostFunctions
    CHECKER += " "  # compiled files are kept by this text
install_import_hook("ostinato", CHECKER)

# What is a class of another library cannot be read without it.
collect_ignore = [] if find_spec("sktime") else ["src/ostinato/interop/sktime.py"]

BEGAN = time.monotonic()
TIMES = Path(__file__).parent / ".cache" / "tests.json"
# What takes longest comes first, so that no worker is left alone with it at the end.
FIRST = (
    "tests/contract/test_grid.py",
    "tests/contract/test_conventions.py",
    "tests/contract/test_rule_grid.py",
    "tests/kernels/test_native.py",
    "tests/cli/test_bad_input.py",
)


def file_of(nodeid: str) -> str:
    return nodeid.split("::")[0]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    place = {name: index for index, name in enumerate(FIRST)}
    items.sort(key=lambda item: place.get(file_of(item.nodeid), len(FIRST)))


def pytest_collection_finish() -> None:
    """What was imported and collected stays until the end, and tracing makes little garbage: looking through it all at
    the collector's own rate is a tenth of the suite."""
    gc.freeze()
    gc.set_threshold(100_000, 20, 20)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """How long each file and the whole took is said and kept, where several workers ran them: that is the suite."""
    if not config.getoption("numprocesses", None):
        return
    files: Counter[str] = Counter()
    tests: Counter[str] = Counter()
    for report in (report for reports in terminalreporter.stats.values() for report in reports):
        if isinstance(report, pytest.TestReport):
            files[file_of(report.nodeid)] += report.duration
            tests[report.nodeid] += report.duration
    seconds = {name: round(value, 1) for name, value in (("whole", time.monotonic() - BEGAN), ("work", files.total()))}
    rounded = lambda counts, most: {name: round(value, 2) for name, value in counts.most_common(most)}
    TIMES.parent.mkdir(exist_ok=True)
    TIMES.write_text(
        json.dumps({"seconds": seconds, "tests": rounded(tests, 50), "files": rounded(files, None)}, indent=1)
    )
    slowest = ", ".join(f"{name} {value:.0f} s" for name, value in files.most_common(5))
    terminalreporter.write_line(f"{seconds['whole']:.0f} s in all; the longest files: {slowest} ({TIMES})")
