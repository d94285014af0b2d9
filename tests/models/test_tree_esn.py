"""The estimator of a tree echo-state network against numpy; the choice among candidates; files; what it refuses."""

import numpy as np
import pytest

from ostinato.data.sets.trees import expression, molecule, sentence
from ostinato.errors import CorruptFile, DataError, NotFitted, SettingsError, ShapeError
from ostinato.models import TreeESN, load
from ostinato.trees import Tree


def drawn(rng, nodes):
    parents = [-1] + [int(rng.integers(max(0, node - 2), node)) for node in range(1, nodes)]
    return Tree.from_parents(rng.normal(size=(nodes, 2)), parents)


@pytest.fixture(scope="module")
def trees():
    rng = np.random.default_rng(0)
    found = [drawn(rng, int(n)) for n in rng.integers(1, 9, 60)]
    # What the reservoir can tell: a sum of a function of each node.
    return found, np.array([np.tanh(t.features[:, 0]).sum() + len(t) for t in found])


@pytest.mark.parametrize("pool", ["root", "mean", "sum"])
def test_predictions_are_those_of_the_equations(trees, pool):
    found, y = trees
    model = TreeESN(7, sigma=1.5, pool=pool, reservoirs=2, bias_scaling=0.3).fit(found, y)
    parts = []
    for layer, readout in zip(model.layers_, model.readouts_, strict=True):
        W, R, b = (np.asarray(a[0]) for a in (layer.W, layer.R, layer.b))
        assert np.linalg.norm(R, 2) == pytest.approx(1.5 / model.arity_)
        rows = []
        for tree in found:
            h = []
            for node, own in enumerate(tree.children):
                h.append(np.tanh(W @ tree.features[node] + b + R @ sum((h[c] for c in own), np.zeros(7))))
            rows.append({"root": h[-1], "mean": np.mean(h, 0), "sum": np.sum(h, 0)}[pool])
        X = np.array(rows)
        assert not np.allclose(X[0], X[1])
        parts.append((X - X.mean(0)) / X.std(0) @ readout.weights[:, 0] + y.mean())
    np.testing.assert_allclose(model.predict(found), np.mean(parts, axis=0), rtol=0, atol=1e-8)


def test_candidates_are_judged_by_what_is_left_out(trees):
    found, y = trees
    model = TreeESN((2, 30), sigma=(0.01, 2.0)).fit(found[:40], y[:40])
    assert model.chosen_["hidden_size"] == 30
    scores = model.evaluate(found[40:], y[40:])
    assert scores["mae"] < scores["baselines"]["size"]["mae"] < scores["baselines"]["mean"]["mae"]
    assert model.score(found[40:], y[40:]) == scores["r2"] > 0.9


def test_settings_are_not_chosen_by_the_error_on_the_training_trees():
    """Many units fit any few trees; only leaving trees out shows that they have learned noise."""
    rng = np.random.default_rng(1)
    found = [drawn(rng, int(n)) for n in rng.integers(2, 9, 30)]
    y = np.array([len(t) for t in found]) + rng.normal(0, 5.0, 30)
    sizes, errors = (2, 28), {}
    for size in sizes:
        model = TreeESN(size, sigma=1.0, reservoirs=1).fit(found, y)
        (readout,), (states,) = model.readouts_, model._states(model.layers_, model._batch(found, model.arity_))
        trained = np.mean((model.predict(found) - y) ** 2)
        errors[size] = readout.left_out, trained
        Z = (states - states.mean(0)) / states.std(0)
        by_hand = []
        for strength in 10.0 ** np.arange(-5, 3):
            hat = Z @ np.linalg.solve(Z.T @ Z + 30 * strength * np.eye(size), Z.T) + 1 / 30
            by_hand.append(np.mean(((y - hat @ y) / (1 - np.diag(hat))) ** 2))
        assert readout.left_out == pytest.approx(min(by_hand), rel=1e-6)
    left_out, trained = (min(sizes, key=lambda size: errors[size][k]) for k in (0, 1))
    assert left_out != trained
    assert TreeESN(sizes, sigma=1.0, reservoirs=1).fit(found, y).chosen_["hidden_size"] == left_out


def test_trees_with_more_children_than_in_training(trees):
    """The reservoir adds up the states of all children, however many there are."""
    found, y = trees
    model = TreeESN(7, sigma=1.5, reservoirs=1).fit(found, y)
    rng = np.random.default_rng(5)
    wide = Tree(rng.normal(size=(model.arity_ + 4, 2)), [()] * (model.arity_ + 3) + [tuple(range(model.arity_ + 3))])
    W, R, b = (np.asarray(a[0]) for a in (model.layers_[0].W, model.layers_[0].R, model.layers_[0].b))
    leaves = np.tanh(wide.features[:-1] @ W.T + b)
    root = np.tanh(W @ wide.features[-1] + b + R @ leaves.sum(0))
    expected = model.readouts_[0].predict((leaves.sum(0) + root)[None])[0, 0]
    assert model.predict([wide])[0] == pytest.approx(expected, abs=1e-9)
    assert model.predict([*found, wide])[:-1] == pytest.approx(model.predict(found), abs=1e-12)


