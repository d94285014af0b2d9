"""What a step of learning costs under each rule, against the number of units: operations as XLA counts them, and times.

A loop's operations are counted once, however often it turns. So the cost of a step of a rule is that of a chunk of one
step; what a block of a rule costs is counted without a loop, by its parts.
"""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np

from ostinato.benches.base import BenchSettings, Row
from ostinato.benches.timer import interleaved
from ostinato.cells import count_parameters
from ostinato.data import Examples, SequenceBatch
from ostinato.layers import RNN
from ostinato.learning import BPTT, KFRTRL, RFLO, RTRL, UORO, EProp, GradientRule, HybridRTRL, SnAp
from ostinato.learning.dynamics import Dynamics, Item, differentiable
from ostinato.losses import squared

INPUT = 2
RULES: dict[str, tuple[str, GradientRule]] = {
    "bptt": ("elman", BPTT()),
    "rtrl": ("elman", RTRL()),
    "hybrid": ("elman", HybridRTRL()),
    "snap-1": ("elman", SnAp()),
    "uoro": ("elman", UORO()),
    "kf-rtrl": ("elman", KFRTRL()),
    "rflo": ("elman", RFLO()),
    "e-prop": ("elman", EProp()),
    "diagonal rtrl": ("indrnn", RTRL(diagonal=True)),
}
COUNTED, QUICK = (32, 64, 128), (4, 8)
TIMED = (64, 128)


def examples_of(steps: int) -> Examples:
    """One sequence of so many steps."""
    k_x, k_t = jr.split(jr.key(0))
    weight = jnp.full((steps,), 1 / steps)
    return Examples(SequenceBatch(jr.normal(k_x, (steps, INPUT))), jr.normal(k_t, (steps, 1)), weight)


def call(rule: GradientRule, model: Any, steps: int) -> tuple[Any, tuple[Any, Any, Any]]:
    """One call of the rule as a compiled function, and its arguments."""
    examples = examples_of(steps)
    carry = rule.init(model, examples)
    # A carry that is an argument, not a constant: what is added to zeros would be left out.
    carry = jax.tree.map(lambda a: a + 1 if jnp.issubdtype(a.dtype, jnp.floating) else a, carry)
    return eqx.filter_jit(lambda m, e, c: rule(m, squared, e, c)), (model, examples, carry)


def operations(function: Any, *args: Any) -> float:
    """Floating-point operations of a compiled function as XLA counts them; loops are counted once."""
    found = function.lower(*args).compile().compiled.cost_analysis()
    found = found[0] if isinstance(found, list) else found
    return float(found["flops"])


def step_operations(name: str, units: int) -> tuple[float, int]:
    """Operations of one step under a rule, and the number of its network's parameters."""
    cell, rule = RULES[name]
    model = RNN(cell, INPUT, units, output_size=1, key=jr.key(0))
    size = count_parameters(model)
    if name == "bptt":
        return back_propagation(model), size
    if name != "hybrid":
        function, args = call(rule, model, 1)
        return operations(function, *args), size
    # In a block the loop over its steps, forward and backward for every number of the state, is counted once; the
    # products with the matrix of derivatives come once in a block.
    function, args = call(rule, model, units)
    P = args[2].traces
    products = operations(eqx.filter_jit(lambda J, e, P: (J @ P, e @ P)), jnp.eye(units) + 1, jnp.ones(units), P)
    return operations(function, *args) - products + products / units, size


def back_propagation(model: Any) -> float:
    """Forward and backward through one step, by the reference kernel, whose operations XLA sees."""
    view = Dynamics(model)
    examples = examples_of(1)
    item = Item(examples.inputs.values, None, None, None, None, examples.targets, examples.weight)
    state = jax.tree.map(lambda a: a + 1, model.init_state())

    @eqx.filter_jit
    def grads(leaves: list[Any], state: Any, item: Item) -> Any:
        fields, join = differentiable(state)

        def run(leaves: list[Any], fields: list[Any]) -> Any:
            value, after = view.run(leaves, join(fields), item, squared)
            return value, differentiable(after)[0]

        out, pull = jax.vjp(run, leaves, fields)
        return out, pull(jax.tree.map(jnp.ones_like, out))

    return operations(grads, view.leaves, state, item)


def slope(xs: list[float], ys: list[float]) -> float:
    """Of the logarithms: the power with which y grows in x."""
    return float(np.polyfit(np.log(xs), np.log(ys), 1)[0])


def timed(units: int, settings: BenchSettings) -> dict[str, float]:
    """Microseconds of a step under each rule, in chunks of two blocks of the hybrid."""
    steps = 2 * units
    functions: dict[str, Callable[[], Any]] = {}
    for name, (cell, rule) in RULES.items():
        model = RNN(cell, INPUT, units, output_size=1, key=jr.key(0))
        function, args = call(rule, model, steps)
        functions[name] = lambda function=function, args=args: jax.tree.leaves(function(*args)[:2])
    return {name: t / steps for name, t in interleaved(functions, settings.repeat_count(5)).items()}


def run(settings: BenchSettings) -> list[Row]:
    """For each rule the fitted power of its operations in units and in parameters, and times from 64 units up."""
    sizes, rows = QUICK if settings.quick else COUNTED, []
    counts: dict[str, list[float]] = {}
    details: dict[str, dict[str, Any]] = {}
    for name in RULES:
        found = [step_operations(name, n) for n in sizes]
        counts[name] = [operations for operations, _ in found]
        details[name] = {
            "operations_per_step": dict(zip(map(str, sizes), counts[name], strict=True)),
            "power_of_units": slope(list(map(float, sizes)), counts[name]),
            "power_of_parameters": slope([float(size) for _, size in found], counts[name]),
        }
        settings.note(f"{name}: operations {counts[name]}, power of n {details[name]['power_of_units']:.2f}")
    between = all(a < b < c for a, b, c in zip(counts["bptt"], counts["hybrid"], counts["rtrl"], strict=True))
    details["rtrl"] |= {
        "promised": "power of units 3.8 to 4.2",
        "holds": 3.8 <= details["rtrl"]["power_of_units"] <= 4.2,
    }
    details["hybrid"] |= {"promised": "between BPTT and RTRL", "holds": between}
    power = details["diagonal rtrl"]["power_of_parameters"]
    details["diagonal rtrl"] |= {"promised": "power of parameters at most 1.1", "holds": power <= 1.1}
    for n in QUICK[:1] if settings.quick else TIMED:
        times = timed(n, settings)
        settings.note(f"{n} units: {times}")
        for name, (cell, _) in RULES.items():
            detail = details[name] | {"units": n, "cell": cell}
            rows.append(Row(f"{name}, {cell}, {n} units, a step", times[name], "BPTT", times["bptt"], None, detail))
    return rows
