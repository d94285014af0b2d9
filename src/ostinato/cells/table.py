"""The table of cells: a name for each architecture."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from ostinato.cells.augment import Augment
from ostinato.cells.base import Cell
from ostinato.cells.clockwork import Clockwork
from ostinato.cells.cornn import CoRNN
from ostinato.cells.ctrnn import CTRNN
from ostinato.cells.echo_state import EchoState
from ostinato.cells.elman import Elman
from ostinato.cells.elstm import ELSTM
from ostinato.cells.es2n import ES2N
from ostinato.cells.filters import Filters
from ostinato.cells.gru import GRU, GRUBefore
from ostinato.cells.gru_simple import GRU1, GRU2, GRU3
from ostinato.cells.hm_lstm import HMLSTM
from ostinato.cells.indrnn import IndRNN
from ostinato.cells.integrate import ctrnn_runge_kutta
from ostinato.cells.jordan import Jordan
from ostinato.cells.layernorm import LayerNormElman, layer_norm_gru, layer_norm_lstm
from ostinato.cells.liquid import LTC, CfC
from ostinato.cells.lstm import LSTM
from ostinato.cells.lstm_projection import ProjectionLSTM
from ostinato.cells.lstm_variants import LSTM1997, CoupledLSTM
from ostinato.cells.mgu import MGU, MGU1, MGU2, MGU3, MGUAfter
from ostinato.cells.minimal import MinGRU, MinLSTM
from ostinato.cells.mtrnn import MTRNN
from ostinato.cells.orthogonal import Orthogonal
from ostinato.cells.peephole import PeepholeLSTM, SimplePeepholeLSTM
from ostinato.cells.recollect import Recollect
from ostinato.cells.rmlp import RecurrentMLP
from ostinato.cells.second_order import SecondOrder
from ostinato.cells.slstm import SLSTM


@dataclass(frozen=True)
class CellEntry:
    """A row: `make(input_size, hidden_size, *, key, **settings)`, one line of description, where it was published."""

    make: Callable[..., Cell]
    description: str
    reference: str


CELLS: dict[str, CellEntry] = {
    "augment": CellEntry(
        Augment, "sums of changes of the input, and units that see the input", "Rombouts, Bohte and Roelfsema 2015"
    ),
    "cfc": CellEntry(CfC, "closed form of a liquid network, for uneven steps", "Hasani et al. 2022"),
    "clockwork": CellEntry(Clockwork, "groups of units, each at its own period", "Koutník et al. 2014"),
    "cornn": CellEntry(CoRNN, "coupled damped oscillators", "Rusch and Mishra 2021"),
    "ctrnn": CellEntry(CTRNN, "continuous time, a time constant for each neuron, by Euler steps", "Beer 1995"),
    "ctrnn-rk4": CellEntry(ctrnn_runge_kutta, "continuous time by Runge-Kutta steps", "Beer 1995"),
    "echo-state": CellEntry(EchoState, "leaky random reservoir, not learned", "Jaeger 2001"),
    "elman": CellEntry(Elman, "simple recurrent network, any activation", "Elman 1990"),
    "elman-layernorm": CellEntry(LayerNormElman, "simple recurrent network, normalised", "Ba, Kiros and Hinton 2016"),
    "elstm": CellEntry(
        ELSTM, "LSTM whose gates see their own unit's memory", "Irie, Gopalakrishnan and Schmidhuber 2024"
    ),
    "es2n": CellEntry(ES2N, "reservoir at the edge of stability, not learned", "Ceni and Gallicchio 2023"),
    "fir": CellEntry(partial(Filters, feedback=0), "filters of finite response for synapses", "Wan 1990"),
    "gru": CellEntry(GRU, "gated recurrent unit, reset after the product", "Cho et al. 2014"),
    "gru-before": CellEntry(GRUBefore, "gated recurrent unit, reset before the product", "Cho et al. 2014"),
    "gru-layernorm": CellEntry(layer_norm_gru, "gated recurrent unit, normalised", "Ba, Kiros and Hinton 2016"),
    "gru1": CellEntry(GRU1, "GRU whose gates see state and bias", "Dey and Salem 2017"),
    "gru2": CellEntry(GRU2, "GRU whose gates see the state", "Dey and Salem 2017"),
    "gru3": CellEntry(GRU3, "GRU whose gates are learned constants", "Dey and Salem 2017"),
    "hm-lstm": CellEntry(HMLSTM, "levels of LSTM that end their own segments", "Chung, Ahn and Bengio 2017"),
    "iir": CellEntry(Filters, "filters with poles and zeros for synapses", "Back and Tsoi 1991"),
    "indrnn": CellEntry(IndRNN, "independently recurrent units", "Li et al. 2018"),
    "jordan": CellEntry(Jordan, "sees its own output of the step before", "Jordan 1986"),
    "lstm": CellEntry(LSTM, "long short-term memory with forget gate", "Gers, Schmidhuber and Cummins 2000"),
    "lstm-1997": CellEntry(LSTM1997, "the first LSTM, without forget gate", "Hochreiter and Schmidhuber 1997"),
    "lstm-coupled": CellEntry(CoupledLSTM, "LSTM that forgets as much as it writes", "Greff et al. 2015"),
    "lstm-layernorm": CellEntry(layer_norm_lstm, "LSTM, normalised", "Ba, Kiros and Hinton 2016"),
    "lstm-peephole": CellEntry(
        PeepholeLSTM, "LSTM whose gates see the memory", "Gers, Schraudolph and Schmidhuber 2002"
    ),
    "lstm-peephole-simple": CellEntry(
        SimplePeepholeLSTM, "LSTM whose gates see only the memory", "simplified from Gers et al. 2002"
    ),
    "lstm-projection": CellEntry(ProjectionLSTM, "LSTM with a projected output", "Sak, Senior and Beaufays 2014"),
    "ltc": CellEntry(LTC, "liquid time constants, for uneven steps", "Hasani et al. 2021"),
    "mgu": CellEntry(MGU, "minimal gated unit, one gate", "Zhou et al. 2016"),
    "mgu-after": CellEntry(MGUAfter, "minimal gated unit, gate after the product", "after Zhou et al. 2016"),
    "mgu1": CellEntry(MGU1, "MGU whose gate sees state and bias", "Heck and Salem 2017"),
    "mgu2": CellEntry(MGU2, "MGU whose gate sees the state", "Heck and Salem 2017"),
    "mgu3": CellEntry(MGU3, "MGU whose gate is a learned constant", "Heck and Salem 2017"),
    "min-gru": CellEntry(MinGRU, "GRU whose gates see the input alone; runs in parallel", "Feng et al. 2024"),
    "min-lstm": CellEntry(MinLSTM, "LSTM whose gates see the input alone; runs in parallel", "Feng et al. 2024"),
    "mtrnn": CellEntry(MTRNN, "fast units, and slow ones behind them", "Yamashita and Tani 2008"),
    "orthogonal": CellEntry(Orthogonal, "recurrent matrix that stays orthogonal", "Helfrich, Willmott and Ye 2018"),
    "recollect": CellEntry(Recollect, "one gate that sees the input alone", "van den Berg, Roelfsema and Bohte 2024"),
    "rmlp": CellEntry(RecurrentMLP, "feed-forward layers, the last one recurrent", "Tutschku 1995"),
    "second-order": CellEntry(SecondOrder, "products of state and input", "Giles et al. 1992"),
    "slstm": CellEntry(SLSTM, "LSTM with an exponential gate and a normalised memory", "Beck et al. 2024"),
}
