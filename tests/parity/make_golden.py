"""Makes the stored numbers of this folder: outputs, final states and gradients of PyTorch and of Keras 3 on JAX.

Run it with a Python that has torch, keras and jax; it writes `golden/torch.npz` and `golden/keras.npz`:

    python tests/parity/make_golden.py

Weights and inputs are random numbers that float16 holds exactly, so the same network runs in float32 and in float64.
The gradients are those of `sum(cotangent * output)` over all outputs and final states. The stored files come from
PyTorch 2.13.0 and Keras 3.15.1.
"""

import os

import jax
import jax.numpy as jnp
import numpy as np

INPUT, HIDDEN, BATCH, PROJECTION = 3, 5, 3, 2
LENGTHS = [6, 2, 4]
MASK = [[1, 1, 0, 1, 1, 1], [0, 0, 1, 1, 0, 0], [1, 1, 1, 1, 1, 1]]


def numbers(rng, shape, scale=0.5):
    return rng.normal(0, scale, shape).astype(np.float16)


def torch_cases():
    import torch  # noqa: TID251

    makers = {
        "rnn_tanh": lambda **k: torch.nn.RNN(INPUT, HIDDEN, nonlinearity="tanh", **k),
        "rnn_relu": lambda **k: torch.nn.RNN(INPUT, HIDDEN, nonlinearity="relu", **k),
        "lstm": lambda **k: torch.nn.LSTM(INPUT, HIDDEN, **k),
        "lstm_projection": lambda **k: torch.nn.LSTM(INPUT, HIDDEN, proj_size=PROJECTION, **k),
        "gru": lambda **k: torch.nn.GRU(INPUT, HIDDEN, **k),
    }
    runs = [(kind, "plain", 1, False, 50, None) for kind in makers]
    runs += [(kind, "padded", 2, True, 6, LENGTHS) for kind in makers]
    runs += [("lstm", "deep", 2, False, 6, None), ("gru", "both", 1, True, 6, None)]
    return {
        f"{kind}/{variant}": torch_case(makers[kind], i, layers, both, time, lengths)
        for i, (kind, variant, layers, both, time, lengths) in enumerate(runs)
    }


def torch_case(make, seed, layers, both, time, lengths):
    import torch  # noqa: TID251
    from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence  # noqa: TID251

    rng = np.random.default_rng(seed)
    kinds = {"batch_first": True, "num_layers": layers, "bidirectional": both}
    weights = {name: numbers(rng, p.shape) for name, p in make(**kinds).named_parameters()}
    given = {"xs": numbers(rng, (BATCH, time, INPUT), 1.0)}
    if lengths:
        given["lengths"] = np.array(lengths, np.float16)
    results = {}
    for dtype in (torch.float32, torch.float64):
        net = make(**kinds).to(dtype)
        with torch.no_grad():
            for name, p in net.named_parameters():
                p.copy_(torch.tensor(weights[name]))
        count = layers * (2 if both else 1)
        sizes = {"h": net.proj_size or HIDDEN} | ({"c": HIDDEN} if isinstance(net, torch.nn.LSTM) else {})
        for field, size in sizes.items():
            given.setdefault(f"{field}0", numbers(rng, (count, BATCH, size)))
        xs = torch.tensor(given["xs"], dtype=dtype, requires_grad=True)
        start = {f: torch.tensor(given[f"{f}0"], dtype=dtype, requires_grad=True) for f in sizes}
        state = (start["h"], start["c"]) if "c" in sizes else start["h"]
        if lengths:
            packed = pack_padded_sequence(xs, torch.tensor(lengths), batch_first=True, enforce_sorted=False)
            ys, final = net(packed, state)
            ys, _ = pad_packed_sequence(ys, batch_first=True, total_length=time)
        else:
            ys, final = net(xs, state)
        finals = dict(zip(sizes, final, strict=True)) if "c" in sizes else {"h": final}
        value = 0
        for name, tensor in {"ys": ys, **finals}.items():
            cotangent = given.setdefault(f"cotangent/{name}", numbers(rng, tensor.shape, 1.0))
            value = value + (torch.tensor(cotangent, dtype=dtype) * tensor).sum()
        value.backward()
        bits = str(dtype).removeprefix("torch.")
        results[f"{bits}/ys"] = ys.detach().numpy()
        results[f"{bits}/d/xs"] = xs.grad.numpy()
        for field in sizes:
            results[f"{bits}/{field}"] = finals[field].detach().numpy()
            results[f"{bits}/d/{field}0"] = start[field].grad.numpy()
        for name, p in net.named_parameters():
            results[f"{bits}/d/{name}"] = p.grad.numpy()
    return given | weights | results


def keras_cases():
    import keras

    # Keras' own tanh turns float64 into float32 on this backend.
    inner, gates = {"activation": jnp.tanh}, {"recurrent_activation": jax.nn.sigmoid}
    makers = {
        "simple": lambda **k: keras.layers.SimpleRNN(HIDDEN, **inner, **k),
        "lstm": lambda **k: keras.layers.LSTM(HIDDEN, **inner, **gates, **k),
        "gru_after": lambda **k: keras.layers.GRU(HIDDEN, reset_after=True, **inner, **gates, **k),
        "gru_before": lambda **k: keras.layers.GRU(HIDDEN, reset_after=False, **inner, **gates, **k),
    }
    return {kind: keras_case(make, 100 + i) for i, (kind, make) in enumerate(makers.items())}


def keras_case(make, seed):
    """One layer with a mask that has holes; outputs of masked steps are zeroed, as Keras repeats the last one there."""
    import keras

    rng = np.random.default_rng(seed)
    mask = np.array(MASK, bool)
    given = {"xs": numbers(rng, (*mask.shape, INPUT), 1.0), "mask": mask.astype(np.float16)}
    results = {}
    for bits in ("float32", "float64"):
        # A dtype given to the layer alone leaves the products of its cell in float32.
        keras.config.set_floatx(bits)
        keras.config.set_dtype_policy(bits)
        layer = make(return_sequences=True, return_state=True)
        layer.build((*mask.shape, INPUT))
        names = [v.name for v in layer.trainable_variables]
        variables = [
            given.setdefault(n, numbers(rng, v.shape)) for n, v in zip(names, layer.trainable_variables, strict=True)
        ]

        def run(xs, variables, layer=layer):
            (ys, *states), _ = layer.stateless_call(
                variables, layer.non_trainable_variables, xs, mask=jnp.asarray(mask)
            )
            return jnp.where(mask[..., None], ys, 0), states

        operands = jnp.asarray(given["xs"], bits), [jnp.asarray(v, bits) for v in variables]
        (ys, states), pull = jax.vjp(run, *operands)
        fields = dict(zip(("h", "c"), states, strict=False))
        cotangents = [
            given.setdefault(f"cotangent/{n}", numbers(rng, a.shape, 1.0)) for n, a in {"ys": ys, **fields}.items()
        ]
        d_ys, *d_states = (jnp.asarray(c, bits) for c in cotangents)
        d_xs, d_variables = pull((d_ys, d_states))
        results |= {f"{bits}/ys": ys, f"{bits}/d/xs": d_xs}
        results |= {f"{bits}/{n}": a for n, a in fields.items()}
        results |= {f"{bits}/d/{n}": d for n, d in zip(names, d_variables, strict=True)}
    return given | {name: np.asarray(array) for name, array in results.items()}


if __name__ == "__main__":
    import store

    os.environ["KERAS_BACKEND"] = "jax"
    jax.config.update("jax_enable_x64", True)
    store.save("torch", torch_cases())
    store.save("keras", keras_cases())
