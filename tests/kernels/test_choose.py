"""Which kernel, why, and what is refused."""

import jax.random as jr
import pytest

import ostinato as ost
from ostinato.errors import SettingsError
from ostinato.kernels import choose
from ostinato.kernels.choose import HOIST_BATCH

from .cells import Sine


def test_auto_says_why():
    lstm = Sine(2, 3, key=jr.key(0))
    assert choose(lstm, batch=HOIST_BATCH).kernel == "hoist"
    assert choose(lstm, batch=HOIST_BATCH + 1).kernel == "reference"
    assert "above" in choose(lstm, batch=HOIST_BATCH + 1).why
    assert choose(lstm, batch=1, keyed_reset=True).kernel == "reference"
    wide = choose(ost.cells.LSTM(2, 512, key=jr.key(0)), batch=1)
    assert wide.kernel == "native" or "not installed" in wide.why
    jordan = ost.cells.CELLS["jordan"].make(2, 3, key=jr.key(0))
    assert "not a GatedCell" in choose(jordan, batch=1).why


def test_a_named_kernel_that_does_not_hold_is_refused():
    indrnn = ost.cells.CELLS["indrnn"].make(2, 3, key=jr.key(0))
    with pytest.raises(SettingsError, match="no recurrent matrix"):
        choose(indrnn, batch=1, kernel="hoist")
    with pytest.raises(SettingsError, match="expected one of reference, scan, hoist, native, parallel, deer, auto"):
        choose(indrnn, batch=1, kernel="fast")
