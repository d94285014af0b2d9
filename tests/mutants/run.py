"""Break the program one edit at a time and see that the tests notice: `make mutants`.

    python -m tests.mutants.run                    # every row, into benchmarks/results/mutants.json
    python -m tests.mutants.run layers training    # the rows of these rooms, told and not kept
    python -m tests.mutants.run -k pooling         # those that have this text in their name

Each edit is made in a copy of the checkout, never in the checkout, and the row's tests run there: where they pass, the
edit went unseen. The tests run once without any edit before, where all of them have to pass. Exit code 1 where an edit
was noticed by no test, or a row is none; 2 where the tests fail without an edit.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from queue import SimpleQueue

from tests.mutants.rows import ROOT, Mutant, edited, faults, mutants

RECORD = ROOT / "benchmarks" / "results" / "mutants.json"
LEFT_OUT = shutil.ignore_patterns(".git", ".venv", ".cache", ".nox", ".*_cache", ".hypothesis", "build", "dist", "site")
LONGEST = 900  # seconds of one row's tests

# An editable installation answers for `ostinato` before any path is looked at, and the tests of a copy would see the
# original: its finder is dropped in every process below, commands that a test starts among them.
SITE = """
import sys
sys.meta_path[:] = [finder for finder in sys.meta_path if "editable" not in type(finder).__module__]
"""
# The tests of a copy that would not see the copy say so instead of passing.
RUN = """
import sys
from importlib.util import find_spec
found, root = find_spec("ostinato").origin, sys.argv.pop(1)
if not found.startswith(root):
    sys.exit(f"the tests of {root} would import {found}")
