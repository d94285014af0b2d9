"""Pages of results from the files in `benchmarks/results`: a summary, a page for each wing of studies, the benches."""

import functools
import json
from pathlib import Path
from typing import Any

from ostinato.studies import STUDIES

FOLDER = Path(__file__).resolve().parents[2] / "benchmarks" / "results"

VERDICTS = {True: "yes", False: "no", None: "-"}
WINGS = {
    "series": "Time series",
    "sequences": "Sequences",
    "memory": "Memory",
    "reward": "Learning from reward",
    "learning": "Learning rules",
    "dynamics": "Continuous time and bodies",
    "reservoirs": "Reservoirs",
    "trees": "Trees",
    "communities": "Microbial communities",
    "comparison": "Comparison of models",
}


@functools.cache
def files() -> dict[str, dict[str, Any]]:
    """Each result file by its name."""
    return {path.stem: json.loads(path.read_text()) for path in sorted(FOLDER.glob("*.json"))}


def studies(wing: str) -> list[dict[str, Any]]:
    """The results of a wing, in the order of the table of studies."""
    names = [name for name, entry in STUDIES.items() if entry.wing == wing]
    return [files()[f"study-{name}"] for name in names if f"study-{name}" in files()]


def claims(wing: str | None = None) -> list[tuple[str, dict[str, Any]]]:
    """Every claim with the name of its study."""
    wings = [wing] if wing else list(WINGS)
    return [(result["study"], claim) for w in wings for result in studies(w) for claim in result["claims"]]


def summary() -> str:
    """How many claims hold, by wing; then each that does not."""
    lines = ["| wing | studies | claims with a bar | hold | do not | reported only |", "| --- " * 6 + "|"]
    for wing, title in WINGS.items():
        counts = _counts(claims(wing))
        lines.append(f"| [{title}]({wing}.md) | {len(studies(wing))} | {_row(counts)} |")
    lines.append(f"| **All** | {sum(len(studies(w)) for w in WINGS)} | {_row(_counts(claims()))} |")
    missed = [(name, c) for name, c in claims() if c["holds"] is False]
    lines += ["", "## Bars that were missed\n", "| study | claim | ours | to hold |", "| --- " * 4 + "|"]
    lines += [
        f"| [{n}]({STUDIES[n].wing}.md#{n}) | {c['name']} | {_number(c['ours'])} | {c['tolerance']} |"
        for n, c in missed
    ]
    return "\n".join(lines) + "\n"


def _counts(found: list[tuple[str, dict[str, Any]]]) -> dict[Any, int]:
    return {verdict: sum(c["holds"] is verdict for _, c in found) for verdict in VERDICTS}


def _row(counts: dict[Any, int]) -> str:
    return f"{counts[True] + counts[False]} | {counts[True]} | {counts[False]} | {counts[None]}"


def wing(name: str) -> str:
    """The studies of a wing, a table each."""
    return "\n".join(study(result) for result in studies(name))


def benches() -> str:
    """What was timed, and what else was measured."""
    found = files().items()
    parts = [bench(result) for _, result in found if "rows" in result]
    parts += [resumed(result) for _, result in found if "kills" in result]
    parts += [installed(result) for _, result in found if "wheel_bytes" in result]
    parts += [by_hand(result) for _, result in found if "by_hand" in result]
    parts += [suite(name, result) for name, result in found if "suite" in result]
    return "\n".join(parts)


def study(result: dict[str, Any]) -> str:
    """One study as a table."""
    rows = [
        f"| {c['name']} | {_number(c['published'])} | {_number(c['ours'])} | {c['tolerance']} | "
        f"{_baselines(c['baseline'])} | {VERDICTS[c['holds']]} |"
        for c in result["claims"]
    ]
    head = "| claim | published | ours | to hold | beside it | holds |\n| --- | --- | --- | --- | --- | --- |"
    command = f"`ostinato study run {result['study']}`, {result['seconds']:.0f} s on {_machine(result['machine'])}"
    return (
        "\n".join(
            [f"## {result['study']}\n", STUDIES[result["study"]].description + ".\n", command + "\n", head, *rows]
        )
        + "\n"
    )


def bench(result: dict[str, Any]) -> str:
    """One bench as a table."""
    rows = [
        f"| {r['case']} | {_number(r['ours_us'])} | {r['peer'] or ''} | {_number(r['peer_us'])} | "
        f"{_number(r['ratio'])} |"
        for r in result["rows"]
    ]
    head = "| case | ours, µs | peer | peer, µs | peer over ours |\n| --- | --- | --- | --- | --- |"
    command = f"`ostinato bench {result['bench']}` on {_machine(result['machine'])}"
    return "\n".join([f"## {result['bench']}\n", command + "\n", head, *rows]) + "\n"


def resumed(result: dict[str, Any]) -> str:
    """Training that was killed again and again, in a sentence."""
    verdict = "the same SHA-256 as" if result["holds"] else "NOT the same bits as"
    return (
        f"## resume\n\n`python benchmarks/resume.py`, {result['seconds']:.0f} s on {_machine(result['machine'])}\n\n"
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
    return "\n".join(["## wheels\n", command + "\n", head, *rows]) + "\n"


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
    return "\n".join(["## handwritten\n", command + "\n", head, *rows]) + "\n"


def suite(name: str, result: dict[str, Any]) -> str:
    """A large test run, in a sentence."""
    outcomes = ", ".join(f"{count} {name}" for name, count in result["outcomes"].items())
    again = len(result.get("run_again", []))
    after = f", {again} of them after a correction (`--failed`)" if again else ""
    command = f"`python benchmarks/full_suite.py`, {result['seconds']:.0f} s on {_machine(result['machine'])}"
    return f"## {name}\n\n{command}\n\n`{result['suite']}`: {outcomes}{after}.\n"


def _machine(machine: dict[str, Any]) -> str:
    return f"{machine['processor']}, {machine['cores']} core{'s' if machine['cores'] > 1 else ''}"


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 1000 and float(value).is_integer() else f"{value:.4g}"


def _baselines(baseline: dict[str, float]) -> str:
    return "; ".join(f"{name} {_number(value)}" for name, value in baseline.items())


def count(what: str) -> str:
    """How many claims there are that have a bar, how many hold, how many do not."""
    counts = _counts(claims())
    return str({"all": counts[True] + counts[False], "hold": counts[True], "missed": counts[False]}[what])
