"""Every cell of the table at awkward sizes, batches, lengths, directions and dtypes, against plain numpy."""

from itertools import combinations, product

import pytest

from ostinato.cells import CELLS

from . import grid


def test_every_pair_of_values_is_covered():
    rows = list(grid.pairwise())
    assert len(rows) == 18
    values = [grid.SIZES, grid.BATCHES, grid.TIMES, grid.KERNELS, grid.FIELDS, (False, True), ("float32", "float64")]
    for i, j in combinations(range(len(values)), 2):
        assert {(row[i], row[j]) for row in rows} == set(product(values[i], values[j]))


def test_every_cell_is_tried_at_every_value():
    """Each value of each setting, with rows and steps, where the three sizes about 64 are one value; and every pair of
    them over the cells that stand for all, every run over the others too."""
    assert set(grid.EMPTY) < set(CELLS)
    others = set()
    for name in CELLS:
        rows = grid.few(name)
        computed = [row for row in rows if row.batch * row.time]
        assert {min(row.size, 63) for row in computed} == {1, 3, 17, 63}
        assert {(row.batch, row.time) for row in computed} == {(1, 1), (7, 5), (1, 5), (7, 1)}
        for i, values in enumerate((grid.KERNELS, grid.FIELDS, (False, True), ("float32", "float64")), 3):
            assert {row[i] for row in computed} == set(values)
        assert any(row.time == 0 for row in rows)
        assert sorted([*rows, *grid.rest(name)]) == sorted(grid.pairwise())
        others |= set() if name in grid.EMPTY else set(computed)
    assert others == {row for row in grid.pairwise() if row.batch * row.time}


def rows(of):
    return [pytest.param(name, config, id=f"{name}-{config}") for name in CELLS for config in of(name)]


@pytest.mark.parametrize(("name", "config"), rows(grid.few))
def test_pairwise(name, config):
    grid.check(name, config)


@pytest.mark.full
@pytest.mark.parametrize(("name", "config"), rows(grid.rest))
def test_pairwise_what_is_left(name, config):
    grid.check(name, config)


@pytest.mark.full
@pytest.mark.parametrize("size", grid.SIZES)
@pytest.mark.parametrize("name", CELLS)
def test_full(name, size):
    for config in grid.full(size):
        print(config)
        grid.check(name, config)
