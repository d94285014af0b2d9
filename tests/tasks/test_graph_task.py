"""Graph traversal, read back trial by trial: every path is walked again in a plain dictionary."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ostinato.errors import SettingsError
from ostinato.tasks import GraphTraversal


@pytest.mark.parametrize("degree", [1, 2, 3])
def test_every_path_is_walked_again(degree):
    task = GraphTraversal(nodes=(2, 6), path=(1, 3), degree=degree, labels=3, names=7)
    examples = task.sample(jax.random.key(1), 400)
    values, targets, weight = (np.asarray(a) for a in (examples.inputs.values, examples.targets, examples.weight))
    sizes, lengths, starts, orders = [], [], [], []
    for x, y, w, steps in zip(values, targets, weight, np.asarray(examples.inputs.steps), strict=True):
        x, y, counts = x[steps], y[steps], np.flatnonzero(w[steps])
        queries = np.flatnonzero(x[:, -1])
        assert queries.tolist() == list(range(queries[0], len(x))) == counts.tolist()
        told, asked = x[: queries[0]], x[queries]
        np.testing.assert_array_equal(
            np.stack([told[:, :7].sum(1), told[:, 7:10].sum(1), told[:, 10:17].sum(1)], axis=1), 1
        )
        edges = {(e[:7].argmax(), e[7:10].argmax()): int(e[10:17].argmax()) for e in told}
        # No label twice at a node, an equal number out of each, and no way from a node to itself.
        assert len(edges) == len(told)
        nodes = sorted({place for place, _ in edges})
        assert [sum(place == n for place, _ in edges) for n in nodes] == [degree] * len(nodes)
        assert all(to in nodes and to != place for (place, _), to in edges.items())
        assert asked[:, :7].sum(1).tolist() == [1] + [0] * (len(asked) - 1)
        assert not asked[:, 10:17].any()
        place, walked = int(asked[0, :7].argmax()), []
        for label in asked[:, 7:10].argmax(1):
            place = edges[place, int(label)]
            walked.append(place)
        assert walked == y[counts].tolist()
        sizes.append(len(nodes))
        lengths.append(len(asked))
        starts.append(int(asked[0, :7].argmax()))
        orders.append(int(told[0, :7].argmax() == told[-1, :7].argmax()))
    assert set(sizes) == {2, 3, 4, 5, 6}
    assert set(lengths) == {1, 2, 3}
    # Names are drawn anew: each of seven starts a seventh of the paths, to five deviations of a binomial.
    assert np.abs(np.bincount(starts, minlength=7) - 400 / 7).max() < 5 * np.sqrt(400 * 6 / 49)
    # In random order the first edge and the last begin at one node by chance; in order of the nodes they never would.
    if degree > 1:
        assert 0 < np.mean(orders) < 0.5


def test_metrics():
    task = GraphTraversal(nodes=(3, 5), path=(2, 3))
    examples = task.sample(jax.random.key(2), 50)
    counts = np.asarray(examples.weight) > 0
    given = np.where(np.arange(50)[:, None] < 10, (np.asarray(examples.targets) + 1) % 8, np.asarray(examples.targets))
    found = task.metrics(jax.nn.one_hot(given, 8), examples)
    assert float(found["accuracy"]) == pytest.approx(1 - counts[:10].sum() / counts.sum(), abs=1e-6)
    assert float(found["whole"]) == pytest.approx(0.8)
    assert float(task.loss(jnp.zeros(8), jnp.array(3))) == pytest.approx(np.log(8))


def test_the_best_answer_without_memory():
    task = GraphTraversal(nodes=(3, 5), path=(1, 4), names=5)
    examples = task.sample(jax.random.key(3), 3000)
    shown = np.asarray(examples.inputs.values)[..., :5]
    # Another node than the one that is shown, or always the same.
    guess = np.where(shown.any(-1), (shown.argmax(-1) + 1) % 5, 0)
    found = float(task.metrics(jax.nn.one_hot(guess, 5), examples)["accuracy"])
    assert task.chance["accuracy"] == pytest.approx(0.4 / 4 + 0.6 / 5)
    assert found == pytest.approx(task.chance["accuracy"], abs=5 * np.sqrt(0.22 * 0.78 / 7500))


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        ({"nodes": (1, 4)}, "nodes"),
        ({"nodes": (5, 4)}, "nodes"),
        ({"path": (0, 2)}, "path"),
        ({"degree": 0}, "degree"),
        ({"degree": 3, "labels": 2}, "labels"),
        ({"nodes": (2, 9)}, "names"),
    ],
)
def test_bad_settings_are_refused(settings, name):
    with pytest.raises(SettingsError, match=name):
        GraphTraversal(**settings)
