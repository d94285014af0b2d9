"""Files and folders that are there whole or not at all, wherever a process dies and whatever fails."""

import errno
import os
from pathlib import Path

import pytest

from ostinato.errors import CorruptFile, StorageError
from ostinato.runs import storage
from ostinato.runs.storage import read_file, settled, tidy, write_file, write_folder

OLD = {"a.bin": b"old a", "manifest.json": b"old manifest"}
NEW = {"a.bin": b"new a, longer", "b.bin": b"new b", "manifest.json": b"new manifest"}


class Died(BaseException):
    """Stands for kill -9: nothing after it runs, not even what cleans up."""


def content(folder: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in folder.iterdir()}


def die_at(monkeypatch, moment: int) -> list[str]:
    """From the given call on, every call that would change the disk dies; a write dies half done."""
    calls: list[str] = []

    def dying(owner, name):
        real = getattr(owner, name)

        def call(*args, **kwargs):
            calls.append(name)
            if len(calls) > moment:
                raise Died
            return real(*args, **kwargs)

        monkeypatch.setattr(owner, name, call)

    for name in ("fsync", "rename", "replace", "unlink", "mkdir", "rmdir"):
        dying(os, name)
    real_write = storage._write_synced

    def write(path, data):
        calls.append("write")
        if len(calls) > moment:
            if len(calls) == moment + 1:
                path.write_bytes(data[: len(data) // 2])
            raise Died
        real_write(path, data)

    monkeypatch.setattr(storage, "_write_synced", write)
    return calls


@pytest.mark.parametrize("before", [OLD, None], ids=["replacing", "new"])
def test_a_folder_is_the_old_one_or_the_new_one_wherever_the_process_dies(tmp_path, monkeypatch, before):
    seen = set()
    for moment in range(1000):
        folder = tmp_path / str(moment) / "best"
        folder.parent.mkdir()
        if before is not None:
            write_folder(folder, before)
        with monkeypatch.context() as patch:
            calls = die_at(patch, moment)
            try:
                write_folder(folder, NEW)
                done = True
            except Died:
                done = False
        # What a reader sees at once, and what the next run sees after tidying up.
        at_once = content(settled(folder)) if settled(folder).exists() else None
        tidy(folder.parent)
        after = content(folder) if folder.exists() else None
        assert at_once == after
        assert after in (before, NEW)
        assert [p.name for p in folder.parent.iterdir()] in ([], ["best"])
        seen.add(str(after))
        if done:
            assert after == NEW
            assert len(calls) <= moment
            break
    assert moment > 8
    assert seen == {str(before), str(NEW)}


def test_a_file_is_the_old_one_or_the_new_one_wherever_the_process_dies(tmp_path, monkeypatch):
    seen = set()
    for moment in range(100):
        file = tmp_path / str(moment) / "metrics.json"
        file.parent.mkdir()
        write_file(file, b"old")
        with monkeypatch.context() as patch:
            die_at(patch, moment)
            try:
                write_file(file, b"newer")
                done = True
            except Died:
                done = False
        assert file.read_bytes() in (b"old", b"newer")
        seen.add(file.read_bytes())
        tidy(file.parent)
        assert [p.name for p in file.parent.iterdir()] == ["metrics.json"]
        if done:
            break
    assert seen == {b"old", b"newer"}


def test_what_vouches_is_written_last_and_everything_is_synced_before_it_gets_its_name(tmp_path, monkeypatch):
    events = []
    real_fsync, real_rename = os.fsync, os.rename

    def fsync(descriptor):
        events.append(("fsync", Path(os.readlink(f"/proc/self/fd/{descriptor}")).name))
        real_fsync(descriptor)

    def rename(source, target):
        events.append(("rename", Path(target).name))
        real_rename(source, target)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(os, "rename", rename)
    write_folder(tmp_path / "step", NEW)
    assert events == [
        ("fsync", "a.bin"),
        ("fsync", "b.bin"),
        ("fsync", "manifest.json"),
        ("fsync", ".ostinato-new-step"),
        ("rename", "step"),
        ("fsync", tmp_path.name),
    ]


@pytest.mark.parametrize(
    ("fails", "moment"), [("fsync", 0), ("fsync", 1), ("fsync", 3), ("rename", 0), ("rename", 1), ("mkdir", 1)]
)
def test_a_full_disk_keeps_the_old_folder_and_leaves_nothing_behind(tmp_path, monkeypatch, fails, moment):
    folder = tmp_path / "best"
    write_folder(folder, OLD)
    real, calls = getattr(os, fails), []

    def full(*args):
        calls.append(args)
        if len(calls) == moment + 1:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(*args)

    with monkeypatch.context() as patch:
        patch.setattr(os, fails, full)
        with pytest.raises(StorageError, match=r"No space left on device.*kept"):
            write_folder(folder, NEW)
    assert content(folder) == OLD
    assert [p.name for p in tmp_path.iterdir()] == ["best"]
    write_folder(folder, NEW)
    assert content(folder) == NEW


def test_reading_refuses_what_is_no_regular_file_of_the_right_size(tmp_path):
    (tmp_path / "file").write_bytes(b"12345")
    assert read_file(tmp_path / "file", largest=5, exactly=5) == b"12345"
    with pytest.raises(CorruptFile, match="expected 6 bytes, got 5"):
        read_file(tmp_path / "file", largest=9, exactly=6)
    with pytest.raises(CorruptFile, match="more than the 4"):
        read_file(tmp_path / "file", largest=4)
    # Also where a link leads to a file of the right size: what vouches for a folder vouches for nothing outside of it.
    (tmp_path / "inner").symlink_to(tmp_path / "file")
    with pytest.raises(CorruptFile, match="inner: cannot be read"):
        read_file(tmp_path / "inner", largest=5)
    (tmp_path / "link").symlink_to("/dev/zero")
    os.mkfifo(tmp_path / "pipe")
    for name in ("link", "pipe", "missing", "."):
        with pytest.raises(CorruptFile):
            read_file(tmp_path / name, largest=10)
