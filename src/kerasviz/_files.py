"""Write files that appear under their name when they are complete, and not at all otherwise."""

from __future__ import annotations

import errno
import os
import re
import secrets
import shutil
import stat
import sys
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from socket import gethostname
from typing import IO

ABANDONED_AFTER = 7 * 24 * 3600
"""Seconds without a change after which an unfinished file of another machine is left over."""
FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
"""The errors of a full disk; libraries name no file in them, or the temporary one."""
MAX_STEM = 40
"""Characters of a file's name that its temporary name begins with."""


@contextmanager
def replacing(path: Path, *, tidy: bool = False) -> Iterator[IO[bytes]]:
    """Open a file that appears under its name when it is complete, and not at all otherwise.

    What was there stays until then. A link stays as well: the file that it leads to is replaced.
    What is not a regular file, such as a pipe or `/dev/stdout`, is written to directly.

    Args:
        path: Where the file is wanted.
        tidy: Whether to look for what a run that was killed left of it, which takes longer the
            more files the folder has.
    """
    if path.exists() and not path.is_file() and not path.is_dir():
        with path.open("wb") as stream:
            yield stream
        return
    with replacing_path(path, tidy=tidy) as temporary, temporary.open("wb") as stream:
        yield stream


@contextmanager
def replacing_path(
    path: Path,
    *,
    tidy: bool = True,
    keep: bool = False,
    keep_suffix: bool = False,
    may_replace_folder: Callable[[Path], bool] | None = None,
) -> Iterator[Path]:
    """Yield the path of a new empty file that takes the place of `path` when it is complete.

    The file is in the same folder, so that it only has to be renamed, and is created exclusively:
    under a name that no file has, through no link.

    Args:
        path: Where the file is wanted. A link stays: the file that it leads to is replaced.
        tidy: Whether to remove what a run that was killed left of the same file.
        keep: Whether to keep a complete file that cannot be renamed, for what took long to make.
        keep_suffix: Whether the new file has the suffix of `path`, by which some writers choose
            the format.
        may_replace_folder: For a folder in place of a file: whether one that is there may be
            replaced. The path is that of an empty folder.

    Raises:
        OSError: Nothing can be written there, or the file cannot get its name; with `keep`, the
            error says where it is.
    """
    check_target(path, may_replace_folder=may_replace_folder)
    target = Path(os.path.realpath(path))
    if tidy:
        _remove_leftovers(target)
    suffix = f".tmp{path.suffix}" if keep_suffix else ".tmp"
    temporary = target.with_name(f"{_prefix(target)}{os.getpid()}-{secrets.token_hex(4)}{suffix}")
    _create(temporary, target, is_folder=may_replace_folder is not None)
    complete = False
    try:
        yield temporary
        complete = True
        _put_in_place(temporary, target)
    except BaseException as error:
        if complete and keep and isinstance(error, OSError):
            raise _keep(temporary, target, error) from error
        _remove(temporary)
        if isinstance(error, OSError) and _is_full(error, temporary):
            raise OSError(error.errno, os.strerror(error.errno or 0), str(path)) from error
        raise


def check_target(path: Path, *, may_replace_folder: Callable[[Path], bool] | None = None) -> None:
    """Raise an `OSError` if a file, or a folder, must not or cannot be written there.

    Args:
        path: Where it is wanted.
        may_replace_folder: For a folder: whether one that is there already may be replaced.
    """
    if "\0" in str(path):
        raise OSError(errno.EINVAL, "A null character is in the name", str(path))
    target = Path(os.path.realpath(path))
    if not target.parent.is_dir():
        raise FileNotFoundError(errno.ENOENT, "No such folder", str(path))
    if target.is_symlink():  # where a link leads has no link in it, unless it leads to itself
        raise OSError(errno.ELOOP, "A link is there that leads to itself", str(path))
    if not path.exists():
        return
    if may_replace_folder is not None:
        if not (path.is_dir() and may_replace_folder(path)):
            text = "Something else is there, which is not replaced"
            raise FileExistsError(errno.EEXIST, text, str(path))
    elif path.is_dir():
        raise IsADirectoryError(errno.EISDIR, "A folder is there, which is not replaced", str(path))
    elif not path.is_file():
        raise FileExistsError(errno.EEXIST, "It is not a regular file", str(path))
    elif not os.access(path, os.W_OK):
        raise PermissionError(errno.EACCES, "The file there is read-only", str(path))


def _create(temporary: Path, target: Path, *, is_folder: bool) -> None:
    try:
        if is_folder:
            temporary.mkdir()
            return
        temporary.open("xb").close()
    except OSError as error:  # named after the file that was asked for
        raise OSError(error.errno, error.strerror, str(target)) from error
    with suppress(OSError):  # the rights of the file that is replaced
        shutil.copymode(target, temporary)


def _prefix(target: Path) -> str:
    """Return how the temporary names for a file begin, on this machine."""
    return f"{_names_of(target)}{zlib.crc32(gethostname().encode()):08x}-"


def _names_of(target: Path) -> str:
    """Return how the temporary names for a file begin, on any machine."""
    return f".{target.name[:MAX_STEM]}.kerasviz-{zlib.crc32(os.fsencode(target.name)):08x}-"


def _remove_leftovers(target: Path) -> None:
    """Remove what runs that were killed left of the same file."""
    start = re.escape(_names_of(target))
    pattern = re.compile(rf"{start}[0-9a-f]{{8}}-(\d+)-[0-9a-f]{{8}}\.tmp(\.\w+)?")
    with suppress(OSError):
        for path in target.parent.iterdir():
            match = pattern.fullmatch(path.name)
            if match and not path.is_symlink():
                here = path.name.startswith(_prefix(target))
                with suppress(OSError):
                    if _is_abandoned(path, int(match[1]) if here else None):
                        _remove(path)


def _is_abandoned(path: Path, process: int | None) -> bool:
    """Whether nobody writes to a temporary file any more.

    Args:
        path: The file or folder.
        process: The process on this machine that made it, `None` where it was another machine.
    """
    # On Windows, os.kill would end the process.
    if process is None or sys.platform == "win32":
        return time.time() - path.stat().st_mtime > ABANDONED_AFTER
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    except (OSError, OverflowError):
        pass
    return False


def _is_full(error: OSError, temporary: Path) -> bool:
    """Whether a write failed for want of space; another file's name tells that it was not ours."""
    name = error.filename
    return error.errno in FULL and (name is None or str(name).startswith(str(temporary)))


def _put_in_place(temporary: Path, target: Path) -> None:
    if not (temporary.is_dir() and target.is_dir()):
        temporary.replace(target)
        return
    # A folder is not replaced in one step: the old one steps aside, and returns if that fails.
    aside = temporary.with_suffix(".old")
    target.rename(aside)
    try:
        temporary.rename(target)
    except BaseException:
        aside.rename(target)
        raise
    _remove(aside)


def _keep(temporary: Path, target: Path, error: OSError) -> OSError:
    """Give a complete file that could not get its name one that shows; return what to raise."""
    place = target.with_name(f"{target.stem}-{secrets.token_hex(4)}{target.suffix}")
    try:
        temporary.rename(place)
    except OSError:
        place = temporary
    return OSError(
        error.errno,
        f"{error.strerror or error}; what was written is complete and kept as {str(place)!r}",
        str(target),
    )


def _remove(path: Path) -> None:
    with suppress(OSError):
        if stat.S_ISDIR(path.lstat().st_mode):
            shutil.rmtree(path)
        else:
            path.unlink()
