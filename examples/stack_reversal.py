"""Teach a network with a stack to say strings backwards, then ask it for strings much longer than it has heard.

Run it with

    python examples/stack_reversal.py

It prints the share of strings that come back without a mistake at several lengths, and how much lies on the stack after
each symbol of one string.
"""

import equinox as eqx
import jax
import numpy as np
import optax

import ostinato as ost
from ostinato.data import FunctionBatches
from ostinato.memory import StackCell, feed_forward, with_rows
from ostinato.tasks import Reversal

STEPS, BATCH, RATE = 3_000, 20, 0.01


def main() -> None:
    """The whole story, top to bottom."""
    task = Reversal(lengths=(1, 12))

    # The controller is one layer without memory, so whatever lasts has to go to the stack.
    model = ost.RNN(
        StackCell,
        task.input_size,
        32,
        output_size=task.output_size,
        controller=feed_forward,
        rows=task.time_size,
        width=8,
        key=jax.random.key(1),
    )

    # Every step has new strings, a function of the seed and the step.
    batches = FunctionBatches(lambda key: task.sample(key, BATCH), 100)
    optimizer = optax.chain(optax.clip_by_global_norm(1.0), optax.adam(optax.cosine_decay_schedule(RATE, STEPS)))
    result = ost.fit(
        model,
        batches,
        loss=task.loss,
        optimizer=optimizer,
        steps=STEPS,
        every=500,
        callback=lambda event: print(f"step {event.step}: loss {event.loss:.4f}"),
    )
    model = result.model

    # No weight knows how long the stack is: it may grow afterwards.
    for length in (12, 24, 40):
        longer = Reversal(lengths=(length, length))
        grown = eqx.tree_at(lambda m: m.stack.layers[0], model, with_rows(model.stack.layers[0], longer.time_size))
        examples = longer.sample(jax.random.key(2), 100)
        scores = longer.metrics(grown(examples.inputs)[0], examples)
        print(f"length {length}: {float(scores['whole']):.0%} of the strings without a mistake")

    # What the stack holds: it rises while the string is heard, and falls while it is said.
    one = Reversal(lengths=(8, 8)).sample(jax.random.key(3), 1)
    _, _, tape = model(one.inputs, record=("lengths",))
    print("on the stack:", np.asarray(tape["0/lengths"][0].sum(-1)).round(1).tolist())


if __name__ == "__main__":
    main()
