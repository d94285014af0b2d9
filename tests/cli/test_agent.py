"""`ostinato fit agent`: from a command to a report, and again; what it refuses."""

import json

import numpy as np
import pytest

from ostinato.agents import load_agent, make_environment
from ostinato.environments.gym import GymTask
from ostinato.errors import SettingsError

from .conftest import answer, call, refusal

SMALL = [
    "--task",
    "match",
    "--delay",
    "0",
    "--cell",
    "recollect",
    "--networks",
    "2",
    "--trials",
    "8000",
    "--devices",
    "1",
]


def test_from_command_to_report(tmp_path):
    out = tmp_path / "run"
    done = call("fit", "agent", *SMALL, "--set", "learner.gate=1.0", "--out", str(out), "--json")
    assert done.exit_code == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["networks"] == 2
    told = answer("info", out)
    learned = [n for n in told["trials_to_criterion"] if n >= 0]
    assert told["summary"]["learned"] == len(learned) == found["learned"]
    kept = json.loads((out / "evaluation.json").read_text())
    (score,) = kept["scores"]
    assert score["values"] == {"learned": len(learned), "networks": 2, "median trials": np.median(learned)}
    drawn = {section["title"]: section["data"] for section in kept["sections"]}
    assert drawn["Networks that learned the task"]["x"] == [0, *sorted(learned)]
    assert drawn["A trial"]["inputs"] == list(make_environment("match", {"delay": 0}).inputs)
    page = (out / "report.html").read_text()
    for words in ("Learning curve", "A trial", "Values of the actions", "Gates: near 0", "test", "non-match"):
        assert words in page
    assert told["state"] == "trained"
    assert told["settings"]["settings"]["learner"] == {"gate": 1.0}
    assert told["environment"]["jax"]
    (out / "report.html").unlink()
    answer("report", out)
    assert (out / "report.html").read_text() == page
    refused = refusal(3, "predict", out, "new.csv")
    assert "expected a run of forecast, classify, regress, community, got one of 'agent'" in refused
    # A network that met the criterion does the task as Gymnasium sees it: 85 % of trials were right, half by chance.
    assert told["trials_to_criterion"][0] > 0
    lived = load_agent(out).live(GymTask(make_environment("match", {"delay": 0})), 300)
    assert lived["reward"][lived["done"]].mean() > 0.8
    with pytest.raises(SettingsError, match="network: expected 0 to 1, got 2"):
        load_agent(out, 2)
    # The same again goes on from where it ended, and finds the same.
    again = call("fit", "agent", *SMALL, "--set", "learner.gate=1.0", "--out", str(out), "--json")
    assert json.loads(again.stdout)["learned"] == found["learned"]
    other = call("fit", "agent", *SMALL, "--out", str(out))
    assert other.exit_code == 3
    assert "settings.learner.gate" in other.stderr
    (out / "evaluation.json").write_text('{"title": "half"}')
    assert "evaluation.json: task: must be given" in refusal(4, "report", out)


def test_trials_of_one_step_are_reported(tmp_path):
    """Networks that have hardly learned anything break off every trial at its first step."""
    found = answer("fit", "agent", *SMALL[:-4], "--trials", "300", "--devices", "1", "--out", tmp_path / "run")
    assert found["learned"] == 0
    assert "Values of the actions" in (tmp_path / "run" / "report.html").read_text()


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["--task", "nothing"], "task: expected one of 12ax, antisaccade"),
        (["--cell", "elman"], "cell: expected one of augment, gru"),
        (["--task", "bandit", "--delay", "2"], "bandit: has no setting 'delay'"),
        (["--task", "match", "--delay", "5", "--set", "task.length=4"], "do not fit into a trial of 4"),
        (["--set", "delay=5"], "delay: no such setting; known are task, environment"),
        (["--set", "learner.beta=fast"], "recollect.beta: expected float, got 'fast'"),
        (["--share", "1.5"], "share: expected 0 to less than 1"),
        (["--networks", "0"], "--networks, --trials: expected 1 or more"),
    ],
)
def test_bad_input_is_named_before_there_is_a_folder(tmp_path, args, words):
    done = call("fit", "agent", *args, "--out", str(tmp_path / "run"))
    assert done.exit_code == 3
    assert words in done.stderr
    assert not (tmp_path / "run").exists()


def test_what_there_is_to_learn_is_listed():
    from ostinato.agents import LEARNERS
    from ostinato.environments import ENVIRONMENTS

    for kind, entries in (("environments", ENVIRONMENTS), ("learners", LEARNERS)):
        listed = json.loads(call("list", kind, "--json").stdout)[kind]
        assert {row["name"] for row in listed} == set(entries)