import pytest
sys.exit(pytest.main(sys.argv[1:]))
"""
# What pytest says with its exit code.
PASSED, FAILED = 0, 1


class Copy:
    """A copy of the checkout in which its own `src` is imported, and nothing of the original is."""

    def __init__(self, folder: Path, of: Path) -> None:
        self.root = folder / "checkout"
        shutil.copytree(of, self.root, ignore=LEFT_OUT, symlinks=True)
        kernels = self.root / "src" / "ostinato" / "kernels"
        # The compiled library is not written: the installation put it there, or has it in a folder of its own.
        if kernels.is_dir() and not any(kernels.glob("_native*")):
            library = find_spec("ostinato.kernels._native")
            if library is not None and library.origin is not None:
                shutil.copy2(library.origin, kernels)
        (folder / "site").mkdir()
        (folder / "site" / "sitecustomize.py").write_text(SITE)
        self.paths = f"{folder / 'site'}{os.pathsep}{self.root / 'src'}"

    def test(
        self, arguments: Sequence[str], *, keep_bytecode: bool = False, longest: float | None = LONGEST
    ) -> tuple[int | None, str]:
        """The exit code of pytest and what it said; no code where it took longer than so many seconds."""
        environment = {**os.environ, "PYTHONPATH": self.paths}
        environment.setdefault("JAX_COMPILATION_CACHE_DIR", str(ROOT / ".cache" / "jax"))
        if (data := ROOT.parent / "shared" / "data").is_dir():
            environment.setdefault("OSTINATO_DATA", str(data))
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        if not keep_bytecode:
            environment["PYTHONDONTWRITEBYTECODE"] = "1"
        command = [sys.executable, "-c", RUN, str(self.root), "-q", "-p", "no:cacheprovider", *arguments]
        try:
            done = subprocess.run(
                command, cwd=self.root, env=environment, capture_output=True, text=True, timeout=longest, check=False
            )
        except subprocess.TimeoutExpired:
            return None, ""
        return done.returncode, done.stdout + done.stderr

    @contextmanager
    def edit(self, row: Mutant) -> Iterator[None]:
        """The edit stands in the copy while the block runs."""
        path = self.root / row.file
        text, before = path.read_text(), path.stat()
        try:
            path.write_text(edited(row, text))
            # Compiled files are kept by second and size: this one is of another time than the one that was kept.
            os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns + 10**10))
            yield
        finally:
            path.write_text(text)
            os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def judged(row: Mutant, copy: Copy) -> dict[str, str | float]:
    """What became of one edit: `noticed` and by which test, or why not."""
    began = time.monotonic()
    with copy.edit(row):
        code, said = copy.test(["-x", *row.tests])
    outcome: dict[str, str | float] = {"room": row.room, "name": row.name}
    if code == FAILED:
        failed = re.findall(r"^(?:FAILED|ERROR) (.+?)(?: - .*)?$", said, re.MULTILINE)
        outcome |= {"outcome": "noticed", "by": failed[0] if failed else ""}
    elif code == PASSED:
        outcome |= {"outcome": "survived"}
    else:  # nothing was tested: the edit is no edit of a program that runs
        outcome |= {"outcome": "not run", "why": "too long" if code is None else said[-1000:]}
    return {**outcome, "seconds": round(time.monotonic() - began, 1)}


def all_judged(rows: list[Mutant], copies: list[Copy]) -> list[dict[str, str | float]]:
    """Every edit, as many at a time as there are copies, with a line for each as it is known."""
    free: SimpleQueue[Copy] = SimpleQueue()
    for copy in copies:
        free.put(copy)
    done, telling = 0, threading.Lock()

    def one(row: Mutant) -> dict[str, str | float]:
        nonlocal done
        copy = free.get()
        try:
            outcome = judged(row, copy)
        finally:
            free.put(copy)
        with telling:
            done += 1
            print(f"[{done:{len(str(len(rows)))}}/{len(rows)}] {told(outcome)}", flush=True)
        return outcome

    with ThreadPoolExecutor(len(copies)) as pool:
        return list(pool.map(one, rows))


def told(outcome: dict[str, str | float]) -> str:
    """One line about one edit."""
    more = str(outcome.get("by", outcome.get("why", ""))).strip().splitlines()[-1:]
    return "  ".join(
        [f"{outcome['outcome']:8} {outcome['seconds']:6.1f} s", f"{outcome['room']}: {outcome['name']}", *more]
    )


def chosen(arguments: argparse.Namespace) -> list[Mutant]:
    rows = mutants()
    unknown = set(arguments.rooms) - {row.room for row in rows}
    if unknown:
        sys.exit(f"no rows of {', '.join(sorted(unknown))}; there are {', '.join(sorted({row.room for row in rows}))}")
    return [row for row in rows if (not arguments.rooms or row.room in arguments.rooms) and arguments.k in row.name]


def main(given: Sequence[str]) -> int:
    """0 where each edit was noticed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rooms", nargs="*")
    parser.add_argument("-k", default="", help="only edits with this text in their name")
    parser.add_argument("--processes", type=int, default=2)
    arguments = parser.parse_args(given)
    rows = chosen(arguments)
    wrong = [f"{row.room}: {row.name}: {fault}" for row in rows for fault in faults(row)]
    if wrong or not rows:
        print(*(wrong or ["no rows"]), sep="\n")
        return 1
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="mutants-") as name:
        folders = [Path(name) / str(index) for index in range(max(1, min(arguments.processes, len(rows))))]
        first = Copy(folders[0], ROOT)
        tests = sorted({test for row in rows for test in row.tests})
        print(f"{len(rows)} edits; first their tests without any: {len(tests)} files and tests", flush=True)
        workers = str(len(folders) if len(tests) > 1 else 0)
        code, said = first.test(["-n", workers, *tests], keep_bytecode=True, longest=None)
        if code != PASSED:
            print(said[-10000:])
            print("the tests do not pass without an edit")
            return 2
        outcomes = all_judged(rows, [first, *(Copy(folder, first.root) for folder in folders[1:])])
    survivors = [outcome for outcome in outcomes if outcome["outcome"] != "noticed"]
    seconds = round(time.monotonic() - began, 1)
    if len(rows) == len(mutants()):
        record = {"edits": len(rows), "noticed": len(rows) - len(survivors), "seconds": seconds, "mutants": outcomes}
        RECORD.write_text(json.dumps(record, indent=1) + "\n")
    print(f"{len(rows) - len(survivors)} of {len(rows)} edits noticed in {seconds:.0f} s")
    for outcome in survivors:
        print(f"  {told(outcome)}")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
