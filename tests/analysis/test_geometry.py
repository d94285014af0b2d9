"""Dimensions, comparisons, decoding and trajectories against closed forms."""

import numpy as np
import pytest

from ostinato.analysis import (
    PiecewiseLinear,
    angular_drift,
    attractor_manifold,
    binned_entropy,
    cka,
    correlation_dimension,
    cycles,
    decode,
    dynamical_similarity,
    eigenvalue_distance,
    linear_dynamics,
    pca_spectrum,
    procrustes,
    spectral_distance,
    state_space_divergence,
    tuning_curves,
)
from ostinato.analysis.dynamical_similarity import LinearDynamics
from ostinato.errors import DataError

X = np.array([[1, 0], [0, 1], [-1, 0], [0, -1], [2, 1], [-2, 1.0]])
Y = np.array([[1], [2], [0], [-1], [3], [1.0]])


def turned(angle: float) -> np.ndarray:
    return 0.9 * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])


def dynamics(matrix: np.ndarray) -> LinearDynamics:
    return LinearDynamics(np.asarray(matrix, float), np.linalg.eigvals(matrix))


def test_dimensions_of_a_circle_a_torus_and_henon():
    a, b = np.random.default_rng(0).uniform(0, 2 * np.pi, (2, 4000))
    circle = np.stack([np.cos(a), np.sin(a)], 1)
    torus = np.concatenate([circle, np.stack([np.cos(b), np.sin(b)], 1)], 1)
    henon = np.zeros((6000, 2))
    for t in range(1, len(henon)):
        henon[t] = [1 - 1.4 * henon[t - 1, 0] ** 2 + henon[t - 1, 1], 0.3 * henon[t - 1, 0]]
    for points, wanted in ((circle, 1.0), (torus, 2.0), (henon[100:], 1.22)):
        assert abs(correlation_dimension(points).dimension - wanted) < 0.1
    with pytest.raises(DataError, match="500 points"):
        correlation_dimension(circle[:100])
    with pytest.raises(DataError, match="equal"):
        correlation_dimension(np.ones((600, 2)))


def test_pairs_near_in_time_do_not_count():
    noise = np.random.default_rng(1)
    slow = np.repeat(noise.normal(size=(1500, 3)), 4, axis=0) + 1e-3 * noise.normal(size=(6000, 3))
    assert correlation_dimension(slow, theiler=4).dimension > 2.6


def test_independent_units_do_not_cross_their_shuffled_control_and_shared_ones_do():
    draws = np.random.default_rng(0)
    # Two hidden signals of white noise: their sums at other times are independent. (Of sines they would not be.)
    shared = draws.normal(size=(3000, 2)) @ draws.normal(size=(2, 8)) + 0.3 * draws.normal(size=(3000, 8))
    found = pca_spectrum(shared)
    assert found.crossing == 2
    assert found.shares[:2].sum() > 0.8
    assert abs(found.shares.sum() - 1) < 1e-12
    even = pca_spectrum(np.linalg.qr(np.random.default_rng(0).normal(size=(500, 4)))[0])
    assert even.participation == pytest.approx(4, abs=0.05)


def test_alignment_and_procrustes_are_the_closed_forms_and_see_no_rotation():
    Q = np.linalg.qr(np.random.default_rng(0).normal(size=(2, 2)))[0]
    assert cka(X, X @ Q * 3) == pytest.approx(1)
    assert procrustes(X, X @ Q).squared == pytest.approx(0, abs=1e-9)
    assert cka(X, Y) == pytest.approx(0.474342, abs=1e-6)
    assert cka(X, Y, debiased=True) == pytest.approx(0.320812, abs=1e-6)
    assert procrustes(X, Y)[:2] == pytest.approx((9.191198, 0.911738), abs=1e-6)
    found = procrustes(X, X @ Q)
    assert np.allclose((X @ Q - (X @ Q).mean(0)) @ found.rotation, X - X.mean(0))
    noise = np.random.default_rng(0).normal(size=(20, 2, 50, 100))
    assert abs(np.mean([cka(*pair) for pair in noise]) - 100 / 150) < 0.02
    assert abs(np.mean([cka(*pair, debiased=True) for pair in noise])) < 0.01


def test_dynamics_are_compared_whatever_the_basis():
    one, other = dynamics(turned(0.2)), dynamics(turned(0.5))
    found = dynamical_similarity(one, other)
    assert (found.angle, found.euclidean) == pytest.approx((0.3, 2 * np.sin(0.15)), abs=1e-7)
    assert eigenvalue_distance(one, other) == pytest.approx(0.81 * (2 * np.sin(0.15)) ** 2)
    assert dynamical_similarity(one, dynamics(turned(-0.2))).euclidean < 1e-6
    shear = dynamics([[0.9, 1], [0, 0.5]]), dynamics(np.diag([0.9, 0.5]))
    assert eigenvalue_distance(*shear) == pytest.approx(0, abs=1e-12)
    assert dynamical_similarity(*shear).angle == pytest.approx(0.62841, abs=1e-5)
    noise = np.random.default_rng(1)
    A, Q = noise.normal(size=(12, 12)), np.linalg.qr(noise.normal(size=(12, 12)))[0]
    assert dynamical_similarity(dynamics(A), dynamics(Q @ A @ Q.T)).euclidean < 1e-3
    assert dynamical_similarity(dynamics(A), dynamics(noise.normal(size=(12, 12)))).euclidean > 0.1


