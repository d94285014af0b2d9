"""A run folder: one writer, settings that must agree, a log that survives being cut off, signals."""

import json
import os
import signal
import subprocess
import sys
import threading

import jax
import pytest

from ostinato.data import Examples, FunctionBatches, SequenceBatch
from ostinato.errors import CorruptFile, Interrupted, RunLocked, SettingsError, StorageError
from ostinato.layers import RNN
from ostinato.losses import squared
from ostinato.runs import (
    Evaluation,
    Log,
    Run,
    Score,
    checkpoints,
    describe_machine,
    load_weights,
    read_record,
    read_settings,
)
from ostinato.runs.manifest import dump
from ostinato.runs.signals import Stopper
from ostinato.training import fit


def test_a_second_writer_is_refused_and_told_who_the_first_is(tmp_path):
    with Run(tmp_path / "run", {"a": 1}), pytest.raises(RunLocked, match=f"in use by process {os.getpid()},"):
        Run(tmp_path / "run", {"a": 1})
    with Run(tmp_path / "run", {"a": 1}) as run:
        assert run.resumed


def test_a_lock_ends_with_its_process(tmp_path):
    code = "import sys, time; from ostinato.runs.lock import Lock; Lock(__import__('pathlib').Path(sys.argv[1])); "
    code += "print('held', flush=True); time.sleep(60)"
    (tmp_path / "run").mkdir()
    path = tmp_path / "run" / "lock"
    with subprocess.Popen([sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(RunLocked, match=f"in use by process {holder.pid},"):
            Run(tmp_path / "run", {"a": 1})
        holder.kill()
    with Run(tmp_path / "run", {"a": 1}) as run:
        assert not run.resumed


def test_other_settings_are_refused_and_the_difference_shown(tmp_path):
    with Run(tmp_path, {"hidden": 64, "data": {"horizon": 7}, "note": None}):
        pass
    assert read_settings(tmp_path) == {"hidden": 64, "data": {"horizon": 7}}
    with pytest.raises(SettingsError) as caught:
        Run(tmp_path, {"hidden": 32, "data": {"horizon": 7, "columns": ["a"]}})
    assert str(caught.value).splitlines()[1:] == [
        "  hidden: 64 there, 32 asked for",
        "  data.columns: nothing there, ['a'] asked for",
        "--fresh moves it aside and begins anew, --out names another folder",
    ]
    with pytest.raises(SettingsError, match="holds a run already"):
        Run(tmp_path, {"hidden": 64, "data": {"horizon": 7}}, resume=False)
    # A refusal lets go of the folder.
    with Run(tmp_path, {"hidden": 64, "data": {"horizon": 7}}):
        pass


def test_damaged_settings_are_refused(tmp_path):
    with Run(tmp_path, {"a": 1}):
        pass
    (tmp_path / "settings.toml").write_bytes(b"a = \xff\xfe")
    with pytest.raises(CorruptFile, match="not valid TOML"):
        Run(tmp_path, {"a": 1})


def test_what_killed_processes_left_is_removed_and_the_rest_kept(tmp_path):
    with Run(tmp_path, {"a": 1}):
        pass
    (tmp_path / "checkpoints" / ".ostinato-new-step-00000010").mkdir()
    (tmp_path / ".ostinato-new-metrics.json").write_text("{")
    (tmp_path / ".ostinato-old-best").mkdir()
    (tmp_path / "mine.txt").write_text("kept")
    with Run(tmp_path, {"a": 1}):
        found = sorted(p.name for p in tmp_path.iterdir())
    assert found == ["best", "checkpoints", "environment.json", "lock", "mine.txt", "settings.toml"]
    assert list((tmp_path / "checkpoints").iterdir()) == []


@pytest.mark.parametrize("place", ["/proc/ostinato", "file/run"])
def test_a_folder_that_cannot_be_made_is_named(tmp_path, place):
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(StorageError, match="cannot be written"):
        Run(tmp_path / place, {"a": 1})


def test_the_log_drops_what_came_after_a_step_and_what_was_cut_off(tmp_path):
    log = Log(tmp_path / "log.jsonl")
    assert (log.records(), log.rewind(5)) == ([], 0)
    for step in range(0, 40, 10):
        log.write({"kind": "evaluation", "step": step, "loss": float("nan"), "note": "ü\n"})
    whole = log.path.read_bytes()
    assert [r["step"] for r in log.records()] == [0, 10, 20, 30]
    assert json.loads(whole.splitlines()[0])["loss"] == "nan"
    log.path.write_bytes(whole[:-7])
    assert [r["step"] for r in log.records()] == [0, 10, 20]
    assert log.rewind(10) == 1
    assert log.path.read_bytes() == b"".join(whole.splitlines(keepends=True)[:2])
    log.path.write_bytes(whole.replace(b'"step": 10', b'"step": \x00\xff') + b"[1]\n")
    assert log.rewind(100) == 2
    log.write({"kind": "end", "step": 40})
    assert [r["step"] for r in log.records()] == [0, 20, 30, 40]


def test_half_a_line_does_not_swallow_the_next_one(tmp_path):
    log = Log(tmp_path / "log.jsonl")
    log.write({"kind": "a", "step": 1})
    log.path.write_bytes(log.path.read_bytes() + b'{"kind": "b", "st')
    log.rewind(1)
    log.write({"kind": "c", "step": 2})
    assert [r["kind"] for r in log.records()] == ["a", "c"]


def test_signals_are_noted_and_the_handlers_put_back():
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGUSR1)
    with Stopper() as stopper:
        assert stopper.caught is None
        os.kill(os.getpid(), signal.SIGTERM)
        assert stopper.caught == "SIGTERM"
    assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGUSR1)) == before


