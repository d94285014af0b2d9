"""Keras 3's recurrent layers on its JAX backend, with a mask that has holes."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ostinato.cells import GRU, LSTM, Elman, GRUBefore
from ostinato.layers import unroll

from .store import load

CASES = load("keras")
TOLERANCE = {"float32": 1e-6, "float64": 1e-12}
# Keras' gates stand side by side in columns; for the GRU in the order update, reset, candidate.
MAKERS = {
    "simple": (Elman, [0]),
    "lstm": (LSTM, [0, 1, 2, 3]),
    "gru_after": (GRU, [1, 0, 2]),
    "gru_before": (GRUBefore, [1, 0, 2]),
}


def keras_cell(kind, case, dtype):
    maker, order = MAKERS[kind]
    kernel, recurrent, bias = (jnp.asarray(case[n], dtype) for n in ("kernel", "recurrent_kernel", "bias"))
    inputs, hidden = kernel.shape[0], recurrent.shape[0]
    cell = eqx.filter_eval_shape(maker, inputs, hidden, key=jax.random.key(0))
    W = kernel.reshape(inputs, -1, hidden).transpose(1, 2, 0)[jnp.array(order)]
    R = recurrent.reshape(hidden, -1, hidden).transpose(1, 2, 0)[jnp.array(order)]
    if kind == "gru_after":
        b, b_h = bias.reshape(2, 3, hidden)[:, jnp.array(order)]
        return eqx.tree_at(lambda c: (c.W, c.R, c.b, c.b_h), cell, (W, R, b, b_h))
    return eqx.tree_at(lambda c: (c.W, c.R, c.b), cell, (W, R, bias.reshape(-1, hidden)[jnp.array(order)]))


def keras_gradients(kind, grad):
    back = np.argsort(MAKERS[kind][1])
    hidden = grad.R.shape[-1]
    biases = [grad.b[back]] + ([grad.b_h[back]] if kind == "gru_after" else [])
    rows = jnp.stack([b.reshape(-1) for b in biases])
    return {
        "d/kernel": grad.W[back].transpose(2, 0, 1).reshape(-1, len(back) * hidden),
        "d/recurrent_kernel": grad.R[back].transpose(2, 0, 1).reshape(hidden, -1),
        "d/bias": rows if kind == "gru_after" else rows[0],
    }


@pytest.mark.parametrize("bits", TOLERANCE)
@pytest.mark.parametrize("kind", CASES)
def test_keras(kind, bits):
    case = CASES[kind]
    with jax.enable_x64(bits == "float64"):
        cell = keras_cell(kind, case, bits)
        mask = jnp.asarray(case["mask"], bool)

        @eqx.filter_jit
        def both_ways(cell, xs):
            def run(cell, xs):
                ys, final = unroll(cell, xs, mask=mask)
                return {"ys": ys, **final._asdict()}

            outputs, pull = eqx.filter_vjp(run, cell, xs)
            return outputs, pull({k: jnp.asarray(case[f"cotangent/{k}"], bits) for k in outputs})

        outputs, (d_cell, d_xs) = both_ways(cell, jnp.asarray(case["xs"], bits))
        found = {**outputs, "d/xs": d_xs, **keras_gradients(kind, d_cell)}
    expected = {key.removeprefix(f"{bits}/"): case[key] for key in case if key.startswith(bits)}
    assert found.keys() == expected.keys()
    for key, values in expected.items():
        error = np.abs(np.asarray(found[key], np.float64) - values).max() / np.abs(values).max()
        assert error < TOLERANCE[bits], key
