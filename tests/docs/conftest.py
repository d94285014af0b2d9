"""Where the blocks of the pages run: one folder for all of them, with the files that a reader brings."""

import numpy as np
import pytest


@pytest.fixture(scope="package")
def desk(tmp_path_factory):
    """A folder with `data.csv`, a reader's own file: a run that one page made is there for the next.

    It is short, so that it gets no network.
    """
    folder = tmp_path_factory.mktemp("desk")
    rng = np.random.default_rng(0)
    days = np.arange("2021-01-01", "2021-03-06", dtype="datetime64[D]")
    temperature = 10 - 8 * np.cos(np.arange(days.size) / 58) + rng.normal(0, 1, days.size)
    rows = [f"{day},{value:.1f}" for day, value in zip(days, temperature, strict=True)]
    (folder / "data.csv").write_text("\n".join(["day,Temp", *rows, ""]))
    return folder
