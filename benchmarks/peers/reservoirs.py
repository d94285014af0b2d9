"""ReservoirPy on the work of the bench `reservoir`, its recurrent matrix sparse as its own are."""

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from ostinato.benches import Peer, reservoir


def networks() -> Peer:
    """Reservoir and ridge read-out, numpy backend."""
    from reservoirpy.nodes import Reservoir, Ridge

    def call(work: reservoir.Work) -> Callable[[], Any]:
        cell = work.cell

        def states() -> np.ndarray:
            R, W, b = (np.asarray(part[0]) for part in (cell.R, cell.W, cell.b))
            return Reservoir(W=csr_array(R), Win=W, bias=b, lr=cell.leak).run(work.inputs)

        def everything() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
            seen = states()
            readout = Ridge(ridge=reservoir.PENALTY).fit(seen, work.targets)
            return seen, readout.Wout, readout.bias

        return everything if work.read_out else states

    return Peer("ReservoirPy, numpy backend", call)
