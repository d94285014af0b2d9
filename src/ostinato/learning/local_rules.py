"""Rules with one trace for each weight: what passes between units through the recurrent weights is left out."""

import abc
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, PRNGKeyArray

from ostinato.cells.base import GatedCell
from ostinato.cells.wrapper import GatedWrapper
from ostinato.errors import SettingsError
from ostinato.layers import Readout, Stack
from ostinato.learning.base import Approximate, Exact, Loss, Refusal
from ostinato.learning.dynamics import Dynamics, Item, Locality, cell_of, differentiable
from ostinato.learning.online import OnlineRule
from ostinato.learning.rtrl import local_step, no_traces
from ostinato.tracing import influences
from ostinato.types import State

NOTHING_MOVES = "no weight moves its state: there is nothing to leave out"
FEEDBACKS = ("symmetric", "random")


class DetachedRecurrence(GatedWrapper):
    """A cell whose recurrent product is a number: no derivative goes through it to the units that it sees."""

    def from_hidden(self, state: State) -> Array | None:
        recurrent = self.cell.recurrent()
        if recurrent is None:
            return None
        R, b_h = recurrent
        product = jnp.einsum("ghk,k->gh", R, jax.lax.stop_gradient(self.cell.hidden(state)))
        return product if b_h is None else product + b_h


class DiagonalRecurrence(DetachedRecurrence):
    """The same, but each unit feels its own past through the diagonal of the recurrent weights."""

    def from_hidden(self, state: State) -> Array | None:
        product, recurrent = super().from_hidden(state), self.cell.recurrent()
        if product is None or recurrent is None:
            return None
        own = jax.lax.stop_gradient(jnp.einsum("gkk->gk", recurrent[0]))
        seen = self.cell.hidden(state)
        return product + own * (seen - jax.lax.stop_gradient(seen))[None]


class FeedbackAlignment(eqx.Module):
    """A read-out whose errors come back through weights of their own."""

    readout: Readout
    B: Array
    pointwise: bool = eqx.field(static=True, default=True)

    def init_state(self, *, key: PRNGKeyArray | None = None) -> Any:
        return self.readout.init_state(key=key)

    def __call__(self, x: Array, state: Any, *, dt: Any = None, key: PRNGKeyArray | None = None) -> tuple[Any, Array]:
        del dt, key
        still = jax.lax.stop_gradient(x)
        # The second term is 0; its derivative is the feedback.
        bent = eqx.tree_at(lambda r: r.c, self.readout, self.readout.c + self.B @ (x - still))
        return bent(still, state)


class LocalRule(OnlineRule):
    r"""A rule for one recurrent layer of a gated cell, with traces in the size of the weights.

    $$e_t = \frac{\partial s_t}{\partial \theta} + D_t\, e_{t-1},\qquad
      \nabla_t = \frac{\partial \ell_t}{\partial s_t}\, e_t$$

    with both derivatives of the network that `wrap` makes of the cell, and D diagonal. Each of these rules is exact
    where there is no recurrent product.
    """

    @abc.abstractmethod
    def wrap(self, cell: GatedCell) -> GatedCell:
        """What is differentiated in place of the cell."""

    @abc.abstractmethod
    def leaves_out(self) -> str:
        """In words, what the rule does without."""

    def transform(self, cell: Any) -> Any:
        return with_cell(cell, self.wrap)

    def holds(self, model: Any) -> Exact | Approximate | Refusal:
        cell, view = recurrent_cell(cell_of(model)), self.view(model)
        if not view.moving and getattr(self, "feedback", "symmetric") == "symmetric":
            return Exact(NOTHING_MOVES)
        if isinstance(cell, str):
            return Refusal(cell)
        found = view.local()
        if not isinstance(found, Locality):
            return Refusal(f"its traces are not local to each weight: {found}")
        return self.judge(model, cell)

    def judge(self, model: Any, cell: GatedCell) -> Exact | Approximate | Refusal:
        """What the rule says of a cell that has local traces."""
        del model
        if cell.recurrent() is None:
            return Exact("there is no recurrent product: forward derivatives, one trace for each weight")
        return Approximate(self.leaves_out())

    def first(self, view: Dynamics, leaves: list[Array], key: PRNGKeyArray) -> Any:
        del key
        return no_traces(view, leaves)

    def advance(
        self, view: Dynamics, leaves: list[Array], loss: Loss, items: Item, state: State, traces: Any, key: PRNGKeyArray
    ) -> tuple[Array, list[Array], State, Any]:
        del key
        found = view.local()
        assert isinstance(found, Locality)
        return local_step(view, found, leaves, loss, items, state, traces)


class LSTM1997(LocalRule):
    r"""The learning rule of the first LSTM: errors end at the inputs of gates and of memory cells.

    $$\frac{\partial c_t}{\partial \theta} \approx \frac{\partial c_t}{\partial c_{t-1}}
      \frac{\partial c_{t-1}}{\partial \theta} + \frac{\partial c_t}{\partial a_t} \frac{\partial a_t}{\partial \theta},
      \qquad a_t = W x_t + R\,[h_{t-1}] + b$$

    where $[h]$ has no derivative. Inside the memory cell nothing is truncated, and nothing is stored of the past: the
    work for each weight and step does not depend on the length. It is the exact gradient of a network whose
    recurrent paths are cut. For cells with a memory that their recurrent products do not see: the LSTMs.

    Source: Hochreiter and Schmidhuber, Neural Computation 9 (1997), appendix A.
    """

    def wrap(self, cell: GatedCell) -> GatedCell:
        return DetachedRecurrence(cell)  # pyright: ignore[reportCallIssue] - Equinox keeps the written constructor

    def leaves_out(self) -> str:
        return "errors end at the inputs of gates; exact inside the memory cell"

    def judge(self, model: Any, cell: GatedCell) -> Exact | Approximate | Refusal:
        del model
        if cell.recurrent() is None or not _memory(cell):
            return Refusal("it has no memory apart from what its gates see")
        return Approximate(self.leaves_out())


