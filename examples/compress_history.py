"""A cause 20 steps before its effect, in a stream that is otherwise predictable: two small networks and one teacher.

Blocks `a b1 ... b20` and `x b1 ... b20` follow each other at random; at the end of each it is asked how it began. The
lower network learns what it can predict; the upper one sees only what is left, the first symbol of each block; then
both teach a third network to do it alone. Run it with

    python examples/compress_history.py
"""

import jax
import numpy as np
import optax

import ostinato as ost
from ostinato.compression import HistoryCompressor, Imitation, Lessons, decode, description_length, encode, fit_levels
from ostinato.data import FunctionBatches
from ostinato.losses import cross_entropy
from ostinato.tasks import Blocks


def main() -> None:
    """The whole story, top to bottom."""
    task = Blocks(blocks=5, run=20)
    symbols = task.input_size
    batches = FunctionBatches(lambda key: task.sample(key, 8), 10)
    fresh = task.sample(jax.random.key(1), 100)
    raw = task.time_size * np.log2(symbols)
    print(f"{task.time_size} symbols of {symbols} kinds: {raw:.0f} bits one by one, of which {task.blocks} are news")

    # Level after level: the second one is trained on the surprises of the first. Two outputs beyond the symbols answer.
    compressor = HistoryCompressor.make("elman", symbols, (16, 16), answers=2, threshold=0.9, key=jax.random.key(0))
    adam = optax.chain(optax.clip_by_global_norm(1.0), optax.adam(0.02))
    compressor = fit_levels(compressor, batches, steps=(120, 80), optimizer=adam, answer_loss=cross_entropy, note=print)
    ys, _, tape = ost.unroll(compressor, fresh.inputs, record=("moved",))
    share = np.asarray(tape["moved"])[..., 1].mean()
    right = float(task.metrics(ys[..., symbols:], fresh)["accuracy"])
    print(f"the upper level makes {share:.1%} of the steps; answers right: {right:.1%}")

    # The stack is a code, and an arithmetic coder writes it down.
    told = np.asarray(fresh.inputs.values[0]).argmax(axis=-1)
    bits = encode(compressor, told)
    expected = description_length(compressor, fresh.inputs)[0]
    again = bool((decode(compressor, bits, len(told)) == told).all())
    print(f"description length {expected:.1f} bits; written down in {len(bits)}; read again without a fault: {again}")

    # One network takes over; its errors go back 5 steps only, a quarter of the lag.
    imitation = Imitation.of(compressor)
    network = ost.RNN("lstm", symbols, 32, output_size=imitation.output_size, key=jax.random.key(2))
    adam = optax.chain(optax.clip_by_global_norm(1.0), optax.adam(optax.cosine_decay_schedule(0.01, 300)))
    result = ost.fit(
        network,
        Lessons(batches, compressor),
        loss=imitation,
        optimizer=adam,
        steps=300,
        rule=ost.learning.TruncatedBPTT(5),
    )
    alone, _ = result.model(fresh.inputs)
    right = float(task.metrics(alone[..., symbols : symbols + 2], fresh)["accuracy"])
    print(f"the network alone, without the stack: {right:.1%}")


if __name__ == "__main__":
    main()
