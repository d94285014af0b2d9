"""What the project promises about itself: how it loads, how it is written, and that its documents agree."""

import ast
import re
import subprocess
import sys
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest

import ostinato

ROOT = Path(__file__).resolve().parents[1]
SOURCES = sorted((ROOT / "src").rglob("*.py"))
WRITTEN = sorted(
    [path for folder in ("src", "tests", "benchmarks", "examples", "docs") for path in (ROOT / folder).rglob("*.py")]
    + [ROOT / name for name in ("Makefile", "README.md", "conftest.py", "noxfile.py", "pyproject.toml", "mkdocs.yml")]
)
FORBIDDEN_MODULES = {"cloudpickle", "dill", "joblib", "marshal", "pickle", "shelve"}
FORBIDDEN_CALLS = {"__import__", "compile", "eval", "exec"}


def run_python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize(
    "code",
    [
        "import ostinato, ostinato.errors; dir(ostinato)",
        "import ostinato.cli.main",
        "import contextlib, sys; sys.argv = ['ostinato', '--help']\n"
        "with contextlib.suppress(SystemExit):\n    from ostinato.cli.main import main; main()",
    ],
    ids=["import", "import cli", "help"],
)
def test_loads_without_jax(code):
    done = run_python(f"{code}\nimport sys\nassert 'jax' not in sys.modules and 'equinox' not in sys.modules")
    assert done.returncode == 0, done.stderr


def test_top_level_gives_what_it_lists():
    for name in ostinato.__all__:
        assert getattr(ostinato, name) is not None
    assert set(ostinato._HOME) < set(ostinato.__all__)
    assert dir(ostinato) == sorted(ostinato.__all__)
    with pytest.raises(AttributeError, match="'ostinato' has no attribute 'nothing'"):
        _ = ostinato.nothing


def test_top_level_names_are_those_that_type_checkers_see():
    tree = ast.parse((ROOT / "src/ostinato/__init__.py").read_text())
    block = next(node for node in tree.body if isinstance(node, ast.If))
    home = {alias.name: node.module for node in block.body for alias in node.names}
    assert {name: module for name, module in home.items() if module != "ostinato"} == {
        name: f"ostinato.{room}" for name, room in ostinato._HOME.items()
    }
    assert set(home) == set(ostinato.__all__) - {"__version__"}


def test_every_room_says_which_question_it_answers():
    for folder in sorted({path.parent for path in SOURCES}):
        assert ast.get_docstring(ast.parse((folder / "__init__.py").read_text())), folder


def test_files_are_short():
    lengths = {path: len(path.read_text().splitlines()) for path in WRITTEN}
    assert {path: n for path, n in lengths.items() if n >= 500} == {}
    source_lengths = sorted(lengths[path] for path in SOURCES)
    assert source_lengths[len(source_lengths) // 2] <= 150


def test_source_reads_no_file_as_code():
    found = []
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            where = f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 0)}"
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            else:
                names = []
            found += [f"{where} imports {name}" for name in names if name.split(".")[0] in FORBIDDEN_MODULES]
            if not isinstance(node, ast.Call):
                continue
            if isinstance(node.func, ast.Name) and node.func.id in FORBIDDEN_CALLS:
                found.append(f"{where} calls {node.func.id}")
            for word in node.keywords:
                if word.arg == "allow_pickle" and ast.unparse(word.value) != "False":
                    found.append(f"{where} allows pickle")
    assert found == []


def test_readme_shows_the_two_commands_first():
    commands = re.findall(r"^ {4}(\S.*)$", (ROOT / "README.md").read_text(), re.MULTILINE)
    assert [line.split("#")[0].strip() for line in commands[:2]] == ["make demo", "make test"]


def test_links_between_documents_lead_somewhere():
    """Classes of the reference and the changes have pages on the site alone, where `make docs` looks for them."""
    broken = []
    for path in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\(([^)#]+)[^)]*\)", path.read_text()):
            if "://" not in target and not (path.parent / target).exists():
                broken.append(f"{path.name}: {target}")
    assert broken == []


def test_versions_agree():
    cited = re.search(r"^version: (\S+)$", (ROOT / "CITATION.cff").read_text(), re.MULTILINE)
    assert cited is not None
    assert cited[1] == ostinato.__version__ == version("ostinato")
    heading = "Unreleased" if ".dev" in ostinato.__version__ else ostinato.__version__
    assert f"\n## [{heading}]" in (ROOT / "CHANGELOG.md").read_text()


def normalised(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_constraints_are_names_and_versions():
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    assert [line for line in lines if not re.fullmatch(r"[A-Za-z0-9][\w.-]*==[0-9][\w.]*", line)] == []
    names = [normalised(line.split("==")[0]) for line in lines]
    assert names == sorted(set(names))


def test_constraints_pin_what_the_commands_install():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    wanted = [*project["dependencies"], *(line for name in ("demo", "test", "lint", "docs") for line in extras[name])]
    names = {normalised(re.split(r"[\[<>=!]", line)[0]) for line in wanted} - {"ostinato"}
    pinned = {normalised(line.split("==")[0]) for line in (ROOT / "constraints.txt").read_text().splitlines()}
    assert names - pinned == set()
    assert "torch" not in pinned


def test_what_a_newcomer_looks_for_is_where_the_page_says():
    page = (ROOT / "docs/explanation/architecture.md").read_text()
    table = page.partition("## Where is")[2].partition("\n## ")[0]
    places = re.findall(r"^\| [^|]+ \| `([^`]+)` \|$", table, re.MULTILINE)
    assert len(places) >= 20
    assert [place for place in places if not (ROOT / "src/ostinato" / place).exists()] == []
