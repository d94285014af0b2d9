"""Networks evaluated for a search over weights: a whole population at once, and one by one by the same function."""

from typing import Any

import jax
import jax.numpy as jnp
import jax.random as jr

from ostinato.benches.base import BenchSettings, Row
from ostinato.benches.timer import interleaved
from ostinato.data import Examples, SequenceBatch
from ostinato.layers import RNN
from ostinato.learning import GeneticAlgorithm
from ostinato.learning.parameter_vector import evaluate, parameters_to_vector
from ostinato.losses import squared

NETWORKS, UNITS, STEPS, ALONE = 512, 32, 50, 32
"""`ALONE` networks stand for all of them where they are evaluated one by one, which takes so long."""


def run(settings: BenchSettings) -> list[Row]:
    """Microseconds for the evaluation of a population, and for a whole generation of the genetic algorithm."""
    networks, units, steps = (16, 4, 10) if settings.quick else (NETWORKS, UNITS, STEPS)
    alone = min(ALONE, networks)
    model = RNN("elman", 2, units, output_size=1, key=jr.key(0))
    xs = jr.normal(jr.key(1), (1, steps, 2))
    examples = Examples(SequenceBatch(xs), jnp.tanh(xs[..., :1]), jnp.full((1, steps), 1 / steps))
    population = 0.3 * jr.normal(jr.key(2), (networks, parameters_to_vector(model).size))
    losses = jax.jit(lambda genes, examples: evaluate(model, genes, squared, examples, None)[0])
    rule = GeneticAlgorithm(population=networks)

    def one_by_one() -> list[Any]:
        return [losses(population[i : i + 1], examples) for i in range(alone)]

    carry = rule.init(model, jr.key(3))
    arrays = (carry.population, carry.best, carry.number)

    @jax.jit
    def evolve(arrays: Any, examples: Examples, key: Any) -> Any:
        after, metrics = rule.step(type(carry)(model, *arrays), squared, examples, key)
        return (after.population, after.best, after.number), metrics

    times = interleaved(
        {
            "population": lambda: losses(population, examples),
            "one by one": one_by_one,
            "generation": lambda: evolve(arrays, examples, jr.key(4)),
        },
        settings.repeat_count(21),
        warmup=2,
    )
    each = times["one by one"] * networks / alone
    detail = {
        "evaluations_per_second": 1e6 * networks / times["population"],
        "one_by_one_per_second": 1e6 * networks / each,
        "generation_us": times["generation"],
        "one_by_one_measured": alone,
    }
    settings.note(f"evolution: {detail}")
    case = f"{networks} Elman networks of {units} units over {steps} steps, one sequence"
    return [
        Row(f"{case}: evaluation", times["population"], "one by one, same function", each, None, detail),
        Row(
            f"{case}: a generation with selection, crossover and mutation",
            times["generation"],
            None,
            None,
            times["population"],
            {"evaluations_per_second": 1e6 * networks / times["generation"]},
        ),
    ]
