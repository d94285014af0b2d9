"""Every block of every page and of the README runs and prints what the page says."""

import contextlib
import doctest
import io
import re
import shlex
import tomllib

import pytest
import typer
from typer.testing import CliRunner

from ostinato.cli.application import application

from .blocks import EVERY, PAGES, ROOT, blocks, commands, same

# What sets up the environment is not run inside of it: the targets and extras that it names are looked up.
SETS_UP = {"python3", "source", "pip", "make"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_blocks_of_the_page(page, desk, monkeypatch, capsys):
    monkeypatch.chdir(desk)
    spread: dict = {}
    tried = 0
    for block in blocks(page):
        if block.kind == "doctest":
            failed, count = run_prompts(block.body, page, spread)
            assert failed == 0, capsys.readouterr().out
            tried += count
        elif block.kind == "python":
            tried += run_plain(block, page, spread)
        elif not block.long:
            for words in commands(block):
                if words[0] not in SETS_UP:
                    run_command(words)
                tried += 1
    assert tried > 0 or all(block.long for block in blocks(page))


def run_prompts(body, page, spread):
    test = doctest.DocTestParser().get_doctest(body, spread, page.stem, str(page), 0)
    result = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(test, clear_globs=False)
    spread.update(test.globs)
    return result.failed, result.attempted


def run_plain(block, page, spread):
    """A block without prompts that says what it prints; without that it shows a form, such as a signature."""
    if block.printed is None:
        return 0
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        exec(compile(block.body, str(page), "exec"), spread)
    assert same(block.printed, said.getvalue()), said.getvalue()
    return 1


def run_command(words):
    assert words[0] == "ostinato", words
    done = CliRunner().invoke(application(), words[1:])
    assert done.exit_code == 0, (words, done.output)


@pytest.mark.study
@pytest.mark.parametrize("page", [page for page in PAGES if any(b.long for b in blocks(page))], ids=lambda p: p.stem)
def test_long_blocks_of_the_page(page, desk, monkeypatch):
    monkeypatch.chdir(desk)
    for block in blocks(page):
        for words in commands(block) if block.long else ():
            run_command(words)


def test_every_command_that_a_page_shows_is_one_that_is_understood():
    """Those outside of blocks that run: their options and arguments are taken, nothing is done."""
    root = typer.main.get_command(application())
    shown = [
        (page.name, shlex.split(line, comments=True))
        for page in EVERY
        for both in re.findall(r"^ {4}(ostinato .*)$|`(ostinato [a-z][^`]*)`", page.read_text("utf-8"), re.MULTILINE)
        for line in both
        if line and not re.search(r"[A-Z]{3}|\.\.\.", line)
    ]
    assert len(shown) > 40
    wrong = []
    for page, words in shown:
        command, rest = root, words[1:]
        while rest and rest[0] in getattr(command, "commands", {}):
            command, rest = command.commands[rest[0]], rest[1:]
        try:
            command.make_context(words[0], rest)
        except typer.Exit:
            continue
        except Exception as error:
            # A command by its name, as in "see `ostinato fit forecast`", has no arguments.
            if rest:
                wrong.append(f"{page}: {' '.join(words)}: {error}")
    assert wrong == []


def test_what_sets_up_names_what_there_is():
    text = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    named = {name for found in re.findall(r"pip install '\.\[([a-z,]+)\]'", text) for name in found.split(",")}
    assert named
    assert named <= set(extras)
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"`make ([a-z-]+)`", text)) <= targets
