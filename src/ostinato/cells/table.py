"""The table of cells: a name for each architecture."""

from typing import TYPE_CHECKING

from ostinato.tables import Entry

if TYPE_CHECKING:
    from ostinato.cells.base import Cell

CELLS: "dict[str, Entry[Cell]]" = {
    "augment": Entry(
        "cells.augment:Augment",
        "sums of changes of the input, and units that see the input",
        "Rombouts, Bohte and Roelfsema 2015",
    ),
    "cfc": Entry("cells.liquid:CfC", "closed form of a liquid network, for uneven steps", "Hasani et al. 2022"),
    "clockwork": Entry("cells.clockwork:Clockwork", "groups of units, each at its own period", "Koutník et al. 2014"),
    "cornn": Entry("cells.cornn:CoRNN", "coupled damped oscillators", "Rusch and Mishra 2021"),
    "ctrnn": Entry(
        "cells.ctrnn:CTRNN", "continuous time, a time constant for each neuron, by Euler steps", "Beer 1995"
    ),
    "ctrnn-rk4": Entry("cells.integrate:ctrnn_runge_kutta", "continuous time by Runge-Kutta steps", "Beer 1995"),
    "echo-state": Entry("cells.echo_state:EchoState", "leaky random reservoir, not learned", "Jaeger 2001"),
    "elman": Entry("cells.elman:Elman", "simple recurrent network, any activation", "Elman 1990"),
    "elman-layernorm": Entry(
        "cells.layernorm:LayerNormElman", "simple recurrent network, normalised", "Ba, Kiros and Hinton 2016"
    ),
    "elstm": Entry(
        "cells.elstm:ELSTM", "LSTM whose gates see their own unit's memory", "Irie, Gopalakrishnan and Schmidhuber 2024"
    ),
    "es2n": Entry("cells.es2n:ES2N", "reservoir at the edge of stability, not learned", "Ceni and Gallicchio 2023"),
    "fir": Entry("cells.filters:Filters", "filters of finite response for synapses", "Wan 1990", {"feedback": 0}),
    "gru": Entry("cells.gru:GRU", "gated recurrent unit, reset after the product", "Cho et al. 2014"),
    "gru-before": Entry("cells.gru:GRUBefore", "gated recurrent unit, reset before the product", "Cho et al. 2014"),
    "gru-layernorm": Entry(
        "cells.layernorm:layer_norm_gru", "gated recurrent unit, normalised", "Ba, Kiros and Hinton 2016"
    ),
    "gru1": Entry("cells.gru_simple:GRU1", "GRU whose gates see state and bias", "Dey and Salem 2017"),
    "gru2": Entry("cells.gru_simple:GRU2", "GRU whose gates see the state", "Dey and Salem 2017"),
    "gru3": Entry("cells.gru_simple:GRU3", "GRU whose gates are learned constants", "Dey and Salem 2017"),
    "hm-lstm": Entry(
        "cells.hm_lstm:HMLSTM", "levels of LSTM that end their own segments", "Chung, Ahn and Bengio 2017"
    ),
    "iir": Entry("cells.filters:Filters", "filters with poles and zeros for synapses", "Back and Tsoi 1991"),
    "indrnn": Entry("cells.indrnn:IndRNN", "independently recurrent units", "Li et al. 2018"),
    "jordan": Entry("cells.jordan:Jordan", "sees its own output of the step before", "Jordan 1986"),
    "lstm": Entry("cells.lstm:LSTM", "long short-term memory with forget gate", "Gers, Schmidhuber and Cummins 2000"),
    "lstm-1997": Entry(
        "cells.lstm_variants:LSTM1997", "the first LSTM, without forget gate", "Hochreiter and Schmidhuber 1997"
    ),
    "lstm-coupled": Entry(
        "cells.lstm_variants:CoupledLSTM", "LSTM that forgets as much as it writes", "Greff et al. 2015"
    ),
    "lstm-layernorm": Entry("cells.layernorm:layer_norm_lstm", "LSTM, normalised", "Ba, Kiros and Hinton 2016"),
    "lstm-peephole": Entry(
        "cells.peephole:PeepholeLSTM", "LSTM whose gates see the memory", "Gers, Schraudolph and Schmidhuber 2002"
    ),
    "lstm-peephole-simple": Entry(
        "cells.peephole:SimplePeepholeLSTM", "LSTM whose gates see only the memory", "simplified from Gers et al. 2002"
    ),
    "lstm-projection": Entry(
        "cells.lstm_projection:ProjectionLSTM", "LSTM with a projected output", "Sak, Senior and Beaufays 2014"
    ),
    "ltc": Entry("cells.liquid:LTC", "liquid time constants, for uneven steps", "Hasani et al. 2021"),
    "mgu": Entry("cells.mgu:MGU", "minimal gated unit, one gate", "Zhou et al. 2016"),
    "mgu-after": Entry("cells.mgu:MGUAfter", "minimal gated unit, gate after the product", "after Zhou et al. 2016"),
    "mgu1": Entry("cells.mgu:MGU1", "MGU whose gate sees state and bias", "Heck and Salem 2017"),
    "mgu2": Entry("cells.mgu:MGU2", "MGU whose gate sees the state", "Heck and Salem 2017"),
    "mgu3": Entry("cells.mgu:MGU3", "MGU whose gate is a learned constant", "Heck and Salem 2017"),
    "min-gru": Entry(
        "cells.minimal:MinGRU", "GRU whose gates see the input alone; runs in parallel", "Feng et al. 2024"
    ),
    "min-lstm": Entry(
        "cells.minimal:MinLSTM", "LSTM whose gates see the input alone; runs in parallel", "Feng et al. 2024"
    ),
    "mtrnn": Entry("cells.mtrnn:MTRNN", "fast units, and slow ones behind them", "Yamashita and Tani 2008"),
    "orthogonal": Entry(
        "cells.orthogonal:Orthogonal", "recurrent matrix that stays orthogonal", "Helfrich, Willmott and Ye 2018"
    ),
    "recollect": Entry(
        "cells.recollect:Recollect", "one gate that sees the input alone", "van den Berg, Roelfsema and Bohte 2024"
    ),
    "rmlp": Entry("cells.rmlp:RecurrentMLP", "feed-forward layers, the last one recurrent", "Tutschku 1995"),
    "second-order": Entry("cells.second_order:SecondOrder", "products of state and input", "Giles et al. 1992"),
    "slstm": Entry("cells.slstm:SLSTM", "LSTM with an exponential gate and a normalised memory", "Beck et al. 2024"),
}
"""`make(input_size, hidden_size, *, key, **settings)`."""
