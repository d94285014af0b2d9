"""Corner designs and scans against brute force over all communities of twelve species."""

import numpy as np
import pytest

from ostinato.communities import CommunityModel
from ostinato.communities.design import candidates, codes_of, corners, desirability, pipetting, presence_of
from ostinato.communities.scan import scan
from ostinato.data import Communities
from ostinato.errors import CorruptFile, DataError, SettingsError

SPECIES = 12
CODES = np.arange(1, 1 << SPECIES, dtype=np.uint32)


def outcomes(seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    present = presence_of(CODES, SPECIES)
    return present @ rng.normal(size=(SPECIES, 4)) + rng.normal(size=(len(CODES), 4))


def apart(a: int, b: int) -> int:
    return bin(int(CODES[a]) ^ int(CODES[b])).count("1")


def test_candidates_against_counting() -> None:
    found = candidates(0, 1 << SPECIES, (3, 5), required=0b101, excluded=0b10)
    wanted = [c for c in range(1 << SPECIES) if 3 <= bin(c).count("1") <= 5 and c & 0b101 == 0b101 and not c & 0b10]
    assert found.tolist() == wanted
    halves = [candidates(a, b, (3, 5)) for a, b in ((0, 1000), (1000, 1 << SPECIES))]
    np.testing.assert_array_equal(np.concatenate(halves), candidates(0, 1 << SPECIES, (3, 5)))
    present = presence_of(found, SPECIES)
    np.testing.assert_array_equal(codes_of(present), found)


@pytest.mark.parametrize("spread", ["hamming", "maxmin"])
def test_corners_against_brute_force(spread: str) -> None:
    predicted = outcomes()
    found = corners(predicted, CODES, spread=spread)
    assert [c.high for c in found] == [tuple(bool(b & (8 >> i)) for i in range(4)) for b in range(15, -1, -1)]
    rows = np.concatenate([c.rows for c in found])
    assert len(rows) == len(set(rows.tolist())) == 80
    for corner in found:
        inside = set(range(len(CODES)))
        for plane, level in zip(((0, 1), (2, 3)), corner.quantiles, strict=True):
            there = sorted(inside)
            for c in plane:
                y = predicted[there, c]
                edge = np.quantile(y, level if corner.high[c] else 1 - level)
                inside &= {r for r in there if (predicted[r, c] >= edge if corner.high[c] else predicted[r, c] <= edge)}
        assert corner.candidates == len(inside)
        assert set(corner.rows.tolist()) <= inside
        first, *others = corner.rows.tolist()
        if spread == "hamming":
            best = sorted((apart(first, r) for r in inside if r != first), reverse=True)[:4]
            assert [apart(first, r) for r in others] == best
        else:
            chosen = [first]
            for row in others:
                nearest = {r: min(apart(r, c) for c in chosen) for r in inside if r not in chosen}
                assert nearest[row] == max(nearest.values())
                chosen.append(row)


def test_quantiles_are_lowered_only_where_they_must_be() -> None:
    found = corners(outcomes(1), CODES, quantile=0.8, per_corner=1)
    assert {c.quantiles[0] for c in found} == {0.8}
    same = np.repeat(outcomes(1)[:, :1], 4, axis=1)
    with pytest.raises(
        DataError, match="even at the median, the communities that are high in column 0 and high in column 1"
    ):
        corners(same, CODES, quantile=0.55)
    with pytest.raises(SettingsError, match="spread"):
        corners(same, CODES, spread="far")


def test_desirability_against_its_definition() -> None:
    y = outcomes(2)
    found = desirability(y, ["a", "b", "c", "d"], {"a": "max", "c": "min", "d": 0.5})
    parts = []
    for j, kind in ((0, "max"), (2, "min"), (3, 0.5)):
        low, high = np.quantile(y[:, j], [0.01, 0.99])
        one = {"max": y[:, j] - low, "min": high - y[:, j]}.get(kind, high - low - np.abs(y[:, j] - 0.5)) / (high - low)
        parts.append(np.clip(one, 0, 1))
    np.testing.assert_allclose(found, np.prod(parts, axis=0) ** (1 / 3), atol=2e-5)
    with pytest.raises(SettingsError, match="no 'e' among a, b, c, d"):
        desirability(y, ["a", "b", "c", "d"], {"e": "max"})


def test_pipetting_adds_up() -> None:
    table = pipetting(CODES[:50], [f"s{i}" for i in range(SPECIES)], total=0.0066, volume=200.0, stocks={"s0": 0.02})
    volumes = np.stack([table[f"s{i}"] for i in range(SPECIES)], axis=1)
    np.testing.assert_allclose(volumes.sum(1) + table["medium"], 200.0, atol=0.01)
    density = np.where(np.arange(SPECIES) == 0, 0.02, 0.1)
    np.testing.assert_allclose((volumes * density).sum(1) / 200, 0.0066, rtol=1e-3)
    with pytest.raises(DataError, match="take denser ones"):
        pipetting(CODES[:5], [f"s{i}" for i in range(SPECIES)], total=0.2)
    with pytest.raises(SettingsError, match="no species 'x'"):
        pipetting(CODES[:5], ["s0"], stocks={"x": 1.0})


@pytest.fixture(scope="module")
def model() -> CommunityModel:
    rng = np.random.default_rng(0)
    present = rng.integers(0, 2, (10, SPECIES))
    present[np.arange(10), np.arange(10)] = 1
    start = 0.0066 * present / present.sum(1, keepdims=True)
    acids = np.array([[28.0, 0.0]]) * np.ones((10, 1))
    values = np.stack(
        [np.concatenate([start * (1 + 40 * t), acids + 9 * t * rng.random((10, 2))], 1) for t in range(3)], 1
    )
    species = tuple(f"s{i}" for i in range(SPECIES))
    data = Communities(tuple("abcdefghij"), species, ("lactate", "acetate"), np.array([0.0, 16.0, 32.0]), values)
    return CommunityModel(hidden_size=4, members=2, folds=0, epochs=2).fit(data)


def test_a_scan_gives_what_the_model_predicts_and_goes_on(model, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("ostinato.communities.scan.BLOCK", 1000)
    monkeypatch.setattr("ostinato.communities.scan.ROUND", 60)
    monkeypatch.setattr("ostinato.communities.scan.BATCH", 512)
    told = []
    codes, found = scan(model, tmp_path / "all", (2, 3), callback=lambda done, of: told.append((done, of)))
    assert told[-1] == (66 + 220, 66 + 220)
    np.testing.assert_array_equal(codes, candidates(0, 1 << SPECIES, (2, 3)))
    present = presence_of(codes, SPECIES)
    start = 0.0066 * present / present.sum(1, keepdims=True)
    first = np.concatenate([start, np.repeat(model.medium_[None], len(start), axis=0)], axis=1)
    names = tuple(map(str, codes))
    asked = Communities(names, model.species_, model.metabolites_, np.zeros(1), first[:, None])
    np.testing.assert_allclose(found, model.predict(asked).values[:, -1, SPECIES:], rtol=1e-4, atol=1e-3)

    class Stop(Exception):
        pass

    def stop(done: int, of: int) -> None:
        raise Stop

    with pytest.raises(Stop):
        scan(model, tmp_path / "cut", (2, 3), callback=stop)
    blocks = []
    again, result = scan(model, tmp_path / "cut", (2, 3), callback=lambda done, of: blocks.append(done))
    np.testing.assert_array_equal(again, codes)
    np.testing.assert_array_equal(result, found)
    assert len(blocks) == len(told) - 1
    (tmp_path / "cut" / "scan.json").write_text("{")
    with pytest.raises(CorruptFile, match="not the note of a scan"):
        scan(model, tmp_path / "cut", (2, 3))
    with pytest.raises(SettingsError, match="expected 1 to 12 species"):
        scan(model, tmp_path / "bad", (5, 13))
    with pytest.raises(SettingsError, match="required and excluded"):
        scan(model, tmp_path / "bad", (2, 3), required=1, excluded=1)


def test_a_scan_of_another_model_is_made_anew(model, tmp_path, monkeypatch) -> None:
    """Sizes and settings are the same, only what was learned differs."""
    monkeypatch.setattr("ostinato.communities.scan.BATCH", 512)
    other = CommunityModel(**model.get_params() | {"seed": 1}).fit(model.communities_)
    codes, mine = scan(model, tmp_path / "one", (2, 2))
    expected = np.array(scan(other, tmp_path / "two", (2, 2))[1])
    assert np.abs(expected - mine).max() > 1e-3
    told = []
    again, found = scan(other, tmp_path / "one", (2, 2), callback=lambda *done: told.append(done))
    np.testing.assert_array_equal(found, expected)
    assert told == [(66, 66)]
    # And one that is complete is not made twice.
    told.clear()
    np.testing.assert_array_equal(scan(other, tmp_path / "one", (2, 2), callback=lambda *n: told.append(n))[1], found)
    assert told == []
    np.testing.assert_array_equal(again, codes)
