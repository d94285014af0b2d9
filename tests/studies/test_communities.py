"""The studies of communities: who trains and who judges, when a claim holds, folds and sizes."""

from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.model_selection import KFold

from ostinato.data import Communities, load
from ostinato.studies import StudySettings
from ostinato.studies.communities import microbiome, passages, simulated_communities
from ostinato.studies.communities.microbiome import COUNTS, _count, _joined, folds_of
from ostinato.studies.communities.simulated_communities import FEW, SPECIES, _low, _of_size

METABOLITES = ("Butyrate", "Acetate", "Lactate", "Succinate")
HOURS = np.array([0.0, 16.0, 32.0, 48.0])


def drawn(prefix, count):
    """Communities of three species with drawn numbers."""
    values = np.random.default_rng(len(prefix)).uniform(0.1, 1, (count, 4, 7))
    names = tuple(f"{prefix}{i:02d}" for i in range(count))
    return Communities(names, ("A", "B", "C"), METABOLITES, HOURS, values)


@pytest.fixture
def models(monkeypatch):
    """What stands in the place of a community model: it keeps whom it saw and whom it judged, and gives r² as told."""
    made = SimpleNamespace(all=[], r2=lambda name, t: 0.5, coverage=0.9, folds=[])

    def scores(shift=0.0):
        rows = [
            {
                "hours": HOURS[t + 1],
                "r2": {name: made.r2(name, t) + shift for name in ("species", *METABOLITES)},
                "determination": dict.fromkeys(("species", *METABOLITES), 0.4),
            }
            for t in range(3)
        ]
        return {"times": rows}

    class Recorder:
        def __init__(self, **options):
            self.options, self.fitted, self.judged = options, None, None
            made.all.append(self)

        def fit(self, data, callback=None):
            self.fitted = set(data.names)
            return self

        def evaluate(self, data):
            self.judged = set(data.names)
            members = [scores() for _ in range(self.options["members"])]
            beside = {"linear": scores(-0.1), "mean": scores(-0.2)}
            return {**scores(), "members": members, "baselines": beside, "coverage": made.coverage}

        def cross_validate(self, data, *, order=None, callback=None):
            made.folds.append((data.names, order))
            return data.values[:, 1:] * 1.0

        def predict(self, data):
            self.judged = set(data.names)
            return SimpleNamespace(values=data.values[:, 1:], mean=data.values[:, 1:])

    monkeypatch.setattr(passages, "CommunityModel", Recorder)
    monkeypatch.setattr(microbiome, "CommunityModel", Recorder)
    monkeypatch.setattr(microbiome, "_model", lambda options, **more: Recorder(**{**options, **more}))
    monkeypatch.setattr(microbiome, "ApproximateLotkaVolterra", Recorder)
    return made


@pytest.mark.parametrize(("r2", "holds"), [(0.7, True), (0.68, False)])
def test_passages_are_judged_by_communities_that_did_not_train(models, r2, holds):
    models.r2 = lambda name, t: r2
    (claim,) = passages.judged(drawn("a", 5), drawn("b", 3), {"hidden_size": 8}, StudySettings(seeds=2))
    (model,) = models.all
    assert model.options == {"hidden_size": 8, "members": 2}
    assert model.fitted == {f"a{i:02d}" for i in range(5)}
    assert model.judged == {f"b{i:02d}" for i in range(3)}
    assert claim.ours == pytest.approx(r2)
    assert claim.baseline["linear"] == pytest.approx(r2 - 0.1)
    assert claim.holds is holds


def test_microbiome_is_judged_by_the_communities_that_were_held_out(models, monkeypatch):
    """Every model of the split is fitted to the one part and asked about the other; the folds are of all of them."""
    short = {name: lambda *given, **more: [] for name in ("_split", "_more_tables")}
    for name, function in short.items():
        monkeypatch.setattr(microbiome, name, function)
    monkeypatch.setattr(microbiome, "by_time", lambda data, found: [{"names": data.names}])
    monkeypatch.setattr(microbiome, "by_feature", lambda data, found: {})
    monkeypatch.setattr(microbiome, "summary", lambda features: {"species_r": 0.6, "metabolite_r": 0.8})
    train, test = drawn("a", 22), drawn("b", 6)
    asked = microbiome._approximate(train, test, StudySettings())
    claims = microbiome.judged(train, test, StudySettings(seeds=2))
    for model in models.all:
        assert model.fitted in (None, set(train.names))
        assert model.judged in (None, set(test.names))
    assert sum(model.judged == set(test.names) for model in models.all) == 8
    assert asked["approximate gLV, as authored"] == [{"names": test.names}]
    assert len(models.folds) == 2
    for names, order in models.folds:
        assert list(names) == sorted([*train.names, *test.names])
        np.testing.assert_array_equal(order, folds_of(28))
    held = {claim.name.split(",")[0]: claim.holds for claim in claims}
    assert held["R of each species"] is True
    assert held["R of each metabolite"] is False
    assert held["share of held-out values in 90 % intervals"] is True
    models.coverage = 0.96
    assert microbiome._intervals(train, test, {}, StudySettings()).holds is False


