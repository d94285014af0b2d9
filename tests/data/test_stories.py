"""The bAbI tasks: what is refused, and the stories as they are stored."""

import io
import zipfile

import pytest

from ostinato.data import load
from ostinato.data.sets.stories import Line, StoryTasks, babi, stories
from ostinato.errors import CorruptFile, DataError


def test_lines_in_small_letters_without_marks():
    found = stories("1 Mary went home.\n2 Why did Mary go?  \ttired\t1\n\n1 Is it so?\tyes,no\t1 2\n")
    assert found == [
        [Line(("mary", "went", "home")), Line(("why", "did", "mary", "go"), "tired")],
        [Line(("is", "it", "so"), "yes,no")],
    ]
    assert stories("") == []


@pytest.mark.parametrize("text", ["2 Mary went home.\n", "1 Mary went home.\n3 John left.\n", "Mary went home.\n"])
def test_numbers_that_are_not_due_are_refused(text):
    with pytest.raises(DataError, match=r"here, line [12]: expected number 1 or the next one"):
        stories(text, "here")


def test_a_task_that_is_not_there():
    tasks = StoryTasks({"1k": {"qa3_test.txt": b"1 A b.\n"}})
    for number, size in ((2, "1k"), (3, "10k")):
        with pytest.raises(DataError, match=r"is not there; there are \{'1k': \[3\]\}"):
            tasks.task(number, size)
    with pytest.raises(DataError, match=r"1k: qa3_train\.txt is missing"):
        tasks.task(3, "1k")


def test_a_damaged_archive_is_refused(tmp_path):
    paths = {}
    for name in ("babi_en_1k.zip", "babi_en_valid_1k.zip", "babi_en_valid_10k_part.zip"):
        held = io.BytesIO()
        with zipfile.ZipFile(held, "w") as archive:
            archive.writestr("qa1_test.txt", "1 A b.\n")
        paths[name] = tmp_path / name
        paths[name].write_bytes(held.getvalue())
    assert list(babi(paths).texts) == ["1k", "10k"]
    paths["babi_en_valid_1k.zip"].write_bytes(b"no archive")
    with pytest.raises(CorruptFile, match="damaged"):
        babi(paths)


def test_the_stories_as_stored(data_folder):
    data = load("babi_en", data_folder)
    questions = lambda part: sum(line.answer is not None for story in part for line in story)
    counts = {}
    for number, size in ((1, "1k"), (1, "10k"), (20, "1k")):
        parts = data.task(number, size)
        counts[number, size] = [questions(part) for part in parts]
        # The answer to task 1 is the last word of the last sentence about the person that the question ends with.
        for story in parts.test if number == 1 else []:
            for i, line in enumerate(story):
                if line.answer is not None:
                    last = [said.words for said in story[:i] if said.words[0] == line.words[-1]][-1]
                    assert last[-1] == line.answer
    assert counts == {(1, "1k"): [900, 100, 1000], (1, "10k"): [9000, 1000, 1000], (20, "1k"): [904, 96, 1000]}
    assert data.task(20, "1k").train[0][0] == Line(("sumit", "is", "tired"))
