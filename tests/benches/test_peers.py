"""A peer of a bench does the same work in turns with ours; without one the rows are there and say so."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from ostinato.benches import BenchSettings, Peer, kernels, memory, reservoir
from ostinato.kernels.native import library

PEERS = Path(__file__).resolve().parents[2] / "benchmarks" / "peers"


def recording(answer=lambda work: None):
    """A peer that keeps what it is asked for."""
    asked = []

    def call(work):
        asked.append(work)
        return lambda: answer(work)

    return asked, Peer("the other", call)


def test_settings_time_a_peer_by_its_name():
    asked, peer = recording()
    settings = BenchSettings(peer=peer)
    assert list(settings.peer_call("work")) == ["the other"]
    assert settings.beside({"ours": 1.0, "the other": 2.0}) == ("the other", 2.0)
    assert asked == ["work"]
    assert BenchSettings().peer_call("work") == {}
    assert BenchSettings().beside({"ours": 1.0}) == (None, None)


@pytest.mark.skipif(library()[0] is None, reason="the compiled loop is not here")
def test_a_peer_of_the_compiled_loop_is_asked_for_rows_that_end_early():
    asked, peer = recording()
    rows = kernels._lengths(BenchSettings(quick=True, peer=peer), (2, 4, 3, 8))
    assert [(work.cell, work.case, work.training) for work in asked] == [
        ("lstm", (2, 4, 3, 8), True),
        ("gru", (2, 4, 3, 8), True),
    ]
    wanted = np.random.default_rng(0).integers(1, 5, 2)
    assert all((work.lengths == wanted).all() for work in asked)
    assert [row.peer for row in rows] == ["the other"] * 2
    assert all(row.ratio is not None for row in rows)


def test_a_peer_of_a_memory_gets_the_flat_step():
    asked, peer = recording()
    (row,) = memory.run(BenchSettings(quick=True, peer=peer, repeats=1))
    (work,) = asked
    assert work.step is memory.ntm_step
    assert (work.xs.shape, work.training) == ((4, memory.INPUT), False)
    assert row.peer == "the other, loop"
    assert set(row.detail["us_per_step"]) == {"ours", "lax.scan", "the other"}


def test_a_peer_of_a_reservoir_gives_what_ours_is_held_against():
    """States of its equations in numpy, and the ridge read-out: nothing but rounding lies between."""

    def answer(work):
        R, W, b = (np.asarray(part[0], np.float64) for part in (work.cell.R, work.cell.W, work.cell.b))
        h, states = np.zeros(len(b)), []
        for x in work.inputs:
            h = np.tanh(W @ x + b + R @ h)
            states.append(h)
        states = np.array(states)
        if not work.read_out:
            return states
        wide, mean = states - states.mean(0), work.targets.mean(0)
        V = np.linalg.solve(wide.T @ wide + reservoir.PENALTY * np.eye(len(b)), wide.T @ (work.targets - mean))
        return states, V, mean - states.mean(0) @ V

    asked, peer = recording(answer)
    rows = reservoir.run(BenchSettings(quick=True, repeats=1, peer=peer))
    assert [work.read_out for work in asked] == [False, True]
    assert [row.peer for row in rows] == ["the other"] * 2
    assert rows[0].detail["largest_difference_of_states"] < 1e-9
    assert rows[0].detail["relative_difference_of_read_out"] < 1e-3


def test_a_peer_that_is_not_installed_is_named():
    code = (
        "import runpy, sys; sys.modules['torch'] = None; sys.argv = ['peers', 'kernels', '--quick']; "
        f"sys.path.insert(0, {str(PEERS)!r}); runpy.run_path({str(PEERS / '__main__.py')!r}, run_name='__main__')"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert "torch, which is not installed here" in ended.stderr
    assert "Traceback" not in ended.stderr