def test_the_bars_of_the_split_are_the_published_figures_less_a_little(models):
    """A hair above every bar, then a hair below."""
    bar = lambda name, t: microbiome.PUBLISHED[name][t] - microbiome.SLACK.get(name, 0.05)
    for shift, holds in ((0.006, True), (-0.006, False)):
        models.r2 = lambda name, t, shift=shift: bar(name, t) + shift
        found = microbiome.CommunityModel(members=2).fit(drawn("a", 2)).evaluate(drawn("b", 2))
        claims = microbiome._split(found, {}, {}, {}, [0, 1])
        assert len(claims) == 15
        assert {claim.holds for claim in claims} == {holds}
        assert [claim.published for claim in claims[:3]] == [0.71, 0.76, 0.77]
        assert claims[4].ours == pytest.approx(bar("Butyrate", 1) + shift)


def test_what_is_reported_alone_has_no_verdict(models, monkeypatch):
    curve = SimpleNamespace(r2=np.zeros((2, 3, 7)), shares=(0.5, 1.0), counts=(1, 2))
    curve.r2[1, :, 3:] = 0.25
    asked = {}

    def ablation(model, data, **more):
        asked.update(more, names=data.names)
        return curve

    monkeypatch.setattr(microbiome, "ablation", ablation)
    monkeypatch.setattr(microbiome, "by_feature", lambda data, found: {})
    monkeypatch.setattr(microbiome, "summary", lambda features: {"species_r": 0.6, "metabolite_r": 0.8})
    table, gain = microbiome._more_tables(drawn("a", 14), drawn("b", 14), {}, StudySettings(quick=True))
    assert (table.holds, gain.holds) == (None, None)
    assert gain.ours == pytest.approx(0.25)
    assert len(asked["names"]) == 28


@pytest.mark.parametrize(("seconds", "holds"), [(6.0, True), (6.1, False)])
def test_the_time_of_a_fit_has_a_bar(seconds, holds):
    assert microbiome._seconds("one fit", seconds, 6.0, {}).holds is holds


def test_the_folds_are_those_of_the_published_predictions():
    order = folds_of(95)
    for k, (_, part) in enumerate(KFold(20, shuffle=True, random_state=0).split(np.arange(95))):
        np.testing.assert_array_equal(np.flatnonzero(order == k), part)


def test_sizes():
    for (features, hidden), published in COUNTS.items():
        claim = _count(features, hidden, published)
        assert claim.holds is True
        assert claim.ours == published
        assert _count(features, hidden, published + 1).holds is False


def test_communities_stand_in_the_order_of_their_names():
    joined = _joined(drawn("b", 3), drawn("a", 2))
    assert list(joined.names) == ["a00", "a01", "b00", "b01", "b02"]
    np.testing.assert_array_equal(joined.values[3], drawn("b", 3).values[1])


def test_passages_are_read_as_the_authors_have_them(data_folder):
    train, test = load("microbiome-passages", data_folder)
    assert train.values.shape == (102, 6, 12)
    assert test.values.shape == (73, 6, 12)
    assert set(train.present.sum(1)) == {2, 3, 4, 5, 11}
    assert set(test.present.sum(1)) == {2, 3, 4, 5, 6, 11, 12}


def test_training_communities_are_624_of_few_species():
    present = _low(np.random.default_rng(0), SPECIES, FEW)
    sizes = present.sum(1)
    assert present.shape == (624, 25)
    assert (np.bincount(sizes)[1:3] == [25, 300]).all()
    assert set(sizes[325:]) == {3, 4, 5, 6}
    assert (_of_size(np.random.default_rng(1), 25, np.full(9, 11)).sum(1) == 11).all()


def test_simulated_communities_that_judge_are_other_ones(monkeypatch):
    fitted = []

    class Recorder:
        def __init__(self, **options):
            self.seed = options["seed"]

        def fit(self, data):
            fitted.append(data)
            return self

        def predict(self, judged):
            self.judged = judged
            # The truth with the first half turned round: no perfect correlation.
            return SimpleNamespace(values=np.where(np.arange(len(judged))[:, None, None] % 2, 1, -1) * judged.values)

    def regressed(data, judged):
        fitted.append(data)
        return judged.values

    monkeypatch.setattr(simulated_communities, "CommunityModel", Recorder)
    monkeypatch.setattr(simulated_communities, "regressed", regressed)
    found = simulated_communities.scores(3, 0.0, quick=True)
    names = [{name.rstrip("0123456789") for name in data.names} for data in fitted]
    assert names == [{"few"}, {"few"}, {"rich"}, {"rich"}]
    assert [len(data) for data in fitted] == [41, 41, 51, 51]
    assert found["gLV, few"] == found["gLV, rich"] == pytest.approx(1)
    assert 0 <= found["network, few"] < 0.9


def test_the_network_has_to_be_ahead_by_the_bar(monkeypatch):
    figures = {"gLV, few": 0.98, "network, few": 0.77, "gLV, rich": 0.5, "network, rich": 0.66}
    monkeypatch.setattr(simulated_communities, "scores", lambda seed, third, quick: figures)
    few, network, rich, ahead = simulated_communities.run(StudySettings(seeds=2))
    assert [c.holds for c in (few, network, rich, ahead)] == [True, False, False, True]
    assert ahead.ours == pytest.approx(0.16)
