"""Train an LSTM to remember two numbers, then look at how it does it.

The adding problem: of 40 numbers two are marked, and after the last step their sum is asked for. Run it with

    python examples/memory_task.py

It prints the error on fresh sequences beside that of a network without memory, and how far the forget gates stay open.
"""

import jax
import jax.numpy as jnp
import optax

import ostinato as ost
from ostinato.data import FunctionBatches
from ostinato.tasks import Adding

STEPS = 1_200


def main() -> None:
    """The whole story, top to bottom."""
    task = Adding(length=40)
    k_rnn, k_out, k_test = jax.random.split(jax.random.key(0), 3)

    # One LSTM layer, read at the last step.
    rnn = ost.RNN("lstm", task.input_size, 32, key=k_rnn)
    model = ost.ManyToOne(rnn, task.output_size, key=k_out)

    # Every step has new sequences, a function of the seed and the step.
    batches = FunctionBatches(lambda key: task.sample(key, 32), 200)
    optimizer = optax.chain(optax.clip_by_global_norm(1.0), optax.adam(5e-3))
    result = ost.fit(
        model,
        batches,
        loss=task.loss,
        optimizer=optimizer,
        steps=STEPS,
        callback=lambda event: event.kind == "evaluation" and print(f"step {event.step:5d}  loss {event.loss:.4f}"),
    )

    test = task.sample(k_test, 500)
    ys, _, tape = result.model(test.inputs, record=("gates",))
    error = jnp.mean(jnp.square(ys - test.targets))
    print(f"\nmean squared error {error:.4f}; without memory the best is {task.chance['mse']:.4f}")

    # The gates of each unit at each step, in the order input, forget, cell, output.
    forget = tape["0/gates"][:, :, 1]
    marked = test.inputs.values[:, :, 1] == 1
    at = jnp.mean(jnp.where(marked[..., None], forget, 0), axis=(0, 1)) / jnp.mean(marked)
    between = jnp.mean(jnp.where(marked[..., None], 0, forget), axis=(0, 1)) / jnp.mean(~marked)
    keeper = int(jnp.argmax(between))
    lost, at_marks = 1 - between[keeper], 1 - at[keeper]
    print(f"the unit that keeps best forgets {lost:.3f} a step between marks, {at_marks:.3f} at marks")


if __name__ == "__main__":
    main()
