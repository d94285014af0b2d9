"""The runner of the edits: it sees the copy and not the installation, says what was noticed, puts it back."""

import pytest

from .rows import Mutant
from .run import Copy, judged

CHECKED = """
import subprocess, sys
import ostinato
def test_here():
    assert ostinato.plus(1, 2) == 3
def test_in_a_process_of_its_own():
    subprocess.run([sys.executable, "-c", "import ostinato; assert ostinato.plus(1, 2) == 3"], check=True)
"""


@pytest.fixture
def copy(tmp_path):
    source = tmp_path / "original" / "src" / "ostinato"
    source.mkdir(parents=True)
    (source / "__init__.py").write_text("def plus(a, b):\n    return a + b\n")
    (tmp_path / "original" / "pyproject.toml").write_text("[tool.pytest.ini_options]\naddopts = ['-ra']\n")
    (tmp_path / "original" / "test_sum.py").write_text(CHECKED)
    return Copy(tmp_path / "copy", tmp_path / "original")


@pytest.mark.parametrize(
    ("new", "tests", "expected"),
    [
        ("a - b", "test_sum.py", {"outcome": "noticed", "by": "test_sum.py::test_here"}),
        ("a - b", "test_sum.py::test_in_a_process_of_its_own", {"outcome": "noticed"}),
        ("b + a", "test_sum.py", {"outcome": "survived"}),
        ("a - b", "test_sum.py::test_gone", {"outcome": "not run"}),
    ],
)
def test_what_became_of_an_edit(copy, new, tests, expected):
    path = copy.root / "src" / "ostinato" / "__init__.py"
    before = path.read_text(), path.stat().st_mtime_ns
    outcome = judged(Mutant("room", "name", "src/ostinato/__init__.py", "a + b", new, (tests,)), copy)
    assert outcome.items() >= {"room": "room", "name": "name", **expected}.items()
    assert (path.read_text(), path.stat().st_mtime_ns) == before