def test_the_map_of_linear_states_is_the_one_that_made_them():
    noise = np.random.default_rng(0)
    A = np.array([[0.9, 0.2, 0], [-0.2, 0.9, 0], [0, 0, 0.5]])
    states = np.stack(
        [np.stack([np.linalg.matrix_power(A, t) @ s for t in range(30)]) for s in noise.normal(size=(8, 3))]
    )
    states = np.concatenate([states, -states])
    found = linear_dynamics(states, penalty=0)
    assert np.allclose(sorted(np.abs(found.eigenvalues)), sorted(np.abs(np.linalg.eigvals(A))), atol=1e-9)
    Q = np.linalg.qr(noise.normal(size=(3, 3)))[0]
    turned = linear_dynamics(states @ Q + 7.0, penalty=0)
    assert eigenvalue_distance(found, turned) < 1e-12
    assert dynamical_similarity(found, turned).euclidean < 1e-3


def test_cycles_of_the_tent_map_are_all_there():
    tent = PiecewiseLinear(np.array([2.0]), np.array([[-4.0]]), np.eye(1), np.zeros(1), np.ones(1))
    found = {order: cycles(tent, order, searches=100, tries=20) for order in range(1, 6)}
    assert [len(found[order]) for order in found] == [2, 1, 2, 3, 6]
    assert np.allclose([c.points[0, 0] for c in found[1]], [-1, 1 / 3])
    assert np.allclose(found[2][0].points.ravel(), [-0.2, 0.6])
    assert all(np.allclose(np.abs(c.eigenvalues), 2.0**order) for order in found for c in found[order])
    assert all(c.residual < 1e-10 and not c.stable for order in found for c in found[order])


def test_a_known_piecewise_linear_network_has_its_one_point():
    A, W = np.array([-0.0222311, 0.96461297]), np.array([[0, -0.64375], [0.52505308, 0]])
    network = PiecewiseLinear(A, W, np.eye(2), np.zeros(2), np.array([0.37298253, -0.97931491]))
    (point,) = cycles(network, 1, searches=50)
    assert np.allclose(point.points, [[0.364871, -22.260649]], atol=1e-6)


def test_divergence_and_spectra_see_place_and_time():
    a = np.repeat([0.0, 1.0], [3, 1])[:, None]
    assert state_space_divergence(a, 1 - a, bins=2, added=0) == pytest.approx(0.5 * np.log(3))
    t = np.arange(3000)
    tone = lambda w: np.sin(w * t)[:, None]
    assert spectral_distance(tone(0.5), tone(0.5) * 9 + 3) < 1e-6
    assert spectral_distance(tone(0.1), tone(2.0), smooth=5) > 0.99


def test_decoding_is_of_rows_that_were_not_fitted():
    noise = np.random.default_rng(0)
    states, labels = noise.normal(size=(300, 40)), noise.integers(0, 2, 300)
    assert abs(decode(states, labels).accuracy - 0.5) < 0.1
    # A code that is the trial's own: without groups it is read, with groups it is not there.
    trial = np.repeat(np.arange(20), 15)
    own = noise.normal(size=(20, 40))[trial] + 0.01 * states
    label = noise.integers(0, 2, 20)[trial]
    assert decode(own, label).accuracy > 0.95
    assert decode(own, label, groups=trial).accuracy < 0.85
    with pytest.raises(DataError, match="two or more"):
        decode(states, np.zeros(300))


def test_tuning_and_entropy():
    angle = np.linspace(-np.pi, np.pi, 6000, endpoint=False)
    curves = tuning_curves(np.stack([np.cos(angle), 0 * angle + 2], 1), angle, bins=4)
    assert np.allclose(curves[:, 0], np.array([-1, 1, 1, -1]) * 2 / np.pi, atol=1e-3)
    assert np.allclose(curves[:, 1], 2)
    assert binned_entropy(angle) == pytest.approx(np.log2(6), abs=1e-4)
    with pytest.raises(DataError, match=r"from -3\.14159"):
        binned_entropy(np.array([4.0, 1.0]))


def test_lines_rings_and_points_are_told_apart():
    angle = 2 * np.pi * np.random.default_rng(0).permutation(60) / 60
    slow, fast = np.tile([0.999, 0.4], (60, 1)), np.tile([0.6, 0.4], (60, 1))
    ring = np.stack([np.cos(angle), np.sin(angle)], 1)
    line = np.stack([angle, angle**2 / 20], 1)
    assert attractor_manifold(ring, slow).kind == "ring"
    assert attractor_manifold(line, slow).kind == "line"
    assert attractor_manifold(ring, fast).kind == "points"
    clumps = np.repeat(ring[:6], 10, axis=0) + 1e-3 * np.random.default_rng(1).normal(size=(60, 2))
    assert attractor_manifold(clumps, slow).kind == "other"


def test_diffusion_of_a_walk_is_that_of_its_steps():
    walk = np.cumsum(0.05 + 0.1 * np.random.default_rng(0).normal(size=(300, 200)), axis=1)
    drift = angular_drift(np.angle(np.exp(1j * walk)), lags=20)
    assert drift.speed == pytest.approx(0.05, abs=0.002)
    assert drift.diffusion == pytest.approx(0.005, rel=0.05)