def test_a_second_signal_ends_the_process_at_once():
    code = "import os, signal; from ostinato.runs.signals import Stopper\n"
    code += (
        "with Stopper():\n    os.kill(os.getpid(), 15)\n    print('first', flush=True)\n    os.kill(os.getpid(), 10)\n"
    )
    code += "    print('second')\n"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (-signal.SIGUSR1, "first\n")


def test_in_another_thread_nothing_is_caught_and_nothing_breaks():
    found = []

    def work():
        with Stopper() as stopper:
            found.append(stopper.caught)
            found.append(signal.getsignal(signal.SIGTERM))

    before = signal.getsignal(signal.SIGTERM)
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found == [None, before]


def test_each_file_has_one_writer_and_the_machine_is_said_at_once(tmp_path):
    with Run(tmp_path, {"a": 1}) as run:
        machine = json.loads((tmp_path / "environment.json").read_text())
        assert machine == json.loads(dump(describe_machine()))
        run.write_environment(kernel="scan")
        run.write_metrics({"steps": 3})
        run.write_data({"rows": 5})
        run.write_evaluation(Evaluation("count", "", "2 rows", "MAE 1", (Score("mean", True, {"MAE": float("nan")}),)))
    assert json.loads((tmp_path / "environment.json").read_text()) == {**machine, "kernel": "scan"}
    record = read_record(tmp_path)
    assert (record.metrics, record.data) == ({"steps": 3}, {"rows": 5})
    assert record.evaluation is not None
    assert record.evaluation.scores[0].values == {"MAE": None}


def small(run, **options):
    batches = FunctionBatches(lambda key: random_examples(key), 5)
    model = RNN("elman", 1, 2, output_size=1, key=jax.random.key(0))
    return fit(model, batches, loss=squared, steps=10, run=run, **options)


def random_examples(key):
    xs = jax.random.normal(key, (2, 3, 1))
    return Examples(SequenceBatch(xs), xs, jax.numpy.full((2, 3), 1 / 6))


def test_the_last_weights_stand_once(tmp_path):
    """Those of a validation set stand beside them; with nothing to choose by, the last are the weights of the run."""
    with Run(tmp_path / "last", {"a": 1}) as run:
        last = small(run).last
    (folder,) = {path.parent for path in run.folder.rglob("weights.safetensors")} - set(
        checkpoints(run.checkpoints)[1:]
    )
    assert folder == checkpoints(run.checkpoints)[0]
    found, _ = load_weights(folder, last)
    assert all((a == b).all() for a, b in zip(jax.tree.leaves(found), jax.tree.leaves(last), strict=True))
    with Run(tmp_path / "best", {"a": 1}) as run:
        # The first evaluation is the best, ever after it is worse.
        worse = iter(range(9))
        best = small(run, validate=lambda model: {"loss": next(worse)}).model
    found, extra = load_weights(run.best, best)
    assert extra["step"] == 5
    assert all((a == b).all() for a, b in zip(jax.tree.leaves(found), jax.tree.leaves(best), strict=True))
    run.drop_checkpoints()
    assert not list(run.folder.rglob("weights.safetensors"))


def test_a_signal_before_the_loop_is_known_to_it(tmp_path):
    with Stopper([signal.SIGUSR1]) as stopper, Run(tmp_path, {"a": 1}, stopper=stopper) as run:
        run.check_stopped()
        os.kill(os.getpid(), signal.SIGUSR1)
        with pytest.raises(KeyboardInterrupt):
            run.check_stopped()
        with pytest.raises(Interrupted, match="SIGUSR1: stopped after step 1 of 10"):
            small(run)
        with pytest.raises(Interrupted, match="SIGUSR1: stopped after training"):
            run.check_stopped()
