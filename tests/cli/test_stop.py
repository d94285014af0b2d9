"""Ctrl-C at any moment: 130 or 75, a word, no traceback, no crash, and a folder that is gone or can be used again."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ostinato.runs import checkpoints

from .conftest import answer, days, temperatures, write_csv

# The command in a process of its own, with something to do in the place of what it does.
CHILD = """
import gc, signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)
from ostinato.cli import main as entry
import ostinato.cli.application
{work}
ostinato.cli.application.application = lambda: work
entry.main()
"""
WAITS = """
def work():
    print("ready", flush=True)
    time.sleep(60)
"""
# A stop that comes while an object is taken apart is lost: Python prints it and goes on.
SWALLOWS = """
class Lost:
    def __del__(self):
        raise KeyboardInterrupt
def work():
    Lost()
    print("ready", flush=True)
    time.sleep(60)
"""


@pytest.mark.parametrize(("work", "sent"), [(WAITS, True), (SWALLOWS, False)], ids=["at once", "swallowed"])
def test_a_stop_outside_of_any_command(work: str, sent: bool) -> None:
    command = [sys.executable, "-c", CHILD.format(work=work)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        if sent:
            process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (130, "Error: stopped\n")


# The command itself, which says when the loop has begun: until the first step is made it compiles.
FIT = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
from ostinato.cli.main import main
from ostinato.training import loop
begin = loop._Loop.begin
def told(self, *args):
    print("compiling", flush=True)
    begin(self, *args)
loop._Loop.begin = told
sys.argv = ["ostinato", *sys.argv[1:]]
main()
"""


def test_a_stop_while_it_compiles(tmp_path: Path) -> None:
    file, out = write_csv(tmp_path / "data.csv", {"day": days(80), "Temp": temperatures()}), tmp_path / "run"
    options = ["fit", "forecast", str(file), "--target", "Temp", "--context", "6", "--cell", "elman", "--hidden", "3"]
    options += ["--epochs", "400", "--out", str(out), "--quiet"]
    command = [sys.executable, "-c", FIT, *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "compiling\n"
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=120)
    assert process.returncode == 75, errors
    assert errors.startswith("Error: SIGINT: stopped after step ")
    assert errors.count("\n") == 1
    (path,) = checkpoints(out / "checkpoints")
    assert int(path.name.split("-")[1]) < 100
    assert answer("info", out)["state"].startswith("stopped before its end")
