"""A disk that takes no more bytes, by the system's own refusal: what is there stays, nothing half-written does."""

import contextlib
import resource
from collections.abc import Iterator

import jax.numpy as jnp
import numpy as np
import pytest

from ostinato.errors import StorageError
from ostinato.runs import Run, checkpoints, load_checkpoint, load_weights, save_checkpoint, save_weights, write_file

LARGE = {"W": jnp.arange(50_000.0)}


@contextlib.contextmanager
def no_file_beyond(size: int) -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_checkpoint_that_does_not_fit_leaves_the_one_before_it(tmp_path):
    first = save_checkpoint(tmp_path, 1, LARGE, (), keep=1)
    with no_file_beyond(100_000), pytest.raises(StorageError, match=r"step-00000002: cannot be written .*too large"):
        save_checkpoint(tmp_path, 2, LARGE, (), keep=1)
    assert list(tmp_path.iterdir()) == [first]
    np.testing.assert_array_equal(load_checkpoint(first, LARGE, ()).model["W"], LARGE["W"])
    save_checkpoint(tmp_path, 2, LARGE, (), keep=1)
    assert [p.name for p in checkpoints(tmp_path)] == ["step-00000002"]


def test_a_model_that_does_not_fit_leaves_the_one_before_it(tmp_path):
    save_weights(tmp_path / "best", {"W": jnp.ones(3)})
    with no_file_beyond(100_000), pytest.raises(StorageError, match="kept"):
        save_weights(tmp_path / "best", LARGE)
    assert [p.name for p in tmp_path.iterdir()] == ["best"]
    assert load_weights(tmp_path / "best", {"W": jnp.zeros(3)})[0]["W"].tolist() == [1.0, 1.0, 1.0]


def test_a_log_and_a_file_that_do_not_fit_are_named_and_can_go_on_later(tmp_path):
    with Run(tmp_path, {"a": 1}) as run:
        run.log.write({"kind": "note", "step": 1})
        write_file(tmp_path / "metrics.json", b"{}")
        with no_file_beyond(1000):
            with pytest.raises(StorageError, match=r"log\.jsonl: cannot be written"):
                run.log.write({"kind": "note", "step": 2, "text": "x" * 2000})
            with pytest.raises(StorageError, match=r"metrics\.json: cannot be written"):
                write_file(tmp_path / "metrics.json", b" " * 2000)
        assert (tmp_path / "metrics.json").read_bytes() == b"{}"
    with Run(tmp_path, {"a": 1}) as run:
        run.log.rewind(1)
        run.log.write({"kind": "note", "step": 2})
        assert [r["step"] for r in run.log.records()] == [1, 2]
