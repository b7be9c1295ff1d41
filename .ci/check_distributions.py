"""Check what is released: python .ci/check_distributions.py FOLDER OTHER.

FOLDER has a source distribution and the wheel that was made of it, OTHER the wheel that was made of
the checkout.
"""

from __future__ import annotations

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

LARGEST_WHEEL = 3_000_000
"""In bytes."""
LARGEST_PAGE = 200_000
"""Of the scripts and the style of the page and of the widget together, in bytes."""
PAGE = ("page.js", "page.css", "widget.js")
MADE = {"PKG-INFO"}
"""What the build adds to a source distribution."""


def sdist_files(folder: Path) -> set[str]:
    """Return the files of the source distribution, without its own top folder."""
    (path,) = folder.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        return {member.name.partition("/")[2] for member in archive if member.isfile()}


def wheel_files(folder: Path) -> set[str]:
    """Return the files of the wheel, and fail if it or the page in it is too large."""
    (path,) = folder.glob("*.whl")
    size = path.stat().st_size
    print(f"{path.name}: {size:,} bytes")
    if size > LARGEST_WHEEL:
        sys.exit(f"The wheel is larger than {LARGEST_WHEEL:,} bytes.")
    with zipfile.ZipFile(path) as archive:
        page = sum(archive.getinfo(f"kerasviz/report/{name}").file_size for name in PAGE)
        print(f"the page: {page:,} bytes")
        if page > LARGEST_PAGE:
            sys.exit(f"The page is larger than {LARGEST_PAGE:,} bytes.")
        return set(archive.namelist())


def git_files() -> set[str]:
    """Return what git has, and what a commit of everything would add."""
    # Git otherwise refuses a checkout of another user, as in a container.
    command = ["git", "-c", "safe.directory=*", "ls-files", "-z", "-co", "--exclude-standard"]
    names = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return {name for name in names.split("\0") if name and Path(name).is_file()}


def compare(found: set[str], wanted: set[str], where: str) -> None:
    """Fail unless both are the same."""
    for text, names in (("too much", found - wanted), ("missing", wanted - found)):
        if names:
            sys.exit(f"{text} in {where}: {', '.join(sorted(names))}")


def main() -> None:
    """Check both distributions."""
    folder, other = map(Path, sys.argv[1:])
    source, wheel = sdist_files(folder), wheel_files(folder)
    if Path(".git").exists():
        compare(source - MADE, git_files(), "the source distribution, against git")
    compare(wheel, wheel_files(other), "the wheel, against one made of the checkout")
    package = {name.removeprefix("src/") for name in source if name.startswith("src/")}
    modules = {name for name in wheel if ".dist-info/" not in name}
    compare(modules, package, "the wheel, against src/")


if __name__ == "__main__":
    main()
