"""The committed edits are edits: of files that are there, of text that stands in them once, with tests that exist."""

from collections import Counter

import pytest

from .rows import Mutant, edited, faults, mutants

ROWS = mutants()


def test_every_row_is_an_edit_of_the_program_of_today():
    assert {f"{row.room}: {row.name}": found for row in ROWS if (found := faults(row))} == {}
    assert [name for name, count in Counter((row.room, row.name) for row in ROWS).items() if count > 1] == []


@pytest.mark.parametrize(
    ("old", "new", "tests", "words"),
    [
        ("a + b", "a - b", ("test_sum.py",), None),
        ("a", "b", ("test_sum.py",), "stands 2 times"),
        ("c", "b", ("test_sum.py",), "stands 0 times"),
        ("a + b", "a + b", ("test_sum.py",), "the same"),
        ("a + b", "a +", ("test_sum.py",), "not Python"),
        ("a + b", "a - b", (), "no test"),
        ("a + b", "a - b", ("test_sum.py::test", "test_product.py"), "test_product.py"),
    ],
)
def test_what_is_no_edit_is_said(tmp_path, old, new, tests, words):
    (tmp_path / "sum.py").write_text("def plus(a, b):\n    return a + b\n")
    (tmp_path / "test_sum.py").write_text("")
    row = Mutant("room", "name", "sum.py", old, new, tests)
    found = faults(row, tmp_path)
    if words is None:
        assert found == []
        assert edited(row, "return a + b") == "return a - b"
    else:
        assert any(words in one for one in found), found
