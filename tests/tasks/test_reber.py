"""Reber's strings against a regular expression of the language, and against closed forms of the distribution."""

import re
from collections import Counter
from itertools import product

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ostinato.errors import SettingsError
from ostinato.tasks import EmbeddedReber, Reber
from ostinato.tasks.reber import SYMBOLS

# The language by hand from the diagram: the loop between its right and its lower half, and how one gets into it.
LOOP = "(?:XT*VP)*(?:S|XT*VV)"
INNER = re.compile(f"B(?:TS*X{LOOP}|PT*V(?:V|P{LOOP}))E")


def accepts(string: str) -> bool:
    return INNER.fullmatch(string) is not None


def accepts_embedded(string: str) -> bool:
    framed = re.fullmatch("B([TP])(.*)([TP])E", string)
    return framed is not None and framed[1] == framed[3] and accepts(framed[2])


@pytest.fixture(scope="module")
def language() -> list[str]:
    """Every string of the grammar with at most 10 symbols."""
    middles = ("".join(m) for n in range(3, 9) for m in product("TSXPV", repeat=n))
    return [s for s in (f"B{m}E" for m in middles) if accepts(s)]


def embed(strings: list[str]) -> list[str]:
    return [f"B{c}{s}{c}E" for s in strings for c in "TP"]


def test_the_checker_itself():
    assert accepts("BTSSXXTVVE")
    assert accepts("BPVVE")
    assert accepts("BTXXVPSE")
    assert accepts("BTSSXXTTTVPXTVPSE")
    assert not accepts("BTSSPXSE")
    assert not accepts("BPTVVB")
    assert not accepts("BTXXVVSE")
    assert accepts_embedded("BPBTXXVPSEPE")
    assert not accepts_embedded("BPBTXXVPSETE")


def test_probability_of_each_string(language):
    """All strings within reach, none other, each as often as 2^-(choices), given the bound; chi-squared at 1e-4."""
    task, count = Reber(max_length=8), 4000
    strings = [s for s in language if len(s) <= 8]
    # Every symbol between B and E is one of two.
    p = np.array([0.5 ** (len(s) - 2) for s in strings])
    assert task.coverage == pytest.approx(p.sum(), abs=1e-12)
    seen = Counter(task.strings(task.sample(jax.random.key(3), count)))
    assert set(seen) == set(strings)
    expected = count * p / p.sum()
    got = np.array([seen[s] for s in strings])
    freedom = len(strings) - 1
    assert np.sum((got - expected) ** 2 / expected) < freedom + 3.72 * np.sqrt(2 * freedom) + 10


def test_embedded_strings_are_accepted_and_all_are_reached(language):
    task = EmbeddedReber(max_length=11)
    seen = set(task.strings(task.sample(jax.random.key(4), 2000)))
    assert seen == {s for s in embed(language) if len(s) <= 11}
    long = EmbeddedReber(max_length=60)
    strings = long.strings(long.sample(jax.random.key(5), 500))
    assert all(accepts_embedded(s) for s in strings)
    assert max(map(len, strings)) > 20
    # Lengths of the unbounded grammar: 60 symbols miss less than one string in a thousand.
    assert 0.999 < long.coverage < 1


@pytest.mark.parametrize("make", [Reber, EmbeddedReber])
def test_targets_are_the_next_symbol_and_all_legal_ones(make, language):
    whole = language if make is Reber else embed(language)
    task = make(max_length=6 if make is Reber else 10)
    examples = task.sample(jax.random.key(6), 50)
    symbols, legal = (np.asarray(t) for t in examples.targets)
    values, mask = np.asarray(examples.inputs.values), np.asarray(examples.inputs.mask)
    for row, string in enumerate(task.strings(examples)):
        assert mask[row].tolist() == [t < len(string) - 1 for t in range(task.time_size)]
        for t in range(len(string) - 1):
            assert values[row, t].tolist() == [float(s == string[t]) for s in SYMBOLS]
            assert SYMBOLS[symbols[row, t]] == string[t + 1]
            allowed = {s[t + 1] for s in whole if s.startswith(string[: t + 1])}
            assert {s for s, flag in zip(SYMBOLS, legal[row, t], strict=True) if flag} == allowed
    np.testing.assert_allclose(examples.weight, mask / mask.sum(), rtol=1e-6)


def test_criterion():
    """Legal symbols above illegal ones at every step; the padding is not looked at; a tie is wrong."""
    task = EmbeddedReber(max_length=14)
    examples = task.sample(jax.random.key(7), 64)
    strings, legal = task.strings(examples), examples.targets.legal
    oracle = jnp.where(examples.inputs.mask[..., None], legal.astype(float), jnp.nan)
    assert {k: float(v) for k, v in task.metrics(oracle, examples).items()} == {"strings": 1, "steps": 1, "memory": 1}

    steps = np.arange(task.time_size)[None] == np.array([len(s) - 3 for s in strings])[:, None]
    always_t = oracle.at[..., SYMBOLS.index("T")].add(2.0 * steps)
    with_t = np.mean([s[1] == "T" for s in strings])
    answer = task.metrics(always_t, examples)
    assert float(answer["memory"]) == pytest.approx(with_t) == float(answer["strings"])
    wrong = sum(s[1] == "P" for s in strings) / sum(len(s) - 1 for s in strings)
    assert float(answer["steps"]) == pytest.approx(1 - wrong)

    tie = jnp.where(jnp.asarray(steps)[..., None], jnp.zeros_like(oracle), oracle)
    assert float(task.metrics(tie, examples)["memory"]) == 0


def test_too_short_is_refused():
    for make, least in ((Reber, 5), (EmbeddedReber, 9)):
        make(max_length=least)
        with pytest.raises(SettingsError, match="max_length"):
            make(max_length=least - 1)
