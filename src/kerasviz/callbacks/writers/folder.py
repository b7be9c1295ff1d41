"""Folders of pictures, under names that every file system takes."""

from __future__ import annotations

import glob
import re
import tempfile
import zlib
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from kerasviz._files import replacing
from kerasviz.callbacks.schedule import Interval

RESERVED = re.compile(r"(?i)con|prn|aux|nul|(com|lpt)\d")
"""Names that Windows keeps for devices."""
MAX_NAME = 80


def safe_names(addresses: Iterable[str]) -> dict[str, str]:
    """Return a name for the folder of each layer, the address itself where that can be one.

    Others get a checksum, so that two never share a folder: `"a/b"` and `"a-b"`, or `"Conv"` and
    `"conv"` where capitals make no difference.
    """
    addresses = list(addresses)
    alike = Counter(address.casefold() for address in addresses)
    return {address: _safe_name(address, alike[address.casefold()] > 1) for address in addresses}


def _safe_name(address: str, is_shared: bool) -> str:
    name = re.sub(r"[^\w.-]", "-", address).strip(".")[:MAX_NAME]
    if name and name == address and not is_shared and not RESERVED.fullmatch(name):
        return name
    return f"{name}-{zlib.crc32(address.encode()):08x}"


def open_folder(path: Path, keyword: str) -> None:
    """Make a folder if it is not there, and raise an `OSError` if it cannot be written to."""
    try:
        path.mkdir(parents=True, exist_ok=True)
        try_to_write(path)
    except OSError as error:
        raise OSError(
            error.errno,
            f"`{keyword}` must be a folder that can be written to: {error.strerror}. "
            f"Received: {keyword}={str(path)!r}",
        ) from error


def try_to_write(folder: Path) -> None:
    """Raise an `OSError` if a folder is not there, or takes no more files."""
    with tempfile.TemporaryFile(dir=folder) as file:
        file.write(b"0")


def last_number(paths: Iterable[Path], every: Interval) -> int:
    """Return the highest number of an epoch or a batch in the names of files, 0 without any."""
    matches = (re.search(every.stem_pattern, path.name) for path in paths)
    return max((int(match[1]) for match in matches if match), default=0)


class PictureFolder:
    """A folder of PNG files, one per layer and step: `conv2d/kernels-epoch-0001.png`.

    Args:
        folder: The folder.
        kind: What the pictures show, the first word of each name.
        every: What is counted.
    """

    keyword = "directory"

    def __init__(self, folder: Path, kind: str, every: Interval) -> None:
        self.folder = folder
        self.kind = kind
        self.every = every

    def open(self) -> int:
        """Check that the folder can be written to; return the number of the last picture in it."""
        open_folder(self.folder, self.keyword)
        name = f"{glob.escape(self.kind)}-{self.every.unit}-*.png"
        paths = (path for pattern in (name, f"*/{name}") for path in self.folder.glob(pattern))
        return last_number(paths, self.every)

    def write(self, name: str, number: int, png: bytes) -> None:
        """Write a picture; one that is there already stays.

        Args:
            name: The name of the layer's folder, `""` for the folder itself.
            number: How many epochs or batches were trained.
            png: The picture.
        """
        folder = self.folder / name
        if name:
            folder.mkdir(exist_ok=True)  # without parents: one that vanished must not come back
        stem = f"{self.kind}-{self.every.stem(number)}"
        path, copies = folder / f"{stem}.png", 1
        while path.exists():
            copies += 1
            path = folder / f"{stem}-{copies}.png"
        with replacing(path) as stream:
            stream.write(png)
