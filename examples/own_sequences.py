"""Classify sequences of any lengths from arrays of your own, and compare with what is trivial.

Here each sequence is a noisy tone that rises or falls, 10 to 60 steps long. Run it with

    python examples/own_sequences.py
"""

import numpy as np

import ostinato as ost


def sweep(rng: np.random.Generator) -> tuple[np.ndarray, str]:
    """A tone whose pitch rises or falls, with two channels of noise beside it; and its label."""
    time = np.arange(rng.integers(10, 60))
    rising = bool(rng.integers(2))
    pitch = 0.3 + 0.01 * (time if rising else time[::-1])
    tone = np.sin(np.cumsum(pitch) + rng.uniform(0, 6.28))
    noise = rng.normal(size=(len(time), 2))
    return np.column_stack([tone + 0.3 * noise[:, 0], noise[:, 1]]), "rising" if rising else "falling"


def main() -> None:
    """Make data, train, evaluate, save."""
    rng = np.random.default_rng(0)
    sequences, labels = zip(*(sweep(rng) for _ in range(900)), strict=True)
    train, test = slice(0, 700), slice(700, 900)

    model = ost.models.SequenceClassifier(cell="gru", hidden_size=32, bidirectional=True, pool="mean", epochs=15)
    model.fit(list(sequences[train]), list(labels[train]))

    # Accuracy, with the most frequent class and a linear map of simple summaries beside it.
    found = model.evaluate(list(sequences[test]), list(labels[test]))
    print({name: value for name, value in found.items() if isinstance(value, float)})
    print(model.predict(list(sequences[test][:5])), labels[700:705])


if __name__ == "__main__":
    main()