def test_the_baseline_of_the_size_is_the_best_ridge(trees):
    found, y = trees
    model = TreeESN(5, sigma=1.0).fit(found[:40], y[:40])
    X = np.array([[len(t), len(t) ** 2, *t.features.mean(0)] for t in found])
    Z = (X[:40] - X[:40].mean(0)) / X[:40].std(0)
    by_hand = []
    for strength in 10.0 ** np.arange(-4, 5):
        hat = Z @ np.linalg.solve(Z.T @ Z + 40 * strength * np.eye(4), Z.T) + 1 / 40
        by_hand.append(np.mean(((y[:40] - hat @ y[:40]) / (1 - np.diag(hat))) ** 2))
    assert model.baseline_.left_out == pytest.approx(min(by_hand), rel=1e-9)
    said = model.baseline_.predict(X[40:])[:, 0]
    beside = model.evaluate(found[40:], y[40:])["baselines"]
    assert beside["size"]["mae"] == pytest.approx(np.abs(said - y[40:]).mean(), rel=1e-9)
    assert beside["mean"]["mae"] == pytest.approx(np.abs(y[:40].mean() - y[40:]).mean(), rel=1e-9)


def test_files(tmp_path, trees):
    found, y = trees
    model = TreeESN((5, 9), sigma=1.0, seed=4).fit(found, np.stack([y, -y], axis=1))
    model.save(tmp_path / "model")
    again = load(tmp_path / "model")
    np.testing.assert_array_equal(again.predict(found), model.predict(found))
    assert again.predict(found).shape == (60, 2)
    assert again.chosen_ == model.chosen_
    (tmp_path / "model" / "manifest.json").write_text("{}")
    with pytest.raises(CorruptFile):
        TreeESN.load(tmp_path / "model")


REFUSED = {
    "pool: expected one of": (SettingsError, lambda t, y: TreeESN(5, pool="top").fit(t, y)),
    "sigma: expected a positive": (SettingsError, lambda t, y: TreeESN(5, sigma=()).fit(t, y)),
    "reservoirs: expected 1": (SettingsError, lambda t, y: TreeESN(5, reservoirs=0).fit(t, y)),
    "one for each tree": (ShapeError, lambda t, y: TreeESN(5).fit(t, y[:-1])),
    "three or more, got 2": (DataError, lambda t, y: TreeESN(5).fit(t[:2], y[:2])),
    r"trees\[0\]: expected a Tree": (DataError, lambda t, y: TreeESN(5).fit([1, 2, 3], [1, 2, 3])),
    "call fit first": (NotFitted, lambda t, y: TreeESN(5).predict(t)),
    "arity: expected 2 or more, got 1": (ShapeError, lambda t, y: TreeESN(5, arity=1).fit(t, y)),
}


@pytest.mark.parametrize("words", REFUSED)
def test_refused(trees, words):
    error, call = REFUSED[words]
    with pytest.raises(error, match=words):
        call(*trees)


def test_molecules():
    carbon = "0.0 0.0 0.0 C\n"
    assert molecule("name\n4 3\n" + 4 * carbon + "1 2 1 1\n2 3 1 1\n4 2 1 1\n", "here") == [-1, 0, 1, 1]
    for bonds, words in (("1 2 1 1\n2 3 1 1\n3 1 1 1\n", "in a ring"), ("1 2 1 1\n", "no bond"), ("", "no bond")):
        count = len(bonds.split("\n")) - 1
        with pytest.raises(CorruptFile, match=words):
            molecule(f"name\n3 {count}\n" + 3 * carbon + bonds, "here")
    with pytest.raises(CorruptFile, match="not a table"):
        molecule("name\nmany\n", "here")


@pytest.mark.parametrize(
    ("text", "words"), [("[MAX 1", "ends before"), ("] 1", "not opened"), ("1 2", "behind the end"), ("12", "a digit")]
)
def test_expressions_refused(text, words):
    with pytest.raises(DataError, match=words):
        expression(text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("(3 (2 a) (2 b)", "around all"),
        ("(3 (2 a) (2 b)) (1 c)", "around all"),
        ("3 (2 a)", "outside"),
        ("(5 a)", "0 to 4"),
        ("(3 (2 a))", "two brackets"),
        ("(3 a b)", "two brackets"),
        ("", "around all"),
    ],
)
def test_sentences_refused(text, words):
    with pytest.raises(DataError, match=words):
        sentence(text)


def test_sentences_as_stored(data_folder):
    from ostinato.data.catalogue import load

    parts = load("sst", data_folder)
    assert {name: len(part.words) for name, part in parts.items()} == {"train": 8544, "dev": 1101, "test": 2210}
    counts = np.bincount([labels[-1] for labels in parts["train"].labels])
    assert counts.tolist() == [1092, 2218, 1624, 2322, 1288]
    first = parts["train"]
    assert " ".join(word for word in first.words[0] if word is not None).startswith("The Rock is destined to be")
    assert all(len(c) == len(w) == len(v) for c, w, v in zip(*first, strict=True))


def test_alkanes_and_list_operations_as_stored(data_folder):
    from ostinato.data.catalogue import load

    alkanes = load("alkanes", data_folder)
    assert len(alkanes.parents) == 150
    assert alkanes.names[0] == "methane"
    assert alkanes.targets[:3] == [-164.0, -88.6, -42.1]
    assert max(map(len, alkanes.parents)) == 10
    operations = load("listops", data_folder)["d20s"]
    assert len(operations.targets) == 10_000
    by_symbol = {
        10: min,
        11: max,
        12: lambda v: (sorted(v)[(len(v) - 1) // 2] + sorted(v)[len(v) // 2]) // 2,
        13: lambda v: sum(v) % 10,
    }
    for parents, symbols, target in list(zip(*operations[:3], strict=True))[:300]:
        values, below = {}, [[] for _ in parents]
        for node in reversed(range(len(parents))):
            own = symbols[node]
            values[node] = own if own < 10 else by_symbol[own](below[node][::-1])
            if node:
                below[parents[node]].append(values[node])
        assert values[0] == target
