"""Two continuous-time networks that were evolved by Randall Beer's programs: a visual agent and a walker."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from ostinato.data.files import read_text
from ostinato.errors import CorruptFile


class Neurons(NamedTuple):
    """Time constants, biases, gains, and weights from row to column."""

    tau: Float[np.ndarray, " n"]
    bias: Float[np.ndarray, " n"]
    gain: Float[np.ndarray, " n"]
    weights: Float[np.ndarray, "n n"]


def _neurons(path: Path) -> Neurons:
    try:
        numbers = np.array([float(word) for word in read_text(path).split()])
        n = int(numbers[0])
        tau, bias, gain = numbers[1 : 1 + 3 * n].reshape(3, n)
        return Neurons(tau, bias, gain, numbers[1 + 3 * n :].reshape(n, n))
    except (ValueError, IndexError) as error:
        raise CorruptFile(f"{path}: not a network of n neurons ({error})") from error


def read(paths: Mapping[str, Path]) -> dict[str, Neurons]:
    """The networks by the name of their file."""
    return {name.removesuffix(".ns"): _neurons(path) for name, path in paths.items()}
