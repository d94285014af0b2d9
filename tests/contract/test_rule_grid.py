"""RULES against CELLS: exact rules equal BPTT in chunks of 1, 3 and 7 steps; every other entry works or refuses."""

from itertools import product

import pytest

from ostinato.cells import CELLS
from ostinato.learning import Approximate, Exact, Refusal, grid

from . import rule_grid

pytestmark = pytest.mark.usefixtures("x64")


def test_every_pair_has_an_answer():
    answers = {(r, c): answer for r, row in grid(tuple(rule_grid.rules())).items() for c, answer in row.items()}
    assert set(answers) == set(product(rule_grid.rules(), CELLS))
    kinds = {pair: type(answer) for pair, answer in answers.items()}
    for cell in CELLS:
        assert kinds["bptt", cell] is kinds["rtrl", cell] is kinds["hybrid", cell] is Exact
        assert kinds["uoro", cell] is kinds["truncated-bptt", cell] is Approximate
    # Found from the step, not from a name: these have no recurrent product, and so nothing is left out.
    diagonal = {cell for cell in CELLS if "diagonal: one trace" in answers["rtrl", cell].why}
    assert {"elstm", "indrnn", "recollect"} <= diagonal
    still = {cell for cell in CELLS if "no weight moves" in answers["rtrl", cell].why}
    assert "fir" in still
    assert {cell for cell in CELLS if kinds["e-prop", cell] is Exact} == diagonal | still
    # A memory that no gate sees.
    assert {c for c in CELLS if kinds["lstm-1997", c] is Approximate} >= {"lstm", "lstm-1997", "lstm-coupled"}
    refused = {c for c in CELLS if kinds["lstm-1997", c] is Refusal}
    assert refused >= {"elman", "elstm", "gru", "indrnn", "lstm-layernorm"}
    assert {c for c in CELLS if kinds["kf-rtrl", c] is Approximate} >= {"elman", "lstm", "gru", "mgu-after"}
    assert kinds["kf-rtrl", "indrnn"] is Refusal
    assert kinds["rflo", "lstm"] is Refusal


def test_every_gradient_rule_is_in_the_grid():
    found = set(rule_grid.rules())
    assert found >= {"bptt", "truncated-bptt", "rtrl", "hybrid", "lstm-1997", "snap"}
    assert found >= {"uoro", "kf-rtrl", "rflo", "e-prop"}


@pytest.mark.parametrize(("rule", "cell", "chunk"), rule_grid.rows())
def test_pairwise(rule, cell, chunk):
    rule_grid.check(rule, cell, chunk)


@pytest.mark.full
@pytest.mark.parametrize(("rule", "cell"), list(product(rule_grid.rules(), CELLS)))
def test_full(rule, cell):
    for chunk in rule_grid.CHUNKS:
        print(chunk)
        rule_grid.check(rule, cell, chunk)
