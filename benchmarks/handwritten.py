"""The traced program beside the same LSTM step written by hand in C++: `python benchmarks/handwritten.py`.

Needs cmake and a compiler; builds the driver of `native/tests` for the widest instruction set of this machine in a
temporary folder, runs it three times, and keeps the median of each case in benchmarks/results/handwritten.json.
"""

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import Any

HERE = Path(__file__).resolve().parent
RESULT = HERE / "results" / "handwritten.json"
LINE = re.compile(r"(\w+) batch (\d+) hidden (\d+): program (\d+) ns, by hand (\d+) ns, ratio ([\d.]+)")


def main() -> int:
    """0 where every ratio keeps its bar: 1.10 from batch 8 on, 1.25 below."""
    from ostinato.kernels.native import library
    from ostinato.runs.machine import describe_machine

    found, why = library()
    if found is None:
        print(why, file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as folder:
        given = ["cmake", "-S", str(HERE.parent / "native"), "-B", folder, "-DOSTINATO_TESTS=ON"]
        subprocess.run(given, check=True, stdout=subprocess.DEVNULL)
        driver = f"handwritten_{found.build()}"
        subprocess.run(["cmake", "--build", folder, "--target", driver], check=True, stdout=subprocess.DEVNULL)
        text = "\n".join(
            subprocess.run([f"{folder}/{driver}"], check=True, capture_output=True, text=True).stdout for _ in range(3)
        )
    runs: dict[tuple[int, int], list[tuple[float, float]]] = {}
    for build, batch, hidden, program, by_hand, _ in LINE.findall(text):
        assert build == found.build()
        runs.setdefault((int(batch), int(hidden)), []).append((float(program), float(by_hand)))
    cases = [case(batch, hidden, pairs) for (batch, hidden), pairs in runs.items()]
    result = {"by_hand": cases, "build": found.build(), "machine": describe_machine()}
    RESULT.write_text(json.dumps(result, indent=1) + "\n")
    for row in cases:
        print(row)
    return 0 if cases and all(row["holds"] for row in cases) else 1


def case(batch: int, hidden: int, pairs: list[tuple[float, float]]) -> dict[str, Any]:
    """Medians of one size; nanoseconds a step of a forward pass, of one thread."""
    ratio, bar = median(program / by_hand for program, by_hand in pairs), 1.10 if batch >= 8 else 1.25
    return {
        "batch": batch,
        "hidden": hidden,
        "program_ns": median(program for program, _ in pairs),
        "by_hand_ns": median(by_hand for _, by_hand in pairs),
        "ratio": round(ratio, 3),
        "bar": bar,
        "holds": ratio <= bar,
    }


if __name__ == "__main__":
    sys.exit(main())
