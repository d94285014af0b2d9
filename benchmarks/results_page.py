"""Write `docs/explanation/results.md` from the result files beside this script: `python benchmarks/results_page.py`."""

import json
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
PAGE = HERE.parent / "docs" / "explanation" / "results.md"

VERDICTS = {True: "yes", False: "no", None: "-"}

HEAD = """# Results

Every figure here was computed by a command that you can run, on the machine named beside it; the files are in
`benchmarks/results`. Baselines stand beside ours, also where they win; a figure without a bar has no verdict (-). This
page is written by `python benchmarks/results_page.py`.
"""


def page() -> str:
    """The whole page."""
    files = {path: json.loads(path.read_text()) for path in sorted((HERE / "results").glob("*.json"))}
    studies = [study(result) for result in files.values() if "study" in result]
    benches = [bench(result) for result in files.values() if "rows" in result]
    benches += [resumed(result) for result in files.values() if "kills" in result]
    benches += [installed(result) for result in files.values() if "wheel_bytes" in result]
    benches += [by_hand(result) for result in files.values() if "by_hand" in result]
    benches += [suite(path.stem, result) for path, result in files.items() if "suite" in result]
    parts = [HEAD, "## Studies\n", *studies] if studies else [HEAD]
    return "\n".join([*parts, "## Benches\n", *benches] if benches else parts)


def study(result: dict[str, Any]) -> str:
    """One study as a table."""
    rows = [
        f"| {c['name']} | {_number(c['published'])} | {_number(c['ours'])} | {c['tolerance']} | "
        f"{_baselines(c['baseline'])} | {VERDICTS[c['holds']]} |"
        for c in result["claims"]
    ]
    head = "| claim | published | ours | to hold | beside it | holds |\n| --- | --- | --- | --- | --- | --- |"
    command = f"`ostinato study run {result['study']}`, {result['seconds']:.0f} s on {_machine(result['machine'])}"
    return "\n".join([f"### {result['study']}\n", command + "\n", head, *rows]) + "\n"


def bench(result: dict[str, Any]) -> str:
    """One bench as a table."""
    rows = [
        f"| {r['case']} | {_number(r['ours_us'])} | {r['peer'] or ''} | {_number(r['peer_us'])} | "
        f"{_number(r['ratio'])} |"
        for r in result["rows"]
    ]
    head = "| case | ours, µs | peer | peer, µs | peer over ours |\n| --- | --- | --- | --- | --- |"
    command = f"`ostinato bench {result['bench']}` on {_machine(result['machine'])}"
    return "\n".join([f"### {result['bench']}\n", command + "\n", head, *rows]) + "\n"


def resumed(result: dict[str, Any]) -> str:
    """Training that was killed again and again, in a sentence."""
    verdict = "the same SHA-256 as" if result["holds"] else "NOT the same bits as"
    return (
        f"### resume\n\n`python benchmarks/resume.py`, {result['seconds']:.0f} s on {_machine(result['machine'])}\n\n"
        f"Killed (`kill -9`) at {result['kills']} random moments of {result['steps']} steps, {result['while_writing']} "
        f"of them while a checkpoint was being written, and resumed each time: {verdict} the uninterrupted run.\n"
    )


def installed(result: dict[str, Any]) -> str:
    """The wheel in fresh environments."""
    rows = [
        f"| {name} | {case.get('jax', '')} | {case.get('native', case.get('error', ''))[:60]} | "
        f"{'yes' if case.get('healthy') else 'no'} |"
        for name, case in result["cases"].items()
    ]
    head = "| case | JAX | compiled kernels | equal to the reference |\n| --- | --- | --- | --- |"
    command = f"`python benchmarks/wheels.py` on {_machine(result['machine'])}"
    return "\n".join(["### wheels\n", command + "\n", head, *rows]) + "\n"


def by_hand(result: dict[str, Any]) -> str:
    """The traced program beside C++."""
    rows = [
        f"| {c['batch']} | {c['hidden']} | {c['program_ns']:.0f} | {c['by_hand_ns']:.0f} | {c['ratio']:.2f} | "
        f"{c['bar']:.2f} | {'yes' if c['holds'] else 'no'} |"
        for c in result["by_hand"]
    ]
    head = "| batch | units | program, ns | by hand, ns | ratio | at most | holds |\n" + "| --- " * 7 + "|"
    command = (
        f"`python benchmarks/handwritten.py`, an LSTM step forward, {result['build']}, on {_machine(result['machine'])}"
    )
    return "\n".join(["### handwritten\n", command + "\n", head, *rows]) + "\n"


def suite(name: str, result: dict[str, Any]) -> str:
    """A large test run, in a sentence."""
    outcomes = ", ".join(f"{count} {name}" for name, count in result["outcomes"].items())
    again = len(result.get("run_again", []))
    after = f", {again} of them after a correction (`--failed`)" if again else ""
    command = f"`python benchmarks/full_suite.py`, {result['seconds']:.0f} s on {_machine(result['machine'])}"
    return f"### {name}\n\n{command}\n\n`{result['suite']}`: {outcomes}{after}.\n"


def _machine(machine: dict[str, Any]) -> str:
    return f"{machine['processor']}, {machine['cores']} core{'s' if machine['cores'] > 1 else ''}"


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 1000 and float(value).is_integer() else f"{value:.4g}"


def _baselines(baseline: dict[str, float]) -> str:
    return "; ".join(f"{name} {_number(value)}" for name, value in baseline.items())


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
