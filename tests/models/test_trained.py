"""What all estimators with a trained network have in common: a fit that fails, a run folder, the optimiser."""

import os
import shutil
import signal
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import ostinato as ost
from ostinato.data import FunctionBatches
from ostinato.errors import DataError, LengthError, NotFitted, SettingsError
from ostinato.models import Forecaster, SequenceClassifier, SequenceRegressor
from ostinato.models.optimizer import adam, learning_rate
from ostinato.models.trained import digest, read_back
from ostinato.runs import Run

WAVE = np.sin(np.arange(60) / 3) + np.random.default_rng(0).normal(0, 0.1, 60)
X = [np.random.default_rng(k).normal(k % 2, 0.5, (4, 1)) for k in range(12)]
FORECASTER = {"hidden_size": 2, "context": 5, "epochs": 2, "batch_size": 16, "validation": 10}
SEQUENCES = {"hidden_size": 2, "epochs": 2, "batch_size": 4, "buckets": 1}
OTHER = WAVE + np.eye(60)[7] * 1e-9


def forecaster(data: Any = WAVE, run: Run | None = None, callback: Any = None, **settings: Any) -> Forecaster:
    return Forecaster(**FORECASTER | settings).fit(data, run=run, callback=callback)


def classifier(data: Any = X, run: Run | None = None, callback: Any = None, **settings: Any) -> SequenceClassifier:
    return SequenceClassifier(**SEQUENCES | settings).fit(data, [k % 2 for k in range(12)], run=run, callback=callback)


def weights(model: Any) -> list[np.ndarray]:
    return [np.asarray(leaf) for leaf in jax.tree.leaves(eqx.filter(model.network_, eqx.is_array))]


def same(one: Any, other: Any) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(weights(one), weights(other), strict=True))


class Stopped(Exception):
    """Whatever may come up while a network is trained."""


def stop(event: Any) -> None:
    if event.step >= 3:
        raise Stopped


@pytest.fixture(scope="module")
def fitted() -> dict[str, Any]:
    return {"forecaster": forecaster(), "classifier": classifier()}


def test_a_first_fit_that_fails_leaves_nothing() -> None:
    model = Forecaster(hidden_size=2, context=500)
    with pytest.raises(LengthError):
        model.fit(WAVE[:40])
    assert not model.is_fitted
    with pytest.raises(NotFitted):
        model.predict()
    labels = SequenceClassifier(**SEQUENCES)
    for wrong, y in ((X, ["a"] * 12), ([np.full((2, 1), 1e300)] * 2, ["a", "b"])):
        with pytest.raises(DataError):
            labels.fit(wrong, y)
    with pytest.raises(Stopped):
        labels.fit(X, [k % 2 for k in range(12)], callback=stop)
    assert vars(labels) == labels.get_params()


def test_a_later_fit_that_fails_leaves_the_earlier_one(fitted: dict[str, Any]) -> None:
    model = fitted["forecaster"]
    before, said = dict(vars(model)), model.predict()["0"]
    with pytest.raises(Stopped):
        model.fit(2 * WAVE, callback=stop)
    with pytest.raises(DataError):
        model.fit(WAVE[:6])
    assert vars(model) == before
    assert model.predict()["0"].tolist() == said.tolist()


def test_a_later_fit_keeps_nothing_of_the_earlier_one() -> None:
    model = Forecaster(**FORECASTER | {"steps": 0, "epochs": None}).fit(WAVE)
    model.note = "of mine"
    model.stale_, model._hidden = 1, 2
    model.fit({"y": WAVE}, "y")
    assert not hasattr(model, "stale_")
    assert not hasattr(model, "_hidden")
    assert model.note == "of mine"
    assert model.roles_["target"] == ["y"]


