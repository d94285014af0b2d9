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

STEPS, BATCH, RATE = 1_500, 10, 0.02


def main() -> None:
    """The whole story, top to bottom."""
    task = Reversal(lengths=(1, 8))

    # The controller is one layer without memory, so whatever lasts has to go to the stack.
    model = ost.RNN(
        StackCell,
        task.input_size,
        64,
        output_size=task.output_size,
        controller=feed_forward,
        rows=task.time_size,
        width=8,
        key=jax.random.key(0),
    )

    # Every step has new strings, a function of the seed and the step. While the rate is low the network finds out what
    # a stack is for; the high one afterwards opens and shuts its gates for good.
    batches = FunctionBatches(lambda key: task.sample(key, BATCH), 100)
    rate = optax.warmup_cosine_decay_schedule(RATE / 20, RATE, STEPS // 2, STEPS)
    optimizer = optax.chain(optax.clip_by_global_norm(1.0), optax.adam(rate))
    result = ost.fit(
        model,
        batches,
        loss=task.loss,
        optimizer=optimizer,
        steps=STEPS,
        every=250,
        callback=lambda event: print(f"step {event.step}: loss {event.loss:.4f}") if event.step % 250 == 0 else None,
    )
    model = result.model

    # No weight knows how long the stack is: it may grow afterwards.
    for length in (8, 16, 24):
        longer = Reversal(lengths=(length, length))
        grown = eqx.tree_at(lambda m: m.stack.layers[0], model, with_rows(model.stack.layers[0], longer.time_size))
        examples = longer.sample(jax.random.key(2), 100)
        scores = longer.metrics(grown(examples.inputs)[0], examples)
        print(f"length {length}: {float(scores['whole']):.0%} of the strings without a mistake")

    # What the stack holds: it rises while the string is heard, and falls while it is said.
    one = Reversal(lengths=(8, 8)).sample(jax.random.key(3), 1)
    _, _, tape = model(one.inputs, record=("lengths",))
    print("on the stack:", np.asarray(tape["0/lengths"][0].sum(-1), float).round(1).tolist())


if __name__ == "__main__":
    main()
