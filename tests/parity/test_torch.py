"""PyTorch's recurrent layers: outputs, final states, every gradient; stacked, both directions, padded; 50 steps."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ostinato.cells import GRU, LSTM, Elman, ProjectionLSTM
from ostinato.data import SequenceBatch
from ostinato.layers import Bidirectional, BidirectionalState, Stack, unroll

from .store import load

CASES = load("torch")
TOLERANCE = {"float32": 1e-6, "float64": 1e-12}
MAKERS = {
    "rnn_tanh": (Elman, {"activation": "tanh"}),
    "rnn_relu": (Elman, {"activation": "relu"}),
    "lstm": (LSTM, {}),
    "lstm_projection": (ProjectionLSTM, {"projection_size": 2}),
    "gru": (GRU, {}),
}


def torch_cell(kind, case, suffix, dtype):
    """Our cell with PyTorch's weights of one layer and direction, e.g. `l0_reverse`."""
    W_ih, W_hh, b_ih, b_hh = (
        jnp.asarray(case[f"{name}_{suffix}"], dtype) for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    )
    hidden = 5
    gates = W_ih.shape[0] // hidden
    maker, settings = MAKERS[kind]
    cell = eqx.filter_eval_shape(maker, W_ih.shape[1], hidden, key=jax.random.key(0), **settings)
    W, R = W_ih.reshape(gates, hidden, -1), W_hh.reshape(gates, hidden, -1)
    b, b_h = b_ih.reshape(gates, hidden), b_hh.reshape(gates, hidden)
    if kind == "gru":
        return eqx.tree_at(lambda c: (c.W, c.R, c.b, c.b_h), cell, (W, R, b, b_h))
    if kind == "lstm_projection":
        P = jnp.asarray(case[f"weight_hr_{suffix}"], dtype)
        return eqx.tree_at(lambda c: (c.W, c.R, c.b, c.P), cell, (W, R, b + b_h, P))
    return eqx.tree_at(lambda c: (c.W, c.R, c.b), cell, (W, R, b + b_h))


def torch_gradients(kind, grad, suffix):
    """A cell's gradients under PyTorch's names; where our one bias is the sum of its two, both have its gradient."""
    flat = {
        f"weight_ih_{suffix}": grad.W.reshape(-1, grad.W.shape[-1]),
        f"weight_hh_{suffix}": grad.R.reshape(-1, grad.R.shape[-1]),
        f"bias_ih_{suffix}": grad.b.reshape(-1),
        f"bias_hh_{suffix}": (grad.b_h if kind == "gru" else grad.b).reshape(-1),
    }
    return flat | ({f"weight_hr_{suffix}": grad.P} if kind == "lstm_projection" else {})


@pytest.mark.parametrize("bits", TOLERANCE)
@pytest.mark.parametrize("name", CASES)
def test_torch(name, bits):
    kind, case = name.split("/")[0], CASES[name]
    with jax.enable_x64(bits == "float64"):
        found = ours(kind, case, bits)
    expected = {key.removeprefix(f"{bits}/"): case[key] for key in case if key.startswith(bits)}
    assert found.keys() == expected.keys()
    for key, values in expected.items():
        error = np.abs(np.asarray(found[key], np.float64) - values).max() / np.abs(values).max()
        assert error < TOLERANCE[bits], key


def ours(kind, case, bits):
    """Everything that PyTorch gave, from our layers, in its names and shapes."""
    both = "weight_ih_l0_reverse" in case
    layers = sum(f"weight_ih_l{k}" in case for k in range(9))
    suffixes = [f"l{k}{turn}" for k in range(layers) for turn in (("", "_reverse") if both else ("",))]
    cells = [torch_cell(kind, case, suffix, bits) for suffix in suffixes]
    fields = [f for f in ("h", "c") if f"{f}0" in case]

    def arranged(items):
        pairs = [Bidirectional(*items[k : k + 2]) if both else items[k] for k in range(0, len(items), 1 + both)]
        return Stack(pairs)

    def stated(values):
        """PyTorch's `(layers * directions, batch, units)` for each field as our state."""
        rows = [type(cells[i].init_state())(*(values[f][i] for f in fields)) for i in range(len(cells))]
        return tuple(BidirectionalState(*rows[2 * k : 2 * k + 2]) for k in range(layers)) if both else tuple(rows)

    def unstated(state):
        rows = [row for pair in state for row in (pair if both else (pair,))]
        return {f: jnp.stack([getattr(row, f) for row in rows]) for f in fields}

    def run(cells, xs, start):
        batch = SequenceBatch.from_padded(xs, case["lengths"].astype(int) if "lengths" in case else None)
        ys, final = unroll(arranged(cells), batch, stated(start))
        return {"ys": ys, **unstated(final)}

    xs = jnp.asarray(case["xs"], bits)
    start = {f: jnp.asarray(case[f"{f}0"], bits) for f in fields}

    @eqx.filter_jit
    def both_ways(cells, xs, start):
        outputs, pull = eqx.filter_vjp(run, cells, xs, start)
        return outputs, pull({k: jnp.asarray(case[f"cotangent/{k}"], bits) for k in outputs})

    outputs, (d_cells, d_xs, d_start) = both_ways(cells, xs, start)
    found = dict(outputs) | {"d/xs": d_xs} | {f"d/{f}0": d for f, d in d_start.items()}
    for suffix, grad in zip(suffixes, d_cells, strict=True):
        found |= {f"d/{key}": value for key, value in torch_gradients(kind, grad, suffix).items()}
    return found
