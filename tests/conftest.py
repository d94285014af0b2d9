"""What tests ask for by name: float64, the folder of public data sets; and how hypothesis searches."""

import os
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

from ostinato.precision import float64

# A run is the same run everywhere, and a slow machine (compilation!) is no failure.
hypothesis.settings.register_profile("ostinato", deadline=None, derandomize=True, max_examples=25, database=None)
# `HYPOTHESIS_PROFILE=search` looks for new examples instead, and keeps those that failed.
hypothesis.settings.register_profile("search", deadline=None, max_examples=500)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ostinato"))


@pytest.fixture
def x64() -> Iterator[None]:
    """Float64 inside the test; arrays made elsewhere stay as they are."""
    with float64():
        yield


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """The folder of public data sets: `$OSTINATO_DATA`, else `shared/data` beside the checkout."""
    if given := os.environ.get("OSTINATO_DATA"):
        if not Path(given).is_dir():
            pytest.fail(f"OSTINATO_DATA is set to {given}, which is not a folder")
        return Path(given).resolve()
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    if not beside.is_dir():
        pytest.skip(f"no public data sets: OSTINATO_DATA is not set and {beside} is not there")
    return beside
