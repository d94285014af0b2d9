"""The doctor finds what differs: a path that is off in its outputs, a NaN, training that does not repeat."""

import jax.numpy as jnp
import pytest

from ostinato.doctor import FORWARD, GRADIENTS, compare, comparison, difference, examination, examine, repeat
from ostinato.errors import SettingsError


def ill(monkeypatch, change):
    """The hoisted path gives what `change` makes of its outputs."""
    whole = comparison.unroll

    def unroll(cell, xs, *, kernel, **rest):
        ys, final = whole(cell, xs, kernel=kernel, **rest)
        return (change(ys) if kernel == "hoist" else ys), final

    monkeypatch.setattr(comparison, "unroll", unroll)


def test_an_output_that_is_off_is_found_and_no_other(monkeypatch):
    # The gradients are right: what is added has none.
    ill(monkeypatch, lambda ys: ys + 1e-4)
    found = {row.kernel: row for row in compare("elman")}
    assert (found["scan"].equal, found["hoist"].equal) == (True, False)
    assert found["hoist"].forward > FORWARD
    assert found["hoist"].gradients <= GRADIENTS
    assert not examine(["elman"])["healthy"]


def test_a_nan_is_a_difference():
    one, other = {"a": jnp.array([1.0, 2.0])}, {"a": jnp.array([1.0, jnp.nan])}
    assert difference(one, other) == float("inf")
    assert difference(one, one) == 0
    assert difference({"a": jnp.array([1.0, 4.0])}, {"a": jnp.array([2.0, 4.0])}) == pytest.approx(0.25)


def test_training_that_does_not_repeat_is_ill(monkeypatch):
    digests = iter("abcc")
    monkeypatch.setattr(repeat, "_trained", lambda steps: next(digests))
    monkeypatch.setattr(examination, "compare", lambda name: [])
    told = []
    first = examine(["elman"], determinism=True, note=told.append)
    assert (first["healthy"], first["determinism"]["sha256"]) == (False, ["a", "b"])
    assert told == ["comparing the paths of elman", "training 20 steps, twice"]
    second = examine(["elman"], determinism=True)
    assert (second["healthy"], second["determinism"]["equal"]) == (True, True)
    assert examine(["elman"])["determinism"] is None


def test_unknown_cells_are_refused():
    with pytest.raises(SettingsError, match=r"expected some of .*, got nothing"):
        examine(["elman", "nothing"])
