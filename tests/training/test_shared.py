"""What is compiled serves every later fit that differs in numbers alone, and no other."""

import jax
import jax.numpy as jnp
import numpy as np
import optax

import ostinato as ost
from ostinato.training import fit
from ostinato.training.shared import made_of

FACTOR = 2.0


def weighted(factor):
    def loss(y, target):
        return factor * ost.losses.squared(y, target)

    return loss


def clipped(rate, bound):
    return optax.chain(optax.clip_by_global_norm(bound), optax.adam(rate))


def test_losses_and_optimisers_that_are_made_anew_find_their_program(linear):
    batches = linear.Listed(linear.examples(2))

    def train(factor, rate, bound=None):
        optimizer = optax.sgd(rate) if bound is None else optax.chain(optax.clip_by_global_norm(bound), optax.sgd(rate))
        return fit(linear.model(), batches, loss=weighted(factor), optimizer=optimizer, steps=2)

    first, again = train(3.25, 0.1), train(3.25, 0.1)
    assert (first.compilations, again.compilations) == (1, 0)
    np.testing.assert_array_equal(first.last.V, again.last.V)
    for other in (train(3.5, 0.1), train(3.25, 0.2), train(3.25, 0.1, bound=0.01)):
        assert other.compilations == 1
        assert not np.array_equal(other.last.V, first.last.V)


def test_what_a_function_is_made_of():
    assert made_of(clipped(0.1, 1.0)) == made_of(clipped(0.1, 1.0)) != made_of(clipped(0.1, 2.0))
    assert hash(made_of(clipped(0.1, 1.0))) == hash(made_of(clipped(0.1, 1.0)))
    one, two = (lambda y, n=n: y * n for n in (1, 2))
    assert made_of(one) != made_of(two)
    assert made_of(ost.losses.squared) == made_of(ost.losses.squared) != made_of(ost.losses.absolute)
    arrays = [jnp.arange(3.0), jnp.arange(3.0), jnp.arange(3.0) + 1, np.arange(3, dtype=np.int32)]
    a, b, c, d = (made_of(weighted(array)) for array in arrays)
    assert a == b
    assert len({a, c, d}) == 3
    keys = [made_of(weighted(jax.random.key(seed))) for seed in (0, 0, 1)]
    assert keys[0] == keys[1] != keys[2]
    itself = lambda n: itself(n - 1) if n else 0
    assert made_of(itself) == made_of(itself)


def test_a_global_that_a_loss_reads_counts(monkeypatch):
    make = lambda: lambda y, target: FACTOR * ost.losses.squared(y, target)
    before, same = made_of(make()), made_of(make())
    monkeypatch.setitem(globals(), "FACTOR", 3.0)
    assert before == same != made_of(make())


def test_an_optimiser_that_changes_what_it_closes_over_is_the_same_afterwards(linear):
    """Optax's cosine turns its own number of steps into a float when it is traced."""
    optimizer = optax.sgd(optax.cosine_decay_schedule(0.1, 7))
    counts = [
        fit(linear.model(), linear.Listed(linear.examples(1)), loss=weighted(1.75), optimizer=o, steps=1).compilations
        for o in (optimizer, optimizer, optax.sgd(optax.cosine_decay_schedule(0.1, 7)))
    ]
    assert counts == [1, 0, 0]