@pytest.mark.parametrize("kind", ["forecaster", "classifier"])
def test_a_run_goes_on_where_it_was_stopped(kind: str, fitted: dict[str, Any], tmp_path: Path) -> None:
    fit = {"forecaster": forecaster, "classifier": classifier}[kind]

    def leave(event: Any) -> None:
        if event.step == 3 and event.kind == "evaluation":
            os.kill(os.getpid(), signal.SIGTERM)

    with Run(tmp_path / "run") as run, pytest.raises(ost.errors.Interrupted):
        fit(run=run, callback=leave)
    with Run(tmp_path / "run") as run:
        resumed = fit(run=run)
    assert same(resumed, fitted[kind])
    assert [record["step"] for record in resumed.history_] == [record["step"] for record in fitted[kind].history_]
    with Run(tmp_path / "run") as run:
        assert same(fit(run=run), fitted[kind])


@pytest.mark.parametrize(
    ("words", "changes"),
    [
        ("data: ", {"data": OTHER}),
        ("settings.learning_rate: 'auto' there, 0.1 asked for", {"learning_rate": 0.1}),
        ("settings.epochs: 2 there, 1 asked for", {"epochs": 1}),
        ("settings.epochs: 2 there, 6 asked for", {"epochs": 6}),
        ("settings.seed: 0 there, 5 asked for", {"seed": 5}),
        ("settings.validation: 10 there, 11 asked for", {"validation": 11}),
    ],
)
def test_a_run_folder_of_other_data_or_settings_is_refused(words: str, changes: Any, finished: Path) -> None:
    with Run(finished) as run, pytest.raises(SettingsError, match="holds a run of other settings or data") as refused:
        forecaster(run=run, **changes)
    assert words in str(refused.value)
    assert str(finished) in str(refused.value)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "run"
    with Run(folder) as run:
        forecaster(run=run)
    return folder


def test_a_run_that_has_ended_and_left_no_checkpoint_is_refused_too(finished: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(finished, tmp_path / "run"))
    shutil.rmtree(folder / "checkpoints")
    with Run(folder) as run, pytest.raises(SettingsError, match="data: "):
        forecaster(OTHER, run=run)


def test_a_run_folder_of_another_estimator_is_refused(finished: Path) -> None:
    with Run(finished) as run, pytest.raises(SettingsError, match="estimator: 'forecaster' there, 'sequence-class"):
        classifier(run=run)


def test_what_comes_back_differently_is_data_too(tmp_path: Path) -> None:
    """Labels, their order, and the steps in time are part of what is trained on."""
    y = [k % 2 for k in range(12)]
    with Run(tmp_path / "run") as run:
        SequenceClassifier(**SEQUENCES).fit(X, y, run=run)
        for other in ((X, y[::-1]), ([*X[1:], X[0]], y), ([x.astype("float32") for x in X], y)):
            with pytest.raises(SettingsError, match="data: "):
                SequenceClassifier(**SEQUENCES).fit(*other, run=run)


def test_a_corrected_fit_is_not_refused_because_of_the_folder(tmp_path: Path) -> None:
    with Run(tmp_path / "run") as run:
        with pytest.raises(ost.errors.UnsupportedRule):
            classifier(run=run, bidirectional=True, rule="rtrl")
        assert classifier(run=run).steps_ == 6


def test_checkpoints_that_no_estimator_made_are_left_alone(tmp_path: Path) -> None:
    model = ost.RNN("elman", 1, 2, output_size=1, key=jax.random.key(0))
    make = lambda key: ost.Examples(ost.SequenceBatch(jnp.ones((2, 3, 1))), jnp.ones((2, 3, 1)), jnp.ones((2, 3)) / 6)
    with Run(tmp_path / "run") as run:
        ost.fit(model, FunctionBatches(make, 2), loss=ost.losses.squared, steps=2, run=run)
        with pytest.raises(SettingsError, match="a training, but not of an estimator"):
            classifier(run=run)


def test_the_digest_tells_values_types_shapes_and_places_apart() -> None:
    a = np.arange(4.0)
    different = [a, a.astype("float32"), a.reshape(2, 2), a[::-1], [a, a], [a], ["a"], "a", None, {"a": 1}, a + 1e-15]
    assert len({digest(value) for value in different}) == len(different)
    days = np.array(["2024-01-01"], "M8[s]")
    assert digest(days) != digest(days + 1)
    assert digest(np.array(["x", 1], object)) == digest(["x", 1])


