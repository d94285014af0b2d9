"""Two continuous-time networks that were evolved by Randall Beer's programs: a visual agent and a walker."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from ostinato.data.files import read_text
from ostinato.errors import CorruptFile

from .entry import Entry, File


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


def _read(paths: Mapping[str, Path]) -> dict[str, Neurons]:
    return {name.removesuffix(".ns"): _neurons(path) for name, path in paths.items()}


BEER_AGENTS = Entry(
    name="beer_agents",
    task="simulation: an evolved agent that tells discs from lines, and one that walks",
    licence="the repository has none; numbers only, for comparison",
    citation="Beer 2003 (the agent); Beer's Evolutionary Agents, in rafaie/rdbeer at commit 75316a5b",
    split="none",
    gives="a dict of Neurons: 'categorize' (14 neurons) and 'cpg' (5)",
    files=(
        File("categorize.ns", 3842, "7bc41ee225fe3bf4699d8e3ae8599b1bef0a7e9f694fe9d27910d8139519c0fb"),
        File("cpg.ns", 381, "5227e505c77286200db8252ce6a139eb6cb8ab7b6e4568949637ee0d9803ff6e"),
    ),
    read=_read,
)
