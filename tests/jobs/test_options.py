"""Options of jobs: what is typed becomes settings; every row is one that its command and its settings know."""

import typing
from pathlib import Path

import pytest

from ostinato.errors import SettingsError
from ostinato.jobs import JOBS, BadOption, job_of
from ostinato.jobs.options import settings_of
from ostinato.jobs.settings import combine, complete


@pytest.mark.parametrize("name", JOBS)
def test_every_option_is_a_setting_of_its_job(name: str) -> None:
    job = JOBS[name]
    names = [option.name for option in job.options]
    assert len(set(names)) == len(names)
    for option in job.options:
        if option.part is None:
            continue
        kind = job.settings()
        for part in filter(None, option.part.split(".")):
            kind = typing.get_type_hints(kind)[part]
        fields = getattr(kind, "__dataclass_fields__", None)
        # Where a table is free, as the settings of a task are, its own rows judge it.
        assert fields is None or (option.setting or option.name) in fields, (name, option.name)


@pytest.mark.parametrize("name", [name for name, job in JOBS.items() if job.has("predict")])
def test_the_help_says_what_holds_by_default(name: str) -> None:
    job = JOBS[name]
    holds = {key: parameter.default for key, parameter in job.estimator().settings().items()}
    for option in job.options:
        if option.part != "model" or option.kind is bool:
            continue
        value, said = holds[option.setting or option.name], option.default or ""
        if isinstance(value, int | float):
            assert float(said) == value, option.name
        elif value in (None, ()):
            assert said in ("none", "never", "all", "1") or "by" in said.split(), option.name
        else:
            assert said == value or (value == "auto" and "by" in said.split()), option.name


def test_what_is_typed_becomes_settings() -> None:
    options = job_of("forecast").options
    given = {
        "target": ["a", "b"],
        "hidden": "8,4",
        "layers": 2,
        "epochs": 3.0,
        "missing": True,
        "calendar": "hour, month",
    }
    given |= {"quantiles": "0.1,0.9", "window": 5, "test": "12", "header": "no", "subtract_last": False, "season": None}
    assert settings_of(options, given) == {
        "data": {"target": ["a", "b"], "test": 12, "header": False},
        "model": {
            "hidden_size": [8, 4],
            "num_layers": 2,
            "epochs": 3,
            "missing": "observed",
            "calendar": ["hour", "month"],
            "quantiles": [0.1, 0.9],
            "rule_settings": {"window": 5},
        },
    }
    for bad, flag in (({"hidden": "8,4", "layers": 3}, "--hidden"), ({"header": "maybe"}, "--header")):
        with pytest.raises(BadOption) as caught:
            settings_of(options, bad)
        assert caught.value.flag == flag


def test_settings_come_from_a_file_then_overrides_then_options(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_text("[model]\nhidden_size = 3\nclip = 0.5\nepochs = 7\n")
    job = job_of("classify")
    found = combine(job, file, ["model.clip=2.0", "model.epochs=8"], {"model": {"epochs": 9}}).model
    assert (found.hidden_size, found.clip, found.epochs) == (3, 2.0, 9)
    agent = combine(job_of("agent"), None, ["task.delay=3", "learner.gate=1.0"], {"networks": 2})
    assert (agent.settings.task, agent.settings.learner, agent.networks) == ({"delay": 3}, {"gate": 1.0}, 2)
    with pytest.raises(SettingsError, match="a table or a dataclass, got int"):
        complete(job, 3)


def test_a_header_of_numbers_is_what_one_says_it_is(tmp_path: Path) -> None:
    file, job = tmp_path / "years.csv", job_of("forecast")
    file.write_text("2019,2020\n1,10\n2,20\n3,30\n")
    read = lambda header: job.read(file, complete(job, {"data": {"header": header}}))
    assert (read(True).target_names, read(True).target[0][:, 1].tolist()) == (("2019", "2020"), [10, 20, 30])
    assert (read(False).target_names, read(False).target[0][:, 1].tolist()) == (("0", "1"), [2020, 10, 20, 30])
