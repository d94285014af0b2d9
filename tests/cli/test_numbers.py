"""`list`, `data`, `study`, `bench`, `doctor`: what they print is what the tables and the runners hold."""

import json
from pathlib import Path
from typing import Any

import pytest

from ostinato.benches import BENCHES, BenchSettings, Row
from ostinato.cells import CELLS
from ostinato.data import CATALOGUE
from ostinato.kernels.native import library
from ostinato.learning import RULES
from ostinato.studies import STUDIES, Bar, Claim, Study, StudySettings
from ostinato.tasks import TASKS

from .conftest import answer, call, refusal


@pytest.mark.parametrize(
    ("kind", "entries"),
    [
        ("cells", CELLS),
        ("rules", RULES),
        ("datasets", CATALOGUE),
        ("tasks", TASKS),
        ("studies", STUDIES),
        ("benches", BENCHES),
    ],
)
def test_lists_are_the_tables(kind: str, entries: dict[str, Any]) -> None:
    rows = answer("list", kind)[kind]
    assert [row["name"] for row in rows] == list(entries)
    text = call("list", kind).stdout
    assert all(name in text for name in entries)


def test_studies_are_listed_by_wing() -> None:
    rows = answer("study", "list")["studies"]
    assert [(row["name"], row["wing"], row["data"]) for row in rows] == [
        (name, entry.wing, list(entry.data)) for name, entry in STUDIES.items()
    ]
    lines = call("study", "list").stdout.splitlines()
    wings = list(dict.fromkeys(entry.wing for entry in STUDIES.values()))
    heads = [line.strip() for line in lines if line.strip() in wings]
    assert heads == wings
    below = {line.split()[0]: i for i, line in enumerate(lines) if line.split() and line.split()[0] in STUDIES}
    assert sorted(below, key=below.__getitem__) == list(STUDIES)


def test_data_show_names_the_licence() -> None:
    shown = answer("data", "show", "japanese_vowels")
    assert shown["licence"] == CATALOGUE["japanese_vowels"].licence
    assert shown["files"][0]["sha256"] == CATALOGUE["japanese_vowels"].files[0].sha256
    assert "it has univariate_small" in refusal(3, "data", "show", "nothing")


