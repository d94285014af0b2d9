"""Write a pushdown automaton into the weights of a network, and watch its stack.

The words are a^n b^n: as many b as a, after them. No finite automaton knows them all, and no network of fixed size that
keeps its counts in bounded units does so for long; a second-order network with a stack does. Run it with

    python examples/pushdown_automaton.py

It prints which words are accepted, and what lies on the stack after each symbol.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

import ostinato as ost
from ostinato.memory import Pushdown, with_rows

SYMBOLS = "ab"
A, B = range(2)
HEARD_A, HEARD_B, LOST = range(3)  # the states of the automaton, one unit each; it starts in the first
A_ON_TOP, EMPTY = 0, 2  # what the stack may show


def automaton() -> Pushdown:
    """For each pair of symbol and top of the stack a matrix of transitions; then what each state does to the stack."""
    R = np.zeros((2, 3, 3, 3), "float32")
    for top in (A_ON_TOP, EMPTY):
        R[A, top, HEARD_A, HEARD_A] = 1
        R[A, top, LOST, HEARD_B] = 1
        R[:, top, LOST, LOST] = 1
    R[B, A_ON_TOP, HEARD_B, [HEARD_A, HEARD_B]] = 1
    R[B, EMPTY, LOST, [HEARD_A, HEARD_B]] = 1

    # A unit is on where its sum is 20 - 10, off where it is -10. Hearing a puts it on the stack, b takes it off.
    cell = Pushdown(len(SYMBOLS), 3, rows=16, key=jax.random.key(0))
    weights = (jnp.asarray(20 * R.reshape(6, 3, 3)), jnp.full(3, -10.0), jnp.array([20.0, -20.0, 0.0]))
    return eqx.tree_at(lambda c: (c.automaton.R, c.automaton.b, c.v), cell, weights)


def heard(word: str) -> jax.Array:
    """The word as one-hot symbols, `(time, 2)`."""
    return jax.nn.one_hot(jnp.array([SYMBOLS.index(letter) for letter in word]), len(SYMBOLS))


def accepts(cell: Pushdown, word: str) -> bool:
    """Whether all a were followed by as many b: the last symbol was a b in its place, and the stack is empty."""
    # The stack holds as many steps back as it has rows; no weight knows how many these are.
    _, final = ost.unroll(with_rows(cell, len(word)), heard(word))
    return bool((final.controller.h[HEARD_B] > 0.9) & (final.r[EMPTY] > 0.9))


def main() -> None:
    """The whole story, top to bottom."""
    cell = automaton()
    for word in ("ab", "aaabbb", "aab", "abb", "ba", "abab", 60 * "a" + 60 * "b", 60 * "a" + 59 * "b"):
        shown = word if len(word) < 10 else f"{word.count('a')} a, {word.count('b')} b"
        print(f"{shown:12} {'accepted' if accepts(cell, word) else 'refused'}")

    _, _, tape = ost.unroll(cell, heard("aaabbb"), record=("lengths", "controller/h"))
    print("on the stack:", np.asarray(tape["lengths"].sum(-1)).round(1).tolist())
    print("state:       ", np.asarray(tape["controller/h"].argmax(-1)).tolist())


if __name__ == "__main__":
    main()
