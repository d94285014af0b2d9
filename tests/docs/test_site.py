"""What the site and the README are made of: the tables of the library, the files of results, every public name."""

import doctest
import json
import re
import subprocess
import sys
import tomllib

import pytest

import ostinato

from .blocks import ROOT

sys.path.insert(0, str(ROOT / "docs"))
try:
    from building import equations, examples, inserts, names, readme, reference, results, tables
finally:
    sys.path.pop(0)

README = readme.README.read_text(encoding="utf-8")


SAMPLE = ("augment", "gru", "iir", "lstm-projection", "slstm")


@pytest.fixture(scope="module")
def told():
    """What the tables say of some cells, and which public names have no entry: asked in a process without checks."""
    code = (
        "import json, sys; sys.path.insert(0, sys.argv[1])\n"
        "from building import names, reference, tables\n"
        "entries = reference.every_entry()\n"
        "has = lambda path, page: f'{{ #{path} }}' in page or f'`{path}`' in page\n"
        "missing = [path for path, page in entries.items() if not has(path, page)]\n"
        "called = [n for room in names.ROOMS for n in names.public(room) if callable(n.value)]\n"
        "bare = [n.path for n in called if f'```python\\n{n.path}(' not in entries[n.path]]\n"
        "cells = tables.cells(*sys.argv[2:])\n"
        "print(json.dumps({'cells': cells, 'missing': missing, 'bare': bare, 'all': len(entries)}))"
    )
    asked = [sys.executable, "-c", code, str(ROOT / "docs"), *SAMPLE]
    return json.loads(subprocess.run(asked, capture_output=True, text=True, check=True).stdout)


def test_readme_says_what_the_tables_say(told):
    lines = told["cells"].splitlines()
    assert len(lines) == 2 + len(SAMPLE)
    assert [line for line in lines if line not in README.splitlines()] == []


@pytest.mark.parametrize("part", ["speed", "limits"])
def test_readme_says_what_the_results_say(part):
    assert re.sub(r"\s+", " ", readme.PARTS[part]()) in re.sub(r"\s+", " ", README)


@pytest.mark.full
def test_readme_is_as_it_would_be_written():
    assert readme.written(README) == README, "python docs/make_pictures.py writes the README"


def test_readme_counts_are_those_of_the_tables_and_files():
    """Counted here once more, from the files themselves."""
    assert f"{len(ostinato.learning.RULES)} learning rules by {len(ostinato.cells.CELLS)} cells" in README
    files = (ROOT / "benchmarks/results").glob("study-*.json")
    verdicts = [c["holds"] for path in files for c in json.loads(path.read_text())["claims"]]
    said = re.sub(r"\s+", " ", README)
    assert f"Of {len(verdicts) - verdicts.count(None)} claims with a bar" in said
    assert f"{verdicts.count(True)} hold and {verdicts.count(False)} do not" in said
    for name, entry in ostinato.cells.CELLS.items():
        line = next(line for line in README.splitlines() if line.startswith(f"| `{name}` |"))
        assert entry.description in line
        assert f"`{entry.made_by.partition(':')[0].replace('.', '/')}.py`" in line


def test_readme_speed_is_that_of_the_file():
    rows = json.loads((ROOT / "benchmarks/results/bench-kernels.json").read_text())["rows"]
    found = [r["ratio"] for r in rows if re.match(r"(lstm|gru|elman), .*training$", r["case"]) and r["ratio"]]
    assert f"{min(found):.2g} to {max(found):.0f} times" in re.sub(r"\s+", " ", README)


def test_readme_has_the_pictures_that_it_shows():
    shown = re.findall(r"\]\((docs/pictures/[^)]+)\)", README)
    assert len(shown) >= 5
    for path in shown:
        assert (ROOT / path).stat().st_size < 60_000
    ignored = (ROOT / ".gitignore").read_text()
    assert [path for path in shown if f"!/{path}\n" not in ignored] == []


def test_every_public_name_has_an_entry_with_its_signature(told):
    assert told["all"] > 400
    assert (told["missing"], told["bare"]) == ([], [])


def test_rooms_of_the_reference_are_those_of_the_library():
    pages = {path.parent.name for path in (ROOT / "docs/reference").glob("*/index.md")}
    assert pages == set(names.ROOMS)
    nav = (ROOT / "mkdocs.yml").read_text()
    assert [room for room in names.ROOMS if f"reference/{room}/index.md" not in nav] == []


def test_reference_of_a_class():
    page = reference.class_page(names.known()["ost.models.SequenceClassifier"])
    assert "# SequenceClassifier" in page
    assert 'cell: Any = "gru",' in page
    assert "predict_proba(X: Any) -> Any" in page
    assert re.search(r"\| `save` \|.*\[`Estimator`\]\(\.\./models/Estimator\.md\)", page)
    assert "_learned" not in page


def test_every_insert_is_known():
    for path in (ROOT / "docs").rglob("*.md"):
        for name, arguments in inserts.MARK.findall(path.read_text(encoding="utf-8")):
            assert name in inserts.INSERTS, f"{path.name}: {name}{arguments}"


def test_results_are_grouped_by_wing_and_none_is_left_out():
    pages = "\n".join(results.wing(wing) for wing in results.WINGS)
    assert set(results.WINGS) == {entry.wing for entry in ostinato.studies.STUDIES.values()}
    for name in ostinato.studies.STUDIES:
        assert f"\n## {name}\n" in f"\n{pages}"
    summary = results.summary()
    for _, claim in results.claims():
        if claim["holds"] is False:
            assert claim["name"] in summary
    assert all((ROOT / f"docs/results/{wing}.md").exists() for wing in results.WINGS)


@pytest.mark.parametrize(
    ("written", "wanted"),
    [
        ("a\n$$x$$\n$$y$$\nb", "a\n\n$$x$$\n\n$$y$$\n\nb"),
        ("$$x\n  y$$\nb", "$$x\n  y$$\n\nb"),
        ("```text\n$$x$$\nb\n```", "```text\n$$x$$\nb\n```"),
    ],
)
def test_equations_are_blocks(written, wanted):
    assert equations.apart(written) == wanted


@pytest.mark.parametrize("module", [equations, examples, tables], ids=lambda m: m.__name__)
def test_examples_in_what_builds_the_pages(module):
    failed, tried = doctest.testmod(module)
    assert (failed, tried > 0) == (0, True)


def test_prompts_are_not_copied():
    made = examples.without_prompts("```python\n>>> a = 1\n>>> if a:\n...     print(a)\n1\n\n```")
    assert ">>>" not in made
    assert "..." not in made
    assert made.startswith("```python\na = 1\nif a:\n    print(a)\n```")


def test_no_extra_is_declared_and_unused():
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    for_work = {"test", "lint", "docs", "dev"}
    source = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "src").rglob("*.py"))
    modules = {"scikit-learn": "sklearn"}
    unused = [
        f"{extra}: {line}"
        for extra, lines in extras.items()
        for line in lines
        if extra not in for_work
        for name in [re.split(r"[\[<>=!]", line)[0]]
        if not re.search(rf"(import|from) {modules.get(name, name)}|[\"']{modules.get(name, name)}[\"']", source)
    ]
    assert unused == []