def test_numbers_that_are_not_finite_come_back_from_a_file(tmp_path: Path) -> None:
    assert np.isnan(read_back({"history": [{"loss": "nan"}]})["history"][0]["loss"])
    assert read_back(["inf", "-inf", "in", 3, None, True]) == [np.inf, -np.inf, "in", 3, None, True]
    model = SequenceRegressor(**SEQUENCES).fit(X, np.arange(12.0))
    model.history_[0]["loss"], model.best_ = float("nan"), {"step": 3, "squared": float("inf")}
    again = SequenceRegressor.load(model.save(tmp_path / "model"))
    assert np.isnan(again.history_[0]["loss"])
    assert again.best_ == model.best_
    assert again.history_[1:] == model.history_[1:]
    assert (again.steps_, again.stopped_) == (6, "steps")


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (("constant", 0.2, 40), [0.2, 0.2, 0.2]),
        (("cosine", 0.2, 40), [0.2, 0.1 * (1 + np.cos(np.pi / 4)), 0.1]),
        (("plateau", 0.2, 40), [0.2, 0.2, 0.2]),
    ],
)
def test_schedules_are_their_formulas(settings: Any, expected: list[float]) -> None:
    rate = learning_rate(*settings)
    with jax.numpy_dtype_promotion("standard"):
        at = [rate if isinstance(rate, float) else float(rate(t)) for t in (0, 10, 20)]
    assert at == pytest.approx(expected, rel=1e-6)


def test_the_warm_up_is_a_twentieth_and_the_staircase_falls_every_twelve_epochs() -> None:
    warm, stairs = learning_rate("cosine", 1.0, 40, warm_up=True), learning_rate("staircase", 1.0, 500, per_epoch=3)
    with jax.numpy_dtype_promotion("standard"):
        assert [float(warm(t)) for t in (0, 1, 2)] == pytest.approx([0.1, 0.55, 1.0], rel=1e-6)
        assert float(warm(21)) == pytest.approx(0.5 * (1 + np.cos(np.pi * 19 / 38)), abs=1e-6)
        steps = [float(stairs(t)) for t in (35, 37, 73, 296, 400)]
    assert steps == pytest.approx([1, 1 / 4, 1 / 16, 4.0**-8, 4.0**-8])


def test_weight_decay_stands_by_itself_or_goes_into_the_gradient() -> None:
    """The first step of Adam is the sign of the gradient times the rate (Kingma and Ba, with epsilon 1e-8)."""
    params, grads = (
        {"w": jnp.array([2.0, -1.0]), "b": jnp.array([4.0])},
        {"w": jnp.array([1e-3, 3.0]), "b": jnp.zeros(1)},
    )

    def step(optimizer: optax.GradientTransformation) -> dict[str, list[float]]:
        with jax.numpy_dtype_promotion("standard"):
            moved = optimizer.update(grads, optimizer.init(params), params)[0]
        return {name: (np.asarray(value) / -0.1).tolist() for name, value in moved.items()}

    assert step(adam(0.1))["w"] == pytest.approx([1, 1], rel=1e-4)
    apart = step(adam(0.1, decay=0.5, mask=lambda tree: {"w": True, "b": False}))
    assert apart["w"] == pytest.approx([1 + 0.5 * 2, 1 - 0.5], rel=1e-4)
    assert apart["b"] == [0]
    # The gradient of the bias is then 0.5 * 4, and the step its sign.
    assert step(adam(0.1, decay=0.5, coupled=True))["b"] == pytest.approx([1], rel=1e-4)


def test_the_norm_of_the_gradient_is_bounded() -> None:
    optimizer = adam(0.1, clip=1.0)
    grads = {"w": jnp.array([3.0, 4.0])}
    with jax.numpy_dtype_promotion("standard"):
        state = optimizer.update(grads, optimizer.init(grads), grads)[1]
    (mean,) = [m for m in jax.tree.leaves(state) if np.shape(m) == (2,)][:1]
    assert np.asarray(mean).tolist() == pytest.approx([0.06, 0.08], rel=1e-5)  # a tenth of the gradient of norm 1
