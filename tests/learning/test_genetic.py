"""The genetic algorithm: its parts against their definitions, and what it learns; random search beside it."""

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

import ostinato as ost
from ostinato.errors import SettingsError, UnsupportedRule
from ostinato.learning import GeneticAlgorithm, RandomSearch, parameters_to_vector, vector_to_parameters
from ostinato.learning.genetic import rank_selection
from ostinato.learning.parameter_vector import evaluate
from ostinato.training import fit

SQUARED = ost.losses.squared


class Same:
    """One batch over and over."""

    def __init__(self, examples):
        self.examples = examples

    def __len__(self):
        return 10

    def at(self, step):
        return self.examples


@pytest.fixture(scope="module")
def xor():
    """XOR in time: the target is the exclusive or of this bit and the one before; a network of four units for it."""
    bits = jr.bernoulli(jr.key(3), 0.5, (16, 12, 1)).astype(jnp.float32)
    targets = jnp.concatenate([jnp.zeros((16, 1, 1)), jnp.abs(bits[:, 1:] - bits[:, :-1])], axis=1)
    weight = jnp.ones((16, 12)).at[:, 0].set(0.0) / (16 * 11)
    model = ost.RNN("elman", 1, 4, output_size=1, output_activation="sigmoid", key=jr.key(0))
    return model, Same(ost.Examples(ost.SequenceBatch(bits), targets, weight))


def outputs(model, batches):
    return np.asarray(model(batches.examples.inputs)[0])


def test_rank_selection_gives_each_rank_its_expected_number_of_children():
    expected = 1.8 - 1.6 * np.arange(40) / 39
    counts = np.stack([np.bincount(rank_selection(jr.key(i), 40, 1.8), minlength=40) for i in range(60)])
    # Each draw is the expected number, rounded up or down: that is what distinguishes it from a roulette.
    assert (counts >= np.floor(expected)).all()
    assert (counts <= np.ceil(expected)).all()
    np.testing.assert_allclose(counts.mean(axis=0), expected, atol=0.35)
    assert (counts.sum(axis=1) == 40).all()


