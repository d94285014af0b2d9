"""kill -9 at random moments: resumed, the bits of the uninterrupted run. SIGTERM: a checkpoint and exit code 75."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "benchmarks" / "resume.py"


@pytest.mark.parametrize(
    ("kills", "steps"), [(3, 60), pytest.param(20, 400, marks=pytest.mark.full)], ids=["3 kills", "20 kills"]
)
def test_killed_training_ends_with_the_same_bits(kills, steps):
    command = [sys.executable, str(SCRIPT), "--kills", str(kills), "--steps", str(steps), "--out", "-", "--json"]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=1800)
    assert done.returncode == 0, done.stdout
    result = json.loads(done.stdout)
    assert result["equal"] == dict.fromkeys(result["equal"], True)
    assert len(result["sha256"]) == 4
    # The kills came before the end, and training went on from what they left.
    newest = [life["newest"] for life in result["lives"]]
    assert len(newest) == kills
    assert newest[0] is None or newest[0] < f"step-{steps:08d}"
    assert any(name is not None for name in newest)
    assert all(name < f"step-{steps:08d}" for name in newest if name)


def test_sigterm_gives_a_checkpoint_and_exit_code_75_and_a_second_process_is_kept_out(tmp_path):
    def start() -> "subprocess.Popen[str]":
        command = [sys.executable, str(SCRIPT), "--child", str(tmp_path / "run"), "--steps", "100000"]
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    with start() as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("evaluation 10"):
                break
        second = start()
        _, errors = second.communicate(timeout=120)
        assert (second.returncode, f"in use by process {process.pid}," in errors) == (3, True)
        os.kill(process.pid, signal.SIGTERM)
        _, errors = process.communicate(timeout=120)
    assert process.returncode == 75
    assert "SIGTERM: stopped after step" in errors
    newest = max((tmp_path / "run" / "checkpoints").iterdir())
    manifest = json.loads((newest / "manifest.json").read_bytes())
    assert f"stopped after step {manifest['step']} of" in errors