def test_data_fetch_finds_local_files(data_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OSTINATO_DATA", str(data_folder))
    files = answer("data", "fetch", "univariate_small")["files"]
    assert set(files) == {file.name for file in CATALOGUE["univariate_small"].files}
    assert all(Path(path).is_file() for path in files.values())


def study(settings: StudySettings) -> list[Claim]:
    settings.note(f"running {settings.seed_list(5)}")
    detail = {"seeds": settings.seed_list(5), "quick": settings.quick}
    return [
        Claim("small [error]", "someone 1999", 2.5, 2.25, Bar.at_most(2.5), {"persistence": 3.0}, detail),
        Claim("large error", "someone 1999", None, float("nan"), Bar.below(1)),
        Claim("only told", "someone 1999", None, 7.0, Bar.reported()),
    ]


@pytest.fixture
def fake_study(monkeypatch: pytest.MonkeyPatch) -> None:
    made = Study(study, lambda claims: f"<svg><!-- {claims[0]['ours']} --></svg>")
    monkeypatch.setattr("ostinato.studies.runner.load_study", lambda name: made)
    monkeypatch.setattr("ostinato.studies.load_study", lambda name: made)


def test_study_run(fake_study: None, tmp_path: Path) -> None:
    out, figure = tmp_path / "deep" / "s.json", tmp_path / "s.svg"
    result = call("study", "run", "temperature", "--seeds", 2, "--quick", "--json", "--out", out, "--figure", figure)
    assert result.exit_code == 0
    assert "running [0, 1]" in result.stderr
    said = json.loads(result.stdout)
    assert list(said) == ["study", "machine", "seconds", "claims"]
    assert said["study"] == "temperature"
    keys = ["name", "source", "published", "ours", "tolerance", "baseline", "holds"]
    assert list(said["claims"][0])[:7] == keys
    assert said["claims"][0]["detail"] == {"seeds": [0, 1], "quick": True}
    assert said["claims"][1]["ours"] is None
    assert [claim["holds"] for claim in said["claims"]] == [True, False, None]
    assert said["claims"][0]["tolerance"] == "at most 2.5"
    assert json.loads(out.read_text()) == said
    assert figure.read_text() == "<svg><!-- 2.25 --></svg>"
    words = call("study", "run", "temperature", "--quiet")
    assert words.stderr == ""
    assert "small [error]" in words.stdout
    assert "persistence 3" in words.stdout
    row = lambda name: next(line.split() for line in words.stdout.splitlines() if name in line)
    assert [row(name)[-1] for name in ("small [error]", "large error", "only told")] == ["yes", "NO", "-"]


def test_unknown_names_are_told() -> None:
    assert "expected one of temperature" in refusal(3, "study", "run", "nothing")
    assert "expected one of hoist" in refusal(3, "bench", "nothing")
    assert "expected some of" in refusal(3, "doctor", "--cell", "nothing")


def test_bench(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def measure(settings: BenchSettings) -> list[Row]:
        assert settings.repeat_count(50) == 4
        return [Row("batch 8", 100.0, "lax.scan", 150.0, 80.0, {"bytes": 12}), Row("batch 9", 50.0)]

    monkeypatch.setattr("ostinato.benches.runner.load_bench", lambda name: measure)
    said = answer("bench", "hoist", "--repeats", 4, "--out", tmp_path / "b.json")
    assert list(said) == ["bench", "machine", "rows"]
    row = {"case": "batch 8", "ours_us": 100.0, "peer": "lax.scan", "peer_us": 150.0, "ratio": 1.5, "floor_us": 80.0}
    assert said["rows"][0] == {**row, "detail": {"bytes": 12}}
    assert said["rows"][1]["ratio"] is None
    assert json.loads((tmp_path / "b.json").read_text()) == said
    every = answer("bench", "--repeats", 4)["benches"]
    assert [one["bench"] for one in every] == list(BENCHES)
    assert "batch 8" in call("bench", "--repeats", 4).stdout


def test_doctor_finds_health_and_illness(monkeypatch: pytest.MonkeyPatch) -> None:
    from ostinato.doctor import comparison as doctor

    said = answer("doctor", "--cell", "elman")
    assert said["healthy"]
    kernels = ["scan", "hoist"] + (["native"] if library()[0] else [])
    assert [(c["kernel"], c["equal"]) for c in said["comparisons"]] == [(kernel, True) for kernel in kernels]
    assert all(c["forward"] <= 1e-6 and c["gradients"] <= 1e-5 for c in said["comparisons"])
    taken = {p["batch"]: p["kernel"] for p in said["paths"]}
    assert set(taken) == set(doctor.BATCHES)
    assert all(p["why"] for p in said["paths"])

    whole = doctor.unroll

    def ill(cell: Any, xs: Any, *, kernel: str, **rest: Any) -> Any:
        ys, final = whole(cell, xs, kernel=kernel, **rest)
        return (ys * (1 + 1e-4) if kernel == "scan" else ys), final

    monkeypatch.setattr(doctor, "unroll", ill)
    result = call("doctor", "--cell", "indrnn")
    assert result.exit_code == 1
    assert "DIFFERS" in result.stdout
    assert "Something is wrong" in result.stdout


def test_doctor_trains_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    from ostinato.doctor import examination, repeat

    monkeypatch.setattr(examination, "compare", lambda name: [])
    said = answer("doctor", "--determinism")
    assert said["determinism"]["equal"]
    first, second = said["determinism"]["sha256"]
    assert first == second
    assert len(first) == 64
    digests = iter("ab")
    monkeypatch.setattr(repeat, "_trained", lambda steps: next(digests))
    assert call("doctor", "--determinism").exit_code == 1
