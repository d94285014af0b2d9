"""What a trained forecaster has made of the past of a series: the state of its network, as features."""

from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ostinato.data import SequenceBatch
from ostinato.errors import LengthError, SettingsError
from ostinato.models.forecast.features import extended
from ostinato.models.forecast.network import ForecastNet


def encode(model: Any, data: Any = None) -> Float[np.ndarray, "series hidden"]:
    """The last output of the recurrent network after each series, `(series, hidden)`: features for other models.

    `model`: a fitted `Forecaster` of one network (`hidden_size` was set); `data`: as for `predict`, default the end of
    the training series. Series in the order of the data.

    Raises `SettingsError` for a forecaster that mixes, whose networks see no past alone, and `LengthError` where a
    series has fewer rows than the context.
    """
    model.check_fitted()
    network = getattr(model, "network_", None)
    if not isinstance(network, ForecastNet):
        raise SettingsError("encode: needs a forecaster of one network; fit it with a hidden_size")
    found = model._counted(model.tail_ if data is None else model._given(data), model.tail_.dt is not None)
    model._check_values(found, [max(n - model._reach, 0) for n in found.history])
    steps, windows = network.context + model._trained_horizon, []
    for i, stop in enumerate(found.history):
        if stop < network.context:
            raise LengthError(f"series '{found.ids[i]}': its state needs {network.context} rows, it has {stop}")
        one = extended(found, i, model._trained_horizon, model.frequency_)
        source = model._source(model.features_.arrays(one), model._trained_horizon, [np.array([stop])])
        windows.append(source.take(np.zeros(1, int), steps))
    values = jnp.asarray(np.concatenate([w.values for w in windows]), jnp.result_type(float))
    seen = [w.observed for w in windows if w.observed is not None]
    observed = jnp.asarray(np.concatenate(seen)) if seen else None
    return np.asarray(_last(network, SequenceBatch(values, observed=observed)))


@eqx.filter_jit
def _last(network: ForecastNet, xs: SequenceBatch) -> Array:
    inputs, _ = network.rnn_inputs(xs, None)
    return network.rnn(inputs)[0][:, -1]
