"""A bar's words and its test come from one source; a claim's verdict is computed; the table needs no JAX."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from ostinato.errors import SettingsError
from ostinato.studies import STUDIES, Bar, Claim, StudySettings, load_study, run_study

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("bar", "words", "met", "missed"),
    [
        (Bar.at_most(0.03), "at most 0.03", [0.03, -1], [0.0300001, None, float("nan")]),
        (Bar.below(0.03), "below 0.03", [0.0299], [0.03, None, float("nan")]),
        (Bar.at_least(20_000), "at least 20,000", [20_000.0], [19_999, None]),
        (Bar.above(2), "above 2", [2.1], [2, None]),
        (Bar.between(0.45, 0.55), "between 0.45 and 0.55", [0.45, 0.55], [0.44, 0.56, None]),
        (Bar.within(0.01, of=29.15), "within 0.01 of 29.15", [29.155, 29.142], [29.17, 29.13, None]),
        (Bar.exactly(1), "exactly 1", [1, 1.0], [0.999, None]),
        (Bar.below(0.25, "the mean"), "below the mean (0.25)", [0.2], [0.25]),
        (Bar.fact("the stream is the same again", True), "the stream is the same again", [0, None], []),
        (Bar.fact("the stream is the same again", False), "the stream is the same again", [], [0, None]),
        (Bar.above(0.5).of("one alone", 0.6), "one alone: above 0.5", [0.1], []),
        (Bar.above(0.5).of("one alone", 0.5), "one alone: above 0.5", [], [0.9]),
        (
            Bar.all_of(Bar.at_least(3), Bar.below(5)).noting("as before"),
            "at least 3, and below 5; as before",
            [3, 4.9],
            [2.9, 5, None],
        ),
        (Bar.each(Bar.at_least(0.9)), "at least 0.9 on each seed", [[0.9, 1.0]], [[0.95, 0.89], [1.0, None]]),
        (
            Bar.on_share(0.8, Bar.exactly(0)),
            "exactly 0 on 80 % of the seeds",
            [[0, 0, 0, 0, 1], [0]],
            [[0, 0, 0, 1, 1], [1]],
        ),
    ],
)
def test_the_words_and_the_test_of_a_bar(bar, words, met, missed):
    assert bar.words == words
    assert [bar.holds(figure) for figure in met] == [True] * len(met)
    assert [bar.holds(figure) for figure in missed] == [False] * len(missed)


def test_what_is_only_reported_has_no_verdict():
    claim = Claim("a", "b", None, 1.0, Bar.reported())
    assert claim.holds is None
    assert json.loads(json.dumps(claim.to_dict()))["holds"] is None
    assert claim.tolerance == "reported, no bar"


def test_a_claim_is_judged_by_its_figure_or_by_those_of_its_seeds():
    assert Claim("a", "b", None, 0.2, Bar.below(0.3)).holds is True
    assert Claim("a", "b", None, 0.3, Bar.below(0.3)).holds is False
    seeds = Claim("a", "b", None, 0.1, Bar.each(Bar.below(0.3)), judged=[0.0, 0.25])
    assert (seeds.holds, seeds.tolerance) == (True, "below 0.3 on each seed; by seed 0, 0.25")
    assert Claim("a", "b", None, 0.1, Bar.each(Bar.below(0.3)), judged=[0.0, 0.35]).holds is False
    keys = ["name", "source", "published", "ours", "tolerance", "baseline", "holds", "detail"]
    assert list(seeds.to_dict()) == keys


def test_seeds_of_a_run():
    assert StudySettings().seed_list(3) == [0, 1, 2]
    assert StudySettings(quick=True).seed_list(3) == [0]
    assert StudySettings(quick=True, seeds=2).seed_list(3) == [0, 1]


@pytest.mark.parametrize("name", STUDIES)
def test_every_study_stands_in_the_folder_of_its_wing(name):
    entry, study = STUDIES[name], load_study(name)
    assert len(entry.description) > 10
    assert study.run.__module__ == f"ostinato.studies.{entry.wing}.{name.replace('-', '_')}"


def test_the_lists_of_studies_and_benches_need_no_jax():
    code = (
        "import sys; from ostinato.studies import STUDIES; from ostinato.benches import BENCHES; "
        "print(len(STUDIES), len(BENCHES), 'jax' in sys.modules)"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said.split()[2] == "False"


def test_unknown_study():
    with pytest.raises(SettingsError, match="expected one of temperature"):
        run_study("nothing")


def test_each_study_has_its_file_and_a_figure_without_a_bar_has_no_verdict():
    files = {path.stem.removeprefix("study-") for path in (ROOT / "benchmarks/results").glob("study-*.json")}
    assert files == set(STUDIES)
    claims = [
        c
        for name in STUDIES
        for c in json.loads((ROOT / f"benchmarks/results/study-{name}.json").read_text())["claims"]
    ]
    assert {c["tolerance"] for c in claims if c["holds"] is None} == {"reported, no bar"}
    assert all(c["holds"] is None for c in claims if c["tolerance"] == "reported, no bar")