class EProp(LocalRule):
    r"""e-prop: an eligibility trace on each synapse meets a learning signal for each unit.

    $$\epsilon_t = \frac{\partial s^j_t}{\partial s^j_{t-1}}\Big|_{z}\,\epsilon_{t-1}
      + \frac{\partial s^j_t}{\partial \theta_{ji}},\qquad
      \nabla = \sum_t L^j_t\, \frac{\partial z^j_t}{\partial s^j_t}\,\epsilon_t$$

    where what units see of one another (z, the recurrent product) is held fixed. $L_t$ is the error of this step alone,
    brought back by the weights of the read-out (`feedback="symmetric"`) or by fixed random ones of the same variance
    (`"random"`, drawn from `seed`; for one linear read-out with any activation).

    Exact for a cell without a recurrent product, with symmetric feedback. Source: Bellec et al., Nature Communications
    11 (2020).
    """

    feedback: str = eqx.field(static=True, default="symmetric")
    seed: int = eqx.field(static=True, default=0)

    def __check_init__(self) -> None:
        if self.feedback not in FEEDBACKS:
            raise SettingsError(f"feedback: expected one of {', '.join(FEEDBACKS)}, got {self.feedback!r}")

    def wrap(self, cell: GatedCell) -> GatedCell:
        return DetachedRecurrence(cell)  # pyright: ignore[reportCallIssue] - Equinox keeps the written constructor

    def transform(self, cell: Any) -> Any:
        cut = with_cell(cell, self.wrap)
        if self.feedback == "symmetric" or not _read_out(cell):
            return cut
        V = cell.layers[-1].V
        # A constant of the compiled step: drawn by JAX it would be drawn again at each.
        drawn = np.random.default_rng(self.seed).standard_normal(V.shape) / max(1, V.shape[1]) ** 0.5
        B = jnp.asarray(drawn, V.dtype)
        return eqx.tree_at(lambda s: s.layers, cut, (*cut.layers[:-1], FeedbackAlignment(cut.layers[-1], B)))

    def leaves_out(self) -> str:
        return "what passes from unit to unit through the recurrent weights"

    def judge(self, model: Any, cell: GatedCell) -> Exact | Approximate | Refusal:
        if self.feedback == "random":
            if not _read_out(cell_of(model)):
                return Refusal("random feedback needs a read-out on top of the cell")
            return Approximate(f"{self.leaves_out()}; errors come back through random weights")
        return super().judge(model, cell)


class RFLO(EProp):
    r"""Random-feedback online learning, for units that leak.

    $$p_t = \frac{\partial h^j_t}{\partial h^j_{t-1}}\Big|_{R h}\,p_{t-1} + \frac{\partial h^j_t}{\partial \theta_{ji}},
      \qquad \nabla = \sum_t [B\, \epsilon_t]^j\, p_t$$

    The trace decays with the unit's own leak alone, and errors $\epsilon$ come back through fixed random weights B. For
    cells that remember one vector. With `feedback="symmetric"`, and no recurrent weights, it is RTRL.

    Source: Murray, eLife 8 (2019).
    """

    feedback: str = eqx.field(static=True, default="random")

    def judge(self, model: Any, cell: GatedCell) -> Exact | Approximate | Refusal:
        if len(differentiable(cell.init_state())[0]) != 1:
            return Refusal("it remembers more than one vector; e-prop is for such cells")
        return super().judge(model, cell)


def recurrent_cell(cell: Any) -> GatedCell | str:
    """The one recurrent layer of a network, or in words why there is none of the kind that local traces need."""
    layers = [layer for layer in getattr(cell, "layers", (cell,)) if not layer.pointwise]
    if len(layers) != 1:
        return f"it has {len(layers)} recurrent layers; its traces are for one"
    if not isinstance(layers[0], GatedCell):
        return "its step is not one product and an element-wise update (GatedCell)"
    return layers[0]


def with_cell(cell: Any, wrap: Any) -> Any:
    """The network with its recurrent layers wrapped; a layer that cannot be is left, and refused later."""
    one = lambda layer: wrap(layer) if isinstance(layer, GatedCell) else layer
    if isinstance(cell, Stack):
        return eqx.tree_at(lambda s: s.layers, cell, tuple(one(layer) for layer in cell.layers))
    return one(cell)


def _read_out(cell: Any) -> bool:
    """Whether a linear read-out stands right on the recurrent layer."""
    layers = getattr(cell, "layers", ())
    return len(layers) > 1 and isinstance(layers[-1], Readout) and not layers[-2].pointwise


def _memory(cell: GatedCell) -> bool:
    """Whether some of the state reaches no recurrent product."""
    fields, join = differentiable(cell.init_state())
    seen = influences(jax.make_jaxpr(lambda fields: cell.hidden(join(fields)))(fields))
    return len(set().union(*seen)) < len(fields)
