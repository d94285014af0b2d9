"""Small univariate series, and the everyday series of vega-datasets: a table for each file."""

from collections.abc import Mapping
from pathlib import Path

from ostinato.data.read import read_table
from ostinato.data.table import Table


def tables(paths: Mapping[str, Path]) -> dict[str, Table]:
    """A table for each file, by its name."""
    # Named by hand because a header of numbers, as that of the lynx, cannot be told from a row.
    return {name.removesuffix(".csv"): read_table(path, header=True) for name, path in paths.items()}
