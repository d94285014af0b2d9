"""`fit community` and what follows it: held out, predicted over hours, explained, designed; bad tables refused."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ostinato.communities import CommunityModel
from ostinato.data import permutation, read_communities, read_table

from .conftest import answer, refusal, write_csv

Run = tuple[Path, dict[str, Any]]
NAMES = ("A_OD", "B_OD", "C_OD", "D_OD")


def table(count: int = 20, seed: int = 0) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    columns: dict[str, list[Any]] = {name: [] for name in ("name", "Time", *NAMES, "Butyrate", "Lactate")}
    for c in range(count):
        present = rng.random(4) < 0.6
        present[c % 4] = True
        start = 0.0066 * present / present.sum()
        for hours in (0, 16, 32):
            columns["name"].append(f"c{c}")
            columns["Time"].append(hours)
            for name, x in zip(NAMES, start * (1 + 4 * hours), strict=True):
                columns[name].append(round(float(x), 6))
            columns["Butyrate"].append(round(float(hours * present @ [1.0, 0.2, 0.0, 0.5]), 4))
            columns["Lactate"].append(round(float(28 - hours * 0.3 * present[2] + rng.random()), 4))
    return columns


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("communities")
    file = write_csv(folder / "data.csv", table())
    small = ["--hidden", 4, "--epochs", 2, "--members", 2, "--folds", 4, "--seed", 1]
    return folder / "run", answer("fit", "community", file, "--test", 4, *small, "--out", folder / "run")


def test_the_last_are_held_out_and_judged_beside_baselines(run: Run) -> None:
    folder, said = run
    assert said["held_out"].startswith("4 communities that were held out")
    named = [score["model"] for score in said["scores"]]
    worth = [score["values"]["R² of metabolites"] for score in said["scores"]]
    assert (sorted(named), worth) == (["Lotka-Volterra", "linear", "lstm", "mean"], sorted(worth, reverse=True))
    assert said["notes"][0] == "Species: A_OD, B_OD, C_OD, D_OD. Metabolites: Butyrate, Lactate."
    report = (folder / "report.html").read_text()
    assert "<h2>Predicted against measured at 32 h</h2>" in report
    assert report.index("<h3>Species</h3>") < report.index("<h3>Butyrate</h3>") < report.index("<h3>R²</h3>")
    assert answer("info", folder)["parameters"] == 4 * 4 * (6 + 4 + 1) + 5 * 6
    judged = answer("evaluate", folder, folder.parent / "data.csv")
    assert judged["held_out"].startswith("20 communities")


def test_the_facts_of_the_data_are_true(run: Run) -> None:
    folder, _ = run
    rows = table()
    facts = json.loads((folder / "data.json").read_text())
    together = [sum(rows[name][i] > 0 for name in NAMES) for i, hours in enumerate(rows["Time"]) if hours == 0]
    assert facts == {
        "file": "data.csv",
        "communities": len(set(rows["name"])),
        "species": list(NAMES),
        "metabolites": ["Butyrate", "Lactate"],
        "hours": [0.0, 16.0, 32.0],
        "fewest species": min(together),
        "most species": max(together),
        "missing": 0,
    }
    assert min(together) < max(together)


def test_missing_values_are_counted(tmp_path: Path) -> None:
    """A sample that was not taken is six values, an empty cell is one."""
    columns = table(12)
    columns["Lactate"][4] = ""
    columns = {name: column[:8] + column[9:] for name, column in columns.items()}
    file = write_csv(tmp_path / "gaps.csv", columns)
    small = ["--hidden", 2, "--epochs", 1, "--members", 1, "--folds", 0]
    answer("fit", "community", file, "--test", 0.25, *small, "--out", tmp_path / "run")
    assert json.loads((tmp_path / "run" / "data.json").read_text())["missing"] == 7
    seen = CommunityModel.load(tmp_path / "run" / "model").communities_
    order = permutation(12, 0, name="test")
    assert seen.names == tuple(f"c{i}" for i in np.sort(order[3:]))


def test_what_decides_is_told_of_communities_that_training_has_not_seen(run: Run) -> None:
    folder, said = run
    rows, model = table(), CommunityModel.load(folder / "model")
    assert model.communities_.names == tuple(f"c{i}" for i in range(16))
    held = read_communities(folder.parent / "data.csv").take(slice(16, None))
    made = model.predict(held).values
    r2 = []
    for t in (1, 2):
        for j in (4, 5):
            y, p = held.values[:, t, j], made[:, t, j]
            r2.append(1 - ((y - p) ** 2).sum() / ((y - y.mean()) ** 2).sum())
    ours = next(score for score in said["scores"] if score["ours"])["values"]
    assert list(ours)[:4] == [
        "R² of metabolites",
        "R² of species",
        "squared correlation of metabolites",
        "squared correlation of species",
    ]
    assert ours["R² of metabolites"] == pytest.approx(np.mean(r2), rel=1e-6)
    # Four communities are too few to show anything: even if all of them agree, p is 2 / 16 for each baseline.
    assert said["verdict"].startswith("No difference shown between lstm (R² of metabolites")
    assert "paired permutation test over 4 communities, p = " in said["verdict"]
    assert "1 for any two points" in said["held_out"]
    assert len(rows["name"]) == 60


def test_predictions_over_hours(run: Run, tmp_path: Path) -> None:
    folder, _ = run
    new = write_csv(tmp_path / "new.csv", {"who": ["x", "y"], "A_OD": [0.0033, 0], "C_OD": [0.0033, 0.0066]})
    answer("predict", folder, new, "--hours", "0:40:8", "--intervals", "--out", tmp_path / "made.csv")
    made = read_table(tmp_path / "made.csv")
    assert made["hours"].tolist() == [0, 8, 16, 24, 32, 40] * 2
    assert (made["B_OD"] == 0).all()
    assert (made["A_OD"][6:] == 0).all()
    model: Any = CommunityModel.load(folder / "model")
    assert made["Lactate"][0] == pytest.approx(model.medium_[1])
    assert np.isnan(made["Lactate_upper"]).tolist() == [False] * 5 + [True] + [False] * 5 + [True]
    assert (made["Lactate_lower"] <= made["Lactate"])[:5].all()
    for options, said in (
        (["--hours", "5:1:1"], "--hours: expected 0:72:4"),
        (["--hours", "-4,8"], "expected times from 0 h on"),
        (["--horizon", 3], "--horizon: only forecasts have one"),
    ):
        assert said in refusal(3, "predict", folder, new, *options)
    late = {"who": ["x", "y"], "time": [0, 2], "A_OD": [0.1, 0.1]}
    assert "community 'y' has no sample at 0 h" in refusal(3, "predict", folder, write_csv(tmp_path / "l.csv", late))
    strange = write_csv(tmp_path / "strange.csv", {"who": ["x"], "Z_OD": [0.1]})
    assert "column 'Z_OD' is no species or metabolite of the model" in refusal(3, "predict", folder, strange)


def test_explained(run: Run) -> None:
    folder, _ = run
    found = answer("explain", folder, "--least", 0.001, "--share", 0.001)
    numbers = json.loads((folder / "explain.json").read_text())
    assert numbers["influences"] == found["influences"]
    assert set(numbers["sensitivity"]) == {"Butyrate", "Lactate"}
    assert np.array(numbers["gradients"]).shape == (2, 4)
    page = (folder / "explain.html").read_text()
    assert "Who influences whom" in page
    assert "Carbon in Butyrate, Lactate" in page


def test_designed(run: Run, tmp_path: Path) -> None:
    folder, _ = run
    options = ["--maximize", "butyrate", "--minimize", "lactate", "--size", "2:4", "--count", 3]
    found = answer("community", "design", folder, *options, "--without", "D", "--out", tmp_path / "d.csv")
    assert found["scanned"] == 3 + 1
    made = read_table(tmp_path / "d.csv")
    assert (np.diff(made["desirability"]) <= 0).all()
    assert all("D_OD" not in name for name in made["community"])
    recipe = read_table(tmp_path / "d-pipetting.csv")
    np.testing.assert_allclose(sum(recipe[n] for n in (*NAMES, "medium")), 1000, atol=0.01)
    for given, said in (
        (["--maximize", "acetate"], "no metabolite 'acetate' in the model; it has Butyrate, Lactate"),
        (["--count", 3], "expected --maximize and --minimize, or --corners"),
        (["--corners", "butyrate,lactate", "--count", 16], "expected four metabolites"),
        (["--maximize", "butyrate", "--size", "0:9"], "expected 1 to 4 species"),
        (["--maximize", "butyrate", "--with", "Q"], "no species 'Q' in the model"),
    ):
        assert said in refusal(3, "community", "design", folder, *given)


@pytest.mark.parametrize(
    ("column", "row", "value", "said"),
    [
        ("A_OD", 4, -1, "line 6: -1 in column 'A_OD'"),
        ("Time", 4, 32, "line 7: community 'c1' is there already at 32 h (line 6)"),
        ("Time", 4, 0, "line 6: community 'c1' is there already at 0 h (line 5)"),
        ("name", 4, "other", "line 6: community 'other' was measured once"),
        ("Butyrate", 4, "much", "line 6: 'much' in column 'Butyrate', expected a number"),
    ],
)
def test_bad_tables(tmp_path: Path, column: str, row: int, value: Any, said: str) -> None:
    columns = table(6)
    columns[column][row] = value
    file = write_csv(tmp_path / "bad.csv", columns)
    assert said in refusal(3, "fit", "community", file, "--out", tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_too_few_and_unclear_tables(tmp_path: Path) -> None:
    file = write_csv(tmp_path / "data.csv", table(6))
    assert "leaves fewer than two" in refusal(3, "fit", "community", file, "--test", 5, "--out", tmp_path / "r")
    assert "folds: expected 2 to 5" in refusal(3, "fit", "community", file, "--test", 1, "--out", tmp_path / "r")
    plain = write_csv(tmp_path / "plain.csv", {name.removesuffix("_OD"): v for name, v in table(6).items()})
    assert "--species or --metabolites" in refusal(3, "fit", "community", plain, "--out", tmp_path / "r")
