"""Files that get their name when they are complete."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from kerasviz import _files
from kerasviz._files import check_target, replacing, replacing_path


def write(path: Path, content: bytes = b"new", **options: bool) -> None:
    with replacing(path, **options) as stream:
        stream.write(content)


def test_replacing_lets_a_file_appear_when_it_is_complete(tmp_path: Path) -> None:
    path = tmp_path / "file"
    with replacing(path) as stream:
        stream.write(b"half")
        assert not path.exists()
    assert path.read_bytes() == b"half"
    assert [*tmp_path.iterdir()] == [path]


def test_replacing_leaves_what_was_there_after_a_failure(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")

    def interrupted() -> None:
        with replacing(path) as stream:
            stream.write(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert path.read_bytes() == b"old"
    assert [*tmp_path.iterdir()] == [path]


def test_replacing_gives_a_file_the_rights_of_the_umask(tmp_path: Path) -> None:
    mask = os.umask(0o027)
    try:
        write(tmp_path / "file")
    finally:
        os.umask(mask)
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o640


def test_replacing_keeps_the_rights_of_the_file_that_was_there(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    path.chmod(0o604)
    write(path)
    assert path.stat().st_mode & 0o777 == 0o604


def test_replacing_keeps_a_link_and_replaces_what_it_leads_to(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    real, link = tmp_path / "folder" / "real", tmp_path / "link"
    real.write_bytes(b"old")
    link.symlink_to(real)
    write(link)
    assert link.is_symlink()
    assert real.read_bytes() == b"new"
    assert {path.name for path in tmp_path.rglob("*")} == {"folder", "real", "link"}


def test_replacing_writes_to_a_device() -> None:
    write(Path(os.devnull))
    assert Path(os.devnull).is_char_device()


def test_replacing_takes_a_name_of_any_length(tmp_path: Path) -> None:
    path = tmp_path / ("é" * 120 + ".png")
    write(path, tidy=True)
    assert [*tmp_path.iterdir()] == [path]


def test_replacing_refuses_a_link_to_itself(tmp_path: Path) -> None:
    link = tmp_path / "loop"
    link.symlink_to(link)
    with pytest.raises(OSError, match="leads to itself"):
        write(link)
    assert link.is_symlink()
    assert [*tmp_path.iterdir()] == [link]


def test_replacing_refuses_a_name_that_no_file_can_have(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="null character"):
        write(tmp_path / "a\0b")
    assert not [*tmp_path.iterdir()]


@pytest.mark.parametrize("name", [None, "temporary"])
def test_replacing_names_the_file_for_which_a_disk_is_full(
    tmp_path: Path, name: str | None
) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")

    def fill() -> None:
        with replacing_path(path) as temporary:
            temporary.write_bytes(b"half")
            words = "a library's own words"
            raise OSError(errno.ENOSPC, words, *([str(temporary)] if name else []))

    with pytest.raises(OSError, match=os.strerror(errno.ENOSPC)) as error:
        fill()
    assert error.value.filename == str(path)
    assert path.read_bytes() == b"old"
    assert [*tmp_path.iterdir()] == [path]


def test_replacing_passes_on_the_error_of_a_full_disk_elsewhere(tmp_path: Path) -> None:
    def fill() -> None:
        with replacing_path(tmp_path / "file"):
            raise OSError(errno.ENOSPC, "No space left", "cache/of/another")

    with pytest.raises(OSError, match="cache/of/another"):
        fill()
    assert not [*tmp_path.iterdir()]


def test_replacing_path_may_keep_the_suffix(tmp_path: Path) -> None:
    path = tmp_path / "steps.gif"
    with replacing_path(path, keep_suffix=True) as temporary:
        assert temporary.suffix == ".gif"
        temporary.write_bytes(b"new")
        left = temporary.with_name(temporary.name.replace(f"-{os.getpid()}-", "-999999999-"))
    left.write_bytes(b"half")  # as a process leaves it that does not exist any more
    write(path, tidy=True)
    assert [*tmp_path.iterdir()] == [path]


def test_check_target_refuses_what_cannot_be_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, file = tmp_path / "maps.npy", tmp_path / "file"
    (folder / "sub").mkdir(parents=True)
    file.write_bytes(b"old")
    with pytest.raises(IsADirectoryError, match="A folder is there"):
        write(folder)
    with pytest.raises(FileNotFoundError, match=r"No such folder: .*no/file"):
        write(tmp_path / "no" / "file")
    with pytest.raises(FileExistsError, match="Something else is there"):
        check_target(file, may_replace_folder=lambda _: True)
    with pytest.raises(FileExistsError, match="not a regular file"):
        check_target(Path(os.devnull))
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(PermissionError, match="is read-only"):
        write(file)
    assert file.read_bytes() == b"old"
    assert {path.name for path in tmp_path.rglob("*")} == {"maps.npy", "sub", "file"}


@pytest.mark.parametrize("is_folder", [False, True])
def test_replacing_removes_what_a_killed_run_left(tmp_path: Path, is_folder: bool) -> None:
    path, other = tmp_path / "maps.zarr", tmp_path / "other.zarr"
    program = (
        "import os, signal, sys, pathlib\nfrom kerasviz._files import replacing_path\n"
        "replace = (lambda _: True) if sys.argv[2] == 'True' else None\n"
        "with replacing_path(pathlib.Path(sys.argv[1]), may_replace_folder=replace) as path:\n"
        "    if path.is_dir(): (path / 'half').write_text('')\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    for target in (path, other):
        run = subprocess.run([sys.executable, "-c", program, str(target), str(is_folder)])
        assert run.returncode == -signal.SIGKILL
    left = {file.name for file in tmp_path.iterdir()}
    assert len(left) == 2
    (of_other,) = (name for name in left if name.startswith(".other"))
    mine = tmp_path / ".maps.zarr.kerasviz-notes.tmp"
    mine.write_text("mine")
    (of_path,) = left - {of_other}
    link = tmp_path / f"{of_path[:-12]}00000000.tmp"
    link.symlink_to(mine)
    write(path, tidy=True)
    assert {file.name for file in tmp_path.iterdir()} == {
        "maps.zarr",
        of_other,
        mine.name,
        link.name,
    }
    assert mine.read_text() == "mine"


def test_replacing_leaves_what_another_run_still_writes(tmp_path: Path) -> None:
    path = tmp_path / "file"
    with replacing(path) as stream:
        stream.write(b"first")
        write(path, b"second", tidy=True)
        assert path.read_bytes() == b"second"
    assert path.read_bytes() == b"first"


def test_replacing_removes_what_another_machine_left_after_a_week(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    with replacing_path(path) as temporary:
        name = temporary.name
    left = tmp_path / name
    monkeypatch.setattr(_files, "gethostname", lambda: "another")
    for days, stays in ((6, True), (8, False)):
        left.write_bytes(b"")
        then = left.stat().st_mtime - days * 24 * 3600
        os.utime(left, (then, then))
        write(path, tidy=True)
        assert left.exists() == stays


def test_replacing_keeps_a_complete_file_that_cannot_get_its_name(tmp_path: Path) -> None:
    path = tmp_path / "maps.npy"

    def in_the_way(*, keep: bool) -> None:
        with replacing_path(path, keep=keep) as temporary:
            temporary.write_bytes(b"complete")
            path.mkdir()

    with pytest.raises(OSError, match="is complete and kept as") as error:
        in_the_way(keep=True)
    (kept,) = (file for file in tmp_path.iterdir() if file != path)
    assert kept.read_bytes() == b"complete"
    assert str(kept) in str(error.value)
    assert kept.match("maps-*.npy")
    kept.unlink()
    path.rmdir()
    with pytest.raises(OSError, match="directory"):
        in_the_way(keep=False)
    assert [*tmp_path.iterdir()] == [path]


def test_replacing_path_puts_a_folder_back_where_the_new_one_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "store"
    path.mkdir()
    (path / "old").write_text("")
    rename = Path.rename

    def failing(self: Path, target: Path) -> Path:
        if self.suffix == ".tmp":
            raise PermissionError(13, "Permission denied")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", failing)
    with (
        pytest.raises(PermissionError),
        replacing_path(path, may_replace_folder=lambda _: True) as temporary,
    ):
        (temporary / "new").write_text("")
    assert [file.name for file in tmp_path.rglob("*")] == ["store", "old"]