def test_children_are_made_of_their_parents_genes_and_the_best_stay():
    ranked = jnp.arange(60.0).reshape(12, 5)
    rule = GeneticAlgorithm(population=12, elite=3, crossover=1.0, mutation=0.0, pressure=2.0)
    children = np.asarray(rule.next_generation(ranked, jr.key(0)))
    np.testing.assert_array_equal(children[:3], ranked[:3])
    assert (children % 5 == np.arange(5)).all()
    assert np.isin(children, ranked).all()
    # Uniform crossover: some child has genes of two parents; without it none has.
    assert any(len(set(row // 5)) == 2 for row in children[3:])
    alone = GeneticAlgorithm(population=12, crossover=0.0, mutation=0.0).next_generation(ranked, jr.key(0))
    assert all(len(set(row // 5)) == 1 for row in np.asarray(alone))
    mutated = GeneticAlgorithm(population=12, elite=3, crossover=0.0, rate=0.5, mutation=1e-3)
    moved = np.asarray(mutated.next_generation(ranked, jr.key(0)))
    share = np.mean(moved[3:] != np.round(moved[3:]))
    assert 0.25 < share < 0.75
    assert np.abs(moved - np.round(moved)).max() < 6e-3


def test_the_fitness_is_the_reciprocal_of_the_mean_squared_error(xor):
    model, batches = xor
    examples = batches.examples
    genes = parameters_to_vector(model)
    both = jnp.stack([genes, 0 * genes])
    learned = lambda y, t: jnp.abs(y - t)[0] <= 0.45
    losses, shares = eqx.filter_jit(evaluate)(model, both, SQUARED, examples, None, learned=learned)
    for i, network in enumerate((model, vector_to_parameters(model, 0 * genes))):
        error = outputs(network, batches) - np.asarray(examples.targets)
        np.testing.assert_allclose(losses[i], np.mean(np.square(error[:, 1:])), rtol=1e-5)
        np.testing.assert_allclose(shares[i], np.mean(np.abs(error[:, 1:]) <= 0.45), rtol=1e-6)
    rule = GeneticAlgorithm(population=8)
    carry, metrics = eqx.filter_jit(rule.step)(rule.init(model, jr.key(0)), SQUARED, examples, jr.key(1))
    np.testing.assert_allclose(metrics["fitness"], 1 / metrics["loss"], rtol=1e-6)
    assert carry.population.shape == (8, genes.size)


@pytest.mark.parametrize(
    ("limit", "reason"), [({"share": 1.0}, "share"), ({"error": 0.02}, "error"), ({"generations": 37}, "generations")]
)
def test_xor_in_time_to_each_of_the_three_stopping_rules(xor, limit, reason):
    model, batches = xor
    rule = GeneticAlgorithm(population=128, span=2.0, mutation=0.5, **limit)
    result = fit(model, batches, loss=SQUARED, rule=rule, steps=400)
    measured = result.history[-1]["measured"]
    assert result.stopped == reason
    assert measured["generation"] == result.steps < 400
    # What the network itself gives, outside the search.
    error = np.abs(outputs(result.model, batches) - np.asarray(batches.examples.targets))[:, 1:]
    np.testing.assert_allclose(np.mean(np.square(error)), measured["loss"], rtol=1e-4)
    if reason == "share":
        assert (error <= 0.5).all()
    elif reason == "error":
        assert measured["loss"] <= 0.02
    else:
        assert result.steps == 37
    # It was not met a generation earlier: the end is exact, though losses are fetched sixteen at a time.
    before = fit(model, batches, loss=SQUARED, rule=rule, steps=result.steps - 1)
    assert before.stopped == "steps"
    assert before.last.stack.layers[0].R.shape == (1, 4, 4)


def test_with_the_elite_the_error_never_grows_and_random_search_is_worse(xor):
    model, batches = xor
    runs = {}
    for name, rule in (
        ("genetic", GeneticAlgorithm(population=128, span=2.0, mutation=0.5)),
        ("random", RandomSearch(population=128, span=2.0)),
    ):
        result = fit(model, batches, loss=SQUARED, rule=rule, steps=100, every=1)
        runs[name] = [record["loss"] for record in result.history]
        assert all(b <= a + 1e-7 for a, b in zip(runs[name], runs[name][1:], strict=False))
        np.testing.assert_allclose(
            np.mean(np.square(outputs(result.model, batches) - np.asarray(batches.examples.targets))[:, 1:]),
            runs[name][-1],
            rtol=1e-4,
        )
    assert runs["genetic"][-1] < 0.7 * runs["random"][-1]


def test_two_devices_evolve_the_same_population(xor, x64):
    model, batches = xor
    model = jax.tree.map(lambda a: a.astype(jnp.float64) if isinstance(a, jax.Array) else a, model)
    examples = jax.tree.map(lambda a: a.astype(jnp.float64), batches.examples)
    found = [
        fit(model, Same(examples), loss=SQUARED, rule=GeneticAlgorithm(population=16, devices=n), steps=5)
        for n in (1, 2)
    ]
    np.testing.assert_allclose(parameters_to_vector(found[0].model), parameters_to_vector(found[1].model), rtol=1e-12)
    with pytest.raises(SettingsError, match="devices: expected 1 to 2, a divisor of 15 networks, got 2"):
        fit(model, Same(examples), loss=SQUARED, rule=GeneticAlgorithm(population=15, devices=2), steps=1)


def test_what_it_refuses():
    cell = ost.cells.EchoState(1, 3, key=jr.key(0))
    with pytest.raises(UnsupportedRule, match="none of its weights is learned"):
        GeneticAlgorithm().check(cell)
    for wrong in ({"elite": 128}, {"pressure": 3.0}, {"rate": 2.0}, {"span": 0.0}, {"share": 0.0}):
        with pytest.raises(SettingsError, match=next(iter(wrong))):
            GeneticAlgorithm(**wrong)
    with pytest.raises(SettingsError, match="population"):
        RandomSearch(population=0)
