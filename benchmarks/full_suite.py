"""Run every test, the large grid and the long runs among them, and keep the outcome: `make test-full`.

    python benchmarks/full_suite.py                     # everything, into benchmarks/results/full-suite.json
    python benchmarks/full_suite.py -m full tests/contract
    python benchmarks/full_suite.py --failed            # what failed in the kept outcome once more, after a correction
    python benchmarks/full_suite.py --out rule-grid.json -m full tests/contract/test_rule_grid.py

`--out`, first, is another file beside it; what follows goes to pytest as it is. A test that was run again stands in the
outcome under `run_again`.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results"
EVERYTHING = ["-m", "full or not full"]


def summary(report: Path) -> dict[str, Any]:
    """Outcomes of a JUnit report: in all, by file, and the names of what failed or was skipped."""
    by_file: dict[str, Counter[str]] = {}
    named: dict[str, list[str]] = {"failed": [], "skipped": []}
    for case in ElementTree.parse(report).getroot().iter("testcase"):
        outcome = "passed"
        if case.find("failure") is not None or case.find("error") is not None:
            outcome = "failed"
        elif case.find("skipped") is not None:
            outcome = "skipped"
        by_file.setdefault(case.get("classname", ""), Counter())[outcome] += 1
        if outcome in named:
            named[outcome].append(f"{case.get('classname')}::{case.get('name')}")
    total = sum(by_file.values(), Counter())
    return {"outcomes": dict(total), **named, "by_file": {name: dict(count) for name, count in sorted(by_file.items())}}


def main(arguments: list[str]) -> int:
    """The exit code of pytest."""
    from ostinato.runs.machine import describe_machine

    path = RESULTS / "full-suite.json"
    if arguments[:1] == ["--out"]:
        path, arguments = RESULTS / arguments[1], arguments[2:]
    before = json.loads(path.read_text()) if arguments == ["--failed"] else None
    given = arguments or EVERYTHING
    if before is not None:
        given = [*EVERYTHING, *map(node, before["failed"])]
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        began = time.monotonic()
        command = ["pytest", "-n", "2", "--dist", "loadfile", "--no-loadscope-reorder", *given]
        ended = subprocess.run([sys.executable, "-m", *command, f"--junitxml={report}"], cwd=HERE.parent, check=False)
        result = {
            "suite": " ".join(command),
            "seconds": round(time.monotonic() - began, 1),
            "machine": describe_machine(),
            **summary(report),
        }
    path.write_text(json.dumps(result if before is None else corrected(before, result), indent=1) + "\n")
    return ended.returncode


def node(name: str) -> str:
    """`tests.kernels.test_native::test_x[a]` as pytest takes it."""
    module, test = name.split("::", 1)
    return f"{module.replace('.', '/')}.py::{test}"


def corrected(before: dict[str, Any], again: dict[str, Any]) -> dict[str, Any]:
    """The earlier outcome with what became of the tests that had failed in it."""
    mended = [name for name in before["failed"] if name not in again["failed"]]
    outcomes = Counter(before["outcomes"])
    outcomes.subtract(failed=len(mended), passed=-len(mended))
    by_file = {name: Counter(count) for name, count in before["by_file"].items()}
    for name in mended:
        by_file[name.split("::", 1)[0]].subtract(failed=1, passed=-1)
    kept = {"outcomes": dict(+outcomes), "by_file": {name: dict(+count) for name, count in by_file.items()}}
    return {**before, **kept, "failed": again["failed"], "run_again": [*before.get("run_again", []), *mended]}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
