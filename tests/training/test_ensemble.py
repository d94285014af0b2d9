"""Networks side by side: each begins with a state of its own."""

import jax
import jax.numpy as jnp
import numpy as np

import ostinato as ost
from ostinato.data import FunctionBatches
from ostinato.learning import BPTT
from ostinato.learning.base import start_state
from ostinato.memory import NTM
from ostinato.studies.batches import SeedBatches
from ostinato.tasks import BitCopy
from ostinato.training import Ensemble

TASK, SEEDS = BitCopy(lengths=(2, 2), bits=2), [3, 8]


def make(key):
    return ost.RNN(NTM, TASK.input_size, 4, output_size=2, rows=5, width=3, start="random", key=key)


def test_each_network_begins_with_its_own_memory():
    model = Ensemble.make(make, SEEDS)
    for key in (None, jax.random.key(0)):
        begun = start_state(model, (2, 4), key)[0].M
        assert begun.shape == (2, 4, 5, 3)
        np.testing.assert_array_equal(begun, jnp.repeat(model.members.stack.layers[0].M[:, None], 4, axis=1))
    assert not np.allclose(begun[0], begun[1])


def test_turing_machines_side_by_side_learn_as_each_does_alone():
    model = Ensemble.make(make, SEEDS)
    examples = SeedBatches(TASK, 4, SEEDS, 1).at(0)
    rule = BPTT()
    _, grads, _ = rule(model, TASK.loss, examples, rule.init(model, examples))
    for index, seed in enumerate(SEEDS):
        alone = FunctionBatches(lambda key: TASK.sample(key, 4), 1, seed=seed).at(0)
        _, wanted, _ = rule(model.member(index), TASK.loss, alone, rule.init(model.member(index), alone))
        for a, b in zip(jax.tree.leaves(grads), jax.tree.leaves(wanted), strict=True):
            np.testing.assert_allclose(a[index], b, rtol=1e-4, atol=1e-6)
